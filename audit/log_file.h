// The file under the sink: opened once at a time, appended to in whole batches or not at all.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "audit/tail.h"
#include "base/result.h"

namespace dockreeve::audit {

// Owns one open descriptor. Not thread-safe.
class LogFile {
 public:
  // Opens for appending, creating it (0640) when absent, and takes the exclusive lock. Fails with
  // the path when any of it is not possible, or when it is neither a file nor a character device.
  static Result<LogFile> open(const std::string& path);

  LogFile(LogFile&& other) noexcept;
  LogFile& operator=(LogFile&& other) noexcept;
  ~LogFile();

  // A regular file: has a tail, a size to go back to and blocks to sync.
  bool regular() const { return regular_; }
  Result<Tail> tail() const;

  enum class Written : std::uint8_t {
    Yes,
    No,     // nothing of it is in the file
    Partly  // and it could not be taken back: read the tail again before writing more
  };
  // Appends all of `bytes`; with `sync`, only answers Yes after fdatasync. `error()` says why not.
  Written append(std::string_view bytes, bool sync);
  // fdatasync of what was appended without.
  bool sync();
  const std::string& error() const { return error_; }

  // Whether nobody can find the file any more: its last name is gone.
  bool removed() const;
  // Whether `path` now leads somewhere else, or nowhere.
  bool moved_from(const std::string& path) const;

 private:
  LogFile(int fd, bool regular) : fd_(fd), regular_(regular) {}
  Written take_back(std::uint64_t size, std::string why);

  int fd_ = -1;
  bool regular_ = true;
  std::string error_;
};

}  // namespace dockreeve::audit
