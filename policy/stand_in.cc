#include "policy/stand_in.h"

#include <algorithm>
#include <array>
#include <limits>
#include <span>
#include <utility>

#include "policy/catalogue.h"

namespace dockreeve::policy {
namespace {

using docker::ContainerSpec;
using docker::CreateContainer;
using docker::HostConfig;
using docker::Int;
using docker::NetworkConnect;
using docker::Request;
using docker::ServiceSpec;

constexpr Int kNano = 1'000'000'000;

// --- a service's tasks

// The bytes behind standard base64, or nothing.
std::optional<std::string> decode_base64(std::string_view text) {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  if (text.size() % 4 != 0) return std::nullopt;
  for (int i = 0; i < 2 && text.ends_with('='); ++i)
    text.remove_suffix(1);
  std::string out;
  unsigned bits = 0;
  int held = 0;
  for (const char c : text) {
    const std::size_t value = kAlphabet.find(c);
    if (value == std::string_view::npos) return std::nullopt;
    bits = (bits << 6U | static_cast<unsigned>(value)) & 0xffffffU;
    held += 6;
    if (held < 8) continue;
    held -= 8;
    out += static_cast<char>(bits >> static_cast<unsigned>(held) & 0xffU);
  }
  return out;
}

// Modes that are not known count as the one that takes protection away.
std::string seccomp_option(const docker::ServiceSeccomp& seccomp) {
  if (seccomp.mode == "custom") {
    return "seccomp=" + decode_base64(seccomp.profile).value_or("unconfined");
  }
  return seccomp.mode.empty() || seccomp.mode == "default" ? "seccomp=" : "seccomp=unconfined";
}

docker::StringList security_options(const docker::ServicePrivileges& privileges) {
  std::vector<std::string> out;
  if (privileges.no_new_privileges) out.emplace_back("no-new-privileges");
  if (privileges.seccomp) out.push_back(seccomp_option(*privileges.seccomp));
  if (privileges.apparmor && !privileges.apparmor->mode.empty() &&
      privileges.apparmor->mode != "default") {
    out.emplace_back("apparmor=unconfined");
  }
  if (privileges.selinux_context) {
    const docker::SelinuxContext& context = *privileges.selinux_context;
    if (context.disable) out.emplace_back("label=disable");
    const auto add = [&out](const char* name, const std::string& value) {
      if (!value.empty()) out.push_back(std::string("label=") + name + ":" + value);
    };
    add("user", context.user);
    add("role", context.role);
    add("type", context.type);
    add("level", context.level);
  }
  return out;
}

// "address name alias..." as "name:address"; one entry each, so that indices stay.
std::string extra_host(const std::string& line) {
  constexpr const char* kBlank = " \t";
  const std::size_t end = line.find_first_of(kBlank);
  if (end == std::string::npos) return line;
  const std::size_t name = line.find_first_not_of(kBlank, end);
  if (name == std::string::npos) return line;
  const std::size_t stop = std::min(line.find_first_of(kBlank, name), line.size());
  return line.substr(name, stop - name) + ":" + line.substr(0, end);
}

void take_limits(const docker::ResourceRequirements& resources, HostConfig& host) {
  if (resources.limits) {
    host.nano_cpus = resources.limits->nano_cpus;
    host.memory = resources.limits->memory_bytes;
    host.pids_limit = resources.limits->pids;
  }
  if (resources.reservations) host.memory_reservation = resources.reservations->memory_bytes;
  host.memory_swappiness = resources.memory_swappiness;
  if (!resources.swap_bytes) return;
  const Int swap = *resources.swap_bytes;
  const Int room = std::numeric_limits<Int>::max() - std::max<Int>(host.memory, 0);
  host.memory_swap = swap < 0 ? -1 : host.memory + std::min(swap, room);
}

void take_networks(const docker::List<docker::NetworkAttachment>& networks,
                   CreateContainer& create) {
  if (!networks) return;
  for (const docker::NetworkAttachment& network : *networks) {
    std::string& mode = create.host_config.network_mode;
    if (mode.empty()) mode = network.target;
    docker::EndpointSettings settings;
    settings.aliases = network.aliases;
    settings.driver_opts = network.driver_opts;
    create.networking_config.endpoints_config.insert_or_assign(network.target, settings);
  }
}

void take_ports(const docker::EndpointSpec& endpoint, HostConfig& host) {
  if (!endpoint.ports) return;
  for (const docker::ServicePort& port : *endpoint.ports) {
    const std::string protocol = port.protocol.empty() ? "tcp" : port.protocol;
    auto& bindings = host.port_bindings[std::to_string(port.target_port) + "/" + protocol];
    if (!bindings) bindings.emplace();
    // Swarm chooses a port when none is named.
    bindings->push_back({"", port.published_port == 0 ? "" : std::to_string(port.published_port)});
  }
}

void take_container(const ContainerSpec& spec, CreateContainer& create) {
  create.image = spec.image;
  create.labels = spec.labels;
  create.entrypoint = spec.command;
  create.cmd = spec.args;
  create.hostname = spec.hostname;
  create.env = spec.env;
  create.working_dir = spec.dir;
  create.user = spec.user;
  create.stop_signal = spec.stop_signal;
  create.tty = spec.tty;
  create.open_stdin = spec.open_stdin;
  create.healthcheck = spec.healthcheck;
  if (spec.stop_grace_period) create.stop_timeout = *spec.stop_grace_period / kNano;
  HostConfig& host = create.host_config;
  host.group_add = spec.groups;
  host.init = spec.init;
  host.readonly_rootfs = spec.read_only;
  host.mounts = spec.mounts;
  host.isolation = spec.isolation;
  host.sysctls = spec.sysctls;
  host.cap_add = spec.capability_add;
  host.cap_drop = spec.capability_drop;
  host.ulimits = spec.ulimits;
  host.oom_score_adj = spec.oom_score_adj;
  if (spec.privileges) host.security_opt = security_options(*spec.privileges);
  if (spec.hosts) {
    host.extra_hosts.emplace();
    for (const std::string& line : *spec.hosts)
      host.extra_hosts->push_back(extra_host(line));
  }
  if (spec.dns_config) {
    host.dns = spec.dns_config->nameservers;
    host.dns_search = spec.dns_config->search;
    host.dns_options = spec.dns_config->options;
  }
}

CreateContainer task_of(const ServiceSpec& service) {
  CreateContainer create;
  const docker::TaskSpec& task = service.task_template;
  take_container(task.container_spec, create);
  // A label of the service is as good as one of its containers, and as bad.
  create.labels.insert(service.labels.begin(), service.labels.end());
  if (task.resources) take_limits(*task.resources, create.host_config);
  if (task.log_driver) {
    create.host_config.log_config = {task.log_driver->name, task.log_driver->options};
  }
  take_networks(task.networks, create);
  take_networks(service.networks, create);
  if (service.endpoint_spec) take_ports(*service.endpoint_spec, create.host_config);
  return create;
}

CreateContainer connected(const NetworkConnect& connect, const std::string& network) {
  CreateContainer create;
  create.host_config.network_mode = network;
  create.networking_config.endpoints_config.emplace(network, connect.endpoint_config);
  return create;
}

// --- which rules

// Rules that refuse a value wherever it stands, and that the catalogue lists for create alone.
constexpr std::array<std::string_view, 9> kAlsoForServices{
    "no-root-group",   "seccomp-profile-allowlist", "oom-score-adj-range", "shm-size-max",
    "no-unsafe-tmpfs", "extra-hosts-restricted",    "dns-allowlist",       "no-sshd",
    "stop-timeout-max"};
constexpr std::array<std::string_view, 2> kAlsoForConnections{"sysctls-allowlist",
                                                              "no-legacy-links"};

// Whether `word` is one of a comma-separated list.
bool lists(std::string_view list, std::string_view word) {
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    std::string_view item = list.substr(0, comma);
    while (item.starts_with(' '))
      item.remove_prefix(1);
    if (item == word) return true;
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return false;
}

bool is_among(std::span<const std::string_view> names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// --- places

struct Moved {
  std::string_view from, to;
  bool with_rest = true;  // what stands below keeps its names
};
constexpr std::string_view kSpec = "/TaskTemplate/ContainerSpec";
constexpr std::array<Moved, 27> kServicePlaces{{
    {"/HostConfig/NetworkMode", "/TaskTemplate/Networks", false},
    {"/NetworkingConfig", "/TaskTemplate/Networks", false},
    {"/HostConfig/PortBindings", "/EndpointSpec/Ports", false},
    {"/HostConfig/SecurityOpt", "/TaskTemplate/ContainerSpec/Privileges", false},
    {"/HostConfig/Mounts", "/TaskTemplate/ContainerSpec/Mounts"},
    {"/HostConfig/VolumeDriver", "/TaskTemplate/ContainerSpec/Mounts", false},
    {"/HostConfig/CapAdd", "/TaskTemplate/ContainerSpec/CapabilityAdd"},
    {"/HostConfig/CapDrop", "/TaskTemplate/ContainerSpec/CapabilityDrop"},
    {"/HostConfig/ReadonlyRootfs", "/TaskTemplate/ContainerSpec/ReadOnly"},
    {"/HostConfig/GroupAdd", "/TaskTemplate/ContainerSpec/Groups"},
    {"/HostConfig/ExtraHosts", "/TaskTemplate/ContainerSpec/Hosts"},
    {"/HostConfig/Dns", "/TaskTemplate/ContainerSpec/DNSConfig/Nameservers"},
    {"/HostConfig/LogConfig/Type", "/TaskTemplate/LogDriver/Name"},
    {"/HostConfig/LogConfig/Config", "/TaskTemplate/LogDriver/Options"},
    {"/HostConfig/Memory", "/TaskTemplate/Resources/Limits/MemoryBytes"},
    {"/HostConfig/MemorySwap", "/TaskTemplate/Resources/SwapBytes"},
    {"/HostConfig/MemoryReservation", "/TaskTemplate/Resources/Reservations/MemoryBytes"},
    {"/HostConfig/NanoCpus", "/TaskTemplate/Resources/Limits/NanoCPUs"},
    {"/HostConfig/PidsLimit", "/TaskTemplate/Resources/Limits/Pids"},
    {"/HostConfig/Sysctls", "/TaskTemplate/ContainerSpec/Sysctls"},
    {"/HostConfig/Ulimits", "/TaskTemplate/ContainerSpec/Ulimits"},
    {"/HostConfig", "/TaskTemplate/Resources/Limits", false},
    {"/Labels", "/Labels"},
    {"/Cmd", "/TaskTemplate/ContainerSpec/Args"},
    {"/Entrypoint", "/TaskTemplate/ContainerSpec/Command"},
    {"/WorkingDir", "/TaskTemplate/ContainerSpec/Dir"},
    {"/StopTimeout", "/TaskTemplate/ContainerSpec/StopGracePeriod"},
}};

// What stands behind `place` in `pointer`, if that is `place` or below it.
std::optional<std::string_view> below(std::string_view pointer, std::string_view place) {
  if (!pointer.starts_with(place)) return std::nullopt;
  const std::string_view rest = pointer.substr(place.size());
  return rest.empty() || rest.starts_with('/') ? std::optional(rest) : std::nullopt;
}

std::string service_place(const std::string& pointer) {
  for (const Moved& moved : kServicePlaces) {
    const auto rest = below(pointer, moved.from);
    if (!rest) continue;
    return std::string(moved.to) + std::string(moved.with_rest ? *rest : std::string_view());
  }
  return pointer.starts_with('/') ? std::string(kSpec) + pointer : pointer;
}

std::string connect_place(const std::string& network, const std::string& pointer) {
  if (const auto rest = below(pointer, "/NetworkingConfig/EndpointsConfig/" + network)) {
    return rest->empty() ? "path" : "/EndpointConfig" + std::string(*rest);
  }
  return "path";
}

}  // namespace

std::optional<Request> stand_in(const Request& request) {
  Request out;
  if (const auto* service = request.body_as<ServiceSpec>()) {
    out.body = task_of(*service);
  } else if (const auto* connect = request.body_as<NetworkConnect>()) {
    out.body = connected(*connect, request.target.id);
  } else {
    return std::nullopt;
  }
  out.target = request.target;
  return out;
}

bool judges_stand_in(std::string_view rule, const Request& request) {
  const RuleEntry* entry = find_rule(rule);
  if (!entry) return false;
  if (request.body_as<ServiceSpec>()) {
    return lists(entry->apis, "services") || is_among(kAlsoForServices, rule);
  }
  return lists(entry->apis, "connect") || is_among(kAlsoForConnections, rule);
}

std::string stand_in_pointer(const Request& request, const std::string& pointer) {
  return request.body_as<ServiceSpec>() ? service_place(pointer)
                                        : connect_place(request.target.id, pointer);
}

}  // namespace dockreeve::policy
