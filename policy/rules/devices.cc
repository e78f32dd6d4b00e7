// Devices of the host inside the container.
//
// no-host-devices
//   reads    HostConfig.Devices
//   allows   PathOnHost equal to or below an entry of `allowed`, also after symbolic links are
//            followed, with permissions within maxPermissions
//   params   allowed: [path]; maxPermissions: letters of "rwm"
//   maps to  CIS Docker 5.18
//
// no-device-cgroup-rules
//   reads    HostConfig.DeviceCgroupRules
//   allows   entries of `allowed`, byte for byte
//   params   allowed: [text]
//   maps to  CIS Docker 5.18
//
// device-requests-allowlist
//   reads    HostConfig.DeviceRequests
//   allows   at most maxCount devices of a listed driver. The engine picks the driver of a request
//            for a gpu without one, which is nvidia
//   params   drivers: [name]; maxCount
//   maps to  CIS Docker 5.18
#include <algorithm>

#include "base/json.h"
#include "docker/host_mount.h"
#include "policy/rules/rules.h"
#include "policy/rules/support.h"

namespace dockreeve::policy::rules {
namespace {

using docker::CreateContainer;

struct HostDevices {
  std::vector<std::string> allowed;
  std::string max_permissions;

  bool listed(std::string_view path) const {
    return std::any_of(allowed.begin(), allowed.end(), [path](const std::string& entry) {
      return docker::path_within(path, entry);
    });
  }
  bool permitted(std::string_view permissions) const {
    return permissions.find_first_not_of(max_permissions) == std::string_view::npos;
  }

  void run(const CreateContainer& create, const Input& in, Report& out) const {
    if (!create.host_config.devices) return;
    const auto& devices = *create.host_config.devices;
    for (std::size_t i = 0; i < devices.size(); ++i) {
      const std::string pointer = json::pointer_join("/HostConfig/Devices", i);
      const std::string path = docker::clean_path(devices[i].path_on_host);
      if (listed(path)) {
        if (!permitted(devices[i].cgroup_permissions)) {
          add(path, pointer + "/CgroupPermissions", devices[i].cgroup_permissions, out);
          continue;
        }
        const auto* real = fact<PathFact>(in, {LookupKind::HostPath, path}, pointer, out);
        if (!real || listed(real->real)) continue;
      }
      add(path, pointer + "/PathOnHost", devices[i].path_on_host, out);
    }
  }
  void needs(const CreateContainer& create, std::vector<Lookup>& out) const {
    if (!create.host_config.devices) return;
    for (const docker::DeviceMapping& device : *create.host_config.devices) {
      std::string path = docker::clean_path(device.path_on_host);
      if (listed(path)) out.push_back({LookupKind::HostPath, std::move(path)});
    }
  }

 private:
  static void add(const std::string& path, std::string pointer, const std::string& sent,
                  Report& out) {
    out.add(std::move(pointer), quoted(sent), {{"value", path}}, "remove --device " + path);
  }
};

struct DeviceRequests {
  std::vector<std::string> drivers;
  std::int64_t max_count = 0;

  bool driver_listed(const docker::DeviceRequest& request) const {
    if (contains(drivers, request.driver)) return true;
    return request.driver.empty() && contains(drivers, "nvidia") && asks_gpu(request);
  }
  static bool asks_gpu(const docker::DeviceRequest& request) {
    return request.capabilities &&
           std::any_of(request.capabilities->begin(), request.capabilities->end(),
                       [](const docker::StringList& set) { return set && contains(*set, "gpu"); });
  }
  bool count_allowed(const docker::DeviceRequest& request) const {
    const auto ids = static_cast<std::int64_t>(request.device_ids ? request.device_ids->size() : 0);
    return request.count >= 0 && std::max(request.count, ids) <= max_count;
  }

  void run(const CreateContainer& create, Report& out) const {
    if (!create.host_config.device_requests) return;
    const auto& requests = *create.host_config.device_requests;
    for (std::size_t i = 0; i < requests.size(); ++i) {
      if (driver_listed(requests[i]) && count_allowed(requests[i])) continue;
      out.add(json::pointer_join("/HostConfig/DeviceRequests", i), quoted(requests[i].driver), {},
              "remove --gpus");
    }
  }
};

}  // namespace

Result<Check> no_host_devices(const Params& params) {
  HostDevices rule{params.list("allowed"), params.text("maxPermissions")};
  for (std::string& path : rule.allowed)
    path = docker::clean_path(path);
  auto shared = std::make_shared<const HostDevices>(std::move(rule));
  return with_needs(on_create([shared](const CreateContainer& create, const Input& in,
                                       Report& out) { shared->run(create, in, out); }),
                    on_create([shared](const CreateContainer& create, const Input&,
                                       std::vector<Lookup>& out) { shared->needs(create, out); }));
}

Result<Check> no_device_cgroup_rules(const Params& params) {
  return pure(on_create(
      [allowed = params.list("allowed")](const CreateContainer& create, const Input&, Report& out) {
        const docker::StringList& rules = create.host_config.device_cgroup_rules;
        if (!rules) return;
        for (std::size_t i = 0; i < rules->size(); ++i) {
          const std::string& rule = (*rules)[i];
          if (contains(allowed, rule)) continue;
          out.add(json::pointer_join("/HostConfig/DeviceCgroupRules", i), quoted(rule),
                  {{"value", rule}}, "remove --device-cgroup-rule");
        }
      }));
}

Result<Check> device_requests_allowlist(const Params& params) {
  return pure(on_create(
      [rule = DeviceRequests{params.list("drivers"), params.integer("maxCount")}](
          const CreateContainer& create, const Input&, Report& out) { rule.run(create, out); }));
}

}  // namespace dockreeve::policy::rules
