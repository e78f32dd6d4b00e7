// Networks, published ports and name resolution.
//
// no-default-bridge        NetworkMode and EndpointsConfig are not the default bridge, also not by
// its
//                          id; CIS Docker 5.30
// allowed-networks         NetworkMode, EndpointsConfig and networkmode of a build, by their names, match a glob in
// `allowed`;
//                          joining another container's network is no-container-namespace-sharing's
//                          business
// no-privileged-host-ports every published host port >= `min`, "" and "0" are the engine's choice;
//                          CIS Docker 5.8
// bind-host-interface      every published port has a specific HostIp, inside `allowed` unless that
//                          is empty. No binding at all counts as one on all addresses, because the
//                          engine fills it in; CIS Docker 5.14
// no-publish-all-ports     PublishAllPorts false; CIS Docker 5.9
// host-port-range          every published host port inside `range`
// no-legacy-links          HostConfig.Links and EndpointsConfig Links empty
// extra-hosts-restricted   HostConfig.ExtraHosts, extrahosts of a build: do not point into `deny`,
// nor (allowHostGateway) at
//                          host-gateway
// dns-allowlist            HostConfig.Dns inside `allowed`
#include <algorithm>
#include <optional>
#include <utility>

#include "base/json.h"
#include "base/text.h"
#include "docker/net_address.h"
#include "docker/port.h"
#include "policy/ownership.h"
#include "policy/rules/rules.h"
#include "policy/rules/support.h"

namespace dockreeve::policy::rules {
namespace {

using docker::Cidr;
using docker::CreateContainer;
using docker::IpAddress;

constexpr std::string_view kEndpoints = "/NetworkingConfig/EndpointsConfig";

bool is_default_bridge(std::string_view name) {
  return name.empty() || name == "default" || name == "bridge";
}

// Calls f(name, pointer) for NetworkMode and every other endpoint.
template <class F>
void each_network(const CreateContainer& create, F f) {
  const std::string& mode = create.host_config.network_mode;
  f(mode, std::string("/HostConfig/NetworkMode"));
  for (const auto& [name, settings] : create.networking_config.endpoints_config) {
    if (name != mode) f(name, json::pointer_join(kEndpoints, name));
  }
}

void network_needs(const CreateContainer& create, const Input&, std::vector<Lookup>& out) {
  each_network(create, [&out](const std::string& name, const std::string&) {
    if (!is_network_word(name)) out.push_back({LookupKind::Network, name});
  });
}

// The name behind a reference, which may be an id or the start of one. Nothing after reporting why
// it is not known.
std::optional<std::string> network_name(const std::string& sent, const Input& in,
                                        std::string_view pointer, Report& out) {
  if (is_default_bridge(sent)) return "bridge";
  if (is_network_word(sent)) return sent;
  const auto* network = fact<NetworkFact>(in, {LookupKind::Network, sent}, pointer, out);
  if (!network) return std::nullopt;
  return network->found && !network->name.empty() ? network->name : sent;
}

void check_default_bridge(const CreateContainer& create, const Input& in, Report& out) {
  bool reported = false;
  each_network(create, [&](const std::string& sent, const std::string& pointer) {
    const std::optional<std::string> name = network_name(sent, in, pointer, out);
    // `--network default` shows up as mode and endpoint under two spellings: one finding.
    if (!name || *name != "bridge" || std::exchange(reported, true)) return;
    out.add(pointer, quoted(sent), {}, "--network NAME");
  });
}

void check_networks(const std::vector<std::string>& allowed, const CreateContainer& create,
                    const Input& in, Report& out) {
  each_network(create, [&](const std::string& sent, const std::string& pointer) {
    if (sent.starts_with("container:")) return;
    const std::optional<std::string> name = network_name(sent, in, pointer, out);
    if (!name) return;
    for (const std::string& glob : allowed) {
      if (text::glob_match(glob, *name)) return;
    }
    out.add(pointer, quoted(sent), {{"value", *name}}, "--network NAME");
  });
}

// The network of the steps of a build, which is the default bridge when none is named.
void check_build_network(const std::vector<std::string>& allowed, const Input& in, Report& out) {
  const std::string sent(build_query(in, "networkmode"));
  if (!is_route(in, "build") || sent.starts_with("container:")) return;
  const std::optional<std::string> name = network_name(sent, in, "query/networkmode", out);
  if (!name) return;
  for (const std::string& glob : allowed) {
    if (text::glob_match(glob, *name)) return;
  }
  out.add("query/networkmode", quoted(sent), {{"value", *name}}, "--network NAME");
}
void build_network_needs(const Input& in, std::vector<Lookup>& out) {
  const std::string_view mode = build_query(in, "networkmode");
  if (!is_network_word(mode)) out.push_back({LookupKind::Network, std::string(mode)});
}

// --- published ports
// ------------------------------------------------------------------------------

struct Binding {
  const std::string& port;             // "80/tcp"
  const docker::PortBinding& binding;  // an empty one if the engine fills it in
  std::string pointer;

  std::string container_port() const { return port.substr(0, port.find('/')); }
};

template <class F>
void each_binding(const CreateContainer& create, F f) {
  static const docker::PortBinding kFilledIn;
  for (const auto& [port, list] : create.host_config.port_bindings) {
    const std::string pointer = json::pointer_join("/HostConfig/PortBindings", port);
    if (!list || list->empty()) {
      f(Binding{port, kFilledIn, pointer});
      continue;
    }
    for (std::size_t i = 0; i < list->size(); ++i) {
      f(Binding{port, (*list)[i], json::pointer_join(pointer, i)});
    }
  }
}

void check_port_floor(std::int64_t min, const Binding& b, Report& out) {
  const Result<docker::HostPort> port = docker::parse_host_port(b.binding.host_port);
  if (port && (port->ephemeral() || port->first >= min)) return;
  const std::string inside = b.container_port();
  const std::string free = number(std::max<std::int64_t>(min, 8080));
  out.add(b.pointer + "/HostPort", quoted(b.binding.host_port),
          {{"value", b.binding.host_port}, {"port", inside}}, "-p " + free + ":" + inside);
}

void check_interface(const std::vector<Cidr>& allowed, const Binding& b, Report& out) {
  const Result<IpAddress> address = IpAddress::parse(b.binding.host_ip);
  const bool specific = address && !address->is_unspecified();
  const bool listed =
      specific &&
      (allowed.empty() || std::any_of(allowed.begin(), allowed.end(),
                                      [&](const Cidr& block) { return block.contains(*address); }));
  if (listed) return;
  const std::string inside = b.container_port();
  out.add(b.pointer + "/HostIp", quoted(b.binding.host_ip),
          {{"hostPort", b.binding.host_port}, {"port", inside}},
          "-p 127.0.0.1:" + b.binding.host_port + ":" + inside);
}

void check_port_range(const docker::HostPort& range, const Binding& b, Report& out) {
  const Result<docker::HostPort> port = docker::parse_host_port(b.binding.host_port);
  if (port && !port->ephemeral() && port->first >= range.first && port->last <= range.last) return;
  const bool chosen = port && port->ephemeral();
  out.add(b.pointer + "/HostPort", quoted(b.binding.host_port),
          {{"value", chosen ? "chosen by the engine" : b.binding.host_port}},
          "-p " + number(range.first) + ":" + b.container_port());
}

template <class F>
Result<Check> on_bindings(F f) {
  return pure(
      on_create([f = std::move(f)](const CreateContainer& create, const Input&, Report& out) {
        each_binding(create, [&](const Binding& binding) { f(binding, out); });
      }));
}

// --- addresses
// ------------------------------------------------------------------------------------

Result<std::vector<Cidr>> parse_blocks(const Params& params, std::string_view name) {
  std::vector<Cidr> out;
  for (const std::string& text : params.list(name)) {
    Result<Cidr> block = Cidr::parse(text);
    if (!block) return fail(std::string(name), block.error().message);
    out.push_back(*std::move(block));
  }
  return out;
}

bool inside(const std::vector<Cidr>& blocks, const IpAddress& address) {
  return std::any_of(blocks.begin(), blocks.end(),
                     [&](const Cidr& block) { return block.contains(address); });
}

struct ExtraHosts {
  std::vector<Cidr> deny;
  bool allow_host_gateway = false;

  // "name:address", the address maybe in brackets. Something that is no address is refused: the
  // engine may know words that the gateway does not.
  bool refuses(std::string_view entry) const {
    const std::size_t separator = entry.find_first_of(":=");
    if (separator == std::string_view::npos) return true;
    std::string_view target = entry.substr(separator + 1);
    if (target == "host-gateway") return !allow_host_gateway;
    if (target.starts_with('[') && target.ends_with(']')) {
      target = target.substr(1, target.size() - 2);
    }
    const Result<IpAddress> address = IpAddress::parse(target);
    return !address || inside(deny, *address);
  }

  void check(std::string_view entry, std::string pointer, Report& out) const {
    if (!refuses(entry)) return;
    const std::string host(entry);
    out.add(std::move(pointer), quoted(host), {{"value", host}}, "remove --add-host " + host);
  }

  void run(const Input& in, Report& out) const {
    each_build_query(in, "extrahosts", [&](std::string_view entry, std::size_t) {
      check(entry, "query/extrahosts", out);
    });
    const auto* create = in.request.body_as<CreateContainer>();
    if (!create || !create->host_config.extra_hosts) return;
    const auto& hosts = *create->host_config.extra_hosts;
    for (std::size_t i = 0; i < hosts.size(); ++i) {
      check(hosts[i], json::pointer_join("/HostConfig/ExtraHosts", i), out);
    }
  }
};

void check_dns(const std::vector<Cidr>& allowed, const CreateContainer& create, Report& out) {
  if (!create.host_config.dns) return;
  const auto& servers = *create.host_config.dns;
  for (std::size_t i = 0; i < servers.size(); ++i) {
    const Result<IpAddress> address = IpAddress::parse(servers[i]);
    if (address && inside(allowed, *address)) continue;
    out.add(json::pointer_join("/HostConfig/Dns", i), quoted(servers[i]), {{"value", servers[i]}},
            "remove --dns " + servers[i]);
  }
}

void check_links(const docker::StringList& links, const std::string& pointer, Report& out) {
  if (!links || links->empty()) return;
  out.add(pointer, quoted(text::join(*links, ", ")), {}, "remove --link");
}

}  // namespace

Result<Check> no_default_bridge(const Params&) {
  return with_needs(on_create(check_default_bridge), on_create(network_needs));
}

Result<Check> allowed_networks(const Params& params) {
  return with_needs(
      [allowed = params.list("allowed")](const Input& in, Report& out) {
        const auto* create = in.request.body_as<CreateContainer>();
        if (create) return check_networks(allowed, *create, in, out);
        check_build_network(allowed, in, out);
      },
      [](const Input& in, std::vector<Lookup>& out) {
        const auto* create = in.request.body_as<CreateContainer>();
        if (create) return network_needs(*create, in, out);
        build_network_needs(in, out);
      });
}

Result<Check> no_privileged_host_ports(const Params& params) {
  return on_bindings([min = params.integer("min")](const Binding& binding, Report& out) {
    check_port_floor(min, binding, out);
  });
}

Result<Check> bind_host_interface(const Params& params) {
  Result<std::vector<Cidr>> allowed = parse_blocks(params, "allowed");
  if (!allowed) return tl::unexpected(allowed.error());
  return on_bindings([allowed = *std::move(allowed)](const Binding& binding, Report& out) {
    check_interface(allowed, binding, out);
  });
}

Result<Check> no_publish_all_ports(const Params&) {
  return pure(on_create([](const CreateContainer& create, const Input&, Report& out) {
    if (!create.host_config.publish_all_ports) return;
    out.add("/HostConfig/PublishAllPorts", "true", {}, "remove -P");
  }));
}

Result<Check> host_port_range(const Params& params) {
  const Result<docker::HostPort> range = docker::parse_port_range(params.text("range"));
  if (!range) return fail("range", range.error().message);
  return on_bindings([range = *range](const Binding& binding, Report& out) {
    check_port_range(range, binding, out);
  });
}

Result<Check> no_legacy_links(const Params&) {
  return pure(on_create([](const CreateContainer& create, const Input&, Report& out) {
    check_links(create.host_config.links, "/HostConfig/Links", out);
    for (const auto& [name, settings] : create.networking_config.endpoints_config) {
      if (settings)
        check_links(settings->links, json::pointer_join(kEndpoints, name) + "/Links", out);
    }
  }));
}

Result<Check> extra_hosts_restricted(const Params& params) {
  Result<std::vector<Cidr>> deny = parse_blocks(params, "deny");
  if (!deny) return tl::unexpected(deny.error());
  return pure([rule = ExtraHosts{*std::move(deny), params.flag("allowHostGateway")}](
                  const Input& in, Report& out) { rule.run(in, out); });
}

Result<Check> dns_allowlist(const Params& params) {
  Result<std::vector<Cidr>> allowed = parse_blocks(params, "allowed");
  if (!allowed) return tl::unexpected(allowed.error());
  return pure(
      on_create([allowed = *std::move(allowed)](const CreateContainer& create, const Input&,
                                                Report& out) { check_dns(allowed, create, out); }));
}

}  // namespace dockreeve::policy::rules
