// A thread for calls that may block on the file system or the name service.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "proxy/reactor.h"

namespace dockreeve::proxy {

// Runs jobs in order on its own thread. The destructor finishes what is queued.
class BlockingWorker {
 public:
  BlockingWorker();
  ~BlockingWorker();
  BlockingWorker(const BlockingWorker&) = delete;
  BlockingWorker& operator=(const BlockingWorker&) = delete;
  void submit(std::function<void()> job);

  // co_await Run(worker, reactor, job): the job has run when it resumes, on the reactor's thread.
  class Run {
   public:
    Run(BlockingWorker& worker, Reactor& reactor, std::function<void()> job)
        : worker_(worker), reactor_(reactor), job_(std::move(job)) {}
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> handle) {
      reactor_.hold();
      worker_.submit([this, handle] {
        job_();
        reactor_.post([this, handle] {
          reactor_.release();
          handle.resume();
        });
      });
    }
    void await_resume() const noexcept {}

   private:
    BlockingWorker& worker_;
    Reactor& reactor_;
    std::function<void()> job_;
  };

 private:
  std::mutex mutex_;
  std::condition_variable wanted_;
  std::vector<std::function<void()>> jobs_;  // guarded by mutex_
  bool stopping_ = false;                    // guarded by mutex_
  std::thread thread_;
};

}  // namespace dockreeve::proxy
