#include "proxy/relay.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace dockreeve::proxy {
namespace {

// After so many turns without a wait, the rest of the loop gets one.
constexpr int kTurns = 32;
// Pipelined bytes a client may send while its answer is still under way.
constexpr std::size_t kMaxEarly = 64 * 1024;
// How long the other direction of a hijacked stream may go on after the engine has closed its own.
constexpr Millis kAfterEngineClosed = 3000;

Millis deadline_after(Reactor& reactor, Millis idle_ms) {
  return idle_ms > 0 ? reactor.now() + idle_ms : kNever;
}

// Writes bytes that stand in the shared scratch buffer: what the socket does not take at once is
// copied before anything can suspend.
class ScratchWriter {
 public:
  // True: all written. False: call flush().
  bool start(Stream& to, const char* data, std::size_t size) {
    while (size > 0) {
      const IoResult sent = to.try_write(data, size);
      if (!sent.ok()) {
        broken_ = sent.status != Io::Again;
        break;
      }
      data += sent.size;
      size -= sent.size;
    }
    rest_.assign(data, size);
    return rest_.empty() && !broken_;
  }
  Task<Io> flush(Stream& to, Millis deadline) {
    if (broken_) co_return Io::Broken;
    const Io result = co_await to.write_all(rest_, deadline);
    // A stream that blocked once may be idle for hours next.
    std::string().swap(rest_);
    co_return result;
  }

 private:
  std::string rest_;
  bool broken_ = false;
};

// Counts how much of the engine's bytes belong to the answer.
class BodyTracker {
 public:
  explicit BodyTracker(BodyFraming framing) : framing_(framing) {
    done_ = framing.kind == BodyFraming::Kind::None ||
            (framing.kind == BodyFraming::Kind::Length && framing.length == 0);
  }
  bool done() const { return done_; }
  bool bad() const { return bad_; }
  // Bytes of `data` that are part of the message. With Unchunk, `payload` gets what they carry.
  std::size_t take(std::string_view data, std::string* payload = nullptr) {
    switch (framing_.kind) {
      case BodyFraming::Kind::None: return 0;
      case BodyFraming::Kind::UntilClose: return data.size();
      case BodyFraming::Kind::Length: {
        const std::size_t used = std::min<std::uint64_t>(framing_.length, data.size());
        framing_.length -= used;
        done_ = framing_.length == 0;
        return used;
      }
      case BodyFraming::Kind::Chunked:
      case BodyFraming::Kind::Unchunk: {
        std::string_view rest = data;
        for (std::string_view piece = chunks_.next(rest); !piece.empty(); piece = chunks_.next(rest)) {
          if (payload) payload->append(piece);
        }
        done_ = chunks_.state() == ChunkReader::State::Done;
        bad_ = chunks_.state() == ChunkReader::State::Bad;
        return data.size() - rest.size();
      }
    }
    return 0;
  }

 private:
  BodyFraming framing_;
  ChunkReader chunks_;
  bool done_ = false, bad_ = false;
};

}  // namespace

ClientNews look_at_client(Stream& client, std::string& input) {
  std::array<char, 4096> buffer;
  for (;;) {
    if (input.size() >= kMaxEarly) return ClientNews::Full;
    const IoResult got = client.try_read(buffer.data(), buffer.size());
    if (got.ok()) {
      input.append(buffer.data(), got.size);
      continue;
    }
    if (got.status == Io::Again) return ClientNews::Nothing;
    return got.status == Io::Eof ? ClientNews::HalfClosed : ClientNews::Gone;
  }
}

Task<RelayEnd> relay_response(Stream& client, Stream& engine, std::string head, std::string early,
                              BodyFraming framing, RelayLimits limits, std::string& client_input) {
  Reactor& reactor = client.reactor();
  RelayEnd end;
  BodyTracker body(framing);
  const bool unchunk = framing.kind == BodyFraming::Kind::Unchunk;
  const std::size_t used = body.take(early, unchunk ? &head : nullptr);
  bool surplus = used < early.size();
  if (!unchunk) head.append(early, 0, used);
  std::string().swap(early);
  const Io first = co_await client.write_all(head, deadline_after(reactor, limits.idle_ms));
  if (first != Io::Ok || body.bad()) co_return end;
  std::string().swap(head);

  ScratchWriter writer;
  int turns = 0;
  while (!body.done()) {
    const IoResult got = engine.try_read(reactor.scratch(), Reactor::kScratch);
    if (got.ok()) {
      std::string payload;
      const std::string_view data(reactor.scratch(), got.size);
      const std::size_t size = body.take(data, unchunk ? &payload : nullptr);
      surplus = size < got.size;
      const bool sent = unchunk ? writer.start(client, payload.data(), payload.size())
                                : writer.start(client, reactor.scratch(), size);
      if (!sent) {
        const Io flushed = co_await writer.flush(client, deadline_after(reactor, limits.idle_ms));
        if (flushed != Io::Ok) co_return end;
        turns = 0;
      }
      if (body.bad()) co_return end;
      if (++turns >= kTurns) {
        turns = 0;
        Yield yield(reactor);
        co_await yield;
      }
      continue;
    }
    if (got.status == Io::Eof && framing.kind == BodyFraming::Kind::UntilClose) {
      const Io closed = co_await client.close_write(reactor.now() + kAfterEngineClosed);
      static_cast<void>(closed);
      co_return end;
    }
    if (got.status != Io::Again) co_return end;
    turns = 0;
    Wake wake = Wake::Ready;
    if (limits.watch_client) {
      EitherAwaiter either(engine.descriptor(), client.descriptor(), deadline_after(reactor, limits.idle_ms));
      wake = co_await either;
      if (client.descriptor().read_ready) {
        const ClientNews news = look_at_client(client, client_input);
        if (news == ClientNews::Gone) co_return end;
        if (news == ClientNews::HalfClosed && limits.abort_on_eof) co_return end;
        if (news != ClientNews::Nothing) limits.watch_client = false;
      }
    } else {
      ReadyAwaiter ready(engine.descriptor(), Direction::Read, deadline_after(reactor, limits.idle_ms));
      wake = co_await ready;
    }
    if (wake != Wake::Ready) co_return end;
  }
  end.client_usable = true;
  end.engine_usable = !surplus;
  co_return end;
}

namespace {

struct Hijack {
  Stream& client;
  Stream& engine;
  Millis idle_ms;
  Millis last = 0;       // when a byte moved in either direction
  Millis cut = kNever;   // set once the engine has closed: the rest must end by then
  Event other_done;
};

// One direction. Ends at EOF (after passing it on), at an error (after cutting both), or late.
Task<void> pump(Hijack& hijack, Stream& from, Stream& to, bool from_engine) {
  Reactor& reactor = from.reactor();
  ScratchWriter writer;
  int turns = 0;
  for (;;) {
    const IoResult got = from.try_read(reactor.scratch(), Reactor::kScratch);
    if (got.ok()) {
      hijack.last = reactor.now();
      if (!writer.start(to, reactor.scratch(), got.size)) {
        const Io flushed = co_await writer.flush(to, hijack.cut);
        if (flushed != Io::Ok) break;
        turns = 0;
        hijack.last = reactor.now();
      }
      if (++turns >= kTurns) {
        turns = 0;
        Yield yield(reactor);
        co_await yield;
      }
      continue;
    }
    if (got.status == Io::Eof) {
      if (from_engine) {
        hijack.cut = reactor.now() + kAfterEngineClosed;
        hijack.client.descriptor().nudge();  // the other direction waits without a deadline
      }
      const Io closed = co_await to.close_write(reactor.now() + kAfterEngineClosed);
      if (closed != Io::Ok) break;
      co_return;
    }
    if (got.status != Io::Again) break;
    turns = 0;
    const Millis idle = hijack.idle_ms > 0 ? hijack.last + hijack.idle_ms : kNever;
    ReadyAwaiter ready(from.descriptor(), Direction::Read, std::min(idle, hijack.cut));
    const Wake wake = co_await ready;
    if (wake == Wake::Cancelled) break;
    if (wake == Wake::Timeout) {
      const Millis now = reactor.now();
      if (now >= hijack.cut) break;
      if (hijack.idle_ms > 0 && now >= hijack.last + hijack.idle_ms) break;
    }
  }
  hijack.client.cancel();
  hijack.engine.cancel();
}

Task<void> pump_to_engine(Hijack& hijack) {
  co_await pump(hijack, hijack.client, hijack.engine, false);
  hijack.other_done.set();
}

}  // namespace

Task<void> relay_hijacked(Stream& client, Stream& engine, std::string to_client, std::string to_engine,
                          Millis idle_ms) {
  Reactor& reactor = client.reactor();
  Hijack hijack{client, engine, idle_ms, reactor.now(), kNever, {}};
  const Io down = co_await client.write_all(to_client, kNever);
  if (down != Io::Ok) co_return;
  std::string().swap(to_client);
  const Io up = co_await engine.write_all(to_engine, kNever);
  if (up != Io::Ok) co_return;
  std::string().swap(to_engine);
  spawn(pump_to_engine(hijack));
  co_await pump(hijack, engine, client, true);
  co_await hijack.other_done;
}

Task<void> pump_upload(Stream& client, Stream& engine, std::string& client_input, Upload& upload) {
  Reactor& reactor = client.reactor();
  ChunkReader chunks;
  std::uint64_t left = upload.length;
  std::string out;
  std::string piece_buffer;
  piece_buffer.swap(client_input);
  int turns = 0;
  std::string first;    // of the payload, until it was looked at
  bool sniffed = false;
  for (;;) {
    if (sniffed) out.clear();
    bool ended = false;
    std::string_view input = piece_buffer;
    if (upload.chunked) {
      for (std::string_view piece = chunks.next(input); !piece.empty(); piece = chunks.next(input)) {
        std::array<char, 24> size;
        const int digits = std::snprintf(size.data(), size.size(), "%zx\r\n", piece.size());
        out.append(size.data(), static_cast<std::size_t>(digits)).append(piece).append("\r\n");
        if (!sniffed) first.append(piece.substr(0, docker::kSniffBytes));
      }
      if (chunks.state() == ChunkReader::State::Bad) {
        upload.bad = true;
        break;
      }
      if (chunks.state() == ChunkReader::State::Done) {
        out.append("0\r\n\r\n");
        ended = true;
      }
    } else {
      const std::size_t used = std::min<std::uint64_t>(left, input.size());
      out.append(input.substr(0, used));
      if (!sniffed) first.append(input.substr(0, std::min(used, docker::kSniffBytes)));
      input.remove_prefix(used);
      left -= used;
      ended = left == 0;
    }
    if (!sniffed && (ended || first.size() >= docker::kSniffBytes)) {
      sniffed = true;
      if (docker::looks_compressed(first)) {
        upload.compressed = upload.bad = true;
        break;
      }
    }
    if (sniffed && !out.empty()) {
      const Io sent = co_await engine.write_all(out, kNever);
      if (sent != Io::Ok) break;
    }
    if (ended) {
      client_input.assign(input);
      upload.complete = true;
      break;
    }
    if (++turns >= kTurns) {
      turns = 0;
      Yield yield(reactor);
      co_await yield;
    }
    piece_buffer.resize(Reactor::kScratch);
    const IoResult got = co_await client.read_some(piece_buffer.data(), piece_buffer.size(),
                                                   deadline_after(reactor, upload.idle_ms));
    if (!got.ok()) {
      upload.bad = true;
      break;
    }
    piece_buffer.resize(got.size);
  }
  // An engine that waits for the rest of a body that will not come must be told.
  if (upload.bad) engine.cancel();
  upload.done.set();
}

}  // namespace dockreeve::proxy
