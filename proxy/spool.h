// Bodies too large for memory that must be judged before the engine sees a byte of them: a file
// without a name, gone with its descriptor.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "proxy/blocking.h"
#include "proxy/stream.h"

namespace dockreeve::proxy {

// What all spooled bodies of the process hold on disk. Thread-safe.
class SpoolBudget {
 public:
  // False when `size` more bytes would be more than `limit`.
  bool take(std::int64_t size, std::int64_t limit);
  void give_back(std::int64_t size) { used_.fetch_sub(size, std::memory_order_relaxed); }
  std::int64_t used() const { return used_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> used_{0};
};

// One body. Every function may block on the disk. Used by one thread at a time.
class Spool {
 public:
  // `folder` empty: $TMPDIR, or /var/tmp. The file has no name, or loses it at once.
  static Result<std::unique_ptr<Spool>> open(const std::string& folder, SpoolBudget& budget);
  ~Spool();
  Spool(const Spool&) = delete;
  Spool& operator=(const Spool&) = delete;

  // Fails when the disk is full. The caller has taken the size from the budget.
  Result<std::uint64_t> append(std::string_view data);
  // Up to `size` bytes from `at`; 0 at the end.
  Result<std::size_t> read(std::uint64_t at, char* data, std::size_t size) const;
  // Takes `size` bytes from the budget, which the end of this object gives back.
  bool reserve(std::int64_t size, std::int64_t limit);
  std::uint64_t size() const { return size_; }

 private:
  Spool(int fd, SpoolBudget& budget) : fd_(fd), budget_(budget) {}
  int fd_;
  SpoolBudget& budget_;
  std::int64_t reserved_ = 0;
  std::uint64_t size_ = 0;
};

// A piece of a spooled body: what is read or written at once.
inline constexpr std::size_t kSpoolPiece = 256 * 1024;

// Writes the whole file to the engine. `done` is set at the end, whatever it was.
struct SpoolUpload {
  bool complete = false;
  Event done;
};
Task<void> pump_spool(const Spool& spool, BlockingWorker& worker, Stream& engine,
                      SpoolUpload& upload);

}  // namespace dockreeve::proxy
