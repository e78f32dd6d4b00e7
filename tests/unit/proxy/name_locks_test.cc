#include "proxy/name_locks.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <vector>

namespace dockreeve::proxy {
namespace {

using Names = std::vector<std::string>;

// A loop on its own thread; the destructor lets it finish what it holds.
class LoopThread {
 public:
  LoopThread() : thread_([this] { reactor.run(); }) {}
  ~LoopThread() {
    reactor.stop();
    thread_.join();
  }
  LoopThread(const LoopThread&) = delete;
  LoopThread& operator=(const LoopThread&) = delete;
  // Runs the task on the loop; the loop lives until it is done.
  void start(std::function<Task<void>()> make) {
    reactor.post([this, make = std::move(make)] {
      reactor.hold();
      spawn(run(make));
    });
  }
  Reactor reactor;

 private:
  Task<void> run(std::function<Task<void>()> make) {
    Task<void> task = make();
    co_await task;
    reactor.release();
  }
  std::thread thread_;
};

struct Counters {
  std::array<std::atomic<int>, 3> inside{};
  std::atomic<int> done{0}, overlaps{0}, late{0};
};

Task<void> visit(NameLocks& locks, Reactor& reactor, Names names, Counters& counters) {
  Names wanted = names;
  NameLocks::Held held = co_await locks.acquire(reactor, std::move(wanted), kNever);
  if (!held.ok()) counters.late.fetch_add(1);
  for (const std::string& name : names) {
    if (counters.inside[static_cast<std::size_t>(name[0] - 'a')].fetch_add(1) != 0) counters.overlaps.fetch_add(1);
  }
  Yield yield(reactor);
  co_await yield;
  for (const std::string& name : names) {
    counters.inside[static_cast<std::size_t>(name[0] - 'a')].fetch_sub(1);
  }
  counters.done.fetch_add(1);
}

TEST(NameLocks, OnlyOneAtATimeOnAnyThread) {
  NameLocks locks;
  Counters counters;
  {
    std::array<LoopThread, 4> loops;
    const std::array<Names, 5> sets{Names{"a"}, {"a", "b"}, {"b", "c"}, {"a", "c"}, {"a", "b", "c"}};
    for (int i = 0; i < 500; ++i) {
      for (LoopThread& loop : loops) {
        const Names& names = sets[static_cast<std::size_t>(i) % sets.size()];
        loop.start([&locks, &loop, &counters, names] { return visit(locks, loop.reactor, names, counters); });
      }
    }
  }
  EXPECT_EQ(counters.done, 2000);
  EXPECT_EQ(counters.overlaps, 0);
  EXPECT_EQ(counters.late, 0);
}

// What a coroutine that tries for `names` found.
struct Attempt {
  std::atomic<bool> ended{false}, got{false};
};

Task<void> try_for(NameLocks& locks, Reactor& reactor, Names names, Millis deadline, Attempt& out) {
  NameLocks::Held held = co_await locks.acquire(reactor, std::move(names), deadline);
  out.got = held.ok();
  held.release();
  EXPECT_FALSE(held.ok());
  out.ended = true;
}

Task<void> keep(NameLocks& locks, Reactor& reactor, Names names, NameLocks::Held& out,
                std::atomic<bool>& ready) {
  out = co_await locks.acquire(reactor, std::move(names), kNever);
  ready = true;
}

void wait_for(const std::atomic<bool>& flag) {
  while (!flag) std::this_thread::yield();
}

TEST(NameLocks, ADeadlineGivesBackWhatWasHeldAlready) {
  NameLocks locks;
  NameLocks::Held b;
  std::atomic<bool> ready{false};
  LoopThread first;
  LoopThread second;
  first.start([&] { return keep(locks, first.reactor, {"b"}, b, ready); });
  wait_for(ready);
  Attempt late;
  second.start([&] {
    return try_for(locks, second.reactor, {"a", "b"}, second.reactor.now() + 20, late);
  });
  wait_for(late.ended);
  EXPECT_FALSE(late.got);
  Attempt free;
  second.start([&] { return try_for(locks, second.reactor, {"a"}, kNever, free); });
  wait_for(free.ended);
  EXPECT_TRUE(free.got) << "the name that was got before the wait is free again";
  // Who gave up is in no queue: the next one gets the name.
  Attempt next;
  second.start([&] { return try_for(locks, second.reactor, {"b"}, kNever, next); });
  EXPECT_FALSE(next.ended);
  b.release();
  wait_for(next.ended);
  EXPECT_TRUE(next.got);
}

// Waits no longer than a moment, and holds as long.
Task<void> hurry(NameLocks& locks, Reactor& reactor, Attempt& out, std::atomic<int>& ended) {
  Names names{"x"};
  NameLocks::Held held = co_await locks.acquire(reactor, std::move(names), reactor.now() + 1);
  out.got = held.ok();
  Reactor::Sleep pause = reactor.sleep_until(reactor.now() + 1);
  if (held.ok()) co_await pause;
  held.release();
  ended.fetch_add(1);
}

TEST(NameLocks, DeadlinesThatRaceWithGrantsLoseNothing) {
  NameLocks locks;
  std::atomic<int> ended{0};
  std::array<LoopThread, 3> loops;
  std::vector<Attempt> attempts(300);
  for (std::size_t i = 0; i < attempts.size(); ++i) {
    LoopThread& loop = loops[i % loops.size()];
    Attempt& attempt = attempts[i];
    loop.start([&locks, &loop, &attempt, &ended] { return hurry(locks, loop.reactor, attempt, ended); });
  }
  while (ended < 300) std::this_thread::yield();
  Attempt last;
  loops[0].start([&] { return try_for(locks, loops[0].reactor, {"x"}, kNever, last); });
  wait_for(last.ended);
  EXPECT_TRUE(last.got) << "the name was not lost";
}

TEST(NameLocks, HeldCanBeMovedAndAssigned) {
  NameLocks locks;
  std::atomic<bool> ready{false};
  NameLocks::Held held;
  EXPECT_FALSE(held.ok());
  LoopThread loop;
  loop.start([&] { return keep(locks, loop.reactor, {"a"}, held, ready); });
  wait_for(ready);
  NameLocks::Held moved = std::move(held);
  EXPECT_TRUE(moved.ok());
  moved = NameLocks::Held();
  Attempt next;
  loop.start([&] { return try_for(locks, loop.reactor, {"a"}, kNever, next); });
  wait_for(next.ended);
  EXPECT_TRUE(next.got);
}

}  // namespace
}  // namespace dockreeve::proxy
