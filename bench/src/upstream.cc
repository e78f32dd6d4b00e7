// A stand-in for the Docker engine on a unix socket: canned answers, one thread, so cheap that the
// proxy in front of it is what a benchmark measures.
//
//   bench_upstream SOCKET
//
// Any /vX.Y prefix is accepted. What it answers: _ping, version, info; the container list (12 KB,
// chunked as Go's net/http frames it); container create (201 after the whole body), inspect of
// containers, images, networks, execs; archive GET (a chunked tar of N MiB for a container named
// mibN, of one MiB otherwise), HEAD and PUT (swallows the body); attach and exec start with an
// Upgrade header (101, then echo). Anything else is 404 in the engine's words. GET /bench/stats
// tells how many connections and requests there have been.
#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <signal.h>
#include <string>
#include <string_view>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <vector>

#include "bench/src/canned_answers.h"

namespace bench {
namespace {

enum class Mode : std::uint8_t { Head, Length, Chunked, Download, Echo };

struct Connection {
  int fd = -1;
  Mode mode = Mode::Head;
  bool watches_write = false;
  std::string in, out;
  std::size_t out_at = 0;
  const std::string* pending = nullptr;  // the answer that waits for the end of the request body
  std::uint64_t left = 0;                // bytes of the body or chunk still to come
  bool in_chunk = false, last_chunk = false;
  std::uint64_t mebibytes = 0;  // of a download still to send
  std::size_t block_at = 0;
};

struct Head {
  std::string_view method, path;
  std::uint64_t length = 0;
  bool chunked = false, upgrade = false;
};

class Upstream {
 public:
  explicit Upstream(bool many) : answers_(many) {}
  int serve(const char* path);

 private:
  void accept_all(int listener);
  void readable(Connection* c);
  bool write_out(Connection* c);  // false: the connection is gone
  bool consume(Connection* c);
  bool read_body(Connection* c);  // false: more bytes are needed
  void answer_request(Connection* c, const Head& head);
  const std::string* choose(Connection* c, const Head& head, Mode& next);
  void watch(Connection* c, bool write);
  static void drop(Connection* c);

  CannedAnswers answers_;
  std::string stats_;
  std::uint64_t connections_ = 0, requests_ = 0;
  int epoll_ = -1;
  std::vector<char> buffer_ = std::vector<char>(256 * 1024);
};

bool is_header(std::string_view line, std::string_view name) {
  return line.size() > name.size() && line[name.size()] == ':' &&
         strncasecmp(line.data(), name.data(), name.size()) == 0;
}

bool parse_head(std::string_view text, Head& head) {
  const std::size_t first = text.find(' ');
  const std::size_t second = text.find(' ', first + 1);
  if (first == std::string_view::npos || second == std::string_view::npos) {
    return false;
  }
  head.method = text.substr(0, first);
  head.path = text.substr(first + 1, second - first - 1);
  head.path = head.path.substr(0, head.path.find('?'));
  if (head.path.size() > 2 && head.path.substr(0, 2) == "/v" && head.path[2] >= '0' &&
      head.path[2] <= '9') {
    const std::size_t slash = head.path.find('/', 1);
    head.path = slash == std::string_view::npos ? std::string_view("/") : head.path.substr(slash);
  }
  for (std::size_t at = text.find("\r\n"); at + 2 < text.size();) {
    const std::size_t end = text.find("\r\n", at + 2);
    const std::string_view line = text.substr(at + 2, end - at - 2);
    if (is_header(line, "content-length")) {
      const char* digits = line.data() + line.find_first_of("0123456789", 15);
      std::from_chars(digits, line.data() + line.size(), head.length);
    } else if (is_header(line, "transfer-encoding")) {
      head.chunked = true;
    } else if (is_header(line, "upgrade")) {
      head.upgrade = true;
    }
    at = end;
  }
  return true;
}

void Upstream::watch(Connection* c, bool write) {
  if (c->watches_write != write) {
    c->watches_write = write;
    epoll_event event{};
    event.events = write ? EPOLLIN | EPOLLOUT : EPOLLIN;
    event.data.ptr = c;
    epoll_ctl(epoll_, EPOLL_CTL_MOD, c->fd, &event);
  }
}

void Upstream::drop(Connection* c) {
  close(c->fd);
  delete c;
}

bool Upstream::write_out(Connection* c) {
  for (;;) {
    const bool block = c->out_at == c->out.size();
    if (block && c->mode != Mode::Download) {
      break;
    }
    if (block && c->mebibytes == 0) {
      c->mode = Mode::Head;
      c->out = "0\r\n\r\n";
      c->out_at = 0;
      continue;
    }
    const std::string& from = block ? answers_.mebibyte : c->out;
    std::size_t& at = block ? c->block_at : c->out_at;
    const ssize_t sent = send(c->fd, from.data() + at, from.size() - at, MSG_NOSIGNAL);
    if (sent < 0) {
      if (errno == EAGAIN) {
        watch(c, true);
        return true;
      }
      drop(c);
      return false;
    }
    at += static_cast<std::size_t>(sent);
    if (block && at == from.size()) {
      at = 0;
      --c->mebibytes;
    }
  }
  c->out.clear();
  c->out_at = 0;
  watch(c, false);
  return true;
}

const std::string* Upstream::choose(Connection* c, const Head& head, Mode& next) {
  const std::string_view path = head.path;
  const bool get = head.method == "GET";
  const bool post = head.method == "POST";
  if (path == "/_ping") {
    return head.method == "HEAD" ? &answers_.ping_head : &answers_.ping;
  }
  if (path == "/containers/json" && get) {
    return &answers_.list;
  }
  if (path == "/containers/create" && post) {
    return &answers_.created;
  }
  if (path == "/version" && get) {
    return &answers_.version;
  }
  if (path == "/info" && get) {
    return &answers_.info;
  }
  if (path == "/bench/stats") {
    stats_ = json_answer("200 OK", "{\"connections\":" + std::to_string(connections_) +
                                       ",\"requests\":" + std::to_string(requests_) + "}\n");
    return &stats_;
  }
  if (path.starts_with("/images/") && path.ends_with("/json") && get) {
    return &answers_.image;
  }
  if (path.starts_with("/networks/") && get) {
    return &answers_.network;
  }
  if (path.starts_with("/exec/")) {
    if (path.ends_with("/json") && get) {
      return &answers_.exec;
    }
    if (path.ends_with("/start") && post && head.upgrade) {
      next = Mode::Echo;
      return &answers_.upgraded;
    }
  }
  if (!path.starts_with("/containers/")) {
    return &answers_.not_found;
  }
  if (path.ends_with("/json") && get) {
    return &answers_.container;
  }
  if (path.ends_with("/exec") && post) {
    return &answers_.exec_created;
  }
  if (path.ends_with("/attach") && post && head.upgrade) {
    next = Mode::Echo;
    return &answers_.upgraded;
  }
  if (path.ends_with("/archive")) {
    if (head.method == "HEAD") {
      return &answers_.archive_stat;
    }
    if (head.method == "PUT") {
      return &answers_.empty;
    }
    next = Mode::Download;
    c->mebibytes = 1;
    const std::string_view id = path.substr(std::strlen("/containers/"));
    if (id.starts_with("mib")) {
      std::from_chars(id.data() + 3, id.data() + id.size(), c->mebibytes);
    }
    return &answers_.archive;
  }
  return &answers_.not_found;
}

void Upstream::answer_request(Connection* c, const Head& head) {
  ++requests_;
  Mode next = Mode::Head;
  const std::string* reply = choose(c, head, next);
  if (next == Mode::Head && (head.chunked || head.length > 0)) {
    c->pending = reply;
    c->left = head.chunked ? 0 : head.length;
    c->in_chunk = false;
    c->last_chunk = false;
    c->mode = head.chunked ? Mode::Chunked : Mode::Length;
  } else {
    c->out += *reply;
    c->mode = next;
  }
}

bool Upstream::read_body(Connection* c) {
  std::size_t at = 0;
  bool ended = false;
  while (!ended) {
    if (c->left > 0) {
      const auto part =
          static_cast<std::size_t>(std::min<std::uint64_t>(c->left, c->in.size() - at));
      at += part;
      c->left -= part;
      if (c->left > 0) {
        break;
      }
    }
    if (c->mode == Mode::Length) {
      ended = true;
      break;
    }
    // A line of chunk framing: the end of the chunk before, a size, or the empty line that ends
    // all.
    const std::size_t newline = c->in.find('\n', at);
    if (newline == std::string::npos) {
      break;
    }
    const bool is_empty = newline - at <= 1;
    if (c->in_chunk) {
      c->in_chunk = false;
    } else if (c->last_chunk) {
      ended = is_empty;
    } else {
      std::from_chars(c->in.data() + at, c->in.data() + newline, c->left, 16);
      c->in_chunk = c->left > 0;
      c->last_chunk = c->left == 0;
    }
    at = newline + 1;
  }
  c->in.erase(0, at);
  return ended;
}

bool Upstream::consume(Connection* c) {
  while (!c->in.empty()) {
    switch (c->mode) {
      case Mode::Echo:
        c->out += c->in;
        c->in.clear();
        break;
      case Mode::Download:
        return true;  // a pipelined request would wait here
      case Mode::Length:
      case Mode::Chunked:
        if (!read_body(c)) {
          return true;
        }
        c->out += *c->pending;
        c->mode = Mode::Head;
        break;
      case Mode::Head: {
        const std::size_t end = c->in.find("\r\n\r\n");
        if (end == std::string::npos) {
          return true;
        }
        Head head;
        if (!parse_head(std::string_view(c->in).substr(0, end + 2), head)) {
          drop(c);
          return false;
        }
        answer_request(c, head);
        c->in.erase(0, end + 4);
        break;
      }
    }
  }
  return true;
}

void Upstream::readable(Connection* c) {
  const ssize_t received = recv(c->fd, buffer_.data(), buffer_.size(), 0);
  if (received <= 0) {
    if (received == 0 || errno != EAGAIN) {
      drop(c);
    }
    return;
  }
  auto size = static_cast<std::size_t>(received);
  if (c->in.empty() && c->left > size && (c->mode == Mode::Length || c->mode == Mode::Chunked)) {
    c->left -= size;  // the inside of a big body is not looked at
    return;
  }
  c->in.append(buffer_.data(), size);
  if (consume(c) && (!c->out.empty() || c->mode == Mode::Download)) {
    write_out(c);
  }
}

void Upstream::accept_all(int listener) {
  for (;;) {
    const int fd = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      return;
    }
    ++connections_;
    auto* c = new Connection;  // owned by its descriptor; drop() ends both
    c->fd = fd;
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = c;
    epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
  }
}

int Upstream::serve(const char* path) {
  const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (std::strlen(path) >= sizeof address.sun_path) {
    std::fprintf(stderr, "bench_upstream: %s is too long for a unix socket\n", path);
    return 1;
  }
  std::memcpy(address.sun_path, path, std::strlen(path));
  unlink(path);
  if (bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      listen(listener, 4096) != 0 || chmod(path, 0666) != 0) {
    std::perror("bench_upstream");
    return 1;
  }
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  epoll_event event{};
  event.events = EPOLLIN;
  epoll_ctl(epoll_, EPOLL_CTL_ADD, listener, &event);
  epoll_event events[256];
  for (;;) {
    const int count = epoll_wait(epoll_, events, 256, -1);
    for (int i = 0; i < count; ++i) {
      auto* c = static_cast<Connection*>(events[i].data.ptr);
      if (c == nullptr) {
        accept_all(listener);
      } else if ((events[i].events & EPOLLOUT) == 0 || write_out(c)) {
        if ((events[i].events & ~static_cast<std::uint32_t>(EPOLLOUT)) != 0) {
          readable(c);
        }
      }
    }
  }
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  const bool many = argc == 3 && std::string_view(argv[2]) == "--many";
  if (argc != 2 && !many) {
    std::fprintf(stderr, "usage: bench_upstream SOCKET [--many]\n");
    return 2;
  }
  signal(SIGPIPE, SIG_IGN);
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
  }
  return bench::Upstream(many).serve(argv[1]);
}
