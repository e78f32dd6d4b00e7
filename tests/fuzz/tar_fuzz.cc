// An archive must be read alike in one piece and in many, plain or gzip, and within its limits.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "docker/archive_scan.h"

namespace {

class Recorder : public dockreeve::docker::TarVisitor {
 public:
  std::string seen;
  std::string entry(const dockreeve::docker::TarEntry& entry, bool& wanted) override {
    if (entry.path.find("..") == 0 || entry.path.starts_with('/')) std::abort();
    seen += entry.path + "\n";
    wanted = true;
    return {};
  }
  std::string content(std::string_view piece) override {
    seen += piece;
    return {};
  }
};

std::string read(std::string_view data, std::size_t step) {
  constexpr std::uint64_t kLimit = 1 << 20;
  Recorder recorder;
  dockreeve::docker::ArchiveScan scan(recorder, kLimit);
  bool fine = true;
  for (; fine && !data.empty(); data.remove_prefix(std::min(step, data.size()))) {
    fine = scan.feed(data.substr(0, step));
  }
  if (recorder.seen.size() > 4 * kLimit) std::abort();
  return fine && scan.finish() ? recorder.seen : "refused";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string whole = read(text, size + 1);
  if (read(text, 1) != whole || read(text, 700) != whole) std::abort();
  return 0;
}
