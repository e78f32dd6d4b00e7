// The body of POST /containers/create as types: Config (top level), HostConfig, NetworkingConfig.
//
// Field meanings follow moby api/types/container and api/types/network up to API 1.56. The names on
// the wire are given once, in docker/schema.cc. Conventions:
//   std::optional<T>  a Go pointer, slice or StrSlice: absent and null are nullopt, [] is not
//   plain value       a Go scalar or struct: absent, null and the zero value are the same thing
//   Map<T>            a Go map: absent, null and {} are the same thing
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace dockreeve::docker {

template <class T>
using Map = std::map<std::string, T, std::less<>>;
template <class T>
using List = std::optional<std::vector<T>>;
using StringList = List<std::string>;
using Int = std::int64_t;

struct Empty {  // Go's struct{}: the value side of Volumes and ExposedPorts
  bool operator==(const Empty&) const = default;
};

struct Healthcheck {
  StringList test;
  Int interval = 0, timeout = 0, start_period = 0, start_interval = 0;  // nanoseconds
  Int retries = 0;
  bool operator==(const Healthcheck&) const = default;
};

struct LogConfig {
  std::string type;
  Map<std::string> config;
  bool operator==(const LogConfig&) const = default;
};

struct PortBinding {
  std::string host_ip, host_port;
  bool operator==(const PortBinding&) const = default;
};

struct RestartPolicy {
  std::string name;
  Int maximum_retry_count = 0;
  bool operator==(const RestartPolicy&) const = default;
};

struct WeightDevice {
  std::string path;
  Int weight = 0;
  bool operator==(const WeightDevice&) const = default;
};

struct ThrottleDevice {
  std::string path;
  Int rate = 0;
  bool operator==(const ThrottleDevice&) const = default;
};

struct DeviceMapping {
  std::string path_on_host, path_in_container, cgroup_permissions;
  bool operator==(const DeviceMapping&) const = default;
};

struct DeviceRequest {
  std::string driver;
  Int count = 0;
  StringList device_ids;
  List<StringList> capabilities;
  Map<std::string> options;
  bool operator==(const DeviceRequest&) const = default;
};

struct Ulimit {
  std::string name;
  Int hard = 0, soft = 0;
  bool operator==(const Ulimit&) const = default;
};

struct BindOptions {
  std::string propagation;
  bool non_recursive = false, create_mountpoint = false;
  bool read_only_non_recursive = false, read_only_force_recursive = false;
  bool operator==(const BindOptions&) const = default;
};

struct DriverConfig {
  std::string name;
  Map<std::string> options;
  bool operator==(const DriverConfig&) const = default;
};

struct VolumeOptions {
  bool no_copy = false;
  Map<std::string> labels;
  std::string subpath;
  std::optional<DriverConfig> driver_config;
  bool operator==(const VolumeOptions&) const = default;
};

struct ImageOptions {
  std::string subpath;
  bool operator==(const ImageOptions&) const = default;
};

struct TmpfsOptions {
  Int size_bytes = 0;
  Int mode = 0;
  List<StringList> options;
  bool operator==(const TmpfsOptions&) const = default;
};

struct Mount {
  std::string type, source, target;
  bool read_only = false;
  std::string consistency;
  std::optional<BindOptions> bind_options;
  std::optional<VolumeOptions> volume_options;
  std::optional<ImageOptions> image_options;
  std::optional<TmpfsOptions> tmpfs_options;
  std::optional<Empty> cluster_options;
  bool operator==(const Mount&) const = default;
};

struct HostConfig {
  // What the container sees of the host.
  StringList binds;
  std::string container_id_file;
  LogConfig log_config;
  std::string network_mode;
  Map<List<PortBinding>> port_bindings;
  RestartPolicy restart_policy;
  bool auto_remove = false;
  std::string volume_driver;
  StringList volumes_from;
  std::array<Int, 2> console_size{};  // rows, columns
  Map<std::string> annotations;
  StringList cap_add, cap_drop;
  std::string cgroupns_mode;
  StringList dns, dns_options, dns_search, extra_hosts, group_add;
  std::string ipc_mode, cgroup;
  StringList links;
  Int oom_score_adj = 0;
  std::string pid_mode;
  bool privileged = false, publish_all_ports = false, readonly_rootfs = false;
  StringList security_opt;
  Map<std::string> storage_opt, tmpfs;
  std::string uts_mode, userns_mode;
  Int shm_size = 0;
  Map<std::string> sysctls;
  std::string runtime, isolation;
  // Resources.
  Int cpu_shares = 0, memory = 0, nano_cpus = 0;
  std::string cgroup_parent;
  Int blkio_weight = 0;
  List<WeightDevice> blkio_weight_device;
  List<ThrottleDevice> blkio_device_read_bps, blkio_device_write_bps;
  List<ThrottleDevice> blkio_device_read_iops, blkio_device_write_iops;
  Int cpu_period = 0, cpu_quota = 0, cpu_realtime_period = 0, cpu_realtime_runtime = 0;
  std::string cpuset_cpus, cpuset_mems;
  List<DeviceMapping> devices;
  StringList device_cgroup_rules;
  List<DeviceRequest> device_requests;
  Int kernel_memory = 0, kernel_memory_tcp = 0;
  Int memory_reservation = 0, memory_swap = 0;
  std::optional<Int> memory_swappiness;
  std::optional<bool> oom_kill_disable;
  std::optional<Int> pids_limit;
  List<Ulimit> ulimits;
  Int cpu_count = 0, cpu_percent = 0, io_maximum_iops = 0, io_maximum_bandwidth = 0;
  // The rest.
  List<Mount> mounts;
  StringList masked_paths, readonly_paths;
  std::optional<bool> init;
  bool operator==(const HostConfig&) const = default;
};

struct IpamConfig {
  std::string ipv4_address, ipv6_address;
  StringList link_local_ips;
  bool operator==(const IpamConfig&) const = default;
};

// Operational fields (NetworkID, EndpointID, Gateway, ...) are known, ignored and never forwarded.
struct EndpointSettings {
  std::optional<IpamConfig> ipam_config;
  StringList links, aliases;
  std::string mac_address;
  Map<std::string> driver_opts;
  Int gw_priority = 0;
  bool operator==(const EndpointSettings&) const = default;
};

struct NetworkingConfig {
  Map<std::optional<EndpointSettings>> endpoints_config;
  bool operator==(const NetworkingConfig&) const = default;
};

struct CreateContainer {
  // Config.
  std::string hostname, domainname, user;
  bool attach_stdin = false, attach_stdout = false, attach_stderr = false;
  Map<Empty> exposed_ports;
  bool tty = false, open_stdin = false, stdin_once = false;
  StringList env, cmd;
  std::optional<Healthcheck> healthcheck;
  bool args_escaped = false;
  std::string image;
  Map<Empty> volumes;
  std::string working_dir;
  StringList entrypoint;
  bool network_disabled = false;
  std::string mac_address;
  StringList on_build;
  Map<std::string> labels;
  std::string stop_signal;
  std::optional<Int> stop_timeout;  // seconds
  StringList shell;
  // The two objects beside it.
  HostConfig host_config;
  NetworkingConfig networking_config;
  bool operator==(const CreateContainer&) const = default;
};

}  // namespace dockreeve::docker
