// Namespaces: what the container shares with the host or with other containers.
//
// no-host-network
//   reads    HostConfig.NetworkMode, keys of NetworkingConfig.EndpointsConfig, networkmode of a
//   build allows   everything but `host`, the host network by id or prefix, and a container that
//   has it maps to  CIS Docker 5.10, Pod Security Standards "baseline"
//
// no-host-pid, no-host-ipc
//   reads    HostConfig.PidMode, HostConfig.IpcMode
//   allows   everything but `host` and a container that has it
//   maps to  CIS Docker 5.16, 5.17, Pod Security Standards "baseline"
//
// no-host-uts, no-host-userns, no-host-cgroupns
//   reads    HostConfig.UTSMode, UsernsMode, CgroupnsMode
//   allows   everything but `host`
//   maps to  CIS Docker 5.21, 5.31, -
//
// no-container-namespace-sharing
//   reads    HostConfig.NetworkMode, PidMode, IpcMode
//   allows   no `container:X`
//   params   namespaces: [network, pid, ipc]; allowOwn: X may be the caller's own
//   maps to  -
//
// Modes are compared byte for byte, as the engine does: `Host` is not the host's namespace.
#include <array>

#include "base/json.h"
#include "policy/ownership.h"
#include "policy/rules/rules.h"
#include "policy/rules/support.h"

namespace dockreeve::policy::rules {
namespace {

using docker::CreateContainer;
using docker::HostConfig;

constexpr std::string_view kHost = "host";
// A chain of containers that join each other longer than this is refused, not followed.
constexpr int kMostHops = 4;

// One namespace: its field in the body, in the fact about another container, and its flag.
struct Namespace {
  std::string_view name;
  std::string_view flag;
  std::string_view pointer;
  std::string HostConfig::*mode;
  std::string ContainerFact::*joined;
};
constexpr std::array<Namespace, 3> kJoinable{{
    {"network", "network", "/HostConfig/NetworkMode", &HostConfig::network_mode,
     &ContainerFact::network_mode},
    {"pid", "pid", "/HostConfig/PidMode", &HostConfig::pid_mode, &ContainerFact::pid_mode},
    {"ipc", "ipc", "/HostConfig/IpcMode", &HostConfig::ipc_mode, &ContainerFact::ipc_mode},
}};
constexpr const Namespace& kNetwork = kJoinable[0];
constexpr const Namespace& kPid = kJoinable[1];
constexpr const Namespace& kIpc = kJoinable[2];

// Where a mode was said: in a create body or in the query of a build.
struct Said {
  std::string mode;
  std::string_view pointer;
};
Said said(const Namespace& ns, const CreateContainer& create) {
  return {create.host_config.*ns.mode, ns.pointer};
}
Said said_by_build(const Input& in) {
  return {std::string(build_query(in, "networkmode")), "query/networkmode"};
}

void check_mode(const Namespace& ns, const Said& said, const Input& in, Report& out) {
  const auto add = [&] {
    out.add(std::string(said.pointer), quoted(said.mode), {},
            "remove --" + std::string(ns.flag) + " " + said.mode);
  };
  if (said.mode == kHost) return add();
  std::string name = joined_container(said.mode);
  for (int hop = 0; !name.empty(); ++hop) {
    if (hop == kMostHops) return add();
    const auto* other = fact<ContainerFact>(in, {LookupKind::Container, name}, said.pointer, out);
    if (!other || !other->found) return;
    if (other->*ns.joined == kHost) return add();
    name = joined_container(other->*ns.joined);
  }
}

void mode_needs(const Namespace& ns, const std::string& mode, const Input& in,
                std::vector<Lookup>& out) {
  std::string name = joined_container(mode);
  for (int hop = 0; !name.empty() && hop < kMostHops; ++hop) {
    const Lookup lookup{LookupKind::Container, name};
    const auto* other = known<ContainerFact>(in, lookup);
    if (!other) {
      if (!in.facts.has(lookup)) out.push_back(lookup);
      return;
    }
    name = other->found ? joined_container(other->*ns.joined) : std::string();
  }
}

// Calls f(name, pointer) for every network named in the body that is not a word of the engine.
template <class F>
void each_named_network(const CreateContainer& create, F f) {
  const std::string& mode = create.host_config.network_mode;
  if (!is_network_word(mode)) f(mode, std::string(kNetwork.pointer));
  for (const auto& [name, settings] : create.networking_config.endpoints_config) {
    if (is_network_word(name) || name == mode) continue;
    f(name, json::pointer_join("/NetworkingConfig/EndpointsConfig", name));
  }
}

void check_network(const CreateContainer& create, const Input& in, Report& out) {
  check_mode(kNetwork, said(kNetwork, create), in, out);
  if (create.host_config.network_mode != kHost &&
      create.networking_config.endpoints_config.contains(kHost)) {
    out.add("/NetworkingConfig/EndpointsConfig/host", "{}", {}, "remove --network host");
  }
  each_named_network(create, [&](const std::string& name, const std::string& pointer) {
    const auto* network = fact<NetworkFact>(in, {LookupKind::Network, name}, pointer, out);
    if (network && network->found && network->driver == kHost) {
      out.add(pointer, quoted(name), {}, "remove --network " + name);
    }
  });
}

// The host's network by its id.
void check_build_network(const Input& in, Report& out) {
  const Said said = said_by_build(in);
  if (is_network_word(said.mode)) return;
  const auto* network = fact<NetworkFact>(in, {LookupKind::Network, said.mode}, said.pointer, out);
  if (network && network->found && network->driver == kHost) {
    out.add(std::string(said.pointer), quoted(said.mode), {}, "remove --network " + said.mode);
  }
}

Result<Check> no_joined_host(const Namespace& ns) {
  return with_needs(
      on_create([&ns](const CreateContainer& create, const Input& in, Report& out) {
        check_mode(ns, said(ns, create), in, out);
      }),
      on_create([&ns](const CreateContainer& create, const Input& in, std::vector<Lookup>& out) {
        mode_needs(ns, create.host_config.*ns.mode, in, out);
      }));
}

Result<Check> no_host_word(std::string HostConfig::*mode, std::string_view pointer,
                           std::string_view flag) {
  return pure(
      on_create([mode, pointer, flag](const CreateContainer& create, const Input&, Report& out) {
        if (create.host_config.*mode != kHost) return;
        out.add(std::string(pointer), quoted(kHost), {}, "remove --" + std::string(flag) + " host");
      }));
}

struct Sharing {
  std::vector<std::string> namespaces;
  bool allow_own = false;

  template <class F>
  void each(const CreateContainer& create, F f) const {
    for (const Namespace& ns : kJoinable) {
      if (!contains(namespaces, ns.name)) continue;
      // `container:` without a name is refused by the engine, but it is not a private namespace.
      const std::string& mode = create.host_config.*ns.mode;
      if (mode.starts_with("container:")) f(ns, mode, joined_container(mode));
    }
  }

  // The steps of a build can join a container's network.
  template <class F>
  void each_of_build(const Input& in, F f) const {
    const std::string mode = said_by_build(in).mode;
    if (contains(namespaces, kNetwork.name) && mode.starts_with("container:")) {
      f(kNetwork, mode, joined_container(mode));
    }
  }

  void run(const Input& in, Report& out) const {
    const auto* create = in.request.body_as<CreateContainer>();
    const std::string_view build = create ? "" : "query/networkmode";
    const auto judge = [&](const Namespace& ns, const std::string& mode, const std::string& name) {
      const std::string_view pointer = build.empty() ? ns.pointer : build;
      if (allow_own && !name.empty()) {
        const auto* other = fact<ContainerFact>(in, {LookupKind::Container, name}, pointer, out);
        if (!other || (other->found && is_own(other->labels, in.who, OwnedBy::Team))) return;
      }
      out.add(std::string(pointer), quoted(mode),
              {{"ns", std::string(ns.name)}, {"flag", std::string(ns.flag)}},
              "remove --" + std::string(ns.flag) + " " + mode);
    };
    if (create) {
      each(*create, judge);
    } else {
      each_of_build(in, judge);
    }
  }
  void needs(const Input& in, std::vector<Lookup>& out) const {
    if (!allow_own) return;
    const auto ask = [&](const Namespace&, const std::string&, const std::string& name) {
      if (!name.empty()) out.push_back({LookupKind::Container, name});
    };
    if (const auto* create = in.request.body_as<CreateContainer>()) {
      each(*create, ask);
    } else {
      each_of_build(in, ask);
    }
  }
};

}  // namespace

Result<Check> no_host_network(const Params&) {
  return with_needs(
      [](const Input& in, Report& out) {
        if (const auto* create = in.request.body_as<CreateContainer>()) {
          check_network(*create, in, out);
        } else {
          check_mode(kNetwork, said_by_build(in), in, out);
          check_build_network(in, out);
        }
      },
      [](const Input& in, std::vector<Lookup>& out) {
        const auto* create = in.request.body_as<CreateContainer>();
        if (!create) {
          const std::string mode = said_by_build(in).mode;
          if (!is_network_word(mode)) out.push_back({LookupKind::Network, mode});
          return mode_needs(kNetwork, mode, in, out);
        }
        mode_needs(kNetwork, create->host_config.network_mode, in, out);
        each_named_network(*create, [&out](const std::string& name, const std::string&) {
          out.push_back({LookupKind::Network, name});
        });
      });
}

Result<Check> no_host_pid(const Params&) {
  return no_joined_host(kPid);
}
Result<Check> no_host_ipc(const Params&) {
  return no_joined_host(kIpc);
}

Result<Check> no_host_uts(const Params&) {
  return no_host_word(&HostConfig::uts_mode, "/HostConfig/UTSMode", "uts");
}
Result<Check> no_host_userns(const Params&) {
  return no_host_word(&HostConfig::userns_mode, "/HostConfig/UsernsMode", "userns");
}
Result<Check> no_host_cgroupns(const Params&) {
  return no_host_word(&HostConfig::cgroupns_mode, "/HostConfig/CgroupnsMode", "cgroupns");
}

Result<Check> no_container_namespace_sharing(const Params& params) {
  auto rule =
      std::make_shared<const Sharing>(Sharing{params.list("namespaces"), params.flag("allowOwn")});
  return with_needs([rule](const Input& in, Report& out) { rule->run(in, out); },
                    [rule](const Input& in, std::vector<Lookup>& out) { rule->needs(in, out); });
}

}  // namespace dockreeve::policy::rules
