#include "proxy/name_locks.h"

#include <utility>

namespace dockreeve::proxy {

// Leaves the queue, or gives the name back, when nobody took it out of its hands.
class NameLocks::Ticket {
 public:
  Ticket(NameLocks& locks, const std::string& name, std::shared_ptr<Waiting> waiting)
      : locks_(locks), name_(name), waiting_(std::move(waiting)) {}
  Ticket(const Ticket&) = delete;
  Ticket& operator=(const Ticket&) = delete;
  ~Ticket() {
    waiting_->alarm = nullptr;
    if (!settled_ && locks_.settle(name_, waiting_)) locks_.release(name_);
  }
  bool settle() {
    settled_ = true;
    return locks_.settle(name_, waiting_);
  }

 private:
  NameLocks& locks_;
  const std::string& name_;
  std::shared_ptr<Waiting> waiting_;
  bool settled_ = false;
};

void NameLocks::Held::release() {
  if (!locks_) return;
  for (const std::string& name : names_) locks_->release(name);
  locks_ = nullptr;
  names_.clear();
}

Task<NameLocks::Held> NameLocks::acquire(Reactor& reactor, std::vector<std::string> names,
                                         Millis deadline) {
  Held held;
  held.locks_ = this;
  held.names_.reserve(names.size());
  for (std::string& name : names) {
    const std::shared_ptr<Waiting> waiting = enter(name, reactor);
    if (waiting) {
      Reactor::Alarm alarm(reactor, deadline);
      Ticket ticket(*this, name, waiting);
      waiting->alarm = &alarm;
      co_await alarm;
      if (!ticket.settle()) {
        held.release();
        co_return held;
      }
    }
    held.names_.push_back(std::move(name));
  }
  co_return held;
}

std::shared_ptr<NameLocks::Waiting> NameLocks::enter(const std::string& name, Reactor& reactor) {
  const std::lock_guard lock(mutex_);
  const auto [entry, free] = names_.try_emplace(name);
  if (free) return nullptr;
  return entry->second.emplace_back(std::make_shared<Waiting>(reactor));
}

bool NameLocks::settle(const std::string& name, const std::shared_ptr<Waiting>& waiting) {
  const std::lock_guard lock(mutex_);
  if (waiting->granted) return true;
  const auto entry = names_.find(name);
  if (entry != names_.end()) std::erase(entry->second, waiting);
  return false;
}

void NameLocks::release(const std::string& name) {
  std::shared_ptr<Waiting> next;
  {
    const std::lock_guard lock(mutex_);
    const auto entry = names_.find(name);
    if (entry == names_.end()) return;
    if (entry->second.empty()) {
      names_.erase(entry);
      return;
    }
    next = std::move(entry->second.front());
    entry->second.pop_front();
    next->granted = true;
    // Posted under the mutex: until then settle() cannot let the waiting coroutine, and with it its
    // loop, come to an end.
    next->reactor.post([next] {
      if (next->alarm) next->alarm->wake();
    });
  }
}

}  // namespace dockreeve::proxy
