// The fields of the smaller bodies: exec, update, volume create, commit, credentials.
#include <limits>

#include "docker/schema.h"

namespace dockreeve::docker::schema {
namespace {

constexpr Int kMaxUint16 = std::numeric_limits<std::uint16_t>::max();

constexpr auto kExecCreate = std::to_array<Row<ExecCreate>>({
    field<&ExecCreate::user>("User"), field<&ExecCreate::privileged>("Privileged"),
    field<&ExecCreate::tty>("Tty"), field<&ExecCreate::console_size>("ConsoleSize"),
    field<&ExecCreate::attach_stdin>("AttachStdin"),
    field<&ExecCreate::attach_stderr>("AttachStderr"),
    field<&ExecCreate::attach_stdout>("AttachStdout"), field<&ExecCreate::detach>("Detach"),
    field<&ExecCreate::detach_keys>("DetachKeys"), field<&ExecCreate::env>("Env"),
    field<&ExecCreate::working_dir>("WorkingDir"), field<&ExecCreate::cmd>("Cmd"),
    ignored<ExecCreate>("Container"),  // docker-py repeats the path here
});

constexpr auto kExecStart = std::to_array<Row<ExecStart>>({
    field<&ExecStart::detach>("Detach"),
    field<&ExecStart::tty>("Tty"),
    field<&ExecStart::console_size>("ConsoleSize"),
    ignored<ExecStart>("hijack"),  // dockerode sends its own options along
    ignored<ExecStart>("stdin"),
});

// The engine reads all of Resources here but applies only some of it; what it does not apply, or
// applies only in some versions, may not be asked for.
constexpr auto kUpdateContainer = std::to_array<Row<UpdateContainer>>({
    field<&UpdateContainer::cpu_shares>("CpuShares"),
    field<&UpdateContainer::memory>("Memory"),
    field<&UpdateContainer::nano_cpus>("NanoCpus"),
    must_be_empty<UpdateContainer>("CgroupParent"),
    ranged<&UpdateContainer::blkio_weight, 0, kMaxUint16>("BlkioWeight"),
    must_be_empty<UpdateContainer>("BlkioWeightDevice"),
    must_be_empty<UpdateContainer>("BlkioDeviceReadBps"),
    must_be_empty<UpdateContainer>("BlkioDeviceWriteBps"),
    must_be_empty<UpdateContainer>("BlkioDeviceReadIOps"),
    must_be_empty<UpdateContainer>("BlkioDeviceWriteIOps"),
    field<&UpdateContainer::cpu_period>("CpuPeriod"),
    field<&UpdateContainer::cpu_quota>("CpuQuota"),
    field<&UpdateContainer::cpu_realtime_period>("CpuRealtimePeriod"),
    field<&UpdateContainer::cpu_realtime_runtime>("CpuRealtimeRuntime"),
    field<&UpdateContainer::cpuset_cpus>("CpusetCpus"),
    field<&UpdateContainer::cpuset_mems>("CpusetMems"),
    must_be_empty<UpdateContainer>("Devices"),
    must_be_empty<UpdateContainer>("DeviceCgroupRules"),
    must_be_empty<UpdateContainer>("DeviceRequests"),
    field<&UpdateContainer::kernel_memory>("KernelMemory"),
    field<&UpdateContainer::kernel_memory_tcp>("KernelMemoryTCP"),
    field<&UpdateContainer::memory_reservation>("MemoryReservation"),
    field<&UpdateContainer::memory_swap>("MemorySwap"),
    field<&UpdateContainer::memory_swappiness>("MemorySwappiness"),
    field<&UpdateContainer::oom_kill_disable>("OomKillDisable"),
    field<&UpdateContainer::pids_limit>("PidsLimit"),
    must_be_empty<UpdateContainer>("Ulimits"),
    must_be_empty<UpdateContainer>("CpuCount"),
    must_be_empty<UpdateContainer>("CpuPercent"),
    must_be_empty<UpdateContainer>("IOMaximumIOps"),
    must_be_empty<UpdateContainer>("IOMaximumBandwidth"),
    field<&UpdateContainer::restart_policy>("RestartPolicy"),
});

bool refuse_cluster_volume(json::Value, VolumeCreate&, Reading& reading, const Place& place) {
  return reading.refuse(place, "cluster volumes are not supported");
}

constexpr auto kVolumeCreate = std::to_array<Row<VolumeCreate>>({
    field<&VolumeCreate::name>("Name"),
    field<&VolumeCreate::driver>("Driver"),
    field<&VolumeCreate::driver_opts>("DriverOpts"),
    field<&VolumeCreate::labels>("Labels"),
    {"ClusterVolumeSpec", &refuse_cluster_volume},
});

constexpr auto kAuthConfig = std::to_array<Row<AuthConfig>>({
    field<&AuthConfig::username>("username"),
    field<&AuthConfig::password>("password"),
    field<&AuthConfig::auth>("auth"),
    field<&AuthConfig::email>("email"),
    field<&AuthConfig::server_address>("serveraddress"),
    field<&AuthConfig::identity_token>("identitytoken"),
    field<&AuthConfig::registry_token>("registrytoken"),
});

constexpr auto kCommit = std::to_array<Row<Commit>>({
    inner_field<&Commit::config, &CreateContainer::hostname>("Hostname"),
    inner_field<&Commit::config, &CreateContainer::domainname>("Domainname"),
    inner_field<&Commit::config, &CreateContainer::user>("User"),
    inner_field<&Commit::config, &CreateContainer::attach_stdin>("AttachStdin"),
    inner_field<&Commit::config, &CreateContainer::attach_stdout>("AttachStdout"),
    inner_field<&Commit::config, &CreateContainer::attach_stderr>("AttachStderr"),
    inner_field<&Commit::config, &CreateContainer::exposed_ports>("ExposedPorts"),
    inner_field<&Commit::config, &CreateContainer::tty>("Tty"),
    inner_field<&Commit::config, &CreateContainer::open_stdin>("OpenStdin"),
    inner_field<&Commit::config, &CreateContainer::stdin_once>("StdinOnce"),
    inner_field<&Commit::config, &CreateContainer::env>("Env"),
    inner_words<&Commit::config, &CreateContainer::cmd>("Cmd"),
    inner_field<&Commit::config, &CreateContainer::healthcheck>("Healthcheck"),
    inner_field<&Commit::config, &CreateContainer::args_escaped>("ArgsEscaped"),
    inner_field<&Commit::config, &CreateContainer::image>("Image"),
    inner_field<&Commit::config, &CreateContainer::volumes>("Volumes"),
    inner_field<&Commit::config, &CreateContainer::working_dir>("WorkingDir"),
    inner_words<&Commit::config, &CreateContainer::entrypoint>("Entrypoint"),
    inner_field<&Commit::config, &CreateContainer::network_disabled>("NetworkDisabled"),
    inner_field<&Commit::config, &CreateContainer::mac_address>("MacAddress"),
    inner_field<&Commit::config, &CreateContainer::on_build>("OnBuild"),
    inner_field<&Commit::config, &CreateContainer::labels>("Labels"),
    inner_field<&Commit::config, &CreateContainer::stop_signal>("StopSignal"),
    inner_field<&Commit::config, &CreateContainer::stop_timeout>("StopTimeout"),
    inner_words<&Commit::config, &CreateContainer::shell>("Shell"),
    // The engine reads these and does nothing with them.
    must_be_empty<Commit>("HostConfig"),
    must_be_empty<Commit>("NetworkingConfig"),
});

}  // namespace

template <>
const Table<AuthConfig>& table<AuthConfig>() {
  static constexpr auto kOrder = fold_order(kAuthConfig);
  static constexpr Table<AuthConfig> kTable{kAuthConfig, kOrder};
  return kTable;
}

template <>
const Table<Commit>& table<Commit>() {
  static constexpr auto kOrder = fold_order(kCommit);
  static constexpr Table<Commit> kTable{kCommit, kOrder, &toplevel_host_field};
  return kTable;
}

template <>
const Table<ExecCreate>& table<ExecCreate>() {
  static constexpr auto kOrder = fold_order(kExecCreate);
  static constexpr Table<ExecCreate> kTable{kExecCreate, kOrder};
  return kTable;
}

template <>
const Table<ExecStart>& table<ExecStart>() {
  static constexpr auto kOrder = fold_order(kExecStart);
  static constexpr Table<ExecStart> kTable{kExecStart, kOrder};
  return kTable;
}

template <>
const Table<UpdateContainer>& table<UpdateContainer>() {
  static constexpr auto kOrder = fold_order(kUpdateContainer);
  static constexpr Table<UpdateContainer> kTable{kUpdateContainer, kOrder};
  return kTable;
}

template <>
const Table<VolumeCreate>& table<VolumeCreate>() {
  static constexpr auto kOrder = fold_order(kVolumeCreate);
  static constexpr Table<VolumeCreate> kTable{kVolumeCreate, kOrder};
  return kTable;
}

}  // namespace dockreeve::docker::schema
