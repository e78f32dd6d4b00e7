// The fields of a create body, in the engine's order and spelling (moby api/types/container,
// mount, network; API 1.24 to 1.56).
#include "docker/schema.h"

#include <limits>

namespace dockreeve::docker::schema {
namespace {

constexpr Int kMaxInt = std::numeric_limits<Int>::max();
constexpr Int kMaxUint16 = std::numeric_limits<std::uint16_t>::max();
constexpr Int kMaxUint32 = std::numeric_limits<std::uint32_t>::max();

constexpr auto kHealthcheck = std::to_array<Row<Healthcheck>>({
    field<&Healthcheck::test>("Test"),
    field<&Healthcheck::interval>("Interval"),
    field<&Healthcheck::timeout>("Timeout"),
    field<&Healthcheck::start_period>("StartPeriod"),
    field<&Healthcheck::start_interval>("StartInterval"),
    field<&Healthcheck::retries>("Retries"),
});

constexpr auto kLogConfig = std::to_array<Row<LogConfig>>({
    field<&LogConfig::type>("Type"),
    field<&LogConfig::config>("Config"),
});

constexpr auto kPortBinding = std::to_array<Row<PortBinding>>({
    field<&PortBinding::host_ip>("HostIp"),
    field<&PortBinding::host_port>("HostPort"),
});

constexpr auto kRestartPolicy = std::to_array<Row<RestartPolicy>>({
    field<&RestartPolicy::name>("Name"),
    field<&RestartPolicy::maximum_retry_count>("MaximumRetryCount"),
});

constexpr auto kWeightDevice = std::to_array<Row<WeightDevice>>({
    field<&WeightDevice::path>("Path"),
    ranged<&WeightDevice::weight, 0, kMaxUint16>("Weight"),
});

constexpr auto kThrottleDevice = std::to_array<Row<ThrottleDevice>>({
    field<&ThrottleDevice::path>("Path"),
    ranged<&ThrottleDevice::rate, 0, kMaxInt>("Rate"),
});

constexpr auto kDeviceMapping = std::to_array<Row<DeviceMapping>>({
    field<&DeviceMapping::path_on_host>("PathOnHost"),
    field<&DeviceMapping::path_in_container>("PathInContainer"),
    field<&DeviceMapping::cgroup_permissions>("CgroupPermissions"),
});

constexpr auto kDeviceRequest = std::to_array<Row<DeviceRequest>>({
    field<&DeviceRequest::driver>("Driver"),
    field<&DeviceRequest::count>("Count"),
    field<&DeviceRequest::device_ids>("DeviceIDs"),
    field<&DeviceRequest::capabilities>("Capabilities"),
    field<&DeviceRequest::options>("Options"),
});

constexpr auto kUlimit = std::to_array<Row<Ulimit>>({
    field<&Ulimit::name>("Name"),
    field<&Ulimit::hard>("Hard"),
    field<&Ulimit::soft>("Soft"),
});

constexpr auto kBindOptions = std::to_array<Row<BindOptions>>({
    field<&BindOptions::propagation>("Propagation"),
    field<&BindOptions::non_recursive>("NonRecursive"),
    field<&BindOptions::create_mountpoint>("CreateMountpoint"),
    field<&BindOptions::read_only_non_recursive>("ReadOnlyNonRecursive"),
    field<&BindOptions::read_only_force_recursive>("ReadOnlyForceRecursive"),
});

constexpr auto kDriverConfig = std::to_array<Row<DriverConfig>>({
    field<&DriverConfig::name>("Name"),
    field<&DriverConfig::options>("Options"),
});

constexpr auto kVolumeOptions = std::to_array<Row<VolumeOptions>>({
    field<&VolumeOptions::no_copy>("NoCopy"),
    field<&VolumeOptions::labels>("Labels"),
    field<&VolumeOptions::subpath>("Subpath"),
    field<&VolumeOptions::driver_config>("DriverConfig"),
});

constexpr auto kImageOptions = std::to_array<Row<ImageOptions>>({
    field<&ImageOptions::subpath>("Subpath"),
});

constexpr auto kTmpfsOptions = std::to_array<Row<TmpfsOptions>>({
    field<&TmpfsOptions::size_bytes>("SizeBytes"),
    ranged<&TmpfsOptions::mode, 0, kMaxUint32>("Mode"),
    field<&TmpfsOptions::options>("Options"),
});

constexpr auto kMount = std::to_array<Row<Mount>>({
    field<&Mount::type>("Type"),
    field<&Mount::source>("Source"),
    field<&Mount::target>("Target"),
    field<&Mount::read_only>("ReadOnly"),
    field<&Mount::consistency>("Consistency"),
    field<&Mount::bind_options>("BindOptions"),
    field<&Mount::volume_options>("VolumeOptions"),
    field<&Mount::image_options>("ImageOptions"),
    field<&Mount::tmpfs_options>("TmpfsOptions"),
    field<&Mount::cluster_options>("ClusterOptions"),
});

constexpr auto kHostConfig = std::to_array<Row<HostConfig>>({
    field<&HostConfig::binds>("Binds"),
    field<&HostConfig::container_id_file>("ContainerIDFile"),
    field<&HostConfig::log_config>("LogConfig"),
    field<&HostConfig::network_mode>("NetworkMode"),
    field<&HostConfig::port_bindings>("PortBindings"),
    field<&HostConfig::restart_policy>("RestartPolicy"),
    field<&HostConfig::auto_remove>("AutoRemove"),
    field<&HostConfig::volume_driver>("VolumeDriver"),
    field<&HostConfig::volumes_from>("VolumesFrom"),
    field<&HostConfig::console_size>("ConsoleSize"),
    field<&HostConfig::annotations>("Annotations"),
    words<&HostConfig::cap_add>("CapAdd"),
    words<&HostConfig::cap_drop>("CapDrop"),
    field<&HostConfig::cgroupns_mode>("CgroupnsMode"),
    field<&HostConfig::dns>("Dns"),
    field<&HostConfig::dns_options>("DnsOptions"),
    field<&HostConfig::dns_search>("DnsSearch"),
    field<&HostConfig::extra_hosts>("ExtraHosts"),
    field<&HostConfig::group_add>("GroupAdd"),
    field<&HostConfig::ipc_mode>("IpcMode"),
    field<&HostConfig::cgroup>("Cgroup"),
    field<&HostConfig::links>("Links"),
    field<&HostConfig::oom_score_adj>("OomScoreAdj"),
    field<&HostConfig::pid_mode>("PidMode"),
    field<&HostConfig::privileged>("Privileged"),
    field<&HostConfig::publish_all_ports>("PublishAllPorts"),
    field<&HostConfig::readonly_rootfs>("ReadonlyRootfs"),
    field<&HostConfig::security_opt>("SecurityOpt"),
    field<&HostConfig::storage_opt>("StorageOpt"),
    field<&HostConfig::tmpfs>("Tmpfs"),
    field<&HostConfig::uts_mode>("UTSMode"),
    field<&HostConfig::userns_mode>("UsernsMode"),
    field<&HostConfig::shm_size>("ShmSize"),
    field<&HostConfig::sysctls>("Sysctls"),
    field<&HostConfig::runtime>("Runtime"),
    field<&HostConfig::isolation>("Isolation"),
    field<&HostConfig::cpu_shares>("CpuShares"),
    field<&HostConfig::memory>("Memory"),
    field<&HostConfig::nano_cpus>("NanoCpus"),
    field<&HostConfig::cgroup_parent>("CgroupParent"),
    ranged<&HostConfig::blkio_weight, 0, kMaxUint16>("BlkioWeight"),
    field<&HostConfig::blkio_weight_device>("BlkioWeightDevice"),
    field<&HostConfig::blkio_device_read_bps>("BlkioDeviceReadBps"),
    field<&HostConfig::blkio_device_write_bps>("BlkioDeviceWriteBps"),
    field<&HostConfig::blkio_device_read_iops>("BlkioDeviceReadIOps"),
    field<&HostConfig::blkio_device_write_iops>("BlkioDeviceWriteIOps"),
    field<&HostConfig::cpu_period>("CpuPeriod"),
    field<&HostConfig::cpu_quota>("CpuQuota"),
    field<&HostConfig::cpu_realtime_period>("CpuRealtimePeriod"),
    field<&HostConfig::cpu_realtime_runtime>("CpuRealtimeRuntime"),
    field<&HostConfig::cpuset_cpus>("CpusetCpus"),
    field<&HostConfig::cpuset_mems>("CpusetMems"),
    field<&HostConfig::devices>("Devices"),
    field<&HostConfig::device_cgroup_rules>("DeviceCgroupRules"),
    field<&HostConfig::device_requests>("DeviceRequests"),
    field<&HostConfig::kernel_memory>("KernelMemory"),
    field<&HostConfig::kernel_memory_tcp>("KernelMemoryTCP"),
    field<&HostConfig::memory_reservation>("MemoryReservation"),
    field<&HostConfig::memory_swap>("MemorySwap"),
    field<&HostConfig::memory_swappiness>("MemorySwappiness"),
    field<&HostConfig::oom_kill_disable>("OomKillDisable"),
    field<&HostConfig::pids_limit>("PidsLimit"),
    field<&HostConfig::ulimits>("Ulimits"),
    field<&HostConfig::cpu_count>("CpuCount"),
    field<&HostConfig::cpu_percent>("CpuPercent"),
    ranged<&HostConfig::io_maximum_iops, 0, kMaxInt>("IOMaximumIOps"),
    ranged<&HostConfig::io_maximum_bandwidth, 0, kMaxInt>("IOMaximumBandwidth"),
    field<&HostConfig::mounts>("Mounts"),
    field<&HostConfig::masked_paths>("MaskedPaths"),
    field<&HostConfig::readonly_paths>("ReadonlyPaths"),
    field<&HostConfig::init>("Init"),
});

constexpr auto kIpamConfig = std::to_array<Row<IpamConfig>>({
    field<&IpamConfig::ipv4_address>("IPv4Address"),
    field<&IpamConfig::ipv6_address>("IPv6Address"),
    field<&IpamConfig::link_local_ips>("LinkLocalIPs"),
});

constexpr auto kEndpointSettings = std::to_array<Row<EndpointSettings>>({
    field<&EndpointSettings::ipam_config>("IPAMConfig"),
    field<&EndpointSettings::links>("Links"),
    field<&EndpointSettings::aliases>("Aliases"),
    field<&EndpointSettings::mac_address>("MacAddress"),
    field<&EndpointSettings::driver_opts>("DriverOpts"),
    field<&EndpointSettings::gw_priority>("GwPriority"),
    ignored<EndpointSettings>("NetworkID"),
    ignored<EndpointSettings>("EndpointID"),
    ignored<EndpointSettings>("Gateway"),
    ignored<EndpointSettings>("IPAddress"),
    ignored<EndpointSettings>("IPPrefixLen"),
    ignored<EndpointSettings>("IPv6Gateway"),
    ignored<EndpointSettings>("GlobalIPv6Address"),
    ignored<EndpointSettings>("GlobalIPv6PrefixLen"),
    ignored<EndpointSettings>("DNSNames"),
});

constexpr auto kNetworkingConfig = std::to_array<Row<NetworkingConfig>>({
    field<&NetworkingConfig::endpoints_config>("EndpointsConfig"),
});

constexpr auto kCreateContainer = std::to_array<Row<CreateContainer>>({
    field<&CreateContainer::hostname>("Hostname"),
    field<&CreateContainer::domainname>("Domainname"),
    field<&CreateContainer::user>("User"),
    field<&CreateContainer::attach_stdin>("AttachStdin"),
    field<&CreateContainer::attach_stdout>("AttachStdout"),
    field<&CreateContainer::attach_stderr>("AttachStderr"),
    field<&CreateContainer::exposed_ports>("ExposedPorts"),
    field<&CreateContainer::tty>("Tty"),
    field<&CreateContainer::open_stdin>("OpenStdin"),
    field<&CreateContainer::stdin_once>("StdinOnce"),
    field<&CreateContainer::env>("Env"),
    words<&CreateContainer::cmd>("Cmd"),
    field<&CreateContainer::healthcheck>("Healthcheck"),
    field<&CreateContainer::args_escaped>("ArgsEscaped"),
    field<&CreateContainer::image>("Image"),
    field<&CreateContainer::volumes>("Volumes"),
    field<&CreateContainer::working_dir>("WorkingDir"),
    words<&CreateContainer::entrypoint>("Entrypoint"),
    field<&CreateContainer::network_disabled>("NetworkDisabled"),
    field<&CreateContainer::mac_address>("MacAddress"),
    field<&CreateContainer::on_build>("OnBuild"),
    field<&CreateContainer::labels>("Labels"),
    field<&CreateContainer::stop_signal>("StopSignal"),
    field<&CreateContainer::stop_timeout>("StopTimeout"),
    words<&CreateContainer::shell>("Shell"),
    always<&CreateContainer::host_config>("HostConfig"),
    field<&CreateContainer::networking_config>("NetworkingConfig"),
});

}  // namespace

Stray toplevel_host_field(json::Value v, std::string_view folded, Reading& reading,
                          const Place& place) {
  static constexpr std::string_view kCpuset = "Cpuset";  // once the name of CpusetCpus
  const Row<HostConfig>* row = table<HostConfig>().find(folded);
  const bool cpuset = compare_folded(kCpuset, folded) == 0;
  if (row == nullptr && !cpuset) return Stray::Unknown;
  if (is_empty(v)) return Stray::Dropped;
  reading.refuse_legacy(place, cpuset ? kCpuset : row->name);
  return Stray::Refused;
}

// Nothing inside Go's struct{} has a name.
template <>
const Table<Empty>& table<Empty>() {
  static constexpr Table<Empty> kTable{};
  return kTable;
}

template <>
const Table<Healthcheck>& table<Healthcheck>() {
  static constexpr auto kOrder = fold_order(kHealthcheck);
  static constexpr Table<Healthcheck> kTable{kHealthcheck, kOrder};
  return kTable;
}

template <>
const Table<LogConfig>& table<LogConfig>() {
  static constexpr auto kOrder = fold_order(kLogConfig);
  static constexpr Table<LogConfig> kTable{kLogConfig, kOrder};
  return kTable;
}

template <>
const Table<PortBinding>& table<PortBinding>() {
  static constexpr auto kOrder = fold_order(kPortBinding);
  static constexpr Table<PortBinding> kTable{kPortBinding, kOrder};
  return kTable;
}

template <>
const Table<RestartPolicy>& table<RestartPolicy>() {
  static constexpr auto kOrder = fold_order(kRestartPolicy);
  static constexpr Table<RestartPolicy> kTable{kRestartPolicy, kOrder};
  return kTable;
}

template <>
const Table<WeightDevice>& table<WeightDevice>() {
  static constexpr auto kOrder = fold_order(kWeightDevice);
  static constexpr Table<WeightDevice> kTable{kWeightDevice, kOrder};
  return kTable;
}

template <>
const Table<ThrottleDevice>& table<ThrottleDevice>() {
  static constexpr auto kOrder = fold_order(kThrottleDevice);
  static constexpr Table<ThrottleDevice> kTable{kThrottleDevice, kOrder};
  return kTable;
}

template <>
const Table<DeviceMapping>& table<DeviceMapping>() {
  static constexpr auto kOrder = fold_order(kDeviceMapping);
  static constexpr Table<DeviceMapping> kTable{kDeviceMapping, kOrder};
  return kTable;
}

template <>
const Table<DeviceRequest>& table<DeviceRequest>() {
  static constexpr auto kOrder = fold_order(kDeviceRequest);
  static constexpr Table<DeviceRequest> kTable{kDeviceRequest, kOrder};
  return kTable;
}

template <>
const Table<Ulimit>& table<Ulimit>() {
  static constexpr auto kOrder = fold_order(kUlimit);
  static constexpr Table<Ulimit> kTable{kUlimit, kOrder};
  return kTable;
}

template <>
const Table<BindOptions>& table<BindOptions>() {
  static constexpr auto kOrder = fold_order(kBindOptions);
  static constexpr Table<BindOptions> kTable{kBindOptions, kOrder};
  return kTable;
}

template <>
const Table<DriverConfig>& table<DriverConfig>() {
  static constexpr auto kOrder = fold_order(kDriverConfig);
  static constexpr Table<DriverConfig> kTable{kDriverConfig, kOrder};
  return kTable;
}

template <>
const Table<VolumeOptions>& table<VolumeOptions>() {
  static constexpr auto kOrder = fold_order(kVolumeOptions);
  static constexpr Table<VolumeOptions> kTable{kVolumeOptions, kOrder};
  return kTable;
}

template <>
const Table<ImageOptions>& table<ImageOptions>() {
  static constexpr auto kOrder = fold_order(kImageOptions);
  static constexpr Table<ImageOptions> kTable{kImageOptions, kOrder};
  return kTable;
}

template <>
const Table<TmpfsOptions>& table<TmpfsOptions>() {
  static constexpr auto kOrder = fold_order(kTmpfsOptions);
  static constexpr Table<TmpfsOptions> kTable{kTmpfsOptions, kOrder};
  return kTable;
}

template <>
const Table<Mount>& table<Mount>() {
  static constexpr auto kOrder = fold_order(kMount);
  static constexpr Table<Mount> kTable{kMount, kOrder};
  return kTable;
}

template <>
const Table<HostConfig>& table<HostConfig>() {
  static constexpr auto kOrder = fold_order(kHostConfig);
  static constexpr Table<HostConfig> kTable{kHostConfig, kOrder};
  return kTable;
}

template <>
const Table<IpamConfig>& table<IpamConfig>() {
  static constexpr auto kOrder = fold_order(kIpamConfig);
  static constexpr Table<IpamConfig> kTable{kIpamConfig, kOrder};
  return kTable;
}

template <>
const Table<EndpointSettings>& table<EndpointSettings>() {
  static constexpr auto kOrder = fold_order(kEndpointSettings);
  static constexpr Table<EndpointSettings> kTable{kEndpointSettings, kOrder};
  return kTable;
}

template <>
const Table<NetworkingConfig>& table<NetworkingConfig>() {
  static constexpr auto kOrder = fold_order(kNetworkingConfig);
  static constexpr Table<NetworkingConfig> kTable{kNetworkingConfig, kOrder};
  return kTable;
}

template <>
const Table<CreateContainer>& table<CreateContainer>() {
  static constexpr auto kOrder = fold_order(kCreateContainer);
  static constexpr Table<CreateContainer> kTable{kCreateContainer, kOrder, &toplevel_host_field};
  return kTable;
}

}  // namespace dockreeve::docker::schema
