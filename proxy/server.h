// The process: listeners, one loop per core, reload and drain.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"
#include "proxy/gateway.h"

namespace dockreeve::proxy {

// Owned by main; start(), reload() and stop() are called from main's thread only.
class Server {
 public:
  // `log` gets one line at a time, from main's thread only.
  Server(config::Gateway gateway, std::function<void(const std::string&)> log);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Loads policies and certificates, opens the audit log and the listeners, starts the loops.
  // Nothing is left behind on failure.
  Result<void> start();
  // Loads policies, certificates and CRL again. On failure the old ones stay in force; the audit
  // log and the log say what happened either way.
  bool reload();
  // Has the audit log reopened its file (rotation by rename).
  void reopen_audit();
  // Stops accepting, lets requests finish, gives streams drain_timeout, then cuts what is left.
  // `hurry` is asked now and then whether to cut at once.
  void stop(const std::function<bool()>& hurry);

  struct Stats {
    std::int64_t connections = 0;
    audit::Stats audit;
  };
  Stats stats() const;

 private:
  struct Bound {
    int fd = -1;
    std::string unlink_path;  // of a unix listener
  };
  Result<Bound> bind(const config::Listener& listener) const;
  void accept_some(Loop& loop, std::size_t listener, int fd);
  // Goes on accepting a moment later.
  Task<void> listen_later(Loop& loop, std::size_t listener, int fd);
  void note(std::string_view kind, std::string_view event, std::string_view detail);

  config::Gateway gateway_;
  std::function<void(const std::string&)> log_;
  audit::Host host_;
  Shared shared_;
  std::vector<Bound> bound_;
  std::vector<std::unique_ptr<Loop>> loops_;
  std::vector<std::thread> threads_;
  std::uint64_t next_snapshot_ = 1;
};

}  // namespace dockreeve::proxy
