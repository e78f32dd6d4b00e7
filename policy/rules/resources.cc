// Resources: memory, swap, OOM, CPUs, processes, ulimits, /dev/shm, storage.
//
// In a create body 0 and absence mean unlimited. In an update 0 means unchanged, except that
// PidsLimit 0 lifts the limit, so updates are judged by their result: what is sent, merged with
// what the container has.
//
// require-memory-limit      create: HostConfig.Memory > 0; CIS Docker 5.11
// max-memory-limit          create, update: Memory <= `max`; CIS Docker 5.11
// limit-memory-swap         create, update: MemorySwap <= maxRatio x Memory; negative is unlimited,
// 0
//                           is twice the memory; not judged without a memory limit; CIS Docker 5.11
// no-oom-kill-disable       create: OomKillDisable not true; onlyWithoutMemoryLimit tolerates it
//                           beside a memory limit
// oom-score-adj-range       create: OomScoreAdj >= `min`
// require-cpu-limit         create, update: an effective CPU limit. A CpuQuota other than 0
// overrides
//                           NanoCpus, and -1 is none; acceptShares, acceptCpuset; CIS Docker 5.12
// max-cpu-limit             create, update: effective CPUs <= `max`
// no-realtime-cpu           create: CpuRealtimePeriod and CpuRealtimeRuntime 0
// require-pids-limit        create, update: PidsLimit in 1..`max`; CIS Docker 5.29
// ulimit-max                create, build: Soft and Hard <= `max`[name], -1 is unlimited; CIS
// Docker 5.19 shm-size-max              create: ShmSize <= `max` kernel-memory-deprecated  create:
// KernelMemory and KernelMemoryTCP 0 max-storage-size          create: StorageOpt.size <= `max`;
// `required`
#include <charconv>
#include <cmath>
#include <optional>

#include "base/json.h"
#include "base/text.h"
#include "base/units.h"
#include "policy/rules/rules.h"
#include "policy/rules/support.h"

namespace dockreeve::policy::rules {
namespace {

using docker::CreateContainer;
using docker::HostConfig;
using docker::UpdateContainer;

__extension__ typedef __int128 Wide;  // no product of two int64 overflows it

constexpr std::int64_t kDefaultCpuPeriod = 100000;  // microseconds
constexpr std::int64_t kNano = 1000000000;

Lookup target_container(const Input& in) {
  return {LookupKind::Container, in.request.target.id};
}

void check_memory_max(std::int64_t memory, std::int64_t max, std::string pointer, Report& out) {
  if (memory <= max) return;
  out.add(std::move(pointer), number(memory), {{"value", format_bytes(memory)}},
          "--memory " + format_bytes(max));
}

// --- swap
// -----------------------------------------------------------------------------------------

struct SwapRatio {
  std::int64_t thousandths = 2000;

  void check(std::int64_t memory, std::int64_t swap, std::string pointer, Report& out) const {
    if (memory <= 0) return;
    const Wide allowed = static_cast<Wide>(memory) * thousandths;
    const Wide wanted =
        swap == 0 ? static_cast<Wide>(memory) * 2000 : static_cast<Wide>(swap) * 1000;
    if (swap >= 0 && wanted <= allowed) return;
    const std::string detail = swap < 0    ? "unlimited"
                               : swap == 0 ? "twice the memory"
                                           : format_bytes(swap) + " for " + format_bytes(memory);
    out.add(std::move(pointer), number(swap), {{"detail", detail}},
            "--memory-swap " + format_bytes(memory));
  }

  void update(const UpdateContainer& update, const Input& in, Report& out) const {
    if (update.memory == 0 && update.memory_swap == 0) return;
    if (update.memory_swap < 0) {
      out.add("/MemorySwap", number(update.memory_swap), {{"detail", "unlimited"}},
              "--memory-swap with a limit");
      return;
    }
    std::int64_t memory = update.memory;
    std::int64_t swap = update.memory_swap;
    if (memory == 0 || swap == 0) {
      const auto* now = fact<ContainerFact>(in, target_container(in), "/MemorySwap", out);
      if (!now || !now->found) return;
      if (memory == 0) memory = now->memory;
      if (swap == 0) swap = now->memory_swap;
    }
    check(memory, swap, "/MemorySwap", out);
  }
  static void needs(const UpdateContainer& update, const Input& in, std::vector<Lookup>& out) {
    const bool touched = update.memory != 0 || update.memory_swap != 0;
    const bool complete = update.memory != 0 && update.memory_swap != 0;
    if (touched && !complete && update.memory_swap >= 0) out.push_back(target_container(in));
  }
};

// --- CPU
// ------------------------------------------------------------------------------------------

struct CpuLimit {
  std::int64_t nano = 0, quota = 0, period = 0;

  bool limited() const { return quota != 0 ? quota > 0 : nano > 0; }
  // Compared without division: a limit that rounds can be stepped over.
  bool above(std::int64_t max_nano) const {
    if (!limited()) return false;
    if (quota == 0) return nano > max_nano;
    const std::int64_t length = period > 0 ? period : kDefaultCpuPeriod;
    return static_cast<Wide>(quota) * kNano > static_cast<Wide>(max_nano) * length;
  }
  std::string cpus() const {
    if (quota == 0) return format_cpus(nano);
    const std::int64_t length = period > 0 ? period : kDefaultCpuPeriod;
    const Wide value = static_cast<Wide>(quota) * kNano / length;
    return value > INT64_MAX ? std::string("too many")
                             : format_cpus(static_cast<std::int64_t>(value));
  }
  std::string pointer(std::string_view parent) const {
    return std::string(parent) + (quota != 0 ? "/CpuQuota" : "/NanoCpus");
  }
};

CpuLimit cpu_of(const HostConfig& host) {
  return {host.nano_cpus, host.cpu_quota, host.cpu_period};
}
CpuLimit cpu_of(const UpdateContainer& update) {
  return {update.nano_cpus, update.cpu_quota, update.cpu_period};
}

bool touches_cpu(const UpdateContainer& update) {
  return update.nano_cpus != 0 || update.cpu_quota != 0 || update.cpu_period != 0;
}

// Quota without period, period without quota, and NanoCpus beside an old quota depend on what is
// in force.
bool needs_old_cpu(const UpdateContainer& update) {
  return touches_cpu(update) && (update.cpu_quota == 0 || update.cpu_period == 0) &&
         update.cpu_quota >= 0;
}

void cpu_needs(const UpdateContainer& update, const Input& in, std::vector<Lookup>& out) {
  if (needs_old_cpu(update)) out.push_back(target_container(in));
}

// The limit after the update; nothing when it cannot or need not be judged.
std::optional<CpuLimit> updated_cpu(const UpdateContainer& update, const Input& in, Report& out) {
  if (!touches_cpu(update)) return std::nullopt;
  CpuLimit limit = cpu_of(update);
  if (!needs_old_cpu(update)) return limit;
  const auto* now = fact<ContainerFact>(in, target_container(in), limit.pointer(""), out);
  if (!now || !now->found) return std::nullopt;
  if (limit.nano == 0) limit.nano = now->nano_cpus;
  if (limit.quota == 0) limit.quota = now->cpu_quota;
  if (limit.period == 0) limit.period = now->cpu_period;
  return limit;
}

struct RequireCpu {
  bool accept_shares = false;
  bool accept_cpuset = false;

  void create(const HostConfig& host, Report& out) const {
    if (cpu_of(host).limited()) return;
    if (accept_shares && host.cpu_shares > 0) return;
    if (accept_cpuset && !host.cpuset_cpus.empty()) return;
    add(cpu_of(host), "/HostConfig", out);
  }
  // A period alone takes no limit away.
  void update(const UpdateContainer& update, const Input& in, Report& out) const {
    if (update.nano_cpus == 0 && update.cpu_quota == 0) return;
    const std::optional<CpuLimit> limit = updated_cpu(update, in, out);
    if (limit && !limit->limited()) add(cpu_of(update), "", out);
  }
  static void add(const CpuLimit& limit, std::string_view parent, Report& out) {
    out.add(limit.pointer(parent), number(limit.quota != 0 ? limit.quota : limit.nano), {},
            "--cpus 1");
  }
};

void check_cpu_max(const CpuLimit& limit, std::int64_t max, std::string_view parent, Report& out) {
  if (!limit.above(max)) return;
  out.add(limit.pointer(parent), number(limit.quota != 0 ? limit.quota : limit.nano),
          {{"value", limit.cpus()}}, "--cpus " + format_cpus(max));
}

// What a build gives its steps; nothing is required of it.
std::int64_t build_number(const Input& in, std::string_view name) {
  return atoi(build_query(in, name)).value_or(0);
}

void check_build_cpu(std::int64_t max, const Input& in, Report& out) {
  const CpuLimit limit{0, build_number(in, "cpuquota"), build_number(in, "cpuperiod")};
  if (!limit.above(max)) return;
  out.add("query/cpuquota", number(limit.quota), {{"value", limit.cpus()}},
          "remove --cpu-quota " + number(limit.quota));
}

// --- the rest
// -------------------------------------------------------------------------------------

void check_pids(const std::optional<std::int64_t>& limit, std::int64_t max, std::string pointer,
                Report& out) {
  if (limit && *limit > 0 && *limit <= max) return;
  out.add(std::move(pointer), limit ? number(*limit) : "null", {},
          "--pids-limit " + number(std::min<std::int64_t>(max, 256)));
}

using Ceilings = std::map<std::string, std::int64_t>;

Result<Ceilings> ceilings(const Params& params) {
  Ceilings out;
  for (const auto& [name, value] : params.map("max")) {
    std::int64_t limit = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), limit);
    if (error != std::errc() || end != value.data() + value.size() || limit < 0) {
      return fail("max." + name, "is not a whole number: " + text::quoted(value));
    }
    out.emplace(text::to_lower(name), limit);
  }
  return out;
}

void check_ulimit(const Ceilings& max, const docker::Ulimit& limit, std::string pointer,
                  Report& out) {
  const auto ceiling = max.find(text::to_lower(limit.name));
  if (ceiling == max.end()) return;
  const auto within = [&](std::int64_t value) { return value >= 0 && value <= ceiling->second; };
  if (within(limit.soft) && within(limit.hard)) return;
  const std::string most = number(ceiling->second);
  out.add(std::move(pointer), quoted(number(limit.soft) + ":" + number(limit.hard)),
          {{"name", ceiling->first}, {"max", most}},
          "--ulimit " + ceiling->first + "=" + most + ":" + most);
}

void check_ulimits(const Ceilings& max, const CreateContainer& create, Report& out) {
  if (!create.host_config.ulimits) return;
  const auto& ulimits = *create.host_config.ulimits;
  for (std::size_t i = 0; i < ulimits.size(); ++i) {
    check_ulimit(max, ulimits[i], json::pointer_join("/HostConfig/Ulimits", i), out);
  }
}

// The ulimits of a build are a JSON list in the query: [{"Name","Soft","Hard"}].
void check_build_ulimits(const Ceilings& max, std::string_view text, Report& out) {
  if (text.empty()) return;
  const auto document = json::Document::parse(std::string(text));
  if (!document) return out.lookup_failed("query/ulimits", document.error());
  for (auto item = (*document)->root().first(); item; item = item->next()) {
    const auto field = [&item](std::string_view key) { return item->find(key); };
    docker::Ulimit limit;
    if (const auto name = field("Name")) limit.name = name->text();
    if (const auto soft = field("Soft")) limit.soft = soft->integer();
    if (const auto hard = field("Hard")) limit.hard = hard->integer();
    check_ulimit(max, limit, "query/ulimits", out);
  }
}

void check_storage(std::int64_t max, bool required, const CreateContainer& create, Report& out) {
  const auto& options = create.host_config.storage_opt;
  const auto size = options.find("size");
  if (size == options.end() && !required) return;
  if (size != options.end()) {
    const Result<std::int64_t> bytes = parse_bytes(text::to_lower(size->second));
    if (bytes && *bytes > 0 && *bytes <= max) return;
  }
  out.add("/HostConfig/StorageOpt/size", size == options.end() ? "null" : quoted(size->second), {},
          "--storage-opt size=" + format_bytes(max));
}

}  // namespace

Result<Check> require_memory_limit(const Params&) {
  return pure(on_create([](const CreateContainer& create, const Input&, Report& out) {
    if (create.host_config.memory > 0) return;
    out.add("/HostConfig/Memory", number(create.host_config.memory), {}, "--memory 512m");
  }));
}

Result<Check> max_memory_limit(const Params& params) {
  const std::int64_t max = params.integer("max");
  return pure([max](const Input& in, Report& out) {
    if (const auto* create = in.request.body_as<CreateContainer>()) {
      check_memory_max(create->host_config.memory, max, "/HostConfig/Memory", out);
    } else if (const auto* update = in.request.body_as<UpdateContainer>()) {
      check_memory_max(update->memory, max, "/Memory", out);
    } else {
      check_memory_max(build_number(in, "memory"), max, "query/memory", out);
    }
  });
}

Result<Check> limit_memory_swap(const Params& params) {
  const SwapRatio rule{static_cast<std::int64_t>(std::llround(params.decimal("maxRatio") * 1000))};
  return with_needs(
      [rule](const Input& in, Report& out) {
        if (const auto* create = in.request.body_as<CreateContainer>()) {
          const HostConfig& host = create->host_config;
          rule.check(host.memory, host.memory_swap, "/HostConfig/MemorySwap", out);
        } else if (const auto* update = in.request.body_as<UpdateContainer>()) {
          rule.update(*update, in, out);
        }
      },
      on<UpdateContainer>([](const UpdateContainer& update, const Input& in,
                             std::vector<Lookup>& out) { SwapRatio::needs(update, in, out); }));
}

Result<Check> no_oom_kill_disable(const Params& params) {
  return pure(on_create([tolerant = params.flag("onlyWithoutMemoryLimit")](
                            const CreateContainer& create, const Input&, Report& out) {
    const HostConfig& host = create.host_config;
    if (!host.oom_kill_disable.value_or(false) || (tolerant && host.memory > 0)) return;
    out.add("/HostConfig/OomKillDisable", "true", {}, "remove --oom-kill-disable");
  }));
}

Result<Check> oom_score_adj_range(const Params& params) {
  return pure(on_create(
      [min = params.integer("min")](const CreateContainer& create, const Input&, Report& out) {
        const std::int64_t score = create.host_config.oom_score_adj;
        if (score >= min) return;
        out.add("/HostConfig/OomScoreAdj", number(score), {{"value", number(score)}},
                "remove --oom-score-adj " + number(score));
      }));
}

Result<Check> require_cpu_limit(const Params& params) {
  const RequireCpu rule{params.flag("acceptShares"), params.flag("acceptCpuset")};
  return with_needs(
      [rule](const Input& in, Report& out) {
        if (const auto* create = in.request.body_as<CreateContainer>()) {
          rule.create(create->host_config, out);
        } else if (const auto* update = in.request.body_as<UpdateContainer>()) {
          rule.update(*update, in, out);
        }
      },
      on<UpdateContainer>([](const UpdateContainer& update, const Input& in,
                             std::vector<Lookup>& out) { cpu_needs(update, in, out); }));
}

Result<Check> max_cpu_limit(const Params& params) {
  const auto max = static_cast<std::int64_t>(std::llround(params.decimal("max") * kNano));
  return with_needs(
      [max](const Input& in, Report& out) {
        if (const auto* create = in.request.body_as<CreateContainer>()) {
          check_cpu_max(cpu_of(create->host_config), max, "/HostConfig", out);
        } else if (const auto* update = in.request.body_as<UpdateContainer>()) {
          if (const auto limit = updated_cpu(*update, in, out)) check_cpu_max(*limit, max, "", out);
        } else {
          check_build_cpu(max, in, out);
        }
      },
      on<UpdateContainer>([](const UpdateContainer& update, const Input& in,
                             std::vector<Lookup>& out) { cpu_needs(update, in, out); }));
}

Result<Check> no_realtime_cpu(const Params&) {
  return pure(on_create([](const CreateContainer& create, const Input&, Report& out) {
    const HostConfig& host = create.host_config;
    if (host.cpu_realtime_runtime != 0) {
      out.add("/HostConfig/CpuRealtimeRuntime", number(host.cpu_realtime_runtime), {},
              "remove --cpu-rt-runtime");
    }
    if (host.cpu_realtime_period != 0) {
      out.add("/HostConfig/CpuRealtimePeriod", number(host.cpu_realtime_period), {},
              "remove --cpu-rt-period");
    }
  }));
}

Result<Check> require_pids_limit(const Params& params) {
  const std::int64_t max = params.integer("max");
  return pure([max](const Input& in, Report& out) {
    if (const auto* create = in.request.body_as<CreateContainer>()) {
      check_pids(create->host_config.pids_limit, max, "/HostConfig/PidsLimit", out);
    } else if (const auto* update = in.request.body_as<UpdateContainer>()) {
      if (update->pids_limit) check_pids(update->pids_limit, max, "/PidsLimit", out);
    }
  });
}

Result<Check> ulimit_max(const Params& params) {
  Result<Ceilings> max = ceilings(params);
  if (!max) return tl::unexpected(max.error());
  return pure([max = *std::move(max)](const Input& in, Report& out) {
    if (const auto* create = in.request.body_as<CreateContainer>()) {
      check_ulimits(max, *create, out);
    } else {
      check_build_ulimits(max, build_query(in, "ulimits"), out);
    }
  });
}

Result<Check> shm_size_max(const Params& params) {
  return pure([max = params.integer("max")](const Input& in, Report& out) {
    const auto* create = in.request.body_as<CreateContainer>();
    const std::int64_t size = create ? create->host_config.shm_size : build_number(in, "shmsize");
    if (size <= max) return;
    out.add(create ? "/HostConfig/ShmSize" : "query/shmsize", number(size),
            {{"value", format_bytes(size)}}, "--shm-size " + format_bytes(max));
  });
}

Result<Check> kernel_memory_deprecated(const Params&) {
  return pure(on_create([](const CreateContainer& create, const Input&, Report& out) {
    const HostConfig& host = create.host_config;
    if (host.kernel_memory != 0) {
      out.add("/HostConfig/KernelMemory", number(host.kernel_memory), {}, "remove --kernel-memory");
    }
    if (host.kernel_memory_tcp != 0) {
      out.add("/HostConfig/KernelMemoryTCP", number(host.kernel_memory_tcp));
    }
  }));
}

Result<Check> max_storage_size(const Params& params) {
  return pure(on_create([max = params.integer("max"), required = params.flag("required")](
                            const CreateContainer& create, const Input&, Report& out) {
    check_storage(max, required, create, out);
  }));
}

}  // namespace dockreeve::policy::rules
