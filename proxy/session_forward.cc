// What follows an admission: the request goes to the engine, its answer to the client.
#include <algorithm>
#include <utility>

#include "base/json.h"
#include "proxy/session.h"

namespace dockreeve::proxy {
namespace {

// A create answer larger than this is passed on without our warnings.
constexpr std::uint64_t kMaxCreateAnswer = 256 * 1024;
constexpr std::size_t kMaxWarnings = 10;
constexpr std::size_t kMaxWarningBytes = 300;

BodyFraming framing_of(const ResponseHead& head, bool to_head_request, bool client_http10) {
  BodyFraming framing;
  if (head.bodiless(to_head_request)) {
    framing.kind = BodyFraming::Kind::None;
  } else if (head.chunked) {
    framing.kind = client_http10 ? BodyFraming::Kind::Unchunk : BodyFraming::Kind::Chunked;
  } else if (head.content_length) {
    framing.kind = BodyFraming::Kind::Length;
    framing.length = *head.content_length;
  } else {
    framing.kind = BodyFraming::Kind::UntilClose;
  }
  return framing;
}

bool may_repeat(docker::Method method) {
  return method == docker::Method::Get || method == docker::Method::Head;
}

// A member of a JSON object that is a text; empty for everything else.
std::string text_member(std::string body, std::string_view key) {
  json::Limits limits;
  limits.max_depth = 64;
  limits.max_keys = 65536;
  const auto document = json::Document::parse(std::move(body), limits);
  if (!document) return {};
  const auto value = (*document)->root().find(key);
  return value && value->is_string() ? std::string(value->text()) : std::string();
}

// The id in a create answer; empty when it is not a full one.
std::string full_id(const std::string& created) {
  std::string id = text_member(created, "Id");
  const bool whole = id.size() == 64 && id.find_first_not_of("0123456789abcdef") == std::string::npos;
  return whole ? id : std::string();
}

// At most `size` bytes, cut between two UTF-8 characters.
std::string_view cut(std::string_view text, std::size_t size) {
  if (text.size() <= size) return text;
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xc0u) == 0x80u) --size;
  return text.substr(0, size);
}

// The create answer with our warnings behind the engine's own; nothing when it is not as expected.
std::optional<std::string> with_warnings(std::string body, const policy::Findings& findings) {
  auto document = json::Document::parse(std::move(body));
  if (!document || !(*document)->root().is_object()) return std::nullopt;
  std::string out;
  json::Writer writer(out);
  writer.begin_object();
  const json::Value root = (*document)->root();
  for (auto member = root.first(); member; member = member->next()) {
    if (member->key() == "Warnings") continue;
    writer.key(member->key()).copy(*member);
  }
  writer.key("Warnings").begin_array();
  if (const auto own = root.find("Warnings"); own && own->is_array()) {
    for (auto item = own->first(); item; item = item->next()) writer.copy(*item);
  }
  std::size_t count = 0;
  for (const policy::Finding& finding : findings) {
    if (finding.effect != policy::Effect::Warn || count++ >= kMaxWarnings) continue;
    const std::string text = "[" + finding.rule + "] " + finding.message;
    writer.value(cut(text, kMaxWarningBytes));
  }
  writer.end_array().end_object();
  out.push_back('\n');
  return out;
}

}  // namespace

std::string Session::response_head(const Exchange& x, const ResponseHead& head, bool keep,
                                   std::optional<std::uint64_t> length) const {
  std::string out;
  out.reserve(512);
  out.append("HTTP/1.1 ").append(head.status_text).append("\r\n");
  for (const Header& header : head.headers) {
    out.append(header.name).append(": ");
    // Clients speak the newest API both sides know; this gateway must know it too.
    const bool newer = header.value.data() == head.api_version.data() &&
                       loop_.shared.engine.api_minor.load(std::memory_order_relaxed) > docker::kNewestMinor;
    if (newer) {
      out.append("1.").append(std::to_string(docker::kNewestMinor));
    } else {
      out.append(header.value);
    }
    out.append("\r\n");
  }
  if (length) {
    out.append("Content-Length: ").append(std::to_string(*length)).append("\r\n");
  } else if (head.chunked && !x.head.http10) {
    out.append("Transfer-Encoding: chunked\r\n");
  }
  out.append("X-Dockreeve-Decision: ").append(x.id).append("\r\n");
  if (!keep) out.append("Connection: close\r\n");
  out.append("\r\n");
  return out;
}

Task<bool> Session::forward(Exchange& x, policy::Admitted admitted, const policy::Findings& findings) {
  const policy::WireRequest& wire = admitted.wire();
  if (wire.stream == docker::Stream::Hijack) co_return co_await forward_hijack(x, wire);
  if (docker::is_spooled(wire.body_kind)) co_return co_await forward_spooled(x, wire);
  if (wire.body_kind == docker::Body::Opaque) co_return co_await forward_upload(x, wire);
  co_return co_await forward_plain(x, wire, findings);
}

Task<bool> Session::engine_failed(Exchange& x, const HeadRead& read, bool connected) {
  const std::string engine = "unix://" + loop_.upstream.path();
  if (!connected) co_return co_await reply(x, 502, "cannot reach the Docker engine at " + engine);
  if (!read.problem.empty()) {
    co_return co_await reply(x, 502, "the answer of the Docker engine at " + engine + " is malformed: " + read.problem);
  }
  if (read.status == Io::Timeout) {
    co_return co_await reply(x, 504, "the Docker engine at " + engine + " did not answer in time");
  }
  if (read.status == Io::Cancelled) co_return false;
  co_return co_await reply(x, 502, "the Docker engine at " + engine + " closed the connection without an answer");
}

Task<bool> Session::forward_plain(Exchange& x, const policy::WireRequest& wire,
                                  const policy::Findings& findings) {
  const config::Limits& limits = snapshot_->gateway.limits;
  Reactor& reactor = loop_.reactor;
  std::string request = wire_head(wire, false, 0, false);
  request.append(wire.body);
  std::string buffer;
  HeadRead read;
  bool fresh = false;
  for (;;) {
    Upstream::Lease lease = co_await loop_.upstream.lease(fresh, reactor.now() + limits.upstream_connect_timeout.count());
    if (!lease.stream) co_return co_await engine_failed(x, read, false);
    const OnEngine on_engine(*this, *lease.stream);
    const Millis deadline = limits.upstream_timeout.count() > 0 && wire.stream == docker::Stream::No
                                ? reactor.now() + limits.upstream_timeout.count()
                                : kNever;
    buffer.clear();
    const Io sent = co_await lease.stream->write_all(request, deadline);
    if (sent == Io::Ok) {
      read = co_await read_response_head(*lease.stream, buffer, deadline, client_.get(), &input_);
    } else {
      read = HeadRead();
      read.status = Io::Broken;
    }
    const bool answered = read.status == Io::Ok && read.problem.empty();
    // An idle connection may have been closed under our hands; asking again is safe for reads.
    const bool stale = !answered && lease.reused && !read.any_bytes && read.status != Io::Cancelled &&
                       read.status != Io::Timeout && may_repeat(wire.method);
    if (stale && !fresh) {
      fresh = true;
      continue;
    }
    if (!answered || read.head.status == 101) {
      if (answered) read.problem = "101 to a request that does not upgrade";
      co_return co_await engine_failed(x, read, true);
    }
    learn(loop_.shared.engine, read.head);
    x.names.release();
    // What is no success says nothing but its message.
    if (wire.answer && read.head.status < 300) {
      const bool endless = wire.answer->kind == policy::AnswerKind::Events;
      if (endless) co_return co_await stream_filtered(x, lease, read, buffer, *wire.answer);
      co_return co_await answer_filtered(x, lease, read, buffer, *wire.answer);
    }
    if (wire.hide_ids && read.head.status >= 400 && wire.method != docker::Method::Head) {
      co_return co_await answer_refusal(x, lease, read, buffer, wire);
    }
    const bool warned = std::any_of(findings.begin(), findings.end(), [](const policy::Finding& finding) {
      return finding.effect == policy::Effect::Warn;
    });
    if (x.target->route->body == docker::Body::Create && read.head.status == 201) {
      const bool readable = read.head.content_length && *read.head.content_length <= kMaxCreateAnswer;
      if (readable && (warned || wire.image)) {
        co_return co_await answer_create(x, lease, read, buffer, wire, findings);
      }
      if (wire.image) {
        co_return co_await reply(x, 502, "the answer of the Docker engine cannot be read, so that its image could not be checked; the container may have been created");
      }
    }
    co_return co_await answer(x, lease, read, buffer, true, true);
  }
}

Task<bool> Session::answer(Exchange& x, Upstream::Lease& lease, const HeadRead& read, std::string& buffer,
                           bool extra_ok, bool watch_client) {
  const bool to_head = x.head.method == "HEAD";
  const BodyFraming framing = framing_of(read.head, to_head, x.head.http10);
  const bool open_ended = framing.kind == BodyFraming::Kind::UntilClose || framing.kind == BodyFraming::Kind::Unchunk;
  const bool keep = extra_ok && x.head.keep_alive && !draining_ && !open_ended && !x.body_pending;
  const bool engine_closes = read.head.close;
  // Content-Length of a HEAD answer describes the body that a GET would have had: it is kept.
  std::string head = response_head(x, read.head, keep, read.head.content_length);
  std::string early = buffer.substr(read.head_size);
  std::string().swap(buffer);
  RelayLimits limits;
  limits.idle_ms = snapshot_->gateway.limits.stream_idle_timeout.count();
  limits.watch_client = watch_client;
  limits.abort_on_eof = x.target->route->stream == docker::Stream::Download;
  const RelayEnd end = co_await relay_response(*client_, *lease.stream, std::move(head), std::move(early),
                                               framing, limits, input_);
  engine_ = nullptr;
  if (end.client_usable && end.engine_usable && !engine_closes && !x.body_pending) {
    loop_.upstream.give_back(std::move(lease.stream));
  }
  if (end.client_usable && !keep) co_await drain_input();
  co_return end.client_usable && keep;
}

Task<bool> Session::answer_create(Exchange& x, Upstream::Lease& lease, const HeadRead& read,
                                  std::string& buffer, const policy::WireRequest& wire,
                                  const policy::Findings& findings) {
  // The views of read.head point into `buffer`, so the body is collected beside it.
  std::string body = buffer.substr(read.head_size);
  const bool whole = co_await collect(lease, read, body);
  if (!whole) co_return co_await reply(x, 502, "the answer of the Docker engine broke off; the container may have been created");
  const bool clean = body.size() == *read.head.content_length;
  if (wire.image) {
    std::string problem = co_await check_image(x, body, *wire.image);
    if (!problem.empty()) {
      engine_ = nullptr;
      if (clean && !read.head.close) loop_.upstream.give_back(std::move(lease.stream));
      co_return co_await reply(x, 409, std::move(problem));
    }
  }
  std::optional<std::string> merged = with_warnings(body, findings);
  if (merged) body = *std::move(merged);
  co_return co_await send_collected(x, lease, read, clean, body);
}

Task<bool> Session::answer_refusal(Exchange& x, Upstream::Lease& lease, const HeadRead& read,
                                   std::string& buffer, const policy::WireRequest& wire) {
  std::string body = buffer.substr(read.head_size);
  bool whole = read.head.content_length && *read.head.content_length <= kMaxCreateAnswer;
  if (whole) whole = co_await collect(lease, read, body);
  if (!whole) {
    engine_ = nullptr;
    co_return co_await reply(x, read.head.status, "the Docker engine refused this, in words that could not be read");
  }
  const bool clean = body.size() == *read.head.content_length;
  body = policy::without_ids(body, wire.target + wire.body + std::string(x.head.target));
  co_return co_await send_collected(x, lease, read, clean, body);
}

Task<bool> Session::collect(Upstream::Lease& lease, const HeadRead& read, std::string& body) {
  const auto total = static_cast<std::size_t>(*read.head.content_length);
  const Millis deadline = loop_.reactor.now() + snapshot_->gateway.limits.lookup_timeout.count();
  while (body.size() < total) {
    const std::size_t before = body.size();
    body.resize(total);
    const IoResult got = co_await lease.stream->read_some(body.data() + before, total - before, deadline);
    if (!got.ok()) co_return false;
    body.resize(before + got.size);
  }
  co_return true;
}

Task<bool> Session::send_collected(Exchange& x, Upstream::Lease& lease, const HeadRead& read,
                                   bool clean, const std::string& body) {
  const bool keep = x.head.keep_alive && !draining_ && !x.body_pending;
  std::string out = response_head(x, read.head, keep, body.size());
  out.append(body);
  engine_ = nullptr;
  if (clean && !read.head.close) loop_.upstream.give_back(std::move(lease.stream));
  const Io sent = co_await client_->write_all(out, kNever);
  if (sent != Io::Ok) co_return false;
  if (!keep) co_await drain_input();
  co_return keep;
}

Task<std::string> Session::check_image(const Exchange& x, const std::string& created,
                                       const policy::JudgedImage& judged) {
  const Millis deadline = loop_.reactor.now() + snapshot_->gateway.limits.lookup_timeout.count();
  const std::string id = full_id(created);
  if (id.empty()) co_return "the answer of the Docker engine names no container; it may have been created";
  std::string target = "/containers/" + id + "/json";
  Result<Upstream::Answer> found = co_await loop_.upstream.get(std::move(target), deadline);
  std::string image;
  if (found && found->status == 200) image = text_member(std::move(found->body), "Image");
  if (!image.empty() && judged.allows(image)) co_return std::string();
  // A deadline of its own: what should not be there must go, however long the question took.
  const Millis later = loop_.reactor.now() + snapshot_->gateway.limits.lookup_timeout.count();
  std::string doomed = id;
  const Result<Upstream::Answer> removed = co_await loop_.upstream.remove_container(std::move(doomed), later);
  const bool gone = removed && (removed->status == 204 || removed->status == 404);
  std::string note;
  json::Writer(note).begin_object()
      .key("event").value("created-container-removed").key("decision").value(x.id)
      .key("container").value(id).key("image").value(judged.name).key("imageId").value(image)
      .key("removed").value(gone).end_object();
  std::string record = audit::note_record_raw(loop_.shared.host_json, "gateway", note);
  loop_.shared.audit->write(std::move(record), audit::Sync::Now, {});
  co_return "image " + judged.name + " changed between its check and its use; the container " +
      (gone ? "was removed, try again" : "could not be removed: tell an administrator");
}

Task<bool> Session::forward_upload(Exchange& x, const policy::WireRequest& wire) {
  const config::Limits& limits = snapshot_->gateway.limits;
  Reactor& reactor = loop_.reactor;
  Upstream::Lease lease = co_await loop_.upstream.lease(true, reactor.now() + limits.upstream_connect_timeout.count());
  HeadRead read;
  if (!lease.stream) co_return co_await engine_failed(x, read, false);
  const OnEngine on_engine(*this, *lease.stream);
  Upload upload;
  upload.chunked = x.head.chunked;
  upload.length = x.head.content_length.value_or(0);
  upload.idle_ms = limits.body_timeout.count();
  std::string request = wire_head(wire, upload.chunked, upload.length, false);
  const Io sent = co_await lease.stream->write_all(request, kNever);
  if (sent != Io::Ok) {
    read.status = Io::Broken;
    co_return co_await engine_failed(x, read, true);
  }
  if (x.head.expect_continue && input_.empty()) {
    const Io told = co_await client_->write_all("HTTP/1.1 100 Continue\r\n\r\n", reactor.now() + limits.body_timeout.count());
    if (told != Io::Ok) co_return false;
  }
  // From here on a child coroutine uses both streams: every path below waits for it.
  spawn(pump_upload(*client_, *lease.stream, input_, upload));
  std::string buffer;
  read = co_await read_response_head(*lease.stream, buffer, kNever);
  x.body_pending = !upload.complete;
  const bool answered = read.status == Io::Ok && read.problem.empty() && read.head.status != 101;
  if (!answered) {
    lease.stream->cancel();
    if (upload.bad || !x.body_pending) {
      co_await upload.done;
      if (upload.compressed) {
        docker::Refusal compressed = docker::Refusal::ambiguous("body", "the archive is compressed; send a plain tar");
        co_return co_await refuse(x, std::move(compressed));
      }
      if (upload.bad) {
        co_return co_await reply(x, 400, "the request body is malformed or broke off; nothing more was forwarded");
      }
      co_return co_await engine_failed(x, read, true);
    }
    const bool replied = co_await engine_failed(x, read, true);
    static_cast<void>(replied);
    client_->cancel();
    co_await upload.done;
    co_return false;
  }
  learn(loop_.shared.engine, read.head);
  const bool keep = co_await answer(x, lease, read, buffer, upload.complete, false);
  if (!upload.complete) {
    client_->cancel();
    if (lease.stream) lease.stream->cancel();
  }
  co_await upload.done;
  co_return keep && upload.complete;
}

Task<bool> Session::forward_hijack(Exchange& x, const policy::WireRequest& wire) {
  const config::Limits& limits = snapshot_->gateway.limits;
  Reactor& reactor = loop_.reactor;
  Upstream::Lease lease = co_await loop_.upstream.lease(true, reactor.now() + limits.upstream_connect_timeout.count());
  HeadRead read;
  if (!lease.stream) co_return co_await engine_failed(x, read, false);
  const OnEngine on_engine(*this, *lease.stream);
  std::string request = wire_head(wire, false, 0, x.head.has_upgrade);
  request.append(wire.body);
  const Io sent = co_await lease.stream->write_all(request, kNever);
  if (sent != Io::Ok) {
    read.status = Io::Broken;
    co_return co_await engine_failed(x, read, true);
  }
  std::string buffer;
  // What the client sends before the engine's answer waits in input_: the engine would lose it.
  read = co_await read_response_head(*lease.stream, buffer, kNever, client_.get(), &input_);
  if (read.status != Io::Ok || !read.problem.empty()) co_return co_await engine_failed(x, read, true);
  learn(loop_.shared.engine, read.head);
  if (!read.head.hijacks()) {
    // An ordinary answer. Bytes meant for the stream must never be read as a request.
    const bool kept = co_await answer(x, lease, read, buffer, false, true);
    static_cast<void>(kept);
    co_return false;
  }
  std::string to_client = "HTTP/1.1 " + std::string(read.head.status_text) + "\r\n";
  for (const Header& header : read.head.headers) {
    to_client.append(header.name).append(": ").append(header.value).append("\r\n");
  }
  to_client.append("X-Dockreeve-Decision: ").append(x.id).append("\r\n");
  if (read.head.status == 101) {
    to_client.append("Connection: Upgrade\r\nUpgrade: ").append(wire.upgrade).append("\r\n");
  }
  to_client.append("\r\n").append(buffer, read.head_size);
  std::string to_engine = std::move(input_);
  input_ = std::string();
  // Streams live for hours: what only the opening needed goes first.
  std::string().swap(buffer);
  std::string().swap(request);
  std::string().swap(x.head_block);
  std::string().swap(x.body);
  x.head = RequestHead();
  const Millis idle = limits.stream_idle_timeout.count();
  co_await relay_hijacked(*client_, *lease.stream, std::move(to_client), std::move(to_engine), idle);
  co_return false;
}

}  // namespace dockreeve::proxy
