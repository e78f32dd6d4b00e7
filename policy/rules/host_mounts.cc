// Host paths in containers, from every place that can bring one in: Binds, Mounts of type bind,
// local volumes whose options bind a device, and named volumes that already exist with such
// options. Every path is judged twice: cleaned, and with symbolic links followed on the engine's
// host.
//
// no-docker-socket-mount
//   allows   paths that neither are, nor hold, one of `sockets`; nothing called docker.sock
//   params   sockets: [path]
//   maps to  CIS Docker 5.32
//
// no-sensitive-host-mounts
//   allows   paths that are not one of `paths`, nor above or below one. Read-only mounts of
//            exceptReadOnly are fine. "/" stands for itself, everything is below it
//   params   paths, exceptReadOnly: [path]; readWriteOnly: read-only mounts are fine
//   maps to  CIS Docker 5.6, Pod Security Standards "baseline"
//
// bind-mount-allowlist
//   allows   paths equal to or below an entry of `allowed`; no GPU or CDI requests, unless
//            device-requests-allowlist judges them
//   params   allowed: [path]
//   maps to  CIS Docker 5.6
//
// bind-mount-read-only
//   allows   read-only bind mounts; any below exceptPrefixes
//   params   exceptPrefixes: [path]
//   maps to  CIS Docker 5.6
//
// no-shared-mount-propagation
//   reads    Binds modes, Mounts[].BindOptions.Propagation
//   allows   anything but shared and rshared
//   maps to  CIS Docker 5.20
#include <algorithm>

#include "policy/rules/rules.h"
#include "policy/rules/support.h"

namespace dockreeve::policy::rules {
namespace {

using docker::EffectiveMount;
using docker::MountKind;
using docker::path_within;
using docker::VolumeCreate;

struct HostPath {
  std::string path;  // clean
  std::string pointer;
  bool read_only = false;
};

bool is_local(std::string_view driver) {
  return driver.empty() || driver == "local";
}

bool names_volume(const EffectiveMount& mount) {
  return mount.kind == MountKind::Volume && !mount.volume.empty();
}

// The options of an existing volume count, whatever the create says about it. Null after reporting
// why nothing is known.
const VolumeFact* volume_of(const EffectiveMount& mount, const Input& in, Report& out) {
  return fact<VolumeFact>(in, {LookupKind::Volume, mount.volume}, mount.pointer, out);
}

std::string device_of(const VolumeFact& volume) {
  return volume.found && is_local(volume.driver) ? docker::volume_bind_device(volume.options)
                                                 : std::string();
}

// Paths the request itself names.
template <class F>
void each_named_path(const Input& in, F f) {
  for (const EffectiveMount& mount : in.view.mounts()) {
    if (!mount.host_path().empty()) f(HostPath{mount.host_path(), mount.pointer, mount.read_only});
  }
  if (const auto* volume = in.request.body_as<VolumeCreate>()) {
    std::string device =
        is_local(volume->driver) ? docker::volume_bind_device(volume->driver_opts) : std::string();
    if (!device.empty()) f(HostPath{std::move(device), "/DriverOpts/device", false});
  }
}

// A judge says what is wrong with a clean path: nullopt, or the value for the message.
template <class Judge>
class HostPathRule {
 public:
  explicit HostPathRule(Judge judge) : judge_(std::move(judge)) {}

  void run(const Input& in, Report& out) const {
    each_named_path(in, [&](const HostPath& path) { check(path, in, out); });
    for (const EffectiveMount& mount : in.view.mounts()) {
      if (!names_volume(mount)) continue;
      const VolumeFact* volume = volume_of(mount, in, out);
      std::string device = volume ? device_of(*volume) : std::string();
      if (!device.empty()) check({std::move(device), mount.pointer, mount.read_only}, in, out);
    }
  }

  void needs(const Input& in, std::vector<Lookup>& out) const {
    const auto ask = [&](const HostPath& path) {
      if (!judge_(path.path, path.read_only)) out.push_back({LookupKind::HostPath, path.path});
    };
    each_named_path(in, ask);
    for (const EffectiveMount& mount : in.view.mounts()) {
      if (!names_volume(mount)) continue;
      Lookup lookup{LookupKind::Volume, mount.volume};
      const auto* volume = known<VolumeFact>(in, lookup);
      std::string device = volume ? device_of(*volume) : std::string();
      if (!device.empty()) ask({std::move(device), mount.pointer, mount.read_only});
      if (!volume) out.push_back(std::move(lookup));
    }
  }

 private:
  void check(const HostPath& path, const Input& in, Report& out) const {
    std::string shown = path.path;
    bool bad = judge_(path.path, path.read_only);
    if (!bad) {
      const auto* real = fact<PathFact>(in, {LookupKind::HostPath, path.path}, path.pointer, out);
      if (!real || real->real == path.path) return;
      bad = judge_(real->real, path.read_only);
      shown += " (which leads to " + real->real + ")";
    }
    if (!bad) return;
    out.add(path.pointer, quoted(path.path), {{"value", shown}},
            "remove the mount of " + path.path);
  }

  Judge judge_;
};

template <class Judge>
Result<Check> host_path_rule(Judge judge) {
  auto rule = std::make_shared<const HostPathRule<Judge>>(HostPathRule<Judge>(std::move(judge)));
  return with_needs([rule](const Input& in, Report& out) { rule->run(in, out); },
                    [rule](const Input& in, std::vector<Lookup>& out) { rule->needs(in, out); });
}

bool within_any(std::string_view path, const std::vector<std::string>& parents) {
  return std::any_of(parents.begin(), parents.end(),
                     [path](const std::string& parent) { return path_within(path, parent); });
}

std::vector<std::string> clean_list(std::vector<std::string> paths) {
  for (std::string& path : paths)
    path = docker::clean_path(path);
  return paths;
}

struct HoldsSocket {
  std::vector<std::string> sockets;
  bool operator()(std::string_view path, bool) const {
    if (path.substr(path.rfind('/') + 1) == "docker.sock") return true;
    return std::any_of(sockets.begin(), sockets.end(),
                       [path](const std::string& socket) { return path_within(socket, path); });
  }
};

struct Sensitive {
  std::vector<std::string> paths;
  std::vector<std::string> except_read_only;
  bool read_write_only = false;
  bool operator()(std::string_view path, bool read_only) const {
    if (read_only && (read_write_only || within_any(path, except_read_only))) return false;
    return std::any_of(paths.begin(), paths.end(), [path](const std::string& listed) {
      if (listed == "/") return path == "/";
      return path_within(path, listed) || path_within(listed, path);
    });
  }
};

struct Unlisted {
  std::vector<std::string> allowed;
  bool operator()(std::string_view path, bool) const { return !within_any(path, allowed); }
};

}  // namespace

Result<Check> no_docker_socket_mount(const Params& params) {
  return host_path_rule(HoldsSocket{clean_list(params.list("sockets"))});
}

Result<Check> no_sensitive_host_mounts(const Params& params) {
  return host_path_rule(Sensitive{clean_list(params.list("paths")),
                                  clean_list(params.list("exceptReadOnly")),
                                  params.flag("readWriteOnly")});
}

namespace {

// A device request has the runtime's hooks mount drivers, device nodes and whatever a CDI file
// says.
void judge_device_requests(const Input& in, Report& out) {
  const auto* create = in.request.body_as<docker::CreateContainer>();
  if (!create || in.device_requests_judged) return;
  const auto& requests = create->host_config.device_requests;
  if (!requests || requests->empty()) return;
  out.add("/HostConfig/DeviceRequests", "\"" + std::to_string(requests->size()) + "\"",
          {{"text",
            "GPU and CDI devices bring host paths into the container. Remove `--gpus`; an "
            "administrator can allow a driver with the rule device-requests-allowlist."}},
          "remove --gpus");
}

}  // namespace

Result<Check> bind_mount_allowlist(const Params& params) {
  Result<Check> check = host_path_rule(Unlisted{clean_list(params.list("allowed"))});
  if (!check) return check;
  check->run = [paths = std::move(check->run)](const Input& in, Report& out) {
    paths(in, out);
    judge_device_requests(in, out);
  };
  return check;
}

Result<Check> bind_mount_read_only(const Params& params) {
  return pure([except = clean_list(params.list("exceptPrefixes"))](const Input& in, Report& out) {
    for (const EffectiveMount& mount : in.view.mounts()) {
      if (mount.host_path().empty() || mount.read_only) continue;
      if (within_any(mount.host_path(), except)) continue;
      out.add(mount.pointer, quoted(mount.host_path()), {{"value", mount.host_path()}},
              "-v " + mount.host_path() + ":" + mount.target + ":ro");
    }
  });
}

Result<Check> no_shared_mount_propagation(const Params&) {
  return pure([](const Input& in, Report& out) {
    for (const EffectiveMount& mount : in.view.mounts()) {
      if (mount.propagation != "shared" && mount.propagation != "rshared") continue;
      out.add(mount.pointer, quoted(mount.propagation), {{"value", mount.propagation}},
              "remove :" + mount.propagation);
    }
  });
}

}  // namespace dockreeve::policy::rules
