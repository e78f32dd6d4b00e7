// Bodies that are judged before the engine sees a byte of them and are too large for memory: build
// contexts, image archives, imports.
#include <algorithm>
#include <utility>

#include "proxy/session.h"

namespace dockreeve::proxy {
namespace {

docker::Refusal refused(int status, std::string rule, std::string detail) {
  docker::Refusal out;
  out.status = status;
  out.rule = std::move(rule);
  out.pointer = "body";
  out.detail = std::move(detail);
  return out;
}

}  // namespace

Task<std::optional<docker::Refusal>> Session::spool_body(Exchange& x) {
  const config::Limits& limits = snapshot_->gateway.limits;
  Reactor& reactor = loop_.reactor;
  const std::string too_large = "the gateway keeps at most " + std::to_string(limits.max_spool_bytes) +
                                " bytes of uploads at a time";
  if (x.head.content_length &&
      *x.head.content_length > static_cast<std::uint64_t>(limits.max_spool_bytes)) {
    co_return refused(413, "body-too-large", too_large);
  }
  Result<std::unique_ptr<Spool>> opened = Spool::open(limits.spool_directory, loop_.shared.spool_budget);
  if (!opened) co_return refused(503, "body-too-large", opened.error().text());
  x.spool = *std::move(opened);
  x.scan = std::make_unique<docker::BodyScan>(*x.target, static_cast<std::uint64_t>(limits.max_spool_bytes));
  if (!x.head.has_body()) co_return std::nullopt;
  if (x.head.expect_continue && input_.empty()) {
    const Io sent = co_await client_->write_all("HTTP/1.1 100 Continue\r\n\r\n", reactor.now() + limits.body_timeout.count());
    if (sent != Io::Ok) co_return refused(400, "ambiguous-request", "the client went away");
  }
  ChunkReader chunks;
  std::uint64_t left = x.head.content_length.value_or(0);
  bool readable = true;   // an archive that is refused is read to its end, so that the answer arrives
  bool ended = false;
  std::uint64_t seen = 0;
  std::string piece;
  while (!ended) {
    piece.clear();
    if (x.head.chunked) {
      std::string_view rest = input_;
      for (std::string_view data = chunks.next(rest); !data.empty(); data = chunks.next(rest)) {
        piece.append(data);
      }
      input_.erase(0, input_.size() - rest.size());
      if (chunks.state() == ChunkReader::State::Bad) {
        co_return refused(400, "ambiguous-request", "the chunked framing is malformed");
      }
      ended = chunks.state() == ChunkReader::State::Done;
    } else {
      const auto used = static_cast<std::size_t>(std::min<std::uint64_t>(left, input_.size()));
      piece.assign(input_, 0, used);
      input_.erase(0, used);
      left -= used;
      ended = left == 0;
    }
    seen += piece.size();
    if (seen > static_cast<std::uint64_t>(limits.max_spool_bytes)) {
      co_return refused(413, "body-too-large", too_large);
    }
    if (readable && !piece.empty()) {
      if (!x.spool->reserve(static_cast<std::int64_t>(piece.size()), limits.max_spool_bytes)) {
        co_return refused(413, "body-too-large", too_large);
      }
      Result<std::uint64_t> kept;
      Exchange* exchange = &x;
      std::function<void()> job = [exchange, &piece, &kept, &readable] {
        readable = exchange->scan->feed(piece);
        kept = readable ? exchange->spool->append(piece) : Result<std::uint64_t>(0);
      };
      BlockingWorker::Run run(loop_.shared.spool_worker, reactor, std::move(job));
      co_await run;
      if (!kept) co_return refused(503, "body-too-large", kept.error().text());
    }
    // Pieces are as large as the socket has them ready, within bounds.
    while (!ended && input_.size() < kSpoolPiece) {
      const IoResult got = client_->try_read(reactor.scratch(), Reactor::kScratch);
      if (got.ok()) {
        input_.append(reactor.scratch(), got.size);
        continue;
      }
      if (got.status != Io::Again) {
        co_return refused(400, "ambiguous-request", "the body broke off");
      }
      if (!input_.empty()) break;
      ReadyAwaiter ready(client_->descriptor(), Direction::Read, reactor.now() + limits.body_timeout.count());
      const Wake wake = co_await ready;
      if (wake != Wake::Ready) {
        co_return refused(408, "ambiguous-request", "the body did not arrive in time");
      }
    }
  }
  x.body_pending = false;
  if (!readable) x.spool.reset();
  co_return std::nullopt;
}

Task<bool> Session::forward_spooled(Exchange& x, const policy::WireRequest& wire) {
  const config::Limits& limits = snapshot_->gateway.limits;
  Reactor& reactor = loop_.reactor;
  HeadRead read;
  // INVARIANT: an admitted request of this kind was read from a spool.
  if (!x.spool) co_return false;
  Upstream::Lease lease = co_await loop_.upstream.lease(true, reactor.now() + limits.upstream_connect_timeout.count());
  if (!lease.stream) co_return co_await engine_failed(x, read, false);
  const OnEngine on_engine(*this, *lease.stream);
  std::string request = wire_head(wire, false, x.spool->size(), false);
  const Io sent = co_await lease.stream->write_all(request, kNever);
  if (sent != Io::Ok) {
    read.status = Io::Broken;
    co_return co_await engine_failed(x, read, true);
  }
  // From here on a child coroutine uses spool and stream: every path below waits for it.
  SpoolUpload upload;
  Stream& engine = *lease.stream;
  spawn(pump_spool(*x.spool, loop_.shared.spool_worker, engine, upload));
  std::string buffer;
  read = co_await read_response_head(engine, buffer, kNever, client_.get(), &input_);
  const bool answered = read.status == Io::Ok && read.problem.empty() && read.head.status != 101;
  bool keep = false;
  if (answered) {
    learn(loop_.shared.engine, read.head);
    // Whatever the engine has read of the body: this connection is used once.
    read.head.close = true;
    keep = co_await answer(x, lease, read, buffer, true, true);
  }
  engine.cancel();
  co_await upload.done;
  if (!answered) co_return co_await engine_failed(x, read, true);
  co_return keep;
}

}  // namespace dockreeve::proxy
