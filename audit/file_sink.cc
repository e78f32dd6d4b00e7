// The audit file: one thread that numbers, chains, writes and syncs what all others hand in.
//
// Handing in is on the path of every request, so it is one short lock and one copy; the thread is
// only woken when somebody waits for the record, when a lot has piled up, or when it sleeps with
// nothing to do. Otherwise it comes by itself. All requests that arrive while one fdatasync runs
// share the next one.

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <pthread.h>
#include <signal.h>
#include <string>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

#include "audit/chain.h"
#include "audit/log_file.h"
#include "audit/record.h"
#include "audit/sink.h"
#include "audit/tail.h"
#include "base/json.h"

namespace dockreeve::audit {
namespace {

using Clock = std::chrono::steady_clock;
using Time = Clock::time_point;

constexpr std::size_t kWakeBytes = 256u << 10;  // queued bytes that are not left to wait
constexpr std::size_t kBatchBytes = 1u << 20;   // composed and written at once
constexpr std::size_t kKeepBytes = 4u << 20;    // buffers larger than this are given back
// Under load a sync waits until this long after the last one, so that it covers more records; a sync
// for every record would cost more CPU than judging the request. A lone client never waits.
constexpr std::chrono::microseconds kGather{1000};
constexpr std::chrono::seconds kRetry{1};       // while the file cannot be written

struct Entry {
  std::size_t length = 0;  // of the record's text in Queue::bytes
  bool now = false;
  std::function<void(bool)> done;
};

// Records as they came. Texts lie end to end in one buffer, so that no memory changes threads.
struct Queue {
  std::string bytes;
  std::vector<Entry> entries;

  void clear() {
    if (bytes.capacity() > kKeepBytes) {
      *this = Queue();
    } else {
      bytes.clear();
      entries.clear();
    }
  }
};

std::string this_host() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0) name[0] = '\0';
  return host_json(Host{name.data(), DOCKREEVE_VERSION, "", ""});
}

class FileSink final : public Sink {
 public:
  FileSink(const FileOptions& options, LogFile file)
      : options_(options),
        interval_(std::max(1, options.interval_ms)),
        host_(options.host_json.empty() ? this_host() : options.host_json),
        file_(std::move(file)) {}

  ~FileSink() override {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_one();
    if (thread_.joinable()) thread_.join();
  }

  // Takes over what the file holds and starts the thread.
  Result<void> start() {
    if (auto adopted = adopt_tail(); !adopted) {
      return fail(options_.path, adopted.error().message);
    }
    const bool owed = owes_lines();
    thread_ = std::thread([this] { run(); });
    // Accounted for before anything else; on a full disk the thread tries again.
    if (owed) flush();
    return {};
  }

  void write(std::string record, Sync sync, std::function<void(bool)> done) override {
    const bool sound = record.size() > 2 && record.size() <= kMaxRecordBytes &&
                       record.front() == '{' && record.back() == '}';
    bool accepted = false;
    bool wake = false;
    {
      const std::lock_guard lock(mutex_);
      const std::size_t held = queue_.bytes.size() + in_flight_;
      accepted = sound && held + record.size() <= options_.max_queue_bytes;
      if (accepted) {
        queue_.bytes += record;
        queue_.entries.push_back({record.size(), sync == Sync::Now, std::move(done)});
        if (sync == Sync::Now || queue_.bytes.size() >= kWakeBytes) urgent_ = true;
        wake = waiting_ == Waiting::ForAnything || (urgent_ && waiting_ == Waiting::ForTime);
        if (wake) waiting_ = Waiting::No;  // one wake-up is enough
      } else {
        ++refused_;
        refusal_ = sound ? "the queue was full" : "not a record";
      }
    }
    if (wake) wake_.notify_one();
    if (accepted) return;
    failures_.fetch_add(1, std::memory_order_relaxed);
    if (done) done(false);
  }

  bool healthy() const override { return healthy_.load(std::memory_order_acquire); }

  Stats stats() const override {
    return {records_.load(std::memory_order_relaxed), syncs_.load(std::memory_order_relaxed),
            failures_.load(std::memory_order_relaxed), healthy()};
  }

  void reopen() override {
    {
      const std::lock_guard lock(mutex_);
      reopen_ = true;
    }
    wake_.notify_one();
  }

  void flush() override {
    std::unique_lock lock(mutex_);
    const std::uint64_t mine = ++flushes_asked_;
    wake_.notify_one();
    flushed_.wait(lock, [&] { return flushes_done_ >= mine; });
  }

 private:
  enum class Waiting : std::uint8_t { No, ForTime, ForAnything };

  void run() {
    // Signals are for the threads that expect them. SIGXFSZ above all: blocked here, a file at its
    // size limit is an error of write() and not the end of the gateway.
    sigset_t signals;
    sigfillset(&signals);
    for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP}) {
      sigdelset(&signals, fault);
    }
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    pthread_setname_np(pthread_self(), "dockreeve-audit");

    std::unique_lock lock(mutex_);
    for (bool stop = false; !stop || !queue_.entries.empty();) {
      wait_for_work(lock);
      gather(lock);
      std::swap(taken_, queue_);
      in_flight_ = taken_.bytes.size();
      stop = stopping_;
      urgent_ = false;
      const std::uint64_t flush = flushes_asked_;
      const bool sync_all = stop || flush != flushes_done_;
      if (std::exchange(reopen_, false)) reopen_due_ = Clock::now();
      const std::uint64_t refused = std::exchange(refused_, 0);
      const std::string reason = refused > 0 ? refusal_ : "";
      lock.unlock();
      if (refused > 0) note_loss(refused, reason);
      work(sync_all);
      taken_.clear();
      lock.lock();
      in_flight_ = 0;
      flushes_done_ = flush;
      flushed_.notify_all();
    }
  }

  // Lets records that are about to come share the next sync.
  void gather(std::unique_lock<std::mutex>& lock) {
    const bool only_records = urgent_ && !stopping_ && !reopen_ && flushes_asked_ == flushes_done_;
    if (!only_records || options_.policy != FileOptions::Policy::Always) return;
    if (Clock::now() >= synced_ + kGather) return;
    lock.unlock();
    std::this_thread::sleep_until(synced_ + kGather);
    lock.lock();
  }

  // Returns when there is something to do now.
  void wait_for_work(std::unique_lock<std::mutex>& lock) {
    Time records_due = Time::max();
    while (!urgent_ && !stopping_ && !reopen_ && flushes_asked_ == flushes_done_) {
      if (queue_.entries.empty() && chore_due_ == Time::max()) {
        waiting_ = Waiting::ForAnything;
        wake_.wait(lock);
      } else {
        const Time now = Clock::now();
        if (!queue_.entries.empty()) records_due = std::min(records_due, now + interval_);
        if (now >= records_due || now >= chore_due_) return;
        waiting_ = Waiting::ForTime;
        // A record that comes in while a chore is waited for must not wait for the chore.
        wake_.wait_until(lock, std::min({records_due, chore_due_, now + interval_}));
      }
      waiting_ = Waiting::No;
    }
  }

  void work(bool sync_all) {
    const Time now = Clock::now();
    if (reopen_due_ > now && file_.removed()) reopen_due_ = now;
    if (reopen_due_ <= now) follow_rename();

    std::size_t first = 0;
    std::size_t offset = 0;
    while (first < taken_.entries.size()) {
      std::size_t last = first;
      std::size_t size = 0;
      bool waited_for = false;
      for (; last < taken_.entries.size() && size < kBatchBytes; ++last) {
        size += taken_.entries[last].length;
        waited_for = waited_for || taken_.entries[last].now;
      }
      const bool recorded =
          write_batch(first, last, {taken_.bytes.data() + offset, size},
                      waited_for && options_.policy == FileOptions::Policy::Always);
      for (std::size_t i = first; i < last; ++i) {
        if (taken_.entries[i].done) taken_.entries[i].done(recorded);
      }
      first = last;
      offset += size;
    }
    const bool probe = !healthy() && Clock::now() >= tried_ + kRetry;
    if (probe || (healthy() && owes_lines())) write_batch(0, 0, {}, false);
    if (dirty_ && healthy() && (sync_all || sync_due() <= Clock::now())) sync();

    chore_due_ = std::min(reopen_due_, healthy() ? sync_due() : tried_ + kRetry);
  }

  Time sync_due() const {
    const bool wanted = dirty_ && options_.policy != FileOptions::Policy::Os;
    return wanted ? synced_ + interval_ : Time::max();
  }

  bool owes_lines() const {
    return needs_newline_ || lost_ > 0 || !torn_.empty() || !rotation_.empty();
  }

  // Writes the taken records first..last, whose texts are `bytes`, after the notes that are owed.
  // All of them are in the file, or none is.
  bool write_batch(std::size_t first, std::size_t last, std::string_view bytes, bool sync) {
    const std::size_t count = last - first;
    tried_ = Clock::now();
    if (tail_unknown_) {
      if (auto adopted = adopt_tail(); !adopted) return lose(count, adopted.error().message);
    }
    ChainHead head = head_;
    buffer_.clear();
    if (needs_newline_) buffer_ += '\n';
    for (const TornLine& line : torn_)
      add_note(torn_note(line), head);
    if (!rotation_.empty()) add_note(rotation_, head);
    if (lost_ > 0 || !healthy()) {
      std::string note =
          R"({"event":"records-lost","lost":)" + std::to_string(lost_) + R"(,"reason":)";
      json::append_string(note, loss_);
      add_note(note + "}", head);
    }
    for (std::size_t i = first; i < last; ++i) {
      append_line(buffer_, bytes.substr(0, taken_.entries[i].length), head, hash_);
      bytes.remove_prefix(taken_.entries[i].length);
    }
    // Health is only believed once the disk has confirmed it.
    const bool must_sync = sync || (!healthy() && options_.policy != FileOptions::Policy::Os);
    const LogFile::Written written = file_.append(buffer_, must_sync);
    if (written != LogFile::Written::Yes) {
      tail_unknown_ = written == LogFile::Written::Partly;
      return lose(count, file_.error());
    }
    records_.fetch_add(head.next_seq - head_.next_seq, std::memory_order_relaxed);
    head_ = std::move(head);
    needs_newline_ = false;
    torn_.clear();
    rotation_.clear();
    lost_ = 0;
    loss_.clear();
    dirty_ = !must_sync;
    if (must_sync) count_sync();
    if (buffer_.capacity() > kKeepBytes) buffer_ = std::string();
    healthy_.store(true, std::memory_order_release);
    return true;
  }

  void add_note(const std::string& note, ChainHead& head) {
    append_line(buffer_, note_record_raw(host_, "gateway", note), head, hash_);
  }

  bool lose(std::size_t count, const std::string& reason) {
    failures_.fetch_add(count, std::memory_order_relaxed);
    note_loss(count, reason);
    healthy_.store(false, std::memory_order_release);
    return false;
  }

  void note_loss(std::uint64_t count, const std::string& reason) {
    lost_ += count;
    loss_ = reason;
  }

  void sync() {
    if (file_.sync()) {
      dirty_ = false;
      count_sync();
    } else {
      tried_ = Clock::now();
      lose(0, file_.error());
    }
  }

  void count_sync() {
    synced_ = Clock::now();
    syncs_.fetch_add(1, std::memory_order_relaxed);
  }

  Result<void> adopt_tail() {
    Result<Tail> tail = file_.tail();
    if (!tail) return tl::unexpected(tail.error());
    tail_unknown_ = false;
    if (!tail->empty) head_ = std::move(tail->head);
    needs_newline_ = tail->needs_newline;
    torn_ = std::move(tail->torn);
    return {};
  }

  // After a rename (or removal) of the file: closes it and goes on in a new one of the old name.
  void follow_rename() {
    reopen_due_ = Time::max();
    if (!file_.regular() || !file_.moved_from(options_.path)) return;
    Result<LogFile> next = LogFile::open(options_.path);
    Result<Tail> tail = next ? next->tail() : tl::unexpected(next.error());
    if (!tail) {
      reopen_due_ = Clock::now() + kRetry;
      return;
    }
    if (dirty_ && options_.policy != FileOptions::Policy::Os) sync();
    rotation_ = R"({"event":"rotated","previousSeq":)" + std::to_string(head_.next_seq - 1) +
                R"(,"previousSha256":")" + head_.prev + R"("})";
    file_ = *std::move(next);
    dirty_ = false;
    tail_unknown_ = false;
    if (!tail->empty) head_ = std::move(tail->head);
    needs_newline_ = tail->needs_newline;
    torn_ = std::move(tail->torn);
  }

  const FileOptions options_;
  const std::chrono::milliseconds interval_;
  const std::string host_;

  // Shared, under mutex_.
  std::mutex mutex_;
  std::condition_variable wake_, flushed_;
  Queue queue_;
  std::size_t in_flight_ = 0;  // bytes the thread has taken and not yet finished
  Waiting waiting_ = Waiting::No;
  bool urgent_ = false, reopen_ = false, stopping_ = false;
  std::uint64_t flushes_asked_ = 0, flushes_done_ = 0;
  std::uint64_t refused_ = 0;
  std::string refusal_;

  std::atomic<bool> healthy_{true};
  std::atomic<std::uint64_t> records_{0}, syncs_{0}, failures_{0};

  // The thread's own (and start's, before there is a thread).
  LogFile file_;
  LineHash hash_;
  ChainHead head_;
  Queue taken_;
  std::string buffer_;
  bool dirty_ = false;         // written and not yet synced
  bool tail_unknown_ = false;  // a failed batch is partly in the file
  bool needs_newline_ = false;
  std::vector<TornLine> torn_;
  std::string rotation_;  // note that opens a new file
  std::uint64_t lost_ = 0;
  std::string loss_;
  Time synced_ = Clock::now(), tried_{};
  Time reopen_due_ = Time::max(), chore_due_ = Time::max();

  std::thread thread_;
};

}  // namespace

Result<std::unique_ptr<Sink>> open_file_sink(const FileOptions& options) {
  Result<LogFile> file = LogFile::open(options.path);
  if (!file) return tl::unexpected(file.error());
  auto sink = std::make_unique<FileSink>(options, *std::move(file));
  if (auto started = sink->start(); !started) return tl::unexpected(started.error());
  return sink;
}

}  // namespace dockreeve::audit
