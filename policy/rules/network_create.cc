// Networks that are made.
//
// allowed-network-drivers
//   reads    Driver, Options, IPAM, Scope, Ingress, ConfigOnly, ConfigFrom of a network create
//   allows   drivers in `allowed`; options in `options`: others take over an interface of the host,
//            stand on its segment, open its firewall or join another network's tunnel; addresses
//            inside `subnets`, by the engine's own allocator, for a subnet of somebody else's would
//            take the host's routes to it away. Never: the ingress network, configuration networks
//            and other scopes, which are the administrator's
//   params   allowed, options: [name]; subnets: [CIDR], none: the engine chooses
//   maps to  -
//
// overlay-encryption
//   reads    Driver and Options of a network create
//   allows   every driver but overlay; overlay with the option `encrypted`, not switched off
//   maps to  CIS Docker 7.3
#include "policy/rules/network_create.h"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>

#include "base/json.h"
#include "policy/catalogue.h"
#include "policy/rules/rules.h"
#include "policy/rules/support.h"

namespace dockreeve::policy::rules {
namespace {

using docker::Cidr;
using docker::NetworkCreate;

void refuse(std::string pointer, std::string value, std::string text, Report& out) {
  out.add(std::move(pointer), std::move(value), {{"text", std::move(text)}});
}

// Whether a subnet, a range or an address lies in one of the blocks.
bool inside(const std::vector<Cidr>& blocks, const std::string& text) {
  // Go reads an IPv4 address in IPv6 spelling as another network than this would.
  if (text.find(':') != std::string::npos && text.find('.') != std::string::npos) return false;
  const Result<Cidr> block = Cidr::parse(text);
  return block && std::any_of(blocks.begin(), blocks.end(),
                              [&block](const Cidr& allowed) { return allowed.contains(*block); });
}

void check_pool(const std::vector<Cidr>& blocks, const docker::IpamPool& pool,
                const std::string& pointer, Report& out) {
  const auto check = [&](const std::string& text, std::string where) {
    if (text.empty() || inside(blocks, text)) return;
    refuse(std::move(where), quoted(text),
           blocks.empty() ? "Address " + text + " is not yours to choose. Leave it to the engine."
                          : "Address " + text + " is outside the blocks for networks.",
           out);
  };
  check(pool.subnet, pointer + "/Subnet");
  check(pool.ip_range, pointer + "/IPRange");
  check(pool.gateway, pointer + "/Gateway");
  for (const auto& [name, address] : pool.auxiliary_addresses) {
    check(address, json::pointer_join(pointer + "/AuxiliaryAddresses", name));
  }
}

void check_ipam(const std::vector<Cidr>& blocks, const docker::NetworkIpam& ipam, Report& out) {
  if (!ipam.driver.empty() && ipam.driver != "default") {
    refuse("/IPAM/Driver", quoted(ipam.driver),
           "IPAM driver " + ipam.driver + " is not allowed. Use the default one.", out);
  }
  if (!ipam.options.empty()) {
    refuse("/IPAM/Options", quoted(ipam.options.begin()->first),
           "IPAM options are not allowed. Remove `--ipam-opt`.", out);
  }
  if (!ipam.config) return;
  for (std::size_t i = 0; i < ipam.config->size(); ++i) {
    check_pool(blocks, (*ipam.config)[i], json::pointer_join("/IPAM/Config", i), out);
  }
}

bool is_encrypted(const docker::Map<std::string>& options) {
  constexpr std::array<std::string_view, 7> kYes{"", "1", "t", "T", "true", "TRUE", "True"};
  const auto option = options.find("encrypted");
  return option != options.end() &&
         std::find(kYes.begin(), kYes.end(), option->second) != kYes.end();
}

}  // namespace

Result<NewNetworks> NewNetworks::compile(const Params& params) {
  NewNetworks out{params.list("allowed"), params.list("options"), {}};
  for (const std::string& text : params.list("subnets")) {
    Result<Cidr> block = Cidr::parse(text);
    if (!block) return fail("subnets", block.error().message);
    out.subnets.push_back(*std::move(block));
  }
  return out;
}

const NewNetworks& NewNetworks::defaults() {
  static const NewNetworks defaults = [] {
    const RuleEntry* rule = find_rule("allowed-network-drivers");
    // INVARIANT: the catalogue is our own data; its defaults compile (catalogue_test).
    if (!rule) throw std::logic_error("the catalogue has no allowed-network-drivers");
    Params params;
    for (const ParamDef& param : rule->params)
      params.set(param.name, param.fallback);
    return compile(params).value();
  }();
  return defaults;
}

void NewNetworks::check(const NetworkCreate& network, Report& out) const {
  if (!contains(drivers, network.driver)) {
    out.add("/Driver", quoted(network.driver), {{"value", network.driver}});
  }
  for (const auto& [name, value] : network.options) {
    if (contains(options, name)) continue;
    refuse(json::pointer_join("/Options", name), quoted(value),
           "Network option " + name + " is not allowed. Remove `--opt " + name + "`.", out);
  }
  if (network.ipam) check_ipam(subnets, *network.ipam, out);
  if (!network.scope.empty() && network.scope != "local") {
    refuse("/Scope", quoted(network.scope),
           "Networks of scope " + network.scope + " are not allowed. Remove `--scope`.", out);
  }
  if (network.ingress) {
    refuse("/Ingress", "true", "The ingress network is the administrator's. Remove `--ingress`.",
           out);
  }
  if (network.config_only) {
    refuse("/ConfigOnly", "true",
           "Configuration networks are the administrator's. Remove `--config-only`.", out);
  }
  if (network.config_from && !network.config_from->network.empty()) {
    refuse("/ConfigFrom", quoted(network.config_from->network),
           "Configuration networks are the administrator's. Remove `--config-from`.", out);
  }
}

Result<Check> allowed_network_drivers(const Params& params) {
  Result<NewNetworks> limits = NewNetworks::compile(params);
  if (!limits) return tl::unexpected(limits.error());
  return pure(on<NetworkCreate>(
      [limits = *std::move(limits)](const NetworkCreate& network, const Input&, Report& out) {
        limits.check(network, out);
      }));
}

Result<Check> overlay_encryption(const Params&) {
  return pure(on<NetworkCreate>([](const NetworkCreate& network, const Input&, Report& out) {
    if (network.driver != "overlay" || is_encrypted(network.options)) return;
    out.add("/Options/encrypted", "null", {}, "--opt encrypted");
  }));
}

}  // namespace dockreeve::policy::rules
