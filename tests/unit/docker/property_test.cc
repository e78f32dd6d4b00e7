// Laws that hold for every value and every key: decode undoes encode, unknown keys are reported
// and dropped, and no other spelling of a known key gets through.
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <random>
#include <string>
#include <vector>

#include "docker/decode.h"
#include "docker/schema.h"

namespace dockreeve::docker {
namespace {

// Fills values at random. `fullness` is the chance in percent that a field gets a value at all; at
// 100 no field is left zero.
class Filler {
 public:
  Filler(std::uint32_t seed, int fullness) : random_(seed), fullness_(fullness) {}

  template <class... T>
  void fill(T&... fields) {
    ((chance() ? set(fields) : void()), ...);
  }
  void fill_below(Int limit, Int& number) {
    if (chance()) number = static_cast<Int>(random_() % static_cast<std::uint64_t>(limit)) + 1;
  }

 private:
  bool chance() { return pick(100) < fullness_; }
  int pick(int count) { return static_cast<int>(random_() % static_cast<unsigned>(count)); }
  // Lists and maps get one to three elements, and none at all now and then.
  int count() { return fullness_ == 100 ? 1 : pick(4); }

  void set(bool& flag) { flag = true; }
  void set(Int& number) {
    static constexpr Int kEdges[] = {1, -1, INT64_MAX, INT64_MIN, 9007199254740993};
    number = pick(2) == 0 ? kEdges[pick(5)] : static_cast<Int>(random_()) + 1;
  }
  void set(std::array<Int, 2>& pair) { pair = {pick(300) + 1, pick(300)}; }
  void set(std::string& text) {
    static constexpr std::string_view kPieces[] = {"a",      "/",    "~",    "\"",     "\\",
                                                   "\n",     "\x01", "\x7f", "\u00e9", "\U0001F600",
                                                   "Memory", ":",    " "};
    text = "x";
    for (int i = pick(8); i > 0; --i)
      text += kPieces[pick(13)];
  }
  template <class T>
  void set(std::optional<T>& value) {
    value.emplace();
    if (chance()) set(*value);
  }
  template <class T>
  void set(std::vector<T>& list) {
    for (int i = count(); i > 0; --i)
      set(list.emplace_back());
  }
  template <class T>
  void set(Map<T>& map) {
    for (int i = count(); i > 0; --i) {
      std::string key = "key/" + std::to_string(pick(100)) + (pick(2) == 0 ? "\u017f\"" : "");
      T value{};
      if (chance()) set(value);
      map.emplace(std::move(key), std::move(value));
    }
  }

  void set(Empty&) {}
  void set(Healthcheck& h) {
    fill(h.test, h.interval, h.timeout, h.start_period, h.start_interval, h.retries);
  }
  void set(LogConfig& l) { fill(l.type, l.config); }
  void set(PortBinding& p) { fill(p.host_ip, p.host_port); }
  void set(RestartPolicy& r) { fill(r.name, r.maximum_retry_count); }
  void set(WeightDevice& w) {
    fill(w.path);
    fill_below(65535, w.weight);
  }
  void set(ThrottleDevice& t) {
    fill(t.path);
    fill_below(INT64_MAX, t.rate);
  }
  void set(DeviceMapping& d) { fill(d.path_on_host, d.path_in_container, d.cgroup_permissions); }
  void set(DeviceRequest& d) { fill(d.driver, d.count, d.device_ids, d.capabilities, d.options); }
  void set(Ulimit& u) { fill(u.name, u.hard, u.soft); }
  void set(BindOptions& b) {
    fill(b.propagation, b.non_recursive, b.create_mountpoint, b.read_only_non_recursive,
         b.read_only_force_recursive);
  }
  void set(DriverConfig& d) { fill(d.name, d.options); }
  void set(VolumeOptions& v) { fill(v.no_copy, v.labels, v.subpath, v.driver_config); }
  void set(ImageOptions& i) { fill(i.subpath); }
  void set(TmpfsOptions& t) {
    fill(t.size_bytes, t.options);
    fill_below(0xffffffff, t.mode);
  }
  void set(Mount& m) {
    fill(m.type, m.source, m.target, m.read_only, m.consistency, m.bind_options, m.volume_options,
         m.image_options, m.tmpfs_options, m.cluster_options);
  }
  void set(HostConfig& h) {
    fill(h.binds, h.container_id_file, h.log_config, h.network_mode, h.port_bindings,
         h.restart_policy, h.auto_remove, h.volume_driver, h.volumes_from, h.console_size,
         h.annotations, h.cap_add, h.cap_drop, h.cgroupns_mode, h.dns, h.dns_options, h.dns_search,
         h.extra_hosts, h.group_add, h.ipc_mode, h.cgroup, h.links, h.oom_score_adj, h.pid_mode,
         h.privileged, h.publish_all_ports, h.readonly_rootfs, h.security_opt, h.storage_opt,
         h.tmpfs, h.uts_mode, h.userns_mode, h.shm_size, h.sysctls, h.runtime, h.isolation);
    fill(h.cpu_shares, h.memory, h.nano_cpus, h.cgroup_parent, h.blkio_weight_device,
         h.blkio_device_read_bps, h.blkio_device_write_bps, h.blkio_device_read_iops,
         h.blkio_device_write_iops, h.cpu_period, h.cpu_quota, h.cpu_realtime_period,
         h.cpu_realtime_runtime, h.cpuset_cpus, h.cpuset_mems, h.devices, h.device_cgroup_rules,
         h.device_requests, h.kernel_memory, h.kernel_memory_tcp, h.memory_reservation,
         h.memory_swap, h.memory_swappiness, h.oom_kill_disable, h.pids_limit, h.ulimits,
         h.cpu_count, h.cpu_percent, h.mounts, h.masked_paths, h.readonly_paths, h.init);
    fill_below(65535, h.blkio_weight);
    fill_below(INT64_MAX, h.io_maximum_iops);
    fill_below(INT64_MAX, h.io_maximum_bandwidth);
  }
  void set(IpamConfig& i) { fill(i.ipv4_address, i.ipv6_address, i.link_local_ips); }
  void set(EndpointSettings& e) {
    fill(e.ipam_config, e.links, e.aliases, e.mac_address, e.driver_opts, e.gw_priority);
  }
  void set(NetworkingConfig& n) { fill(n.endpoints_config); }
  void set(IpamPool& x) { fill(x.subnet, x.ip_range, x.gateway, x.auxiliary_addresses); }
  void set(NetworkIpam& x) { fill(x.driver, x.options, x.config); }
  void set(NetworkReference& x) { fill(x.network); }
  void set(SelinuxContext& x) { fill(x.disable, x.user, x.role, x.type, x.level); }
  void set(ServiceSeccomp& x) { fill(x.mode, x.profile); }
  void set(ServiceAppArmor& x) { fill(x.mode); }
  void set(ServicePrivileges& x) {
    fill(x.selinux_context, x.seccomp, x.apparmor, x.no_new_privileges);
  }
  void set(DnsConfig& x) { fill(x.nameservers, x.search, x.options); }
  void set(ReferenceFile& x) {
    fill(x.name, x.uid, x.gid);
    fill_below(0xffffffff, x.mode);
  }
  void set(SecretReference& x) { fill(x.file, x.secret_id, x.secret_name); }
  void set(ConfigReference& x) { fill(x.file, x.config_id, x.config_name); }
  void set(ContainerSpec& x) {
    fill(x.image, x.labels, x.command, x.args, x.hostname, x.env, x.dir, x.user, x.groups,
         x.privileges, x.init, x.stop_signal, x.tty, x.open_stdin, x.read_only, x.mounts,
         x.stop_grace_period, x.hosts, x.dns_config, x.secrets, x.configs, x.isolation, x.sysctls,
         x.capability_add, x.capability_drop, x.ulimits, x.oom_score_adj, x.healthcheck);
  }
  void set(ResourceLimit& x) { fill(x.nano_cpus, x.memory_bytes, x.pids); }
  void set(NamedResource& x) { fill(x.kind, x.value); }
  void set(DiscreteResource& x) { fill(x.kind, x.value); }
  void set(GenericResource& x) { fill(x.named, x.discrete); }
  void set(ResourceReservation& x) { fill(x.nano_cpus, x.memory_bytes, x.generic_resources); }
  void set(ResourceRequirements& x) {
    fill(x.limits, x.reservations, x.swap_bytes, x.memory_swappiness);
  }
  void set(TaskRestartPolicy& x) { fill(x.condition, x.delay, x.max_attempts, x.window); }
  void set(SpreadOver& x) { fill(x.descriptor); }
  void set(PlacementPreference& x) { fill(x.spread); }
  void set(Platform& x) { fill(x.architecture, x.os); }
  void set(Placement& x) {
    fill(x.constraints, x.preferences, x.platforms);
    fill_below(INT64_MAX, x.max_replicas);
  }
  void set(NetworkAttachment& x) { fill(x.target, x.aliases, x.driver_opts); }
  void set(TaskSpec& x) {
    x.runtime = "container";
    fill(x.resources, x.restart_policy, x.placement, x.networks, x.log_driver, x.container_spec);
    fill_below(INT64_MAX, x.force_update);
  }
  void set(ReplicatedService& x) { fill(x.replicas); }
  void set(ReplicatedJob& x) { fill(x.max_concurrent, x.total_completions); }
  void set(ServiceMode& x) { fill(x.replicated, x.global, x.replicated_job, x.global_job); }
  void set(RolloutConfig& x) {
    fill(x.delay, x.failure_action, x.monitor, x.max_failure_ratio, x.order);
    fill_below(INT64_MAX, x.parallelism);
  }
  void set(ServicePort& x) {
    fill(x.name, x.protocol, x.publish_mode);
    fill_below(65535, x.target_port);
    fill_below(65535, x.published_port);
  }
  void set(EndpointSpec& x) { fill(x.mode, x.ports); }
  void set(Fraction& x) { fill_below(1'000'000'000, x.billionths); }

 public:
  void set(CreateContainer& c) {
    fill(c.hostname, c.domainname, c.user, c.attach_stdin, c.attach_stdout, c.attach_stderr,
         c.exposed_ports, c.tty, c.open_stdin, c.stdin_once, c.env, c.cmd, c.healthcheck,
         c.args_escaped, c.image, c.volumes, c.working_dir, c.entrypoint, c.network_disabled,
         c.mac_address, c.on_build, c.labels, c.stop_signal, c.stop_timeout, c.shell, c.host_config,
         c.networking_config);
  }
  void set(ExecCreate& e) {
    fill(e.user, e.privileged, e.tty, e.console_size, e.attach_stdin, e.attach_stderr,
         e.attach_stdout, e.detach, e.detach_keys, e.env, e.working_dir, e.cmd);
  }
  void set(ExecStart& e) { fill(e.detach, e.tty, e.console_size); }
  void set(UpdateContainer& u) {
    fill(u.cpu_shares, u.memory, u.nano_cpus, u.cpu_period, u.cpu_quota, u.cpu_realtime_period,
         u.cpu_realtime_runtime, u.cpuset_cpus, u.cpuset_mems, u.kernel_memory, u.kernel_memory_tcp,
         u.memory_reservation, u.memory_swap, u.memory_swappiness, u.oom_kill_disable, u.pids_limit,
         u.restart_policy);
    fill_below(65535, u.blkio_weight);
  }
  void set(VolumeCreate& v) { fill(v.name, v.driver, v.driver_opts, v.labels); }
  void set(AuthConfig& a) {
    fill(a.username, a.password, a.auth, a.email, a.server_address, a.identity_token,
         a.registry_token);
  }
  void set(NetworkCreate& x) {
    x.name = "net-1";
    fill(x.check_duplicate, x.driver, x.scope, x.enable_ipv4, x.enable_ipv6, x.ipam, x.internal,
         x.attachable, x.ingress, x.config_only, x.config_from, x.options, x.labels);
  }
  void set(NetworkConnect& x) {
    x.container = "web-1";
    fill(x.endpoint_config);
  }
  void set(NetworkDisconnect& x) {
    x.container = "web-1";
    fill(x.force);
  }
  void set(ServiceSpec& x) {
    fill(x.name, x.labels, x.mode, x.update_config, x.rollback_config, x.networks, x.endpoint_spec,
         x.task_template);
  }
  void set(Commit& c) {
    set(c.config);
    c.config.host_config = {};
    c.config.networking_config = {};
  }

 private:
  std::mt19937_64 random_;
  int fullness_;
};

// The decoder of a body type, by type.
Parsed<CreateContainer> decode_as(const CreateContainer&, std::string body, UnknownFields& u) {
  return decode_create_container(std::move(body), u);
}
Parsed<ExecCreate> decode_as(const ExecCreate&, std::string body, UnknownFields& u) {
  return decode_exec_create(std::move(body), u);
}
Parsed<ExecStart> decode_as(const ExecStart&, std::string body, UnknownFields& u) {
  return decode_exec_start(std::move(body), u);
}
Parsed<UpdateContainer> decode_as(const UpdateContainer&, std::string body, UnknownFields& u) {
  return decode_update(std::move(body), u);
}
Parsed<VolumeCreate> decode_as(const VolumeCreate&, std::string body, UnknownFields& u) {
  return decode_volume_create(std::move(body), u);
}
Parsed<AuthConfig> decode_as(const AuthConfig&, std::string body, UnknownFields& u) {
  return decode_auth(std::move(body), u);
}

Parsed<NetworkCreate> decode_as(const NetworkCreate&, std::string body, UnknownFields& u) {
  return decode_network_create(std::move(body), u);
}
Parsed<NetworkConnect> decode_as(const NetworkConnect&, std::string body, UnknownFields& u) {
  return decode_network_connect(std::move(body), u);
}
Parsed<NetworkDisconnect> decode_as(const NetworkDisconnect&, std::string body, UnknownFields& u) {
  return decode_network_disconnect(std::move(body), u);
}
Parsed<Commit> decode_as(const Commit&, std::string body, UnknownFields& u) {
  return decode_commit(std::move(body), u);
}
Parsed<ServiceSpec> decode_as(const ServiceSpec&, std::string body, UnknownFields& u) {
  return decode_service(std::move(body), u);
}

template <class T>
class BodyLaws : public testing::Test {};
using Bodies =
    testing::Types<CreateContainer, ExecCreate, ExecStart, UpdateContainer, VolumeCreate,
                   NetworkCreate, NetworkConnect, NetworkDisconnect, Commit, ServiceSpec,
                   AuthConfig>;
TYPED_TEST_SUITE(BodyLaws, Bodies);

TYPED_TEST(BodyLaws, DecodeUndoesEncode) {
  for (std::uint32_t seed = 0; seed < 2000; ++seed) {
    static constexpr int kFullness[] = {5, 30, 70, 100};
    TypeParam value;
    Filler(seed, kFullness[seed % 4]).set(value);
    const std::string bytes = encode(value);
    UnknownFields unknown;
    const auto again = decode_as(value, bytes, unknown);
    ASSERT_TRUE(again) << "seed " << seed << ": " << again.error().pointer << " "
                       << again.error().detail << "\n"
                       << bytes;
    ASSERT_EQ(*again, value) << "seed " << seed << "\n" << bytes;
    ASSERT_TRUE(unknown.empty());
    ASSERT_EQ(encode(*again), bytes) << "seed " << seed;
    ASSERT_TRUE(nlohmann::json::accept(bytes));
  }
}

// One struct inside a body: what stands around it.
struct Context {
  std::string open, close;
};

// Calls visit(context, table, type) for every struct that a create body can hold, with a body
// around it that is otherwise good.
template <class Visit>
void for_each_record(const Visit& visit) {
  const auto at = [&visit]<class T>(std::type_identity<T>, const std::string& open,
                                    const std::string& close) {
    visit(Context{open, close}, schema::table<T>());
  };
  const auto in_host = [&at]<class T>(std::type_identity<T> type, const std::string& open,
                                      const std::string& close) {
    at(type, R"({"HostConfig":{)" + open, close + "}}");
  };
  at(std::type_identity<CreateContainer>{}, "{", "}");
  at(std::type_identity<Healthcheck>{}, R"({"Healthcheck":{)", "}}");
  at(std::type_identity<NetworkingConfig>{}, R"({"NetworkingConfig":{)", "}}");
  at(std::type_identity<EndpointSettings>{}, R"({"NetworkingConfig":{"EndpointsConfig":{"n":{)",
     "}}}}");
  at(std::type_identity<IpamConfig>{},
     R"({"NetworkingConfig":{"EndpointsConfig":{"n":{"IPAMConfig":{)", "}}}}}");
  in_host(std::type_identity<HostConfig>{}, "", "");
  in_host(std::type_identity<LogConfig>{}, R"("LogConfig":{)", "}");
  in_host(std::type_identity<PortBinding>{}, R"("PortBindings":{"80/tcp":[{)", "}]}");
  in_host(std::type_identity<RestartPolicy>{}, R"("RestartPolicy":{)", "}");
  in_host(std::type_identity<WeightDevice>{}, R"("BlkioWeightDevice":[{)", "}]");
  in_host(std::type_identity<ThrottleDevice>{}, R"("BlkioDeviceWriteIOps":[{)", "}]");
  in_host(std::type_identity<DeviceMapping>{}, R"("Devices":[{)", "}]");
  in_host(std::type_identity<DeviceRequest>{}, R"("DeviceRequests":[{)", "}]");
  in_host(std::type_identity<Ulimit>{}, R"("Ulimits":[{)", "}]");
  in_host(std::type_identity<Mount>{}, R"("Mounts":[{)", "}]");
  in_host(std::type_identity<BindOptions>{}, R"("Mounts":[{"BindOptions":{)", "}}]");
  in_host(std::type_identity<VolumeOptions>{}, R"("Mounts":[{"VolumeOptions":{)", "}}]");
  in_host(std::type_identity<DriverConfig>{}, R"("Mounts":[{"VolumeOptions":{"DriverConfig":{)",
          "}}}]");
  in_host(std::type_identity<ImageOptions>{}, R"("Mounts":[{"ImageOptions":{)", "}}]");
  in_host(std::type_identity<TmpfsOptions>{}, R"("Mounts":[{"TmpfsOptions":{)", "}}]");
}

// Other spellings of a name that Go would take for it.
std::vector<std::string> spellings(std::string_view name) {
  std::vector<std::string> all;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    std::string flipped(name);
    flipped[i] = static_cast<char>(c ^ 0x20);
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (letter) all.push_back(flipped);
    const auto put = [&](const char* other) {
      all.push_back(std::string(name.substr(0, i)) + other + std::string(name.substr(i + 1)));
    };
    if (c == 's' || c == 'S') put("\u017f");
    if (c == 'k' || c == 'K') put("\u212a");
    if (c == 'k' || c == 'K') put("\\u212a");
    if (c == 's' || c == 'S') put("\\u017F");
  }
  return all;
}

template <class T>
void expect_no_other_spelling(const T& type, const Context& context, std::string_view name,
                              std::string_view also = {}) {
  const std::string exact = "\"" + std::string(name) + "\":null";
  UnknownFields unknown;
  const auto taken = decode_as(type, context.open + exact + context.close, unknown);
  EXPECT_TRUE(taken) << context.open << exact;
  EXPECT_TRUE(unknown.empty()) << context.open << exact;
  for (const std::string& other : spellings(name)) {
    if (other == also) continue;
    for (const char* value : {"null", "0"}) {
      const std::string member = "\"" + other + "\":" + value;
      const auto parsed = decode_as(type, context.open + member + context.close, unknown);
      ASSERT_FALSE(parsed) << context.open << member;
      EXPECT_EQ(parsed.error().rule, "ambiguous-request") << context.open << member;
      // Beside the exact one it is no better.
      EXPECT_FALSE(decode_as(type, context.open + exact + "," + member + context.close, unknown));
      EXPECT_FALSE(decode_as(type, context.open + member + "," + exact + context.close, unknown));
    }
  }
  EXPECT_TRUE(unknown.empty());
}

TEST(SchemaLaws, NoOtherSpellingOfACreateKeyPasses) {
  std::size_t rows = 0;
  for_each_record([&rows](const Context& context, const auto& table) {
    for (const auto& row : table.rows) {
      expect_no_other_spelling(CreateContainer{}, context, row.name);
      ++rows;
    }
  });
  EXPECT_GT(rows, 150U);
}

template <class T>
void expect_no_other_spelling_in_body() {
  for (const auto& row : schema::table<T>().rows) {
    expect_no_other_spelling(T{}, Context{"{", "}"}, row.name);
  }
}

TEST(SchemaLaws, NoOtherSpellingOfASmallBodyKeyPasses) {
  expect_no_other_spelling_in_body<ExecCreate>();
  expect_no_other_spelling_in_body<ExecStart>();
  expect_no_other_spelling_in_body<UpdateContainer>();
  expect_no_other_spelling_in_body<VolumeCreate>();
  expect_no_other_spelling_in_body<AuthConfig>();
}

template <class Record, class Body>
void expect_no_other_spelling_inside(const std::string& open, const std::string& close) {
  for (const auto& row : schema::table<Record>().rows) {
    expect_no_other_spelling(Body{}, Context{open, close}, row.name, row.also);
  }
}

TEST(SchemaLaws, NoOtherSpellingOfANetworkKeyPasses) {
  const std::string named = R"({"Name":"n","IPAM":{)";
  expect_no_other_spelling_inside<NetworkIpam, NetworkCreate>(named, "}}");
  expect_no_other_spelling_inside<IpamPool, NetworkCreate>(named + R"("Config":[{)", "}]}}");
  expect_no_other_spelling_inside<NetworkReference, NetworkCreate>(R"({"Name":"n","ConfigFrom":{)",
                                                                   "}}");
  expect_no_other_spelling_inside<EndpointSettings, NetworkConnect>(
      R"({"Container":"c","EndpointConfig":{)", "}}");
  expect_no_other_spelling_inside<Commit, Commit>("{", "}");
}

TEST(SchemaLaws, NoOtherSpellingOfAServiceKeyPasses) {
  const std::string task = R"({"TaskTemplate":{)";
  const std::string spec = task + R"("ContainerSpec":{)";
  expect_no_other_spelling_inside<ServiceSpec, ServiceSpec>("{", "}");
  expect_no_other_spelling_inside<TaskSpec, ServiceSpec>(task, "}}");
  expect_no_other_spelling_inside<ContainerSpec, ServiceSpec>(spec, "}}}");
  expect_no_other_spelling_inside<ServicePrivileges, ServiceSpec>(spec + R"("Privileges":{)",
                                                                  "}}}}");
  expect_no_other_spelling_inside<ServiceSeccomp, ServiceSpec>(
      spec + R"("Privileges":{"Seccomp":{)", "}}}}}");
  expect_no_other_spelling_inside<Mount, ServiceSpec>(spec + R"("Mounts":[{)", "}]}}}");
  expect_no_other_spelling_inside<ResourceLimit, ServiceSpec>(task + R"("Resources":{"Limits":{)",
                                                              "}}}}");
  expect_no_other_spelling_inside<NetworkAttachment, ServiceSpec>(task + R"("Networks":[{)",
                                                                  "}]}}");
  expect_no_other_spelling_inside<ServicePort, ServiceSpec>(R"({"EndpointSpec":{"Ports":[{)",
                                                            "}]}}");
}

TEST(SchemaLaws, UnknownKeysAreReportedAndDroppedEverywhere) {
  for_each_record([](const Context& context, const auto&) {
    UnknownFields unknown;
    const auto plain = decode_create_container(context.open + context.close, unknown);
    ASSERT_TRUE(plain && unknown.empty()) << context.open;
    const auto parsed = decode_create_container(
        context.open + R"("Wibble":{"Privileged":[true]},"w/x":1)" + context.close, unknown);
    ASSERT_TRUE(parsed) << context.open;
    EXPECT_EQ(*parsed, *plain);
    ASSERT_EQ(unknown.size(), 2U) << context.open;
    EXPECT_TRUE(unknown[0].ends_with("/Wibble"));
    EXPECT_TRUE(unknown[1].ends_with("/w~1x"));
  });
}

TEST(SchemaLaws, HostFieldsAtTheTopLevelPassOnlyWhenEmpty) {
  for (const auto& row : schema::table<HostConfig>().rows) {
    std::vector<std::string> names = spellings(row.name);
    names.emplace_back(row.name);
    for (const std::string& name : names) {
      UnknownFields unknown;
      for (const char* empty : {"null", "false", "0", "-0", "\"\"", "[]", "{}"}) {
        const auto parsed = decode_create_container("{\"" + name + "\":" + empty + "}", unknown);
        ASSERT_TRUE(parsed) << name;
        EXPECT_EQ(*parsed, CreateContainer{});
      }
      EXPECT_TRUE(unknown.empty()) << name;
      for (const char* full : {"true", "1", "\"x\"", "[0]", "{\"a\":0}", "0.5"}) {
        const auto parsed = decode_create_container("{\"" + name + "\":" + full + "}", unknown);
        ASSERT_FALSE(parsed) << name;
        EXPECT_EQ(parsed.error().rule, "legacy-toplevel-hostconfig") << name;
      }
    }
  }
}

// Every row that can be written is written for a value with every field set: the filler above and
// the tables know the same fields, so the round trip covers them all.
template <class T>
void expect_all_rows_in(const nlohmann::json& object) {
  for (const auto& row : schema::table<T>().rows) {
    EXPECT_EQ(object.contains(row.name), row.write != nullptr) << row.name;
  }
}

TEST(SchemaLaws, AFullBodyHasEveryKey) {
  CreateContainer create;
  Filler(7, 100).set(create);
  const nlohmann::json all = nlohmann::json::parse(encode(create));
  expect_all_rows_in<CreateContainer>(all);
  expect_all_rows_in<Healthcheck>(all["Healthcheck"]);
  const nlohmann::json& host = all["HostConfig"];
  expect_all_rows_in<HostConfig>(host);
  expect_all_rows_in<LogConfig>(host["LogConfig"]);
  expect_all_rows_in<PortBinding>((*host["PortBindings"].begin())[0]);
  expect_all_rows_in<RestartPolicy>(host["RestartPolicy"]);
  expect_all_rows_in<WeightDevice>(host["BlkioWeightDevice"][0]);
  expect_all_rows_in<ThrottleDevice>(host["BlkioDeviceReadBps"][0]);
  expect_all_rows_in<DeviceMapping>(host["Devices"][0]);
  expect_all_rows_in<DeviceRequest>(host["DeviceRequests"][0]);
  expect_all_rows_in<Ulimit>(host["Ulimits"][0]);
  const nlohmann::json& mount = host["Mounts"][0];
  expect_all_rows_in<Mount>(mount);
  expect_all_rows_in<BindOptions>(mount["BindOptions"]);
  expect_all_rows_in<VolumeOptions>(mount["VolumeOptions"]);
  expect_all_rows_in<DriverConfig>(mount["VolumeOptions"]["DriverConfig"]);
  expect_all_rows_in<ImageOptions>(mount["ImageOptions"]);
  expect_all_rows_in<TmpfsOptions>(mount["TmpfsOptions"]);
  const nlohmann::json& endpoint = *all["NetworkingConfig"]["EndpointsConfig"].begin();
  expect_all_rows_in<EndpointSettings>(endpoint);
  expect_all_rows_in<IpamConfig>(endpoint["IPAMConfig"]);

  ExecCreate exec;
  Filler(7, 100).set(exec);
  expect_all_rows_in<ExecCreate>(nlohmann::json::parse(encode(exec)));
  ExecStart start;
  Filler(7, 100).set(start);
  expect_all_rows_in<ExecStart>(nlohmann::json::parse(encode(start)));
  UpdateContainer update;
  Filler(7, 100).set(update);
  expect_all_rows_in<UpdateContainer>(nlohmann::json::parse(encode(update)));
  VolumeCreate volume;
  Filler(7, 100).set(volume);
  expect_all_rows_in<VolumeCreate>(nlohmann::json::parse(encode(volume)));
  AuthConfig auth;
  Filler(7, 100).set(auth);
  expect_all_rows_in<AuthConfig>(nlohmann::json::parse(encode(auth)));
}

TEST(SchemaLaws, AFullCommitHasEveryKey) {
  Commit commit;
  Filler(7, 100).set(commit);
  expect_all_rows_in<Commit>(nlohmann::json::parse(encode(commit)));
}

TEST(SchemaLaws, AFullNetworkAndAFullServiceHaveEveryKey) {
  NetworkCreate network;
  Filler(7, 100).set(network);
  const nlohmann::json net = nlohmann::json::parse(encode(network));
  expect_all_rows_in<NetworkCreate>(net);
  expect_all_rows_in<NetworkIpam>(net["IPAM"]);
  expect_all_rows_in<IpamPool>(net["IPAM"]["Config"][0]);
  NetworkConnect connect;
  Filler(7, 100).set(connect);
  expect_all_rows_in<NetworkConnect>(nlohmann::json::parse(encode(connect)));
  NetworkDisconnect disconnect;
  Filler(7, 100).set(disconnect);
  expect_all_rows_in<NetworkDisconnect>(nlohmann::json::parse(encode(disconnect)));
  ServiceSpec service;
  Filler(7, 100).set(service);
  const nlohmann::json all = nlohmann::json::parse(encode(service));
  expect_all_rows_in<ServiceSpec>(all);
  expect_all_rows_in<ServiceMode>(all["Mode"]);
  expect_all_rows_in<RolloutConfig>(all["UpdateConfig"]);
  expect_all_rows_in<ServicePort>(all["EndpointSpec"]["Ports"][0]);
  const nlohmann::json& task = all["TaskTemplate"];
  expect_all_rows_in<TaskSpec>(task);
  expect_all_rows_in<TaskRestartPolicy>(task["RestartPolicy"]);
  expect_all_rows_in<Placement>(task["Placement"]);
  expect_all_rows_in<NetworkAttachment>(task["Networks"][0]);
  expect_all_rows_in<ResourceRequirements>(task["Resources"]);
  expect_all_rows_in<ResourceLimit>(task["Resources"]["Limits"]);
  expect_all_rows_in<ResourceReservation>(task["Resources"]["Reservations"]);
  const nlohmann::json& spec = task["ContainerSpec"];
  expect_all_rows_in<ContainerSpec>(spec);
  expect_all_rows_in<ServicePrivileges>(spec["Privileges"]);
  expect_all_rows_in<SelinuxContext>(spec["Privileges"]["SELinuxContext"]);
  expect_all_rows_in<DnsConfig>(spec["DNSConfig"]);
  expect_all_rows_in<SecretReference>(spec["Secrets"][0]);
  expect_all_rows_in<ReferenceFile>(spec["Configs"][0]["File"]);
}

}  // namespace
}  // namespace dockreeve::docker
