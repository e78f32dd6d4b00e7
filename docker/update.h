// Body of POST /containers/{id}/update: Resources and RestartPolicy, flat (moby
// api/types/container.UpdateConfig). Zero means unchanged, except PidsLimit.
#pragma once

#include "docker/create_container.h"

namespace dockreeve::docker {

struct UpdateContainer {
  Int cpu_shares = 0, memory = 0, nano_cpus = 0;
  Int blkio_weight = 0;
  Int cpu_period = 0, cpu_quota = 0, cpu_realtime_period = 0, cpu_realtime_runtime = 0;
  std::string cpuset_cpus, cpuset_mems;
  Int kernel_memory = 0, kernel_memory_tcp = 0, memory_reservation = 0, memory_swap = 0;
  std::optional<Int> memory_swappiness;
  std::optional<bool> oom_kill_disable;
  std::optional<Int> pids_limit;
  RestartPolicy restart_policy;
  bool operator==(const UpdateContainer&) const = default;
};

}  // namespace dockreeve::docker
