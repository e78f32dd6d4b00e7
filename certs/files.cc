// Atomic writes, guarded reads and the folder lock, on plain POSIX calls.
#include "certs/files.h"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <sys/file.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace dockreeve::certs {
namespace {

constexpr std::size_t kMaxFileBytes = std::size_t{4} << 20U;

class Fd {
 public:
  explicit Fd(int fd) : fd_(fd) {}
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

std::string errno_text(int number) {
  return std::generic_category().message(number);
}

tl::unexpected<Error> failed(const std::string& path, const std::string& what) {
  return fail(path, what + ": " + errno_text(errno));
}

std::string octal(mode_t mode) {
  std::array<char, 16> text{};
  const int length = std::snprintf(text.data(), text.size(), "%04o", mode & 07777U);
  return std::string(text.data(), static_cast<std::size_t>(length));
}

Result<std::string> read_all(int fd, const std::string& path) {
  std::string content;
  std::array<char, 16384> buffer{};
  for (;;) {
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failed(path, "cannot read");
    if (got == 0) return content;
    content.append(buffer.data(), static_cast<std::size_t>(got));
    if (content.size() > kMaxFileBytes) return fail(path, "is larger than 4 MiB");
  }
}

enum class Access : std::uint8_t { Any, OwnerOnly };

Result<std::string> read_checked(const std::string& path, Access access) {
  // Non-blocking, so that a FIFO is refused below instead of waited for.
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) return failed(path, "cannot open");
  struct stat facts {};
  if (::fstat(file.get(), &facts) != 0) return failed(path, "cannot stat");
  if (!S_ISREG(facts.st_mode)) return fail(path, "is not a regular file");
  if (access == Access::OwnerOnly && (facts.st_mode & 077U) != 0) {
    return fail(path, "is a private key that its group or others have permissions on (mode " +
                          octal(facts.st_mode) + "); run: chmod 600 " + path);
  }
  return read_all(file.get(), path);
}

Result<void> write_all(int fd, std::string_view content, const std::string& path) {
  while (!content.empty()) {
    const ssize_t put = ::write(fd, content.data(), content.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return failed(path, "cannot write");
    content.remove_prefix(static_cast<std::size_t>(put));
  }
  return {};
}

std::string folder_of(const std::string& path) {
  std::string folder = std::filesystem::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

// A rename is only on disk when its folder is.
Result<void> sync_folder(const std::string& folder) {
  const Fd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() < 0) return failed(folder, "cannot open");
  if (::fsync(fd.get()) != 0 && errno != EINVAL) return failed(folder, "cannot sync");
  return {};
}

Result<void> fill_and_rename(int fd, const std::string& temporary, const std::string& path,
                             std::string_view content, mode_t mode) {
  if (Result<void> written = write_all(fd, content, path); !written) return written;
  if (::fchmod(fd, mode) != 0) return failed(path, "cannot set its mode");
  if (::fsync(fd) != 0) return failed(path, "cannot sync");
  if (::rename(temporary.c_str(), path.c_str()) != 0) return failed(path, "cannot replace");
  return sync_folder(folder_of(path));
}

}  // namespace

Result<std::string> read_file(const std::string& path) {
  return read_checked(path, Access::Any);
}

Result<std::string> read_private_file(const std::string& path) {
  return read_checked(path, Access::OwnerOnly);
}

Result<void> write_atomically(const std::string& path, std::string_view content, mode_t mode) {
  std::string temporary = path + ".XXXXXX";
  const Fd file(::mkostemp(temporary.data(), O_CLOEXEC));  // made 0600, never through a link
  if (file.get() < 0) return failed(path, "cannot write");
  Result<void> written = fill_and_rename(file.get(), temporary, path, content, mode);
  if (!written) ::unlink(temporary.c_str());
  return written;
}

Result<void> make_private_folder(const std::string& wanted) {
  std::string path = wanted;
  while (path.size() > 1 && path.back() == '/')
    path.pop_back();  // else it is its own parent
  std::error_code error;
  const std::filesystem::path parent = std::filesystem::path(path).parent_path();
  if (!parent.empty()) std::filesystem::create_directories(parent, error);
  if (error) return fail(parent.string(), "cannot make the folder: " + error.message());
  if (::mkdir(path.c_str(), 0700) == 0) return sync_folder(folder_of(path));
  const int reason = errno;
  if (reason == EEXIST && std::filesystem::is_directory(path, error)) return {};
  return fail(path, "cannot make the folder: " + errno_text(reason));
}

bool path_exists(const std::string& path) {
  struct stat facts {};
  return ::lstat(path.c_str(), &facts) == 0;
}

Result<FolderLock> FolderLock::take(const std::string& folder) {
  const std::string path = folder + "/.lock";
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return failed(path, "cannot open");
  FolderLock lock(fd);
  while (::flock(fd, LOCK_EX) != 0) {
    if (errno != EINTR) return failed(path, "cannot lock");
  }
  return lock;
}

FolderLock::FolderLock(FolderLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

FolderLock::~FolderLock() {
  if (fd_ >= 0) ::close(fd_);  // closing releases the lock
}

}  // namespace dockreeve::certs
