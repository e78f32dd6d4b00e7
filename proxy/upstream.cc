#include "proxy/upstream.h"

#include "proxy/relay.h"

#include <cerrno>
#include <charconv>
#include <cstring>

namespace dockreeve::proxy {
namespace {

constexpr std::size_t kMaxResponseHead = 64 * 1024;
constexpr std::size_t kMaxLookupBody = 4 * 1024 * 1024;
constexpr Millis kConnectRetry = 10;

}  // namespace

Task<Upstream::Lease> Upstream::lease(bool fresh, Millis deadline) {
  Lease lease;
  while (!fresh && !idle_.empty()) {
    lease.stream = std::move(idle_.back());
    idle_.pop_back();
    // Anything that happened on an idle connection means that the engine is done with it.
    if (!lease.stream->descriptor().hung_up && !lease.stream->descriptor().read_ready) {
      lease.reused = true;
      co_return lease;
    }
    lease.stream.reset();
  }
  for (;;) {
    const int fd = connect_unix(path_);
    if (fd >= 0) {
      lease.stream = std::make_unique<Stream>(reactor_, fd);
      co_return lease;
    }
    if (errno != EAGAIN || reactor_.now() + kConnectRetry > deadline) co_return lease;
    Reactor::Sleep pause = reactor_.sleep_until(reactor_.now() + kConnectRetry);
    co_await pause;
  }
}

void Upstream::give_back(std::unique_ptr<Stream> stream) {
  if (idle_.size() >= kMaxIdle || stream->descriptor().hung_up) return;
  if (stream->descriptor().read_ready) {
    char byte = 0;
    if (stream->try_read(&byte, 1).status != Io::Again) return;
  }
  idle_.push_back(std::move(stream));
}

void learn(EngineState& engine, const ResponseHead& head) {
  if (!head.api_version.starts_with("1.")) return;
  const std::string_view digits = head.api_version.substr(2);
  int minor = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), minor);
  if (error == std::errc() && end == digits.data() + digits.size() && minor > 0 && minor < 1000) {
    engine.api_minor.store(minor, std::memory_order_relaxed);
  }
}

std::string wire_head(const policy::WireRequest& wire, bool chunked, std::uint64_t length,
                      bool upgrade) {
  std::string out;
  out.reserve(wire.target.size() + wire.body.size() + wire.registry_auth.size() + wire.registry_config.size() + 256);
  out.append(docker::name(wire.method)).append(" ").append(wire.target);
  out.append(" HTTP/1.1\r\nHost: docker\r\nUser-Agent: dockreeve/" DOCKREEVE_VERSION "\r\n");
  if (!wire.registry_auth.empty()) {
    out.append("X-Registry-Auth: ").append(wire.registry_auth).append("\r\n");
  }
  if (!wire.registry_config.empty()) {
    out.append("X-Registry-Config: ").append(wire.registry_config).append("\r\n");
  }
  if (upgrade && wire.stream == docker::Stream::Hijack) {
    out.append("Connection: Upgrade\r\nUpgrade: ").append(wire.upgrade).append("\r\n");
    for (const auto& [name, value] : wire.upgrade_headers) {
      out.append(name).append(": ").append(value).append("\r\n");
    }
  }
  if (wire.body_kind == docker::Body::Opaque || docker::is_spooled(wire.body_kind)) {
    out.append("Content-Type: application/x-tar\r\n");
    if (chunked) {
      out.append("Transfer-Encoding: chunked\r\n");
    } else {
      out.append("Content-Length: ").append(std::to_string(length)).append("\r\n");
    }
  } else if (wire.has_body) {
    out.append("Content-Type: application/json\r\nContent-Length: ");
    out.append(std::to_string(wire.body.size())).append("\r\n");
  } else if (wire.method != docker::Method::Get && wire.method != docker::Method::Head) {
    out.append("Content-Length: 0\r\n");
  }
  out.append("\r\n");
  return out;
}

Task<HeadRead> read_response_head(Stream& stream, std::string& buffer, Millis deadline,
                                  Stream* client, std::string* client_input) {
  HeadRead read;
  std::size_t searched = 0;
  for (;;) {
    const std::size_t end = find_head_end(buffer, searched);
    if (end != std::string::npos) {
      auto head = parse_response_head(std::string_view(buffer).substr(0, end));
      if (!head) {
        read.problem = head.error().where + ": " + head.error().detail;
        co_return read;
      }
      if (head->status >= 200 || head->status == 101) {
        read.head = *std::move(head);
        read.head_size = end;
        co_return read;
      }
      buffer.erase(0, end);
      searched = 0;
      continue;
    }
    searched = buffer.size();
    if (buffer.size() > kMaxResponseHead) {
      read.problem = "the head is larger than 64 KiB";
      co_return read;
    }
    Reactor& reactor = stream.reactor();
    const IoResult got = stream.try_read(reactor.scratch(), Reactor::kScratch);
    if (got.ok()) {
      read.any_bytes = true;
      buffer.append(reactor.scratch(), got.size);
      continue;
    }
    if (got.status != Io::Again) {
      read.status = got.status;
      co_return read;
    }
    Wake wake = Wake::Ready;
    if (client) {
      EitherAwaiter either(stream.descriptor(), client->descriptor(), deadline);
      wake = co_await either;
      if (client->descriptor().read_ready) {
        const ClientNews news = look_at_client(*client, *client_input);
        if (news == ClientNews::Gone) wake = Wake::Cancelled;
        if (news != ClientNews::Nothing) client = nullptr;
      }
    } else {
      ReadyAwaiter ready(stream.descriptor(), Direction::Read, deadline);
      wake = co_await ready;
    }
    if (wake != Wake::Ready) {
      read.status = wake == Wake::Timeout ? Io::Timeout : Io::Cancelled;
      co_return read;
    }
  }
}

namespace {

std::string bare_request(std::string_view method_and_target) {
  return std::string(method_and_target) + " HTTP/1.1\r\nHost: docker\r\nUser-Agent: dockreeve/" DOCKREEVE_VERSION "\r\n\r\n";
}

}  // namespace

Task<Result<Upstream::Answer>> Upstream::remove_container(std::string id, Millis deadline) {
  const std::string request = bare_request("DELETE /containers/" + id + "?force=1&v=1");
  bool retry = false;
  Result<Answer> answer = co_await get_once(request, true, retry, deadline);
  co_return answer;
}

Task<Result<Upstream::Answer>> Upstream::get(std::string target, Millis deadline) {
  const std::string request = bare_request("GET " + target);
  bool retry = false;
  Result<Answer> answer = co_await get_once(request, false, retry, deadline);
  if (!answer && retry) {
    answer = co_await get_once(request, true, retry, deadline);
  }
  co_return answer;
}

Task<Result<Upstream::Answer>> Upstream::get_once(const std::string& request, bool fresh, bool& retry,
                                                  Millis deadline) {
  Lease lease = co_await this->lease(fresh, deadline);
  retry = false;
  if (!lease.stream) co_return fail("", "cannot reach the Docker engine at unix://" + path_);
  Stream& stream = *lease.stream;
  const Io sent = co_await stream.write_all(request, deadline);
  if (sent != Io::Ok) {
    retry = lease.reused;
    co_return fail("", "the Docker engine closed the connection");
  }
  std::string buffer;
  const HeadRead read = co_await read_response_head(stream, buffer, deadline);
  if (!read.problem.empty()) co_return fail("", "the Docker engine's answer is malformed: " + read.problem);
  if (read.status != Io::Ok) {
    retry = lease.reused && !read.any_bytes;
    co_return fail("", read.status == Io::Timeout ? "the Docker engine did not answer in time"
                                                  : "the Docker engine closed the connection");
  }
  learn(engine_, read.head);
  Answer answer;
  answer.status = read.head.status;
  const std::uint64_t length = read.head.content_length.value_or(0);
  const bool to_end = !read.head.chunked && !read.head.content_length && !read.head.bodiless(false);
  const bool close = read.head.close || to_end;
  const bool chunked = read.head.chunked;
  buffer.erase(0, read.head_size);
  ChunkReader chunks;
  if (chunked) {
    std::string raw;
    raw.swap(buffer);
    for (;;) {
      std::string_view input = raw;
      for (std::string_view piece = chunks.next(input); !piece.empty(); piece = chunks.next(input)) {
        answer.body.append(piece);
      }
      if (chunks.state() == ChunkReader::State::Done) break;
      if (chunks.state() == ChunkReader::State::Bad || answer.body.size() > kMaxLookupBody) {
        co_return fail("", "the Docker engine's answer is malformed or too large");
      }
      raw.resize(Reactor::kScratch / 4);
      const IoResult got = co_await stream.read_some(raw.data(), raw.size(), deadline);
      if (!got.ok()) co_return fail("", "the Docker engine's answer broke off");
      raw.resize(got.size);
    }
  } else {
    answer.body = std::move(buffer);
    while (to_end || answer.body.size() < length) {
      if (answer.body.size() > kMaxLookupBody || length > kMaxLookupBody) {
        co_return fail("", "the Docker engine's answer is too large");
      }
      const std::size_t before = answer.body.size();
      answer.body.resize(before + Reactor::kScratch / 4);
      const IoResult got = co_await stream.read_some(answer.body.data() + before, Reactor::kScratch / 4, deadline);
      answer.body.resize(before + (got.ok() ? got.size : 0));
      if (got.status == Io::Eof && to_end) break;
      if (!got.ok()) co_return fail("", "the Docker engine's answer broke off");
    }
  }
  if (!close) give_back(std::move(lease.stream));
  co_return answer;
}

}  // namespace dockreeve::proxy
