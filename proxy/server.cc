#include "proxy/server.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>

#include <arpa/inet.h>
#include <grp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "proxy/session.h"

namespace dockreeve::proxy {
namespace {

constexpr int kBacklog = 4096;
// Accepted in one turn, so that a flood of connections does not starve those that are served.
constexpr int kAcceptsPerTurn = 32;
constexpr Millis kAcceptPause = 100;

std::string system_error() { return std::strerror(errno); }

// As many descriptors as the system grants: a connection needs one, a request a second one.
void raise_file_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

std::string host_name() {
  std::string name(256, '\0');
  if (gethostname(name.data(), name.size() - 1) != 0) return "unknown";
  name.resize(std::strlen(name.c_str()));
  return name;
}

std::string boot_id() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string id;
  std::getline(file, id);
  return id;
}

// Holds a session for as long as its coroutine runs.
Task<void> run_session(std::unique_ptr<Session> session) { co_await session->run(); }

// NOLINTBEGIN(cppcoreguidelines-pro-type-reinterpret-cast): the sockets API is made that way
Result<int> bind_tcp(const config::Listener& listener) {
  sockaddr_storage address{};
  socklen_t size = 0;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&address);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&address);
  if (inet_pton(AF_INET, listener.host.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(static_cast<std::uint16_t>(listener.port));
    size = sizeof(sockaddr_in);
  } else if (inet_pton(AF_INET6, listener.host.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(static_cast<std::uint16_t>(listener.port));
    size = sizeof(sockaddr_in6);
  } else {
    return fail("listener " + listener.name, "`" + listener.host + "` is not an IP address");
  }
  const int fd = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return fail("listener " + listener.name, system_error());
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), size) != 0 || listen(fd, kBacklog) != 0) {
    const std::string reason = system_error();
    close(fd);
    return fail("listener " + listener.name, "cannot listen on " + listener.host + ":" +
                                                  std::to_string(listener.port) + ": " + reason);
  }
  return fd;
}

// A socket file whose owner is gone may be replaced; one that answers may not.
bool is_stale_socket(const std::string& path) {
  struct stat status{};
  if (lstat(path.c_str(), &status) != 0 || !S_ISSOCK(status.st_mode)) return false;
  const int fd = connect_unix(path);
  if (fd >= 0) {
    close(fd);
    return false;
  }
  return errno == ECONNREFUSED;
}

Result<int> bind_unix(const config::Listener& listener) {
  const std::string where = "listener " + listener.name;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (listener.path.size() >= sizeof address.sun_path) return fail(where, "the socket path is too long");
  std::memcpy(address.sun_path, listener.path.data(), listener.path.size());
  if (is_stale_socket(listener.path)) unlink(listener.path.c_str());
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return fail(where, system_error());
  // Nobody can connect between bind and the right mode and group.
  const mode_t old = umask(0777);
  const bool bound = ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  const std::string reason = bound ? "" : system_error();
  umask(old);
  const auto refuse = [&](const std::string& why) {
    close(fd);
    if (bound) unlink(listener.path.c_str());
    return fail(where, "cannot listen on " + listener.path + ": " + why);
  };
  if (!bound) return refuse(reason);
  if (!listener.group.empty()) {
    const group* entry = getgrnam(listener.group.c_str());
    if (!entry) return refuse("there is no group `" + listener.group + "`");
    if (chown(listener.path.c_str(), static_cast<uid_t>(-1), entry->gr_gid) != 0) return refuse(system_error());
  }
  if (chmod(listener.path.c_str(), listener.mode) != 0) return refuse(system_error());
  if (listen(fd, kBacklog) != 0) return refuse(system_error());
  return fd;
}

void describe_peer(const sockaddr_storage& address, certs::Caller& caller) {
  std::string text(INET6_ADDRSTRLEN, '\0');
  if (address.ss_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(&address);
    inet_ntop(AF_INET, &v4->sin_addr, text.data(), INET6_ADDRSTRLEN);
    caller.port = ntohs(v4->sin_port);
  } else if (address.ss_family == AF_INET6) {
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(&address);
    inet_ntop(AF_INET6, &v6->sin6_addr, text.data(), INET6_ADDRSTRLEN);
    caller.port = ntohs(v6->sin6_port);
  }
  caller.ip = text.c_str();
}
// NOLINTEND(cppcoreguidelines-pro-type-reinterpret-cast)

}  // namespace

Server::Server(config::Gateway gateway, std::function<void(const std::string&)> log)
    : gateway_(std::move(gateway)), log_(std::move(log)) {
  host_.name = host_name();
  host_.version = DOCKREEVE_VERSION;
  host_.boot_id = boot_id();
}

Server::~Server() {
  for (const Bound& bound : bound_) {
    close(bound.fd);
    if (!bound.unlink_path.empty()) unlink(bound.unlink_path.c_str());
  }
}

Result<Server::Bound> Server::bind(const config::Listener& listener) const {
  Result<int> fd = listener.is_unix ? bind_unix(listener) : bind_tcp(listener);
  if (!fd) return tl::unexpected<Error>(fd.error());
  Bound bound;
  bound.fd = *fd;
  if (listener.is_unix) bound.unlink_path = listener.path;
  return bound;
}

void Server::note(std::string_view kind, std::string_view event, std::string_view detail) {
  shared_.audit->write(audit::note_record(host_, kind, event, detail), audit::Sync::Now, {});
}

Result<void> Server::start() {
  raise_file_limit();
  std::vector<std::string> problems;
  std::shared_ptr<const Snapshot> snapshot = load_snapshot(gateway_, next_snapshot_++, problems);
  for (const std::string& problem : problems) log_(problem);
  if (!snapshot) return fail("", "the configuration does not load");

  shared_.host_json = audit::host_json(host_);
  audit::FileOptions options;
  options.path = gateway_.audit.file;
  options.host_json = shared_.host_json;
  if (gateway_.audit.sync == "interval") options.policy = audit::FileOptions::Policy::Interval;
  if (gateway_.audit.sync == "os") options.policy = audit::FileOptions::Policy::Os;
  auto sink = audit::open_file_sink(options);
  if (!sink) return tl::unexpected<Error>(sink.error());
  shared_.audit = *std::move(sink);

  for (const config::Listener& listener : gateway_.listeners) {
    auto bound = bind(listener);
    if (!bound) return tl::unexpected<Error>(bound.error());
    bound_.push_back(*std::move(bound));
  }
  shared_.snapshots.set(snapshot);
  note("gateway", "start", "policy set " + snapshot->evaluator->policies().hash());

  const unsigned cores = std::max(1u, std::thread::hardware_concurrency());
  const std::size_t count = gateway_.threads > 0 ? static_cast<std::size_t>(gateway_.threads) : cores;
  for (std::size_t i = 0; i < count; ++i) {
    loops_.push_back(std::make_unique<Loop>(shared_, gateway_.upstream_path));
    Loop& loop = *loops_.back();
    for (std::size_t j = 0; j < bound_.size(); ++j) {
      const int fd = bound_[j].fd;
      loop.reactor.listen(fd, [this, &loop, j, fd] { accept_some(loop, j, fd); });
    }
  }
  for (const std::unique_ptr<Loop>& loop : loops_) {
    threads_.emplace_back([&reactor = loop->reactor] { reactor.run(); });
  }
  return {};
}

void Server::accept_some(Loop& loop, std::size_t listener, int fd) {
  for (int i = 0; i < kAcceptsPerTurn; ++i) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): the sockets API is made that way
    const int accepted = accept4(fd, reinterpret_cast<sockaddr*>(&address), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (accepted < 0) {
      // Out of descriptors: the listener would be ready again at once, and the loop would spin.
      if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        loop.reactor.unlisten(fd);
        spawn(listen_later(loop, listener, fd));
      }
      return;
    }
    std::shared_ptr<const Snapshot> snapshot = shared_.snapshots.get();
    const config::Listener& from = snapshot->gateway.listeners[listener];
    if (shared_.connections.load(std::memory_order_relaxed) >= snapshot->gateway.limits.max_connections ||
        shared_.draining.load(std::memory_order_relaxed)) {
      close(accepted);
      continue;
    }
    certs::Caller caller;
    caller.listener = from.name;
    std::unique_ptr<Stream> stream;
    try {
      if (from.is_unix) {
        caller.transport = certs::Transport::Unix;
        stream = std::make_unique<Stream>(loop.reactor, accepted);
      } else {
        describe_peer(address, caller);
        const int on = 1;
        setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        setsockopt(accepted, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
        stream = std::make_unique<Stream>(loop.reactor, accepted, snapshot->tls[listener]->native());
      }
    } catch (const std::exception&) {
      // No memory or no epoll slot for one more: the Stream has closed the descriptor.
      continue;
    }
    spawn(run_session(std::make_unique<Session>(loop, std::move(stream), listener, std::move(caller), std::move(snapshot))));
  }
}

Task<void> Server::listen_later(Loop& loop, std::size_t listener, int fd) {
  loop.reactor.hold();
  Reactor::Sleep pause = loop.reactor.sleep_until(loop.reactor.now() + kAcceptPause);
  co_await pause;
  if (!shared_.draining) {
    loop.reactor.listen(fd, [this, &loop, listener, fd] { accept_some(loop, listener, fd); });
  }
  loop.reactor.release();
}

bool Server::reload() {
  std::vector<std::string> problems;
  std::shared_ptr<const Snapshot> next = load_snapshot(gateway_, next_snapshot_++, problems);
  std::string detail;
  for (const std::string& problem : problems) {
    log_(problem);
    detail.append(problem).append("\n");
  }
  if (!next) {
    log_("reload failed: the configuration in force stays");
    note("policy", "reload-failed", detail);
    return false;
  }
  const std::string hash = next->evaluator->policies().hash();
  shared_.snapshots.set(std::move(next));
  log_("reloaded: policy set " + hash);
  note("policy", "reloaded", "policy set " + hash);
  return true;
}

void Server::reopen_audit() { shared_.audit->reopen(); }

void Server::stop(const std::function<bool()>& hurry) {
  using Clock = std::chrono::steady_clock;
  constexpr std::chrono::milliseconds kPoll{20};
  shared_.draining = true;
  for (const std::unique_ptr<Loop>& loop : loops_) {
    Loop* raw = loop.get();
    raw->reactor.post([this, raw] {
      for (const Bound& bound : bound_) raw->reactor.unlisten(bound.fd);
      for (Session* session : raw->sessions) session->drain();
    });
  }
  // Whoever comes now is turned away at once instead of waiting in the backlog. The descriptors stay
  // open until the loops have let go of them.
  for (Bound& bound : bound_) {
    shutdown(bound.fd, SHUT_RDWR);
    if (!bound.unlink_path.empty()) unlink(bound.unlink_path.c_str());
    bound.unlink_path.clear();
  }
  const Clock::time_point until = Clock::now() + gateway_.limits.drain_timeout;
  while (shared_.connections.load() > 0 && Clock::now() < until && !hurry()) {
    std::this_thread::sleep_for(kPoll);
  }
  if (shared_.connections.load() > 0) {
    log_("cutting " + std::to_string(shared_.connections.load()) + " connections that did not end in time");
  }
  for (const std::unique_ptr<Loop>& loop : loops_) {
    Loop* raw = loop.get();
    raw->reactor.post([raw] {
      for (Session* session : raw->sessions) session->cancel();
      raw->upstream.drop_idle();
    });
    raw->reactor.stop();
  }
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
  loops_.clear();
  if (shared_.audit) {
    note("gateway", "stop", "");
    shared_.audit->flush();
  }
}

Server::Stats Server::stats() const {
  return {shared_.connections.load(), shared_.audit ? shared_.audit->stats() : audit::Stats{}};
}

}  // namespace dockreeve::proxy
