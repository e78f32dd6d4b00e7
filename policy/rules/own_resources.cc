// own-resources-only
//
// Containers, execs, volumes, networks and swarm objects belong to the caller who made them: the
// gateway labels what it lets through. Images are shared (own_images.h). By path, an object of
// somebody else answers exactly as one that does not exist, so that nobody learns what others run.
//
//   reads    the object a route names; VolumesFrom, Links, container: modes, named networks and
//            named volumes of a create body; the name of a volume create; networkmode of a build;
//            names that a build, a load, an import or a commit gives; containers that the filters of
//            a container list name; the container of a network connect, a disconnect and a commit;
//            the networks and volumes of a service, its secrets and configs; a network create
//   allows   objects with the caller's owner label or one of the caller's team labels. A create may
//            also use a volume that does not exist yet, and one that nobody owns if it is a plain
//            local volume: the engine makes such volumes for `-v name:/path` without labels.
//            Everybody may look at the networks that every engine has, and connect to bridge and
//            none without an address of their choice. A new network keeps to the defaults of
//            allowed-network-drivers, unless that rule is enforced itself, and takes no name that is
//            in use. No secret and no config is the caller's: nothing is known about their owners
//   params   by: team or identity; reads: whether routes that only show state are limited too;
//            unowned: roles whose holders own what carries no owner label, i.e. what was made before
//            the gateway or beside it
//   maps to  -
#include "policy/ownership.h"
#include "policy/rules/builds.h"
#include "policy/rules/network_create.h"
#include "policy/rules/own_images.h"
#include "policy/rules/rules.h"
#include "policy/rules/support.h"
#include "policy/scope.h"

namespace dockreeve::policy::rules {
namespace {

using docker::CreateContainer;
using docker::Object;

using Labels = docker::Map<std::string>;

std::string_view kind_name(LookupKind kind) {
  switch (kind) {
    case LookupKind::Exec:
      return "Exec";
    case LookupKind::Volume:
      return "Volume";
    case LookupKind::Network:
      return "Network";
    case LookupKind::Service:
      return "Service";
    case LookupKind::Task:
      return "Task";
    case LookupKind::Secret:
      return "Secret";
    case LookupKind::Config:
      return "Config";
    case LookupKind::Container:
    case LookupKind::Image:
    case LookupKind::ImageUsers:
    case LookupKind::HostPath:
    case LookupKind::Engine:
      break;
  }
  return "Container";
}

// The engine's own words about something it does not have.
std::string absent_text(LookupKind kind, const std::string& name) {
  switch (kind) {
    case LookupKind::Exec:
      return "No such exec instance: " + name;
    case LookupKind::Volume:
      return "get " + name + ": no such volume";
    case LookupKind::Network:
      return "network " + name + " not found";
    case LookupKind::Service:
      return "service " + name + " not found";
    case LookupKind::Task:
      return "task " + name + " not found";
    case LookupKind::Secret:
      return "secret " + name + " not found";
    case LookupKind::Config:
      return "config " + name + " not found";
    case LookupKind::Container:
    case LookupKind::Image:
    case LookupKind::ImageUsers:
    case LookupKind::HostPath:
    case LookupKind::Engine:
      break;
  }
  return "No such container: " + name;
}

std::optional<LookupKind> kind_of(Object object) {
  switch (object) {
    case Object::Container:
      return LookupKind::Container;
    case Object::Exec:
      return LookupKind::Exec;
    case Object::Volume:
      return LookupKind::Volume;
    case Object::Network:
      return LookupKind::Network;
    case Object::Service:
      return LookupKind::Service;
    case Object::Task:
      return LookupKind::Task;
    case Object::Secret:
      return LookupKind::Secret;
    case Object::Config:
      return LookupKind::Config;
    case Object::None:
    case Object::Image:
    case Object::Plugin:
    case Object::Node:
      break;
  }
  return std::nullopt;
}

bool is_plain_volume(const VolumeFact& volume) {
  return !has_owner(volume.labels) && (volume.driver.empty() || volume.driver == "local") &&
         volume.options.empty();
}

// The labels of what a look-up found. Unknown: nothing can be said, and that has been reported.
struct Owner {
  enum class State : std::uint8_t { Unknown, Absent, Found };
  State state = State::Unknown;
  const Labels* labels = nullptr;
};

template <class T>
Owner owner_in(const T* fact) {
  if (!fact) return {};
  if (!fact->found) return {Owner::State::Absent, nullptr};
  return {Owner::State::Found, &fact->labels};
}

struct OwnResources {
  std::shared_ptr<const Params> params;
  bool reads = false;

  bool covers(const docker::Request& request) const {
    const docker::Route& route = request.route();
    // ps can be told to show the environment of what it lists.
    const bool environment =
        route.name == "container.top" && !docker::param(request.target.query, "ps_args").empty();
    // These show nothing but a container's files; a copy of "/" is an export.
    const bool files = route.name == "container.export" || route.name == "container.archive_get";
    return reads || environment || files || !docker::only_reads(route);
  }
  bool is_mine(const Owner& owner, const Identity& who) const {
    return owner.labels && scope_of(*params, who).owns(*owner.labels);
  }

  Owner find(const Lookup& lookup, const Input& in, std::string_view pointer, Report& out) const {
    switch (lookup.kind) {
      case LookupKind::Volume:
        return owner_in(fact<VolumeFact>(in, lookup, pointer, out));
      case LookupKind::Network:
        return owner_in(fact<NetworkFact>(in, lookup, pointer, out));
      case LookupKind::Service:
        return owner_in(fact<ServiceFact>(in, lookup, pointer, out));
      case LookupKind::Exec: {
        const auto* exec = fact<ExecFact>(in, lookup, pointer, out);
        if (!exec) return {};
        if (!exec->found) return {Owner::State::Absent, nullptr};
        return find({LookupKind::Container, exec->container_id}, in, pointer, out);
      }
      case LookupKind::Task: {
        const auto* task = fact<TaskFact>(in, lookup, pointer, out);
        if (!task) return {};
        if (!task->found) return {Owner::State::Absent, nullptr};
        return find({LookupKind::Service, task->service_id}, in, pointer, out);
      }
      case LookupKind::Secret:
      case LookupKind::Config:
        return owner_in(fact<SecretFact>(in, lookup, pointer, out));
      case LookupKind::Container:
      case LookupKind::Image:
      case LookupKind::ImageUsers:
      case LookupKind::HostPath:
      case LookupKind::Engine:
        break;
    }
    return owner_in(fact<ContainerFact>(in, lookup, pointer, out));
  }

  void check_path(LookupKind kind, const Input& in, Report& out) const {
    const std::string& name = in.request.target.id;
    const Owner owner = find({kind, name}, in, "path", out);
    if (owner.state == Owner::State::Unknown || is_mine(owner, in.who)) return;
    if (is_look_at_builtin(kind, in)) return;
    if (kind == LookupKind::Network && is_shared(in)) return check_shared(in, out);
    look_absent(kind, name, "path", owner, out);
  }

  static bool is_look_at_builtin(LookupKind kind, const Input& in) {
    if (kind != LookupKind::Network || in.request.route().access != docker::Access::Read) {
      return false;
    }
    const auto* network = known<NetworkFact>(in, {kind, in.request.target.id});
    return network && network->found && is_builtin_network(network->name);
  }

  // A list of what came before or after some container would tell that there is one.
  void check_beside(const Input& in, Report& out) const {
    for (const std::string& name : listed_beside(in.request)) {
      const Owner owner = find({LookupKind::Container, name}, in, "query/filters", out);
      if (owner.state == Owner::State::Unknown || is_mine(owner, in.who)) continue;
      look_absent(LookupKind::Container, name, "query/filters", owner, out);
    }
  }

  // A connection to or from a network that everybody may use.
  static bool is_shared(const Input& in) {
    if (!is_route(in, "network.connect") && !is_route(in, "network.disconnect")) return false;
    const auto* network = known<NetworkFact>(in, {LookupKind::Network, in.request.target.id});
    return network && network->found && is_shared_network(network->name);
  }

  // Strangers are on it, so an address is not the caller's to choose.
  static void check_shared(const Input& in, Report& out) {
    const auto* connect = in.request.body_as<docker::NetworkConnect>();
    if (!connect || !connect->endpoint_config) return;
    const docker::EndpointSettings& endpoint = *connect->endpoint_config;
    const docker::IpamConfig addresses = endpoint.ipam_config.value_or(docker::IpamConfig{});
    const bool links = addresses.link_local_ips && !addresses.link_local_ips->empty();
    if (addresses.ipv4_address.empty() && addresses.ipv6_address.empty() && !links &&
        endpoint.mac_address.empty() && endpoint.driver_opts.empty()) {
      return;
    }
    out.add("/EndpointConfig", quoted(in.request.target.id),
            {{"text", "Network " + in.request.target.id +
                          " is shared with others. Connect to it without an address and options "
                          "of your own."}});
  }

  // In the engine's own words for an object that it does not have.
  static void look_absent(LookupKind kind, const std::string& name, const std::string& pointer,
                          const Owner& owner, Report& out) {
    Vars vars{{"plain", absent_text(kind, name)},
              {"kind", std::string(kind_name(kind))},
              {"id", name},
              {"owner", "someone else"}};
    if (owner.state == Owner::State::Absent) vars.emplace("absent", "1");
    out.add(pointer, quoted(name), std::move(vars));
  }

  void check_reference(const Reference& reference, const Input& in, Report& out) const {
    const Owner owner = find({reference.kind, reference.name}, in, reference.pointer, out);
    if (owner.state == Owner::State::Unknown || is_mine(owner, in.who)) return;
    if (reference.kind == LookupKind::Volume && may_use(reference.name, owner, in)) return;
    if (reference.acted_on) {
      return look_absent(reference.kind, reference.name, reference.pointer, owner, out);
    }
    const std::string kind(kind_name(reference.kind));
    out.add(reference.pointer, quoted(reference.name),
            {{"kind", kind},
             {"id", reference.name},
             {"owner", "someone else"},
             {"text", kind + " " + reference.name +
                          " does not exist or is not yours. Use only what you have created "
                          "yourself."}});
  }

  static bool may_use(const std::string& volume, const Owner& owner, const Input& in) {
    if (owner.state == Owner::State::Absent) return true;
    const auto* existing = known<VolumeFact>(in, {LookupKind::Volume, volume});
    return existing && is_plain_volume(*existing);
  }

  std::vector<Reference> references_of(const Input& in) const {
    if (const auto* create = in.request.body_as<CreateContainer>()) {
      return references(*create, in.view.mounts());
    }
    return references(in.request);
  }

  void check_new_network(const docker::NetworkCreate& network, const Input& in,
                         Report& out) const {
    if (!in.new_networks_judged) NewNetworks::defaults().check(network, out);
    const auto refuse = [&](const std::string& text) {
      out.add("/Name", quoted(network.name), {{"text", text}});
    };
    if (is_reserved_network(network.name)) {
      return refuse("Network name " + network.name + " belongs to the engine. Choose another one.");
    }
    const auto* other = fact<NetworkFact>(in, {LookupKind::Network, network.name}, "/Name", out);
    // Otherwise the name is the beginning of an id. One's own network is the engine's to refuse.
    if (!other || !other->found || other->name != network.name) return;
    if (!is_mine(owner_in(other), in.who)) {
      refuse("Network name " + network.name + " is in use. Choose another one.");
    }
  }

  static void check_secrets(const docker::ServiceSpec& service, Report& out) {
    const docker::ContainerSpec& spec = service.task_template.container_spec;
    const auto refuse = [&out](const std::string& what, const std::string& pointer) {
      out.add("/TaskTemplate/ContainerSpec/" + pointer, "null",
              {{"text", "A service may not use " + what +
                            " here: it is not known whose they are. Remove them."}});
    };
    if (spec.secrets && !spec.secrets->empty()) refuse("secrets", "Secrets");
    if (spec.configs && !spec.configs->empty()) refuse("configs", "Configs");
  }

  void run(const Input& in, Report& out) const {
    const docker::Route& route = in.request.route();
    if (!covers(in.request)) return;
    if (const auto kind = kind_of(route.object)) check_path(*kind, in, out);
    check_beside(in, out);
    for (const Reference& reference : references_of(in))
      check_reference(reference, in, out);
    check_own_images([&](const Labels& labels) { return scope_of(*params, in.who).owns(labels); }, in,
                     out);
    if (const auto* network = in.request.body_as<docker::NetworkCreate>()) {
      check_new_network(*network, in, out);
    }
    if (const auto* service = in.request.body_as<docker::ServiceSpec>()) {
      check_secrets(*service, out);
    }
  }

  void needs(const Input& in, std::vector<Lookup>& out) const {
    const docker::Route& route = in.request.route();
    if (!covers(in.request)) return;
    for (std::string& name : listed_beside(in.request))
      out.push_back({LookupKind::Container, std::move(name)});
    if (const auto kind = kind_of(route.object)) {
      Lookup lookup{*kind, in.request.target.id};
      const auto* exec = known<ExecFact>(in, lookup);
      if (exec && exec->found) out.push_back({LookupKind::Container, exec->container_id});
      const auto* task = known<TaskFact>(in, lookup);
      if (task && task->found) out.push_back({LookupKind::Service, task->service_id});
      out.push_back(std::move(lookup));
    }
    for (Reference& reference : references_of(in)) {
      out.push_back({reference.kind, std::move(reference.name)});
    }
    own_image_needs(in, out);
    if (const auto* network = in.request.body_as<docker::NetworkCreate>()) {
      out.push_back({LookupKind::Network, network->name});
    }
  }
};

}  // namespace

Result<Check> own_resources_only(const Params& params) {
  const OwnResources rule{std::make_shared<const Params>(params), params.flag("reads")};
  return with_needs([rule](const Input& in, Report& out) { rule.run(in, out); },
                    [rule](const Input& in, std::vector<Lookup>& out) { rule.needs(in, out); });
}

}  // namespace dockreeve::policy::rules
