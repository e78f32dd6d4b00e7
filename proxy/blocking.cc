#include "proxy/blocking.h"

#include <utility>

namespace dockreeve::proxy {

BlockingWorker::BlockingWorker()
    : thread_([this] {
        std::unique_lock lock(mutex_);
        for (;;) {
          wanted_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
          if (jobs_.empty()) return;
          std::vector<std::function<void()>> jobs;
          jobs.swap(jobs_);
          lock.unlock();
          for (std::function<void()>& job : jobs) job();
          lock.lock();
        }
      }) {}

BlockingWorker::~BlockingWorker() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wanted_.notify_one();
  thread_.join();
}

void BlockingWorker::submit(std::function<void()> job) {
  {
    const std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(job));
  }
  wanted_.notify_one();
}

}  // namespace dockreeve::proxy
