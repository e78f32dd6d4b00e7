// Files that must never be half written, readable by the wrong people, or written by two at once.
#pragma once

#include <string>
#include <string_view>
#include <sys/types.h>

#include "base/result.h"

namespace dockreeve::certs {

// The whole of a regular file of at most 4 MiB.
Result<std::string> read_file(const std::string& path);

// The same for a private key: refused when anyone but its owner has any permission on it.
Result<std::string> read_private_file(const std::string& path);

// Replaces or makes `path`: after success the new content is on disk, after failure or a crash the
// old content, whole, is still there.
Result<void> write_atomically(const std::string& path, std::string_view content, mode_t mode);

// Makes the wanted folder with mode 0700, parents with the process's umask. An existing folder is
// left as it is.
Result<void> make_private_folder(const std::string& wanted);

// Whether anything, a dangling link included, has that name.
bool path_exists(const std::string& path);

// Holds DIR/.lock exclusively, across processes, until destroyed. take() waits its turn.
class FolderLock {
 public:
  static Result<FolderLock> take(const std::string& folder);

  FolderLock(FolderLock&& other) noexcept;
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;
  FolderLock& operator=(FolderLock&&) = delete;
  ~FolderLock();

 private:
  explicit FolderLock(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace dockreeve::certs
