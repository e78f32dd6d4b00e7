// See load.h.
#include "bench/src/load.h"

#include <openssl/err.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <fstream>
#include <netinet/tcp.h>
#include <stdexcept>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace bench {
namespace {

constexpr int kStepsPerTurn = 32;          // one busy connection must not starve the others
constexpr std::size_t kChunk = 32 * 1024;  // what Go's net/http makes of an upload
constexpr std::size_t kChunksPerBlock = 8;
constexpr std::string_view kEcho = "echo\n";

}  // namespace

std::int64_t now_ns() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

Load::Load(std::string mode, const Options& options) : mode_(std::move(mode)), options_(options) {
  address_.sin_family = AF_INET;
  address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address_.sin_port = htons(static_cast<std::uint16_t>(options.number("--to", 0)));
  expected_status_ = static_cast<int>(options.number("--expect", mode_ == "hijack" ? 101 : 200));
  connections_.resize(static_cast<std::size_t>(options.number("--conns", 1)) + 1);
  connections_.back().is_side = true;

  context_ = SSL_CTX_new(TLS_client_method());
  const std::string certificate = options.text("--cert");
  if (context_ == nullptr || SSL_CTX_set_min_proto_version(context_, TLS1_3_VERSION) != 1 ||
      SSL_CTX_set_ciphersuites(context_, "TLS_AES_128_GCM_SHA256") != 1 ||
      SSL_CTX_use_certificate_chain_file(context_, certificate.c_str()) != 1 ||
      SSL_CTX_use_PrivateKey_file(context_, options.text("--key").c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_load_verify_file(context_, options.text("--ca").c_str()) != 1) {
    throw std::runtime_error("TLS set-up failed: certificate, key or CA");
  }
  SSL_CTX_set_verify(context_, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_session_cache_mode(context_, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(context_, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                 (holds() ? SSL_MODE_RELEASE_BUFFERS : 0));
  SSL_CTX_set_read_ahead(context_, holds() ? 0 : 1);

  std::string body;
  if (const std::string file = options.text("--body"); !file.empty()) {
    std::ostringstream text;
    text << std::ifstream(file).rdbuf();
    body = text.str();
  }
  const std::string common =
      " HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: Docker-Client/28.2.2 (linux)\r\n";
  const std::string path = options.text("--path", "/v1.41/_ping");
  request_ = options.text("--method", "GET") + " " + path + common;
  side_request_ = "GET /v1.41/_ping" + common + "\r\n";
  if (mode_ == "up") {
    upload_size_ = static_cast<std::uint64_t>(options.number("--size", 1 << 30));
    request_ += "Content-Type: application/x-tar\r\nTransfer-Encoding: chunked\r\n\r\n";
    std::string data(kChunk, '\0');
    for (std::size_t i = 0; i < data.size(); ++i) {
      data[i] = static_cast<char>((i * 2654435761U) >> 11);
    }
    for (std::size_t i = 0; i < kChunksPerBlock; ++i) {
      block_ += "8000\r\n" + data + "\r\n";
    }
  } else if (mode_ == "hijack") {
    request_ += "Connection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 0\r\n\r\n";
  } else if (!body.empty()) {
    request_ += "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
                "\r\n\r\n" + body;
  } else {
    request_ += "\r\n";
  }
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  samples_.reserve(1 << 20);
}

Load::~Load() {
  for (Connection& c : connections_) {
    close(c);
  }
  ::close(epoll_);
  SSL_CTX_free(context_);
}

void Load::open(Connection& c) {
  c.started = now_ns();
  c.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (c.fd < 0) {
    fail(c, "socket: too many open files?");
    return;
  }
  const int on = 1;
  setsockopt(c.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (connect(c.fd, reinterpret_cast<const sockaddr*>(&address_), sizeof address_) != 0 &&
      errno != EINPROGRESS) {
    fail(c, "connect");
    return;
  }
  c.ssl = SSL_new(context_);
  SSL_set_fd(c.ssl, c.fd);
  SSL_set_connect_state(c.ssl);
  c.phase = Phase::Connecting;
  c.watches_write = true;
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT;
  event.data.u32 = static_cast<std::uint32_t>(&c - connections_.data());
  epoll_ctl(epoll_, EPOLL_CTL_ADD, c.fd, &event);
}

void Load::close(Connection& c) {
  if (c.ssl != nullptr) {
    if (c.phase != Phase::Connecting && c.phase != Phase::Handshaking) {
      SSL_shutdown(c.ssl);
    }
    SSL_free(c.ssl);
    c.ssl = nullptr;
  }
  if (c.fd >= 0) {
    ::close(c.fd);
    c.fd = -1;
  }
  c.phase = Phase::Closed;
}

void Load::fail(Connection& c, const char* why) {
  ++failures_;
  if (first_failure_.empty()) {
    first_failure_ = why;
  }
  if (c.phase == Phase::Held || c.phase == Phase::Echoing) {
    --held_;
  }
  if (c.ssl != nullptr) {
    SSL_set_quiet_shutdown(c.ssl, 1);
  }
  close(c);
  if (holds()) {
    if (!c.is_side && failures_ < kMostFailures && next_to_open_ < connections_.size() - 1) {
      open(connections_[next_to_open_++]);
    }
  } else if (!over_ && failures_ < kMostFailures) {
    open(c);
  }
}

void Load::watch(Connection& c, bool write) {
  if (c.watches_write == write) {
    return;
  }
  c.watches_write = write;
  epoll_event event{};
  event.events = write ? EPOLLIN | EPOLLOUT : EPOLLIN;
  event.data.u32 = static_cast<std::uint32_t>(&c - connections_.data());
  epoll_ctl(epoll_, EPOLL_CTL_MOD, c.fd, &event);
}

void Load::begin_request(Connection& c) {
  if (mode_ != "connect") {
    c.started = now_ns();
  }
  c.sent = 0;
  c.block_at = 0;
  c.upload_left = c.is_side ? 0 : upload_size_;
  c.reply.reset(false);
  c.phase = Phase::Sending;
}

std::string_view Load::next_to_send(const Connection& c) const {
  constexpr std::string_view kLastChunk = "0\r\n\r\n";
  if (c.phase == Phase::Echoing) {
    return kEcho.substr(c.sent);
  }
  const std::string& request = c.is_side ? side_request_ : request_;
  if (c.sent < request.size()) {
    return std::string_view(request).substr(c.sent);
  }
  if (c.is_side || upload_size_ == 0) {
    return {};
  }
  return c.upload_left > 0 ? std::string_view(block_).substr(c.block_at)
                           : kLastChunk.substr(c.sent - request.size());
}

void Load::sent_some(Connection& c, std::size_t count) {
  if (c.phase == Phase::Echoing || c.is_side || c.upload_left == 0 || c.sent < request_.size()) {
    c.sent += count;
    return;
  }
  bytes_ += measuring_ ? count : 0;
  c.block_at += count;
  if (c.block_at == block_.size()) {
    c.block_at = 0;
    c.upload_left -= std::min<std::uint64_t>(c.upload_left, kChunk * kChunksPerBlock);
  }
}

// After a call of OpenSSL that did not succeed: waits for the socket, or gives the connection up.
void Load::wait_or_fail(Connection& c, int result, const char* what) {
  switch (SSL_get_error(c.ssl, result)) {
    case SSL_ERROR_WANT_READ:
      watch(c, false);
      return;
    case SSL_ERROR_WANT_WRITE:
      watch(c, true);
      return;
    default:
      fail(c, what);
  }
}

void Load::step(Connection& c) {
  for (int i = 0; i < kStepsPerTurn; ++i) {
    if (c.phase == Phase::Closed) {
      return;
    }
    if (c.phase == Phase::Connecting) {
      int error = 0;
      socklen_t size = sizeof error;
      getsockopt(c.fd, SOL_SOCKET, SO_ERROR, &error, &size);
      if (error != 0) {
        fail(c, "connect");
        return;
      }
      c.phase = Phase::Handshaking;
    }
    ERR_clear_error();
    if (c.phase == Phase::Handshaking) {
      const int result = SSL_do_handshake(c.ssl);
      if (result != 1) {
        wait_or_fail(c, result, "TLS handshake");
        return;
      }
      if (tls_.empty()) {
        tls_ = std::string(SSL_get_version(c.ssl)) + " " + SSL_get_cipher_name(c.ssl);
      }
      begin_request(c);
    }
    if (c.phase == Phase::Sending || (c.phase == Phase::Echoing && c.sent < kEcho.size())) {
      const std::string_view piece = next_to_send(c);
      if (!piece.empty()) {
        const int result = SSL_write(c.ssl, piece.data(), static_cast<int>(piece.size()));
        if (result <= 0) {
          wait_or_fail(c, result, "cut off while sending");
          return;
        }
        sent_some(c, static_cast<std::size_t>(result));
        continue;
      }
      c.phase = Phase::Receiving;
    }
    const int result = SSL_read(c.ssl, buffer_.data(), static_cast<int>(buffer_.size()));
    if (result <= 0) {
      wait_or_fail(c, result, "cut off while receiving");
      return;
    }
    received(c, {buffer_.data(), static_cast<std::size_t>(result)});
  }
  // Epoll stays silent about bytes that OpenSSL has already read.
  if (c.phase != Phase::Closed && !c.queued) {
    c.queued = true;
    again_.push_back(static_cast<std::uint32_t>(&c - connections_.data()));
  }
}

void Load::received(Connection& c, std::string_view bytes) {
  if (c.phase == Phase::Echoing) {
    c.echoed += bytes.size();
    if (c.echoed >= kEcho.size()) {
      c.phase = Phase::Held;
      ++rechecked_;
    }
    return;
  }
  const std::uint64_t before = c.reply.body_bytes();
  const std::size_t used = c.phase == Phase::Receiving ? c.reply.feed(bytes) : 0;
  if (measuring_ && mode_ == "down") {
    bytes_ += c.reply.body_bytes() - before;
  }
  if (used != bytes.size() || c.reply.bad()) {
    fail(c, "bytes that belong to no answer");
  } else if (c.reply.done() || c.reply.upgraded()) {
    on_reply(c);
  }
}

void Load::on_reply(Connection& c) {
  last_status_ = c.reply.status();
  if (last_status_ != (c.is_side ? 200 : expected_status_)) {
    ++wrong_status_;
  }
  const auto microseconds = static_cast<float>(now_ns() - c.started) / 1000;
  if (c.is_side) {
    side_samples_->push_back(microseconds);
    if (--side_left_ > 0) {
      begin_request(c);
    } else {
      close(c);
    }
    return;
  }
  if (holds()) {
    if (mode_ == "idle" && next_to_open_ == connections_.size() && c.sent > 0) {
      ++rechecked_;
    }
    c.phase = Phase::Held;
    ++held_;
    watch(c, false);
    if (next_to_open_ < connections_.size() - 1) {
      open(connections_[next_to_open_++]);
    }
    return;
  }
  if (measuring_) {
    samples_.push_back(microseconds);
  }
  if (over_) {
    close(c);
  } else if (mode_ == "connect" || c.reply.closes()) {
    close(c);
    open(c);
  } else {
    begin_request(c);
  }
}

void Load::turn(std::int64_t until) {
  std::vector<std::uint32_t> queued;
  queued.swap(again_);
  for (const std::uint32_t index : queued) {
    connections_[index].queued = false;
    step(connections_[index]);
  }
  const std::int64_t left = std::clamp<std::int64_t>((until - now_ns()) / 1'000'000 + 1, 0, 50);
  epoll_event events[256];
  const int count = epoll_wait(epoll_, events, 256, again_.empty() ? static_cast<int>(left) : 0);
  for (int i = 0; i < count; ++i) {
    step(connections_[events[i].data.u32]);
  }
}

}  // namespace bench
