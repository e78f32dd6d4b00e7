#include "proxy/stream.h"

#include <cerrno>
#include <cstring>
#include <new>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace dockreeve::proxy {
namespace {

static_assert(EAGAIN == EWOULDBLOCK);

// recv() that keeps the descriptor's readiness up to date: less than asked for means that the
// socket is empty and the next byte will raise an edge.
ssize_t receive(Descriptor& descriptor, char* data, std::size_t size) {
  ssize_t got;
  do {
    got = recv(descriptor.fd(), data, size, 0);
  } while (got < 0 && errno == EINTR);
  if (got < 0 && errno == EAGAIN) {
    descriptor.read_ready = false;
  } else if (got > 0 && static_cast<std::size_t>(got) < size && !descriptor.hung_up) {
    descriptor.read_ready = false;
  }
  return got;
}

ssize_t transmit(Descriptor& descriptor, const char* data, std::size_t size) {
  ssize_t sent;
  do {
    sent = send(descriptor.fd(), data, size, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  if ((sent < 0 && errno == EAGAIN) ||
      (sent >= 0 && static_cast<std::size_t>(sent) < size)) {
    descriptor.write_ready = false;
  }
  return sent;
}

Descriptor* owner(BIO* bio) { return static_cast<Descriptor*>(BIO_get_data(bio)); }

int bio_read(BIO* bio, char* data, int size) {
  BIO_clear_retry_flags(bio);
  Descriptor* descriptor = owner(bio);
  if (!descriptor->read_ready) {
    BIO_set_retry_read(bio);
    return -1;
  }
  const ssize_t got = receive(*descriptor, data, static_cast<std::size_t>(size));
  if (got < 0 && errno == EAGAIN) BIO_set_retry_read(bio);
  if (got == 0) BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
  return static_cast<int>(got);
}

int bio_write(BIO* bio, const char* data, int size) {
  BIO_clear_retry_flags(bio);
  const ssize_t sent = transmit(*owner(bio), data, static_cast<std::size_t>(size));
  if (sent < 0 && errno == EAGAIN) BIO_set_retry_write(bio);
  return static_cast<int>(sent);
}

long bio_control(BIO* bio, int command, long, void*) {
  if (command == BIO_CTRL_FLUSH) return 1;
  if (command == BIO_CTRL_EOF) return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0;
  return 0;
}

int bio_create(BIO* bio) {
  BIO_set_init(bio, 1);
  return 1;
}

BIO_METHOD* socket_method() {
  static BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "dockreeve socket");
    BIO_meth_set_read(made, bio_read);
    BIO_meth_set_write(made, bio_write);
    BIO_meth_set_ctrl(made, bio_control);
    BIO_meth_set_create(made, bio_create);
    return made;
  }();
  return method;
}

Io from_wake(Wake wake) { return wake == Wake::Timeout ? Io::Timeout : Io::Cancelled; }

}  // namespace

Stream::OwnedFd::~OwnedFd() { close(fd); }

Stream::Stream(Reactor& reactor, int fd) : fd_{fd}, descriptor_(reactor, fd) {}

Stream::Stream(Reactor& reactor, int fd, SSL_CTX* context)
    : fd_{fd}, descriptor_(reactor, fd), ssl_(SSL_new(context)) {
  BIO* bio = ssl_ ? BIO_new(socket_method()) : nullptr;
  if (!bio) throw std::bad_alloc();
  BIO_set_data(bio, &descriptor_);
  SSL_set_bio(ssl_.get(), bio, bio);
  SSL_set_accept_state(ssl_.get());
}

Stream::~Stream() = default;

IoResult Stream::ssl_result(int code) {
  switch (SSL_get_error(ssl_.get(), code)) {
    case SSL_ERROR_WANT_READ:
      wanted_ = Direction::Read;
      return {Io::Again};
    case SSL_ERROR_WANT_WRITE:
      wanted_ = Direction::Write;
      return {Io::Again};
    case SSL_ERROR_ZERO_RETURN:
      return {Io::Eof};
    default: {
      const unsigned long error = ERR_peek_error();
      const char* reason = error ? ERR_reason_error_string(error) : nullptr;
      failure_ = reason ? reason : "connection lost";
      ERR_clear_error();
      return {Io::Broken};
    }
  }
}

IoResult Stream::try_read(char* data, std::size_t size) {
  if (ssl_) {
    ERR_clear_error();
    std::size_t got = 0;
    const int code = SSL_read_ex(ssl_.get(), data, size, &got);
    if (code > 0) return {Io::Ok, got};
    return ssl_result(code);
  }
  wanted_ = Direction::Read;
  if (!descriptor_.read_ready) return {Io::Again};
  const ssize_t got = receive(descriptor_, data, size);
  if (got > 0) return {Io::Ok, static_cast<std::size_t>(got)};
  if (got == 0) return {Io::Eof};
  return {errno == EAGAIN ? Io::Again : Io::Broken};
}

IoResult Stream::try_write(const char* data, std::size_t size) {
  if (ssl_) {
    ERR_clear_error();
    std::size_t sent = 0;
    const int code = SSL_write_ex(ssl_.get(), data, size, &sent);
    if (code > 0) return {Io::Ok, sent};
    return ssl_result(code);
  }
  wanted_ = Direction::Write;
  const ssize_t sent = transmit(descriptor_, data, size);
  if (sent >= 0) return {Io::Ok, static_cast<std::size_t>(sent)};
  return {errno == EAGAIN ? Io::Again : Io::Broken};
}

Task<Io> Stream::handshake(Millis deadline) {
  for (;;) {
    ERR_clear_error();
    const int code = SSL_do_handshake(ssl_.get());
    if (code == 1) co_return Io::Ok;
    const IoResult result = ssl_result(code);
    if (result.status != Io::Again) co_return Io::Broken;
    ReadyAwaiter ready(descriptor_, wanted_, deadline);
    const Wake wake = co_await ready;
    if (wake != Wake::Ready) co_return from_wake(wake);
  }
}

Task<IoResult> Stream::read_some(char* data, std::size_t size, Millis deadline) {
  for (;;) {
    const IoResult result = try_read(data, size);
    if (result.status != Io::Again) co_return result;
    ReadyAwaiter ready(descriptor_, wanted_, deadline);
    const Wake wake = co_await ready;
    if (wake != Wake::Ready) co_return IoResult{from_wake(wake)};
  }
}

Task<Io> Stream::write_all(std::string_view data, Millis deadline) {
  while (!data.empty()) {
    const IoResult result = try_write(data.data(), data.size());
    if (result.ok()) {
      data.remove_prefix(result.size);
      continue;
    }
    if (result.status != Io::Again) co_return Io::Broken;
    ReadyAwaiter ready(descriptor_, wanted_, deadline);
    const Wake wake = co_await ready;
    if (wake != Wake::Ready) co_return from_wake(wake);
  }
  co_return Io::Ok;
}

Task<Io> Stream::close_write(Millis deadline) {
  if (!ssl_) {
    shutdown(descriptor_.fd(), SHUT_WR);
    co_return Io::Ok;
  }
  for (;;) {
    ERR_clear_error();
    // 0: our close_notify is out, the peer's is not in yet; that is all we want.
    const int code = SSL_shutdown(ssl_.get());
    if (code >= 0) co_return Io::Ok;
    const IoResult result = ssl_result(code);
    if (result.status != Io::Again || wanted_ == Direction::Read) co_return Io::Ok;
    ReadyAwaiter ready(descriptor_, wanted_, deadline);
    const Wake wake = co_await ready;
    if (wake != Wake::Ready) co_return from_wake(wake);
  }
}

int connect_unix(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    errno = ENAMETOOLONG;
    return -1;
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): the sockets API is made that way
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return fd;
  const int error = errno;
  close(fd);
  errno = error;
  return -1;
}

}  // namespace dockreeve::proxy
