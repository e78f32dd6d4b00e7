// Answers that do not leave as the engine gave them: their foreign parts are taken out on the way.
#include <array>
#include <cstdio>
#include <utility>

#include "proxy/answer_filter.h"
#include "proxy/session.h"

namespace dockreeve::proxy {
namespace {

// After so many reads without a wait, the rest of the loop gets a turn.
constexpr int kTurns = 16;

// The engine's body without its framing.
class Payload {
 public:
  explicit Payload(const ResponseHead& head)
      : chunked_(head.chunked), sized_(head.content_length.has_value()),
        left_(head.content_length.value_or(0)), done_(!chunked_ && sized_ && left_ == 0) {}

  // Hands what `data` carries to the filter. False: not understood.
  bool feed(std::string_view data, AnswerFilter& filter) {
    size_ += data.size();
    if (chunked_) {
      for (std::string_view piece = chunks_.next(data); !piece.empty(); piece = chunks_.next(data)) {
        if (!filter.feed(piece)) return false;
      }
      done_ = chunks_.state() == ChunkReader::State::Done;
      surplus_ = !data.empty();
      return chunks_.state() != ChunkReader::State::Bad;
    }
    if (sized_) {
      surplus_ = data.size() > left_;
      data = data.substr(0, left_);
      left_ -= data.size();
      done_ = left_ == 0;
    }
    return filter.feed(data);
  }
  // The connection has ended. False: in the middle of the body.
  bool ended() {
    done_ = done_ || (!chunked_ && !sized_);
    return done_;
  }
  bool done() const { return done_; }
  bool reusable() const { return done_ && !surplus_ && (chunked_ || sized_); }
  std::size_t size() const { return size_; }

 private:
  bool chunked_, sized_;
  std::uint64_t left_;
  bool done_;
  bool surplus_ = false;
  std::size_t size_ = 0;
  ChunkReader chunks_;
};

void append_chunk(std::string& out, std::string_view data) {
  std::array<char, 24> size;
  const int digits = std::snprintf(size.data(), size.size(), "%zx\r\n", data.size());
  out.append(size.data(), static_cast<std::size_t>(digits)).append(data).append("\r\n");
}

}  // namespace

// Until the engine has something to read. Io::Cancelled: the client went away, which ends the wait.
Task<Io> Session::wait_for_engine(Stream& engine, Millis deadline, bool abort_on_eof,
                                  bool& watch_client) {
  Wake wake = Wake::Ready;
  if (watch_client) {
    EitherAwaiter either(engine.descriptor(), client_->descriptor(), deadline);
    wake = co_await either;
    if (client_->descriptor().read_ready) {
      const ClientNews news = look_at_client(*client_, input_);
      if (news == ClientNews::Gone) co_return Io::Cancelled;
      if (news == ClientNews::HalfClosed && abort_on_eof) co_return Io::Cancelled;
      watch_client = news == ClientNews::Nothing;
    }
  } else {
    ReadyAwaiter ready(engine.descriptor(), Direction::Read, deadline);
    wake = co_await ready;
  }
  if (wake == Wake::Timeout) co_return Io::Timeout;
  co_return wake == Wake::Ready ? Io::Ok : Io::Cancelled;
}

// Collected as a whole, so that an answer that turns out to be none gets a clear text.
Task<bool> Session::answer_filtered(Exchange& x, Upstream::Lease& lease, const HeadRead& read,
                                    std::string& buffer, const policy::AnswerScope& scope) {
  Reactor& reactor = loop_.reactor;
  const Millis limit = snapshot_->gateway.limits.upstream_timeout.count();
  const Millis deadline = limit > 0 ? reactor.now() + limit : kNever;
  AnswerFilter filter(scope);
  Payload payload(read.head);
  bool understood = payload.feed(std::string_view(buffer).substr(read.head_size), filter);
  bool watch_client = true;
  int turns = 0;
  while (understood && !payload.done()) {
    if (payload.size() > kMaxAnswer) {
      engine_ = nullptr;
      co_return co_await reply(x, 502, "the answer of the Docker engine is larger than 64 MiB and was not passed on; narrow it with --filter");
    }
    const IoResult got = lease.stream->try_read(reactor.scratch(), Reactor::kScratch);
    if (got.ok()) {
      understood = payload.feed(std::string_view(reactor.scratch(), got.size), filter);
      if (++turns >= kTurns) {
        turns = 0;
        Yield yield(reactor);
        co_await yield;
      }
      continue;
    }
    if (got.status != Io::Again) {
      understood = got.status == Io::Eof && payload.ended();
      continue;
    }
    turns = 0;
    const Io waited = co_await wait_for_engine(*lease.stream, deadline, false, watch_client);
    if (waited == Io::Timeout) {
      engine_ = nullptr;
      co_return co_await reply(x, 504, "the Docker engine did not answer in time");
    }
    if (waited != Io::Ok) co_return false;
  }
  const bool complete = understood && filter.finish();
  engine_ = nullptr;
  if (complete && payload.reusable() && !read.head.close) {
    loop_.upstream.give_back(std::move(lease.stream));
  }
  if (!complete) {
    co_return co_await reply(x, 502, "the answer of the Docker engine could not be read, so that nothing of it was passed on");
  }
  if (filter.absent()) co_return co_await reply(x, 404, scope.absent);
  const bool keep = x.head.keep_alive && !draining_ && !x.body_pending;
  std::string out = response_head(x, read.head, keep, filter.pending());
  out.append(filter.take());
  const Io sent = co_await client_->write_all(out, kNever);
  if (sent != Io::Ok) co_return false;
  if (!keep) co_await drain_input();
  co_return keep;
}

// Passed on piece by piece. An answer that stops making sense ends without its last chunk.
Task<bool> Session::stream_filtered(Exchange& x, Upstream::Lease& lease, const HeadRead& read,
                                    std::string& buffer, const policy::AnswerScope& scope) {
  Reactor& reactor = loop_.reactor;
  const Millis idle = snapshot_->gateway.limits.stream_idle_timeout.count();
  const bool chunked = !x.head.http10;
  const bool keep = chunked && x.head.keep_alive && !draining_ && !x.body_pending;
  ResponseHead head = read.head;
  head.chunked = true;
  std::string out = response_head(x, head, keep, std::nullopt);
  AnswerFilter filter(scope);
  Payload payload(read.head);
  bool understood = payload.feed(std::string_view(buffer).substr(read.head_size), filter);
  const bool engine_closes = read.head.close;
  head = ResponseHead();
  std::string().swap(buffer);  // the views of read.head end here
  bool watch_client = true;
  int turns = 0;
  while (understood) {
    if (payload.done()) understood = filter.finish();
    const std::string events = filter.take();
    if (!events.empty()) {
      if (chunked) {
        append_chunk(out, events);
      } else {
        out.append(events);
      }
    }
    const bool last = understood && payload.done();
    if (last && chunked) out.append("0\r\n\r\n");
    if (!out.empty()) {
      const Millis deadline = idle > 0 ? reactor.now() + idle : kNever;
      const Io sent = co_await client_->write_all(out, deadline);
      if (sent != Io::Ok) co_return false;
      std::string().swap(out);
    }
    if (last) break;
    const IoResult got = lease.stream->try_read(reactor.scratch(), Reactor::kScratch);
    if (got.ok()) {
      understood = payload.feed(std::string_view(reactor.scratch(), got.size), filter);
      if (++turns >= kTurns) {
        turns = 0;
        Yield yield(reactor);
        co_await yield;
      }
      continue;
    }
    if (got.status != Io::Again) {
      understood = got.status == Io::Eof && payload.ended();
      continue;
    }
    turns = 0;
    const Millis deadline = idle > 0 ? reactor.now() + idle : kNever;
    const Io waited = co_await wait_for_engine(*lease.stream, deadline, true, watch_client);
    if (waited != Io::Ok) co_return false;
  }
  engine_ = nullptr;
  if (!understood) co_return false;
  if (payload.reusable() && !engine_closes) loop_.upstream.give_back(std::move(lease.stream));
  if (!keep) co_await drain_input();
  co_return keep;
}

}  // namespace dockreeve::proxy
