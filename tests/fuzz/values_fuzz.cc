// The small grammars inside a create body: none may crash, and what they accept must be stable.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/units.h"
#include "docker/capability.h"
#include "docker/host_mount.h"
#include "docker/net_address.h"
#include "docker/port.h"
#include "docker/query.h"
#include "docker/security_opt.h"

namespace {

void require(bool fact) {
  if (!fact) std::abort();
}

void check_units(const std::string& text) {
  using dockreeve::format_bytes;
  using dockreeve::parse_bytes;
  if (const auto bytes = parse_bytes(text)) require(parse_bytes(format_bytes(*bytes)) == *bytes);
  if (const auto cpus = dockreeve::parse_cpus(text)) {
    require(dockreeve::parse_cpus(dockreeve::format_cpus(*cpus)) == *cpus);
  }
  if (const auto seconds = dockreeve::parse_duration(text)) {
    require(dockreeve::parse_duration(dockreeve::format_duration(*seconds)) == *seconds);
  }
}

void check_mounts(const std::string& text) {
  namespace docker = dockreeve::docker;
  const std::string clean = docker::clean_path(text);
  require(docker::clean_path(clean) == clean);
  const docker::EffectiveMount mount = docker::parse_bind(text, "", "");
  if (mount.invalid.empty() && mount.kind == docker::MountKind::Bind) {
    require(mount.source.starts_with('/') &&
            (mount.source + "/").find("/../") == std::string::npos);
  }
}

void check_addresses(const std::string& text) {
  namespace docker = dockreeve::docker;
  if (const auto address = docker::IpAddress::parse(text)) {
    require(docker::IpAddress::parse(address->text()) == *address);
  }
  if (const auto block = docker::Cidr::parse(text)) {
    require(docker::Cidr::parse(block->text()) == *block);
  }
  static_cast<void>(docker::parse_host_port(text));
  static_cast<void>(docker::parse_container_port(text));
}

void check_security(const std::string& text) {
  namespace docker = dockreeve::docker;
  const auto options =
      docker::parse_security_opt(std::vector<std::string>{text, "seccomp=" + text});
  require(options.seccomp != docker::SeccompMode::Custom || options.seccomp_problem.empty());
  if (const auto name = docker::normalise_capability(text)) {
    require(docker::normalise_capability(*name) == *name);
  }
  if (const auto filters = docker::canonical_filters(text)) {
    require(docker::canonical_filters(*filters) == *filters);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);
  check_units(text);
  check_mounts(text);
  check_addresses(text);
  check_security(text);
  return 0;
}
