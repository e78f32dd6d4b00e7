// Body of POST /services/create and /services/{id}/update (moby api/types/swarm.ServiceSpec up to
// API 1.56). Conventions as in docker/create_container.h. Windows credential specs, plugins and
// network attachments as tasks have no place here; they are refused unless empty.
#pragma once

#include "docker/create_container.h"

namespace dockreeve::docker {

struct SelinuxContext {
  bool disable = false;
  std::string user, role, type, level;
  bool operator==(const SelinuxContext&) const = default;
};

struct ServiceSeccomp {
  std::string mode;     // "", default, unconfined, custom
  std::string profile;  // base64 of JSON, with mode custom
  bool operator==(const ServiceSeccomp&) const = default;
};

struct ServiceAppArmor {
  std::string mode;  // "", default, disabled
  bool operator==(const ServiceAppArmor&) const = default;
};

struct ServicePrivileges {
  std::optional<SelinuxContext> selinux_context;
  std::optional<ServiceSeccomp> seccomp;
  std::optional<ServiceAppArmor> apparmor;
  bool no_new_privileges = false;
  bool operator==(const ServicePrivileges&) const = default;
};

struct DnsConfig {
  StringList nameservers, search, options;
  bool operator==(const DnsConfig&) const = default;
};

struct ReferenceFile {
  std::string name, uid, gid;
  Int mode = 0;
  bool operator==(const ReferenceFile&) const = default;
};

struct SecretReference {
  std::optional<ReferenceFile> file;
  std::string secret_id, secret_name;
  bool operator==(const SecretReference&) const = default;
};

struct ConfigReference {
  std::optional<ReferenceFile> file;
  std::string config_id, config_name;
  bool operator==(const ConfigReference&) const = default;
};

struct ContainerSpec {
  std::string image;
  Map<std::string> labels;
  StringList command, args;
  std::string hostname;
  StringList env;
  std::string dir, user;
  StringList groups;
  std::optional<ServicePrivileges> privileges;
  std::optional<bool> init;
  std::string stop_signal;
  bool tty = false, open_stdin = false, read_only = false;
  List<Mount> mounts;
  std::optional<Int> stop_grace_period;  // nanoseconds
  std::optional<Healthcheck> healthcheck;
  StringList hosts;  // "address name", as in /etc/hosts
  std::optional<DnsConfig> dns_config;
  List<SecretReference> secrets;
  List<ConfigReference> configs;
  std::string isolation;
  Map<std::string> sysctls;
  StringList capability_add, capability_drop;
  List<Ulimit> ulimits;
  Int oom_score_adj = 0;
  bool operator==(const ContainerSpec&) const = default;
};

struct ResourceLimit {
  Int nano_cpus = 0, memory_bytes = 0, pids = 0;
  bool operator==(const ResourceLimit&) const = default;
};

struct NamedResource {
  std::string kind, value;
  bool operator==(const NamedResource&) const = default;
};

struct DiscreteResource {
  std::string kind;
  Int value = 0;
  bool operator==(const DiscreteResource&) const = default;
};

struct GenericResource {
  std::optional<NamedResource> named;
  std::optional<DiscreteResource> discrete;
  bool operator==(const GenericResource&) const = default;
};

struct ResourceReservation {
  Int nano_cpus = 0, memory_bytes = 0;
  List<GenericResource> generic_resources;
  bool operator==(const ResourceReservation&) const = default;
};

struct ResourceRequirements {
  std::optional<ResourceLimit> limits;
  std::optional<ResourceReservation> reservations;
  std::optional<Int> swap_bytes, memory_swappiness;
  bool operator==(const ResourceRequirements&) const = default;
};

struct TaskRestartPolicy {
  std::string condition;
  std::optional<Int> delay, max_attempts, window;  // delay and window in nanoseconds
  bool operator==(const TaskRestartPolicy&) const = default;
};

struct SpreadOver {
  std::string descriptor;
  bool operator==(const SpreadOver&) const = default;
};

struct PlacementPreference {
  std::optional<SpreadOver> spread;
  bool operator==(const PlacementPreference&) const = default;
};

struct Platform {
  std::string architecture, os;
  bool operator==(const Platform&) const = default;
};

struct Placement {
  StringList constraints;
  List<PlacementPreference> preferences;
  Int max_replicas = 0;
  List<Platform> platforms;
  bool operator==(const Placement&) const = default;
};

struct NetworkAttachment {
  std::string target;  // name or id
  StringList aliases;
  Map<std::string> driver_opts;
  bool operator==(const NetworkAttachment&) const = default;
};

struct TaskSpec {
  ContainerSpec container_spec;
  std::optional<ResourceRequirements> resources;
  std::optional<TaskRestartPolicy> restart_policy;
  std::optional<Placement> placement;
  List<NetworkAttachment> networks;
  std::optional<DriverConfig> log_driver;
  Int force_update = 0;
  std::string runtime;  // "" or "container"
  bool operator==(const TaskSpec&) const = default;
};

struct ReplicatedService {
  std::optional<Int> replicas;
  bool operator==(const ReplicatedService&) const = default;
};

struct ReplicatedJob {
  std::optional<Int> max_concurrent, total_completions;
  bool operator==(const ReplicatedJob&) const = default;
};

struct ServiceMode {
  std::optional<ReplicatedService> replicated;
  std::optional<Empty> global;
  std::optional<ReplicatedJob> replicated_job;
  std::optional<Empty> global_job;
  bool operator==(const ServiceMode&) const = default;
};

// A fraction between 0 and 1, in billionths.
struct Fraction {
  Int billionths = 0;
  bool operator==(const Fraction&) const = default;
};

struct RolloutConfig {
  Int parallelism = 0, delay = 0;
  std::string failure_action;
  Int monitor = 0;
  Fraction max_failure_ratio;
  std::string order;
  bool operator==(const RolloutConfig&) const = default;
};

struct ServicePort {
  std::string name, protocol;
  Int target_port = 0, published_port = 0;
  std::string publish_mode;
  bool operator==(const ServicePort&) const = default;
};

struct EndpointSpec {
  std::string mode;
  List<ServicePort> ports;
  bool operator==(const EndpointSpec&) const = default;
};

struct ServiceSpec {
  std::string name;
  Map<std::string> labels;
  TaskSpec task_template;
  ServiceMode mode;
  std::optional<RolloutConfig> update_config, rollback_config;
  List<NetworkAttachment> networks;  // where they stood before TaskTemplate.Networks
  std::optional<EndpointSpec> endpoint_spec;
  bool operator==(const ServiceSpec&) const = default;
};

}  // namespace dockreeve::docker
