#include "proxy/reactor.h"

#include <cerrno>
#include <ctime>
#include <system_error>
#include <utility>

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace dockreeve::proxy {
namespace {

constexpr std::uint64_t kWakeupKey = UINT64_MAX;
constexpr std::uint64_t kListenerBit = std::uint64_t{1} << 63;
// Deadlines are coarse: an idle connection may live this much longer than its limit.
constexpr Millis kSweepEvery = 100;

[[noreturn]] void die(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

}  // namespace

Millis monotonic_ms() {
  timespec ts{};
  clock_gettime(CLOCK_MONOTONIC, &ts);
  return Millis{ts.tv_sec} * 1000 + ts.tv_nsec / 1000000;
}

void Waiter::unlink() {
  if (link) {
    *link = next;
    if (next) next->link = link;
    link = nullptr;
    next = nullptr;
  }
  if (timed_link) {
    *timed_link = timed_next;
    if (timed_next) timed_next->timed_link = timed_link;
    timed_link = nullptr;
    timed_next = nullptr;
  }
}

namespace {

void link_into(Waiter*& list, Waiter& waiter) {
  waiter.next = list;
  waiter.link = &list;
  if (list) list->link = &waiter.next;
  list = &waiter;
}

void resume(Waiter& waiter, Wake result) {
  waiter.unlink();
  if (waiter.sibling) waiter.sibling->unlink();
  waiter.result = result;
  // The waiter dies with the resumption: nothing of it may be touched after this line.
  waiter.handle.resume();
}

}  // namespace

Descriptor::Descriptor(Reactor& reactor, int fd) : reactor_(reactor), fd_(fd) {
  slot_ = reactor_.add(this);
}

Descriptor::~Descriptor() { reactor_.remove(slot_); }

void Descriptor::wake(Waiter*& list, Wake result) {
  // Only those that wait now: a woken coroutine may wait again on the same list. Taking them off
  // one by one from a private list keeps that safe even when one destroys this descriptor.
  Waiter* taken = list;
  list = nullptr;
  if (taken) taken->link = &taken;
  while (taken) resume(*taken, result);
}

void Descriptor::post_wake(bool writers_too, Wake result) {
  // Resumed from the loop, not from inside the caller, who may be one of those waiting.
  const std::uint32_t slot = slot_;
  const std::uint32_t generation = reactor_.slots_[slot].generation;
  Reactor& reactor = reactor_;
  reactor_.post([&reactor, slot, generation, writers_too, result] {
    if (reactor.slots_[slot].generation != generation) return;
    Descriptor* self = reactor.slots_[slot].descriptor;
    if (self->readers_) self->wake(self->readers_, result);
    if (!writers_too || reactor.slots_[slot].generation != generation) return;
    if (self->writers_) self->wake(self->writers_, result);
  });
}

void Descriptor::cancel() {
  if (cancelled_) return;
  cancelled_ = true;
  post_wake(true, Wake::Cancelled);
}

void Descriptor::nudge() { post_wake(false, Wake::Ready); }

bool ReadyAwaiter::await_ready() {
  if (descriptor_.cancelled_) {
    waiter_.result = Wake::Cancelled;
    return true;
  }
  return direction_ == Direction::Read ? descriptor_.read_ready : descriptor_.write_ready;
}

void ReadyAwaiter::await_suspend(std::coroutine_handle<> handle) {
  waiter_.handle = handle;
  link_into(direction_ == Direction::Read ? descriptor_.readers_ : descriptor_.writers_, waiter_);
  descriptor_.reactor_.add_deadline(waiter_);
}

bool EitherAwaiter::await_ready() {
  if (first_.cancelled_ || second_.cancelled_) {
    a_.result = Wake::Cancelled;
    return true;
  }
  return first_.read_ready || second_.read_ready;
}

void EitherAwaiter::await_suspend(std::coroutine_handle<> handle) {
  a_.handle = b_.handle = handle;
  a_.sibling = &b_;
  b_.sibling = &a_;
  link_into(first_.readers_, a_);
  link_into(second_.readers_, b_);
  first_.reactor_.add_deadline(a_);
}

void Reactor::Sleep::await_suspend(std::coroutine_handle<> handle) {
  waiter_.handle = handle;
  reactor_.add_deadline(waiter_);
}

Reactor::Reactor() : scratch_(kScratch) {
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  if (epoll_ < 0) die("epoll_create1");
  wakeup_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wakeup_ < 0) die("eventfd");
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = kWakeupKey;
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, wakeup_, &event) != 0) die("epoll_ctl");
  now_ = monotonic_ms();
}

Reactor::~Reactor() {
  close(wakeup_);
  close(epoll_);
}

std::uint32_t Reactor::add(Descriptor* descriptor) {
  std::uint32_t slot;
  if (free_slots_.empty()) {
    slot = static_cast<std::uint32_t>(slots_.size());
    slots_.emplace_back();
  } else {
    slot = free_slots_.back();
    free_slots_.pop_back();
  }
  slots_[slot].descriptor = descriptor;
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.u64 = (std::uint64_t{slots_[slot].generation & 0x7fffffffu} << 32) | slot;
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor->fd_, &event) != 0) {
    slots_[slot].descriptor = nullptr;
    free_slots_.push_back(slot);
    die("epoll_ctl");
  }
  return slot;
}

void Reactor::remove(std::uint32_t slot) {
  // The fd may outlive the Descriptor in its owner, so it is taken out here.
  epoll_ctl(epoll_, EPOLL_CTL_DEL, slots_[slot].descriptor->fd_, nullptr);
  slots_[slot].descriptor = nullptr;
  slots_[slot].generation = (slots_[slot].generation + 1) & 0x7fffffffu;
  free_slots_.push_back(slot);
}

void Reactor::add_deadline(Waiter& waiter) {
  if (waiter.deadline == kNever) return;
  waiter.timed_next = timed_;
  waiter.timed_link = &timed_;
  if (timed_) timed_->timed_link = &waiter.timed_next;
  timed_ = &waiter;
}

void Reactor::expire() {
  if (now_ < next_sweep_) return;
  next_sweep_ = now_ + kSweepEvery;
  // Collected first: resuming one may add or remove others.
  Waiter* due = nullptr;
  for (Waiter* waiter = timed_; waiter;) {
    Waiter* following = waiter->timed_next;
    if (waiter->deadline <= now_) {
      waiter->unlink();
      waiter->timed_next = due;
      waiter->timed_link = &due;
      if (due) due->timed_link = &waiter->timed_next;
      due = waiter;
    }
    waiter = following;
  }
  while (due) resume(*due, Wake::Timeout);
}

void Reactor::listen(int fd, std::function<void()> on_event) {
  std::size_t index = 0;
  while (index < listeners_.size() && listeners_[index].fd >= 0) ++index;
  if (index == listeners_.size()) listeners_.emplace_back();
  listeners_[index] = ListenSlot{fd, std::move(on_event)};
  epoll_event event{};
  event.events = EPOLLIN | EPOLLEXCLUSIVE;
  event.data.u64 = kListenerBit | index;
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) die("epoll_ctl");
}

void Reactor::unlisten(int fd) {
  for (ListenSlot& slot : listeners_) {
    if (slot.fd != fd) continue;
    epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
    slot.fd = -1;
  }
}

void Reactor::post(std::function<void()> job) {
  bool signal = false;
  {
    const std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(job));
    signal = !std::exchange(signalled_, true);
  }
  if (signal) {
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = write(wakeup_, &one, sizeof one);
  }
}

void Reactor::stop() {
  post([this] { stopping_ = true; });
}

void Reactor::run_jobs() {
  std::uint64_t count = 0;
  [[maybe_unused]] const ssize_t got = read(wakeup_, &count, sizeof count);
  std::vector<std::function<void()>> jobs;
  {
    const std::lock_guard lock(mutex_);
    jobs.swap(jobs_);
    signalled_ = false;
  }
  for (std::function<void()>& job : jobs) job();
}

void Reactor::dispatch(std::uint64_t key, std::uint32_t events) {
  if (key & kListenerBit) {
    const std::size_t index = key & ~kListenerBit;
    if (listeners_[index].fd >= 0) listeners_[index].on_event();
    return;
  }
  const auto slot = static_cast<std::uint32_t>(key);
  const auto generation = static_cast<std::uint32_t>(key >> 32);
  if (slots_[slot].generation != generation || !slots_[slot].descriptor) return;
  Descriptor& descriptor = *slots_[slot].descriptor;
  if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) descriptor.hung_up = true;
  const bool readable = events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR);
  const bool writable = events & (EPOLLOUT | EPOLLHUP | EPOLLERR);
  if (readable) descriptor.read_ready = true;
  if (writable) descriptor.write_ready = true;
  if (readable && descriptor.readers_) descriptor.wake(descriptor.readers_, Wake::Ready);
  if (slots_[slot].generation != generation) return;  // it is gone
  if (writable && descriptor.writers_) descriptor.wake(descriptor.writers_, Wake::Ready);
}

void Reactor::run() {
  constexpr int kBatch = 128;
  epoll_event events[kBatch];
  while (!(stopping_ && held_ == 0)) {
    int timeout = -1;
    if (timed_) {
      const Millis left = next_sweep_ - now_;
      timeout = left > 0 ? static_cast<int>(left) : 0;
    }
    const int count = epoll_wait(epoll_, events, kBatch, timeout);
    now_ = monotonic_ms();
    for (int i = 0; i < count; ++i) {
      if (events[i].data.u64 == kWakeupKey) {
        run_jobs();
      } else {
        dispatch(events[i].data.u64, events[i].events);
      }
    }
    expire();
  }
}

}  // namespace dockreeve::proxy
