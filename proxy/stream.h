// A byte stream over a non-blocking socket, plain or TLS, with a half-close that works on both.
//
// OpenSSL runs directly on the descriptor through a BIO of ours: no second copy of the data, no
// buffers kept while idle, MSG_NOSIGNAL on every write, and the readiness of the socket is learnt
// from the very calls OpenSSL makes (docs/adr/0002).
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <openssl/ssl.h>

#include "proxy/reactor.h"
#include "proxy/task.h"

namespace dockreeve::proxy {

enum class Io : std::uint8_t {
  Ok,        // `size` bytes were moved, at least one
  Again,     // would block
  Eof,       // the peer closed its sending side in order (FIN, or close_notify)
  Broken,    // reset, TLS error, FIN without close_notify
  Timeout,   // deadline passed
  Cancelled  // the gateway is shutting the stream down
};

struct IoResult {
  Io status = Io::Ok;
  std::size_t size = 0;
  bool ok() const { return status == Io::Ok; }
};

// Owns the fd and, for TLS, the SSL. One reader and one writer at a time, on the reactor's thread.
class Stream {
 public:
  Stream(Reactor& reactor, int fd);                 // plain
  Stream(Reactor& reactor, int fd, SSL_CTX* context);  // TLS server side; call handshake() first
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  Task<Io> handshake(Millis deadline);

  // One attempt, never waits.
  IoResult try_read(char* data, std::size_t size);
  IoResult try_write(const char* data, std::size_t size);

  // Waits for at least one byte. Reads into data only once the socket has some.
  Task<IoResult> read_some(char* data, std::size_t size, Millis deadline);
  // Everything or a failure. `data` must stay valid; reactor scratch memory must not be passed.
  Task<Io> write_all(std::string_view data, Millis deadline);

  // close_notify or SHUT_WR: our sending side ends, reading goes on.
  Task<Io> close_write(Millis deadline);

  // True when try_read may give something without an event first.
  bool may_read() const { return descriptor_.read_ready || (ssl_ && SSL_pending(ssl_.get()) > 0); }
  void cancel() { descriptor_.cancel(); }
  Descriptor& descriptor() { return descriptor_; }
  SSL* ssl() const { return ssl_.get(); }
  Reactor& reactor() { return descriptor_.reactor(); }
  // The TLS library's reason for the last Broken, or "".
  const std::string& failure() const { return failure_; }

 private:
  struct SslFree {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };
  struct OwnedFd {
    int fd;
    ~OwnedFd();
  };
  IoResult ssl_result(int code);
  OwnedFd fd_;
  Descriptor descriptor_;
  std::unique_ptr<SSL, SslFree> ssl_;
  std::string failure_;
  Direction wanted_ = Direction::Read;  // what the last Again waits for
};

// Connects to a unix socket; -1 and errno when that fails, EAGAIN when the backlog is full.
int connect_unix(const std::string& path);

}  // namespace dockreeve::proxy
