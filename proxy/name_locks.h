// Locks on names, for coroutines on any of the loops.
//
// A volume or an image has no id that could be forwarded in place of its name. So that nobody
// removes one and makes it anew between a look-up and the request that was judged by it, requests
// that share a name follow each other. This holds for all that goes through this gateway.
#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "proxy/reactor.h"
#include "proxy/task.h"

namespace dockreeve::proxy {

// Thread-safe; outlives every Held.
class NameLocks {
 public:
  // Names that are held, given back at the end of its life or by release(). From any thread.
  class Held {
   public:
    Held() = default;
    Held(Held&& other) noexcept
        : locks_(std::exchange(other.locks_, nullptr)), names_(std::move(other.names_)) {}
    Held& operator=(Held&& other) noexcept {
      if (this != &other) {
        release();
        locks_ = std::exchange(other.locks_, nullptr);
        names_ = std::move(other.names_);
      }
      return *this;
    }
    Held(const Held&) = delete;
    Held& operator=(const Held&) = delete;
    ~Held() { release(); }
    void release();
    // False: the deadline passed before all names were free, and none is held.
    bool ok() const { return locks_ != nullptr; }

   private:
    friend class NameLocks;
    NameLocks* locks_ = nullptr;
    std::vector<std::string> names_;
  };

  // All of `names`, one after the other in their order, so that two requests never wait for each
  // other; who asked first gets a name first. `names` are sorted and unique.
  Task<Held> acquire(Reactor& reactor, std::vector<std::string> names, Millis deadline);

 private:
  // One coroutine in the queue of one name.
  struct Waiting {
    explicit Waiting(Reactor& loop) : reactor(loop) {}
    Reactor& reactor;
    Reactor::Alarm* alarm = nullptr;  // of the reactor's thread
    bool granted = false;             // guarded by mutex_
  };
  class Ticket;

  // Null: the name was free and is the caller's now.
  std::shared_ptr<Waiting> enter(const std::string& name, Reactor& reactor);
  // Whether the name is the waiting one's. If not, it waits no longer.
  bool settle(const std::string& name, const std::shared_ptr<Waiting>& waiting);
  void release(const std::string& name);

  std::mutex mutex_;
  // A name that is here is held; its queue holds who wants it next. Guarded by mutex_.
  std::unordered_map<std::string, std::deque<std::shared_ptr<Waiting>>> names_;
};

}  // namespace dockreeve::proxy
