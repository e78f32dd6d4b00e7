#include "proxy/spool.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <functional>

#include <fcntl.h>
#include <unistd.h>

namespace dockreeve::proxy {
namespace {

std::string default_folder() {
  const char* chosen = std::getenv("TMPDIR");
  return chosen && chosen[0] == '/' ? std::string(chosen) : std::string("/var/tmp");
}

tl::unexpected<Error> failed(const std::string& what) {
  return fail("", what + ": " + std::strerror(errno));
}

}  // namespace

bool SpoolBudget::take(std::int64_t size, std::int64_t limit) {
  std::int64_t used = used_.load(std::memory_order_relaxed);
  do {
    if (used > limit - size) return false;
  } while (!used_.compare_exchange_weak(used, used + size, std::memory_order_relaxed));
  return true;
}

Result<std::unique_ptr<Spool>> Spool::open(const std::string& folder, SpoolBudget& budget) {
  const std::string parent = folder.empty() ? default_folder() : folder;
  int fd = ::open(parent.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR)) {
    std::string name = parent + "/dockreeve-XXXXXX";
    fd = ::mkostemp(name.data(), O_CLOEXEC);
    if (fd >= 0 && ::unlink(name.c_str()) != 0) {
      ::close(fd);
      fd = -1;
    }
  }
  if (fd < 0) return failed("cannot keep the body in `" + parent + "`");
  return std::unique_ptr<Spool>(new Spool(fd, budget));
}

Spool::~Spool() {
  ::close(fd_);
  budget_.give_back(reserved_);
}

bool Spool::reserve(std::int64_t size, std::int64_t limit) {
  if (!budget_.take(size, limit)) return false;
  reserved_ += size;
  return true;
}

Result<std::uint64_t> Spool::append(std::string_view data) {
  while (!data.empty()) {
    const ssize_t wrote = ::write(fd_, data.data(), data.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return failed("cannot keep the body");
    data.remove_prefix(static_cast<std::size_t>(wrote));
    size_ += static_cast<std::uint64_t>(wrote);
  }
  return size_;
}

Result<std::size_t> Spool::read(std::uint64_t at, char* data, std::size_t size) const {
  for (;;) {
    const ssize_t got = ::pread(fd_, data, size, static_cast<off_t>(at));
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno != EINTR) return failed("cannot read the kept body");
  }
}

Task<void> pump_spool(const Spool& spool, BlockingWorker& worker, Stream& engine,
                      SpoolUpload& upload) {
  std::string piece;
  std::uint64_t at = 0;
  while (at < spool.size()) {
    piece.resize(kSpoolPiece);
    Result<std::size_t> got;
    std::function<void()> job = [&spool, &piece, &got, at] {
      got = spool.read(at, piece.data(), piece.size());
    };
    BlockingWorker::Run run(worker, engine.reactor(), std::move(job));
    co_await run;
    if (!got || *got == 0) break;
    piece.resize(*got);
    at += *got;
    const Io sent = co_await engine.write_all(piece, kNever);
    if (sent != Io::Ok) break;
  }
  upload.complete = at == spool.size();
  upload.done.set();
}

}  // namespace dockreeve::proxy
