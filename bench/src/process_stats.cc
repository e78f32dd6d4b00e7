// See process_stats.h.
#include "bench/src/process_stats.h"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <unistd.h>

namespace bench {
namespace {

std::string read_text(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::int64_t from_schedstat(const std::string& process) {
  std::int64_t sum = 0;
  std::error_code error;
  std::filesystem::directory_iterator tasks(process + "/task", error);
  if (error) {
    return 0;
  }
  for (const auto& task : tasks) {
    std::int64_t nanoseconds = 0;
    std::istringstream(read_text(task.path() / "schedstat")) >> nanoseconds;
    sum += nanoseconds;
  }
  return sum;
}

std::int64_t from_stat(const std::string& process) {
  const std::string text = read_text(process + "/stat");
  const std::size_t name_end = text.rfind(')');
  if (name_end == std::string::npos) {
    return 0;
  }
  // After the name: state and ten numbers, then utime and stime.
  std::istringstream fields(text.substr(name_end + 1));
  std::string skipped;
  for (int i = 0; i < 11; ++i) {
    fields >> skipped;
  }
  std::int64_t user = 0;
  std::int64_t system = 0;
  fields >> user >> system;
  return (user + system) * (1'000'000'000 / sysconf(_SC_CLK_TCK));
}

}  // namespace

std::int64_t cpu_nanoseconds(const std::vector<int>& pids) {
  std::int64_t sum = 0;
  for (const int pid : pids) {
    const std::string process = "/proc/" + std::to_string(pid);
    const std::int64_t precise = from_schedstat(process);
    sum += precise > 0 ? precise : from_stat(process);
  }
  return sum;
}

std::int64_t resident_bytes(const std::vector<int>& pids) {
  std::int64_t pages = 0;
  for (const int pid : pids) {
    std::int64_t size = 0;
    std::int64_t resident = 0;
    std::istringstream(read_text("/proc/" + std::to_string(pid) + "/statm")) >> size >> resident;
    pages += resident;
  }
  return pages * sysconf(_SC_PAGESIZE);
}

}  // namespace bench
