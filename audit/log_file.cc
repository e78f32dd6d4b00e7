// See log_file.h.

#include "audit/log_file.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace dockreeve::audit {
namespace {

std::string reason(int error) {
  return std::strerror(error);
}

// Makes the name of a new file as durable as its contents.
void sync_folder(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  fsync(fd);  // not every file system can; the file itself is synced in any case
  ::close(fd);
}

}  // namespace

Result<LogFile> LogFile::open(const std::string& path) {
  struct stat before {};
  const bool existed = stat(path.c_str(), &before) == 0;
  if (existed && !S_ISREG(before.st_mode) && !S_ISCHR(before.st_mode)) {
    return fail(path, "is not a file");  // opening a FIFO would wait for a reader
  }
  const bool device = existed && S_ISCHR(before.st_mode);
  const int flags = O_APPEND | O_CLOEXEC | O_NOCTTY | (device ? O_WRONLY : O_RDWR | O_CREAT);
  const int fd = ::open(path.c_str(), flags, 0640);
  if (fd < 0) return fail(path, "cannot be opened: " + reason(errno));
  LogFile file(fd, !device);
  if (device) return file;
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    return fail(path, errno == EWOULDBLOCK ? "is in use by another gateway"
                                           : "cannot be locked: " + reason(errno));
  }
  if (!existed) sync_folder(path);
  return file;
}

LogFile::LogFile(LogFile&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      regular_(other.regular_),
      error_(std::move(other.error_)) {}

LogFile& LogFile::operator=(LogFile&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(regular_, other.regular_);
  std::swap(error_, other.error_);
  return *this;
}

LogFile::~LogFile() {
  if (fd_ >= 0) ::close(fd_);
}

Result<Tail> LogFile::tail() const {
  if (regular_) return read_tail(fd_);
  Tail none;
  none.empty = true;
  return none;
}

LogFile::Written LogFile::append(std::string_view bytes, bool sync) {
  struct stat before {};
  if (fstat(fd_, &before) != 0) {
    error_ = reason(errno);
    return Written::No;
  }
  const auto size = static_cast<std::uint64_t>(before.st_size);
  while (!bytes.empty()) {
    const ssize_t put = ::write(fd_, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return take_back(size, reason(put < 0 ? errno : EIO));
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
  if (sync && !this->sync()) return take_back(size, error_);
  return Written::Yes;
}

LogFile::Written LogFile::take_back(std::uint64_t size, std::string why) {
  error_ = std::move(why);
  if (!regular_) return Written::No;
  int result = 0;
  do {
    result = ftruncate(fd_, static_cast<off_t>(size));
  } while (result != 0 && errno == EINTR);
  // An append-only inode (chattr +a) refuses this.
  return result == 0 ? Written::No : Written::Partly;
}

bool LogFile::sync() {
  if (!regular_ || fdatasync(fd_) == 0) return true;
  error_ = reason(errno);
  return false;
}

bool LogFile::removed() const {
  struct stat status {};
  return regular_ && fstat(fd_, &status) == 0 && status.st_nlink == 0;
}

bool LogFile::moved_from(const std::string& path) const {
  struct stat mine {};
  struct stat named {};
  if (fstat(fd_, &mine) != 0 || stat(path.c_str(), &named) != 0) return true;
  return mine.st_dev != named.st_dev || mine.st_ino != named.st_ino;
}

}  // namespace dockreeve::audit
