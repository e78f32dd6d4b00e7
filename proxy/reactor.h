// One event loop: an epoll set, a list of deadlines, and a mailbox for other threads.
//
// Descriptors are registered once, edge-triggered, for both directions, so that a keep-alive
// request costs no epoll_ctl at all (docs/adr/0001). Everything but post() and stop() belongs to
// the loop's own thread.
#pragma once

#include <atomic>
#include <coroutine>
#include <cstdint>
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

namespace dockreeve::proxy {

class Reactor;

// Milliseconds on the monotonic clock; kNever is no deadline.
using Millis = std::int64_t;
inline constexpr Millis kNever = INT64_MAX;
Millis monotonic_ms();

enum class Wake : std::uint8_t { Ready, Timeout, Cancelled };

// A coroutine waiting for something, linked into at most one event list and the deadline list.
struct Waiter {
  std::coroutine_handle<> handle;
  Wake result = Wake::Ready;
  Millis deadline = kNever;
  Waiter* sibling = nullptr;  // the other half of a wait for either of two events
  // Links of the event list it waits in.
  Waiter* next = nullptr;
  Waiter** link = nullptr;
  // Links of the reactor's deadline list.
  Waiter* timed_next = nullptr;
  Waiter** timed_link = nullptr;

  void unlink();
};

// One registered file descriptor with what is known about its readiness. Does not own the fd.
class Descriptor {
 public:
  Descriptor(Reactor& reactor, int fd);
  ~Descriptor();
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int fd() const { return fd_; }
  Reactor& reactor() const { return reactor_; }

  // What the last system call or event said. A caller that got EAGAIN, or less than it asked for,
  // clears the flag; the next edge sets it.
  bool read_ready = true, write_ready = true;
  bool hung_up = false;  // the peer closed at least one direction; readiness is sticky then

  // Wakes everybody who waits here with Wake::Cancelled, now and from then on.
  void cancel();
  bool cancelled() const { return cancelled_; }
  // Wakes those who wait to read with Wake::Ready though nothing came, to look at changed state.
  void nudge();

 private:
  friend class Reactor;
  friend class ReadyAwaiter;
  friend class EitherAwaiter;
  void wake(Waiter*& list, Wake result);
  void post_wake(bool writers_too, Wake result);
  Reactor& reactor_;
  int fd_;
  std::uint32_t slot_ = 0;
  bool cancelled_ = false;
  Waiter* readers_ = nullptr;
  Waiter* writers_ = nullptr;
};

enum class Direction : std::uint8_t { Read, Write };

// co_await ReadyAwaiter: until the descriptor is ready in that direction, or the deadline.
class ReadyAwaiter {
 public:
  ReadyAwaiter(Descriptor& descriptor, Direction direction, Millis deadline)
      : descriptor_(descriptor), direction_(direction) {
    waiter_.deadline = deadline;
  }
  ReadyAwaiter(const ReadyAwaiter&) = delete;
  ReadyAwaiter& operator=(const ReadyAwaiter&) = delete;
  ~ReadyAwaiter() { waiter_.unlink(); }
  bool await_ready();
  void await_suspend(std::coroutine_handle<> handle);
  Wake await_resume() const { return waiter_.result; }

 private:
  Descriptor& descriptor_;
  Direction direction_;
  Waiter waiter_;
};

// co_await EitherAwaiter: until one of two descriptors is readable. The caller looks at
// read_ready of both. A descriptor that is cancelled gives Wake::Cancelled.
class EitherAwaiter {
 public:
  EitherAwaiter(Descriptor& first, Descriptor& second, Millis deadline)
      : first_(first), second_(second) {
    a_.deadline = deadline;
  }
  EitherAwaiter(const EitherAwaiter&) = delete;
  EitherAwaiter& operator=(const EitherAwaiter&) = delete;
  ~EitherAwaiter() {
    a_.unlink();
    b_.unlink();
  }
  bool await_ready();
  void await_suspend(std::coroutine_handle<> handle);
  Wake await_resume() const { return a_.result == Wake::Ready ? b_.result : a_.result; }

 private:
  Descriptor& first_;
  Descriptor& second_;
  Waiter a_, b_;
};

// A one-shot event between coroutines of one thread.
class Event {
 public:
  void set() {
    set_ = true;
    if (waiting_) std::exchange(waiting_, {}).resume();
  }
  bool await_ready() const noexcept { return set_; }
  void await_suspend(std::coroutine_handle<> handle) noexcept { waiting_ = handle; }
  void await_resume() const noexcept {}

 private:
  bool set_ = false;
  std::coroutine_handle<> waiting_;
};

class Reactor {
 public:
  Reactor();
  ~Reactor();
  Reactor(const Reactor&) = delete;
  Reactor& operator=(const Reactor&) = delete;

  // Runs until stop() was called and `live()` work is gone.
  void run();
  // Thread-safe: the loop ends once nothing is held.
  void stop();
  // Thread-safe: runs `job` on the loop's thread, in order.
  void post(std::function<void()> job);

  // Milliseconds since an arbitrary start, read once a turn.
  Millis now() const { return now_; }

  // Keeps run() alive while something is going on that has no descriptor registered.
  void hold() { ++held_; }
  void release() { --held_; }

  // A buffer that all coroutines of the loop share: valid until the next suspension.
  static constexpr std::size_t kScratch = 64 * 1024;
  char* scratch() { return scratch_.data(); }

  // Registers a descriptor that is read level-triggered by `on_event` (listeners). Not owned.
  void listen(int fd, std::function<void()> on_event);
  void unlisten(int fd);

  class Sleep;
  class Alarm;
  // co_await reactor.sleep(deadline)
  Sleep sleep_until(Millis deadline);

 private:
  friend class Descriptor;
  friend class ReadyAwaiter;
  friend class EitherAwaiter;
  struct Slot {
    Descriptor* descriptor = nullptr;
    std::uint32_t generation = 0;
  };
  struct ListenSlot {
    int fd;
    std::function<void()> on_event;
  };
  std::uint32_t add(Descriptor* descriptor);
  void remove(std::uint32_t slot);
  void add_deadline(Waiter& waiter);
  void expire();
  void run_jobs();
  void dispatch(std::uint64_t key, std::uint32_t events);

  int epoll_ = -1, wakeup_ = -1;
  Millis now_ = 0, next_sweep_ = 0;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_slots_;
  std::vector<ListenSlot> listeners_;
  Waiter* timed_ = nullptr;
  std::vector<char> scratch_;
  std::int64_t held_ = 0;
  std::atomic<bool> stopping_{false};

  std::mutex mutex_;
  std::vector<std::function<void()>> jobs_;  // guarded by mutex_
  bool signalled_ = false;                   // guarded by mutex_
};

class Reactor::Sleep {
 public:
  Sleep(Reactor& reactor, Millis deadline) : reactor_(reactor) { waiter_.deadline = deadline; }
  Sleep(const Sleep&) = delete;
  Sleep& operator=(const Sleep&) = delete;
  ~Sleep() { waiter_.unlink(); }
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> handle);
  void await_resume() const noexcept {}

 private:
  Reactor& reactor_;
  Waiter waiter_;
};

// co_await alarm: until wake() was called or the deadline has passed; everything on the loop's thread.
class Reactor::Alarm {
 public:
  Alarm(Reactor& reactor, Millis deadline) : reactor_(reactor) { waiter_.deadline = deadline; }
  Alarm(const Alarm&) = delete;
  Alarm& operator=(const Alarm&) = delete;
  ~Alarm() { waiter_.unlink(); }
  // Resumes the coroutine that waits, from inside this call.
  void wake() {
    woken_ = true;
    waiter_.unlink();
    if (waiter_.handle) std::exchange(waiter_.handle, {}).resume();
  }
  bool await_ready() const noexcept { return woken_; }
  void await_suspend(std::coroutine_handle<> handle) {
    waiter_.handle = handle;
    reactor_.add_deadline(waiter_);
  }
  void await_resume() const noexcept {}

 private:
  Reactor& reactor_;
  Waiter waiter_;
  bool woken_ = false;
};

// co_await Yield(reactor): lets everybody else of the loop have a turn.
class Yield {
 public:
  explicit Yield(Reactor& reactor) : reactor_(reactor) {}
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> handle) {
    reactor_.post([handle] { handle.resume(); });
  }
  void await_resume() const noexcept {}

 private:
  Reactor& reactor_;
};

inline Reactor::Sleep Reactor::sleep_until(Millis deadline) { return Sleep(*this, deadline); }

}  // namespace dockreeve::proxy
