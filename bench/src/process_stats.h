// What a proxy has cost so far: CPU time and resident memory, read from /proc.
#pragma once

#include <cstdint>
#include <vector>

namespace bench {

// Nanoseconds on a CPU, summed over every thread of the processes. From schedstat; where the kernel
// has none, from the coarser utime + stime. A process that is gone counts as zero.
std::int64_t cpu_nanoseconds(const std::vector<int>& pids);

// Resident bytes, summed.
std::int64_t resident_bytes(const std::vector<int>& pids);

}  // namespace bench
