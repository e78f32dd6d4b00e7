// The fields of a service, in the engine's order and spelling (moby api/types/swarm, up to
// API 1.56).
#include <limits>

#include "docker/schema.h"

namespace dockreeve::docker::schema {
namespace {

constexpr Int kMaxInt = std::numeric_limits<Int>::max();
constexpr Int kMaxUint32 = std::numeric_limits<std::uint32_t>::max();
constexpr Int kMaxPort = 65535;

// The engine's documentation spells this key otherwise than its types do, and both are in use.
constexpr Row<ContainerSpec> healthcheck_row() {
  Row<ContainerSpec> row = field<&ContainerSpec::healthcheck>("Healthcheck");
  row.also = "HealthCheck";
  return row;
}

// Tasks that are no containers are not decoded.
bool read_runtime(json::Value v, TaskSpec& out, Reading& reading, const Place& place) {
  if (!read(v, out.runtime, reading, place)) return false;
  return out.runtime.empty() || out.runtime == "container" ||
         reading.refuse(place, "only containers can be tasks here");
}
constexpr Row<TaskSpec> runtime_row() {
  return {"Runtime", &read_runtime, &write_member<&TaskSpec::runtime>};
}

constexpr auto kSelinuxContext = std::to_array<Row<SelinuxContext>>({
    field<&SelinuxContext::disable>("Disable"),
    field<&SelinuxContext::user>("User"),
    field<&SelinuxContext::role>("Role"),
    field<&SelinuxContext::type>("Type"),
    field<&SelinuxContext::level>("Level"),
});

constexpr auto kServiceSeccomp = std::to_array<Row<ServiceSeccomp>>({
    field<&ServiceSeccomp::mode>("Mode"),
    field<&ServiceSeccomp::profile>("Profile"),
});

constexpr auto kServiceAppArmor = std::to_array<Row<ServiceAppArmor>>({
    field<&ServiceAppArmor::mode>("Mode"),
});

constexpr auto kServicePrivileges = std::to_array<Row<ServicePrivileges>>({
    must_be_empty<ServicePrivileges>("CredentialSpec"),
    field<&ServicePrivileges::selinux_context>("SELinuxContext"),
    field<&ServicePrivileges::seccomp>("Seccomp"),
    field<&ServicePrivileges::apparmor>("AppArmor"),
    field<&ServicePrivileges::no_new_privileges>("NoNewPrivileges"),
});

constexpr auto kDnsConfig = std::to_array<Row<DnsConfig>>({
    field<&DnsConfig::nameservers>("Nameservers"),
    field<&DnsConfig::search>("Search"),
    field<&DnsConfig::options>("Options"),
});

constexpr auto kReferenceFile = std::to_array<Row<ReferenceFile>>({
    field<&ReferenceFile::name>("Name"),
    field<&ReferenceFile::uid>("UID"),
    field<&ReferenceFile::gid>("GID"),
    ranged<&ReferenceFile::mode, 0, kMaxUint32>("Mode"),
});

constexpr auto kSecretReference = std::to_array<Row<SecretReference>>({
    field<&SecretReference::file>("File"),
    field<&SecretReference::secret_id>("SecretID"),
    field<&SecretReference::secret_name>("SecretName"),
});

constexpr auto kConfigReference = std::to_array<Row<ConfigReference>>({
    field<&ConfigReference::file>("File"),
    must_be_empty<ConfigReference>("Runtime"),
    field<&ConfigReference::config_id>("ConfigID"),
    field<&ConfigReference::config_name>("ConfigName"),
});

constexpr auto kContainerSpec = std::to_array<Row<ContainerSpec>>({
    field<&ContainerSpec::image>("Image"),
    field<&ContainerSpec::labels>("Labels"),
    field<&ContainerSpec::command>("Command"),
    field<&ContainerSpec::args>("Args"),
    field<&ContainerSpec::hostname>("Hostname"),
    field<&ContainerSpec::env>("Env"),
    field<&ContainerSpec::dir>("Dir"),
    field<&ContainerSpec::user>("User"),
    field<&ContainerSpec::groups>("Groups"),
    field<&ContainerSpec::privileges>("Privileges"),
    field<&ContainerSpec::init>("Init"),
    field<&ContainerSpec::stop_signal>("StopSignal"),
    field<&ContainerSpec::tty>("TTY"),
    field<&ContainerSpec::open_stdin>("OpenStdin"),
    field<&ContainerSpec::read_only>("ReadOnly"),
    field<&ContainerSpec::mounts>("Mounts"),
    field<&ContainerSpec::stop_grace_period>("StopGracePeriod"),
    healthcheck_row(),
    field<&ContainerSpec::hosts>("Hosts"),
    field<&ContainerSpec::dns_config>("DNSConfig"),
    field<&ContainerSpec::secrets>("Secrets"),
    field<&ContainerSpec::configs>("Configs"),
    field<&ContainerSpec::isolation>("Isolation"),
    field<&ContainerSpec::sysctls>("Sysctls"),
    field<&ContainerSpec::capability_add>("CapabilityAdd"),
    field<&ContainerSpec::capability_drop>("CapabilityDrop"),
    field<&ContainerSpec::ulimits>("Ulimits"),
    field<&ContainerSpec::oom_score_adj>("OomScoreAdj"),
});

constexpr auto kResourceLimit = std::to_array<Row<ResourceLimit>>({
    field<&ResourceLimit::nano_cpus>("NanoCPUs"),
    field<&ResourceLimit::memory_bytes>("MemoryBytes"),
    field<&ResourceLimit::pids>("Pids"),
});

constexpr auto kNamedResource = std::to_array<Row<NamedResource>>({
    field<&NamedResource::kind>("Kind"),
    field<&NamedResource::value>("Value"),
});

constexpr auto kDiscreteResource = std::to_array<Row<DiscreteResource>>({
    field<&DiscreteResource::kind>("Kind"),
    field<&DiscreteResource::value>("Value"),
});

constexpr auto kGenericResource = std::to_array<Row<GenericResource>>({
    field<&GenericResource::named>("NamedResourceSpec"),
    field<&GenericResource::discrete>("DiscreteResourceSpec"),
});

constexpr auto kResourceReservation = std::to_array<Row<ResourceReservation>>({
    field<&ResourceReservation::nano_cpus>("NanoCPUs"),
    field<&ResourceReservation::memory_bytes>("MemoryBytes"),
    field<&ResourceReservation::generic_resources>("GenericResources"),
});

constexpr auto kResourceRequirements = std::to_array<Row<ResourceRequirements>>({
    field<&ResourceRequirements::limits>("Limits"),
    field<&ResourceRequirements::reservations>("Reservations"),
    field<&ResourceRequirements::swap_bytes>("SwapBytes"),
    field<&ResourceRequirements::memory_swappiness>("MemorySwappiness"),
});

constexpr auto kTaskRestartPolicy = std::to_array<Row<TaskRestartPolicy>>({
    field<&TaskRestartPolicy::condition>("Condition"),
    field<&TaskRestartPolicy::delay>("Delay"),
    field<&TaskRestartPolicy::max_attempts>("MaxAttempts"),
    field<&TaskRestartPolicy::window>("Window"),
});

constexpr auto kSpreadOver = std::to_array<Row<SpreadOver>>({
    field<&SpreadOver::descriptor>("SpreadDescriptor"),
});

constexpr auto kPlacementPreference = std::to_array<Row<PlacementPreference>>({
    field<&PlacementPreference::spread>("Spread"),
});

constexpr auto kPlatform = std::to_array<Row<Platform>>({
    field<&Platform::architecture>("Architecture"),
    field<&Platform::os>("OS"),
});

constexpr auto kPlacement = std::to_array<Row<Placement>>({
    field<&Placement::constraints>("Constraints"),
    field<&Placement::preferences>("Preferences"),
    ranged<&Placement::max_replicas, 0, kMaxInt>("MaxReplicas"),
    field<&Placement::platforms>("Platforms"),
});

constexpr auto kNetworkAttachment = std::to_array<Row<NetworkAttachment>>({
    field<&NetworkAttachment::target>("Target"),
    field<&NetworkAttachment::aliases>("Aliases"),
    field<&NetworkAttachment::driver_opts>("DriverOpts"),
});

constexpr auto kTaskSpec = std::to_array<Row<TaskSpec>>({
    must_be_empty<TaskSpec>("PluginSpec"),
    always<&TaskSpec::container_spec>("ContainerSpec"),
    must_be_empty<TaskSpec>("NetworkAttachmentSpec"),
    field<&TaskSpec::resources>("Resources"),
    field<&TaskSpec::restart_policy>("RestartPolicy"),
    field<&TaskSpec::placement>("Placement"),
    field<&TaskSpec::networks>("Networks"),
    field<&TaskSpec::log_driver>("LogDriver"),
    ranged<&TaskSpec::force_update, 0, kMaxInt>("ForceUpdate"),
    runtime_row(),
});

constexpr auto kReplicatedService = std::to_array<Row<ReplicatedService>>({
    field<&ReplicatedService::replicas>("Replicas"),
});

constexpr auto kReplicatedJob = std::to_array<Row<ReplicatedJob>>({
    field<&ReplicatedJob::max_concurrent>("MaxConcurrent"),
    field<&ReplicatedJob::total_completions>("TotalCompletions"),
});

constexpr auto kServiceMode = std::to_array<Row<ServiceMode>>({
    field<&ServiceMode::replicated>("Replicated"),
    field<&ServiceMode::global>("Global"),
    field<&ServiceMode::replicated_job>("ReplicatedJob"),
    field<&ServiceMode::global_job>("GlobalJob"),
});

constexpr auto kRolloutConfig = std::to_array<Row<RolloutConfig>>({
    ranged<&RolloutConfig::parallelism, 0, kMaxInt>("Parallelism"),
    field<&RolloutConfig::delay>("Delay"),
    field<&RolloutConfig::failure_action>("FailureAction"),
    field<&RolloutConfig::monitor>("Monitor"),
    field<&RolloutConfig::max_failure_ratio>("MaxFailureRatio"),
    field<&RolloutConfig::order>("Order"),
});

constexpr auto kServicePort = std::to_array<Row<ServicePort>>({
    field<&ServicePort::name>("Name"),
    field<&ServicePort::protocol>("Protocol"),
    ranged<&ServicePort::target_port, 0, kMaxPort>("TargetPort"),
    ranged<&ServicePort::published_port, 0, kMaxPort>("PublishedPort"),
    field<&ServicePort::publish_mode>("PublishMode"),
});

constexpr auto kEndpointSpec = std::to_array<Row<EndpointSpec>>({
    field<&EndpointSpec::mode>("Mode"),
    field<&EndpointSpec::ports>("Ports"),
});

constexpr auto kServiceSpec = std::to_array<Row<ServiceSpec>>({
    field<&ServiceSpec::name>("Name"),
    field<&ServiceSpec::labels>("Labels"),
    always<&ServiceSpec::task_template>("TaskTemplate"),
    field<&ServiceSpec::mode>("Mode"),
    field<&ServiceSpec::update_config>("UpdateConfig"),
    field<&ServiceSpec::rollback_config>("RollbackConfig"),
    field<&ServiceSpec::networks>("Networks"),
    field<&ServiceSpec::endpoint_spec>("EndpointSpec"),
});

}  // namespace

template <>
const Table<SelinuxContext>& table<SelinuxContext>() {
  static constexpr auto kOrder = fold_order(kSelinuxContext);
  static constexpr Table<SelinuxContext> kTable{kSelinuxContext, kOrder};
  return kTable;
}

template <>
const Table<ServiceSeccomp>& table<ServiceSeccomp>() {
  static constexpr auto kOrder = fold_order(kServiceSeccomp);
  static constexpr Table<ServiceSeccomp> kTable{kServiceSeccomp, kOrder};
  return kTable;
}

template <>
const Table<ServiceAppArmor>& table<ServiceAppArmor>() {
  static constexpr auto kOrder = fold_order(kServiceAppArmor);
  static constexpr Table<ServiceAppArmor> kTable{kServiceAppArmor, kOrder};
  return kTable;
}

template <>
const Table<ServicePrivileges>& table<ServicePrivileges>() {
  static constexpr auto kOrder = fold_order(kServicePrivileges);
  static constexpr Table<ServicePrivileges> kTable{kServicePrivileges, kOrder};
  return kTable;
}

template <>
const Table<DnsConfig>& table<DnsConfig>() {
  static constexpr auto kOrder = fold_order(kDnsConfig);
  static constexpr Table<DnsConfig> kTable{kDnsConfig, kOrder};
  return kTable;
}

template <>
const Table<ReferenceFile>& table<ReferenceFile>() {
  static constexpr auto kOrder = fold_order(kReferenceFile);
  static constexpr Table<ReferenceFile> kTable{kReferenceFile, kOrder};
  return kTable;
}

template <>
const Table<SecretReference>& table<SecretReference>() {
  static constexpr auto kOrder = fold_order(kSecretReference);
  static constexpr Table<SecretReference> kTable{kSecretReference, kOrder};
  return kTable;
}

template <>
const Table<ConfigReference>& table<ConfigReference>() {
  static constexpr auto kOrder = fold_order(kConfigReference);
  static constexpr Table<ConfigReference> kTable{kConfigReference, kOrder};
  return kTable;
}

template <>
const Table<ContainerSpec>& table<ContainerSpec>() {
  static constexpr auto kOrder = fold_order(kContainerSpec);
  static constexpr Table<ContainerSpec> kTable{kContainerSpec, kOrder};
  return kTable;
}

template <>
const Table<ResourceLimit>& table<ResourceLimit>() {
  static constexpr auto kOrder = fold_order(kResourceLimit);
  static constexpr Table<ResourceLimit> kTable{kResourceLimit, kOrder};
  return kTable;
}

template <>
const Table<NamedResource>& table<NamedResource>() {
  static constexpr auto kOrder = fold_order(kNamedResource);
  static constexpr Table<NamedResource> kTable{kNamedResource, kOrder};
  return kTable;
}

template <>
const Table<DiscreteResource>& table<DiscreteResource>() {
  static constexpr auto kOrder = fold_order(kDiscreteResource);
  static constexpr Table<DiscreteResource> kTable{kDiscreteResource, kOrder};
  return kTable;
}

template <>
const Table<GenericResource>& table<GenericResource>() {
  static constexpr auto kOrder = fold_order(kGenericResource);
  static constexpr Table<GenericResource> kTable{kGenericResource, kOrder};
  return kTable;
}

template <>
const Table<ResourceReservation>& table<ResourceReservation>() {
  static constexpr auto kOrder = fold_order(kResourceReservation);
  static constexpr Table<ResourceReservation> kTable{kResourceReservation, kOrder};
  return kTable;
}

template <>
const Table<ResourceRequirements>& table<ResourceRequirements>() {
  static constexpr auto kOrder = fold_order(kResourceRequirements);
  static constexpr Table<ResourceRequirements> kTable{kResourceRequirements, kOrder};
  return kTable;
}

template <>
const Table<TaskRestartPolicy>& table<TaskRestartPolicy>() {
  static constexpr auto kOrder = fold_order(kTaskRestartPolicy);
  static constexpr Table<TaskRestartPolicy> kTable{kTaskRestartPolicy, kOrder};
  return kTable;
}

template <>
const Table<SpreadOver>& table<SpreadOver>() {
  static constexpr auto kOrder = fold_order(kSpreadOver);
  static constexpr Table<SpreadOver> kTable{kSpreadOver, kOrder};
  return kTable;
}

template <>
const Table<PlacementPreference>& table<PlacementPreference>() {
  static constexpr auto kOrder = fold_order(kPlacementPreference);
  static constexpr Table<PlacementPreference> kTable{kPlacementPreference, kOrder};
  return kTable;
}

template <>
const Table<Platform>& table<Platform>() {
  static constexpr auto kOrder = fold_order(kPlatform);
  static constexpr Table<Platform> kTable{kPlatform, kOrder};
  return kTable;
}

template <>
const Table<Placement>& table<Placement>() {
  static constexpr auto kOrder = fold_order(kPlacement);
  static constexpr Table<Placement> kTable{kPlacement, kOrder};
  return kTable;
}

template <>
const Table<NetworkAttachment>& table<NetworkAttachment>() {
  static constexpr auto kOrder = fold_order(kNetworkAttachment);
  static constexpr Table<NetworkAttachment> kTable{kNetworkAttachment, kOrder};
  return kTable;
}

template <>
const Table<TaskSpec>& table<TaskSpec>() {
  static constexpr auto kOrder = fold_order(kTaskSpec);
  static constexpr Table<TaskSpec> kTable{kTaskSpec, kOrder};
  return kTable;
}

template <>
const Table<ReplicatedService>& table<ReplicatedService>() {
  static constexpr auto kOrder = fold_order(kReplicatedService);
  static constexpr Table<ReplicatedService> kTable{kReplicatedService, kOrder};
  return kTable;
}

template <>
const Table<ReplicatedJob>& table<ReplicatedJob>() {
  static constexpr auto kOrder = fold_order(kReplicatedJob);
  static constexpr Table<ReplicatedJob> kTable{kReplicatedJob, kOrder};
  return kTable;
}

template <>
const Table<ServiceMode>& table<ServiceMode>() {
  static constexpr auto kOrder = fold_order(kServiceMode);
  static constexpr Table<ServiceMode> kTable{kServiceMode, kOrder};
  return kTable;
}

template <>
const Table<RolloutConfig>& table<RolloutConfig>() {
  static constexpr auto kOrder = fold_order(kRolloutConfig);
  static constexpr Table<RolloutConfig> kTable{kRolloutConfig, kOrder};
  return kTable;
}

template <>
const Table<ServicePort>& table<ServicePort>() {
  static constexpr auto kOrder = fold_order(kServicePort);
  static constexpr Table<ServicePort> kTable{kServicePort, kOrder};
  return kTable;
}

template <>
const Table<EndpointSpec>& table<EndpointSpec>() {
  static constexpr auto kOrder = fold_order(kEndpointSpec);
  static constexpr Table<EndpointSpec> kTable{kEndpointSpec, kOrder};
  return kTable;
}

template <>
const Table<ServiceSpec>& table<ServiceSpec>() {
  static constexpr auto kOrder = fold_order(kServiceSpec);
  static constexpr Table<ServiceSpec> kTable{kServiceSpec, kOrder};
  return kTable;
}

}  // namespace dockreeve::docker::schema
