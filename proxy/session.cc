// The way of a request up to its decision; session_forward.cc has what follows an admission.
#include "proxy/session.h"

#include <ctime>
#include <exception>
#include <utility>

#include "base/json.h"

namespace dockreeve::proxy {
namespace {

constexpr Millis kHandshakeTimeout = 10000;
constexpr Millis kReplyTimeout = 10000;
constexpr Millis kDrainTimeout = 2000;
constexpr std::size_t kDrainBytes = 8 * 1024 * 1024;
constexpr int kLookupRounds = 6;

std::int64_t monotonic_us() {
  timespec ts{};
  clock_gettime(CLOCK_MONOTONIC, &ts);
  return std::int64_t{ts.tv_sec} * 1000000 + ts.tv_nsec / 1000;
}

docker::Refusal refusal(int status, std::string rule, std::string pointer, std::string detail) {
  docker::Refusal made;
  made.status = status;
  made.rule = std::move(rule);
  made.pointer = std::move(pointer);
  made.detail = std::move(detail);
  return made;
}

// A head that arrives with bare line feeds will never end the way heads end: say so at once.
bool has_bare_line_feed(std::string_view data) {
  for (std::size_t at = data.find('\n'); at != std::string_view::npos; at = data.find('\n', at + 1)) {
    if (at == 0 || data[at - 1] != '\r') return true;
  }
  return false;
}

bool starts_with_fold(std::string_view text, std::string_view lower_prefix) {
  if (text.size() < lower_prefix.size()) return false;
  for (std::size_t i = 0; i < lower_prefix.size(); ++i) {
    const char c = text[i];
    const char l = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    if (l != lower_prefix[i]) return false;
  }
  return true;
}

bool equals_fold(std::string_view text, std::string_view lower) {
  return text.size() == lower.size() && starts_with_fold(text, lower);
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// application/json, alone or with charset=utf-8.
bool is_json_type(std::string_view type) {
  const std::size_t semicolon = type.find(';');
  if (!equals_fold(trimmed(type.substr(0, semicolon)), "application/json")) return false;
  if (semicolon == std::string_view::npos) return true;
  const std::string_view parameter = trimmed(type.substr(semicolon + 1));
  return parameter.empty() || equals_fold(parameter, "charset=utf-8") ||
         equals_fold(parameter, "charset=\"utf-8\"");
}

bool is_registry_auth(std::string_view value) {
  if (value.size() > 24 * 1024) return false;
  for (const char c : value) {
    const bool fine = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                      c == '-' || c == '_' || c == '=' || c == '+' || c == '/';
    if (!fine) return false;
  }
  return true;
}

// Credentials go where the engine talks to a registry, nowhere else.
bool takes_credentials(const docker::Route& route) {
  return route.name == "image.create" || route.name == "image.push" || route.name == "image.search" ||
         route.name == "distribution.inspect" || route.body == docker::Body::Service;
}

std::string_view kind_of(docker::Object object) {
  switch (object) {
    case docker::Object::Container: return "container";
    case docker::Object::Exec: return "exec";
    case docker::Object::Image: return "image";
    case docker::Object::Volume: return "volume";
    case docker::Object::Network: return "network";
    case docker::Object::Plugin: return "plugin";
    case docker::Object::Service: return "service";
    case docker::Object::Node:
    case docker::Object::Task:
    case docker::Object::Secret:
    case docker::Object::Config: return "swarm";
    case docker::Object::None: return "system";
  }
  return "system";
}

}  // namespace

Session::Session(Loop& loop, std::unique_ptr<Stream> client, std::size_t listener,
                 certs::Caller caller, std::shared_ptr<const Snapshot> snapshot)
    : loop_(loop),
      client_(std::move(client)),
      listener_(listener),
      caller_(std::move(caller)),
      snapshot_(std::move(snapshot)) {
  loop_.sessions.insert(this);
  loop_.reactor.hold();
  loop_.shared.connections.fetch_add(1, std::memory_order_relaxed);
}

Session::~Session() {
  loop_.sessions.erase(this);
  loop_.reactor.release();
  loop_.shared.connections.fetch_sub(1, std::memory_order_relaxed);
}

void Session::drain() {
  draining_ = true;
  if (idle_) client_->cancel();
}

void Session::cancel() {
  draining_ = cancelled_ = true;
  client_->cancel();
  if (engine_) engine_->cancel();
}

Task<void> Session::run() {
  try {
    const bool ready = co_await prepare();
    bool keep = ready;
    while (keep) {
      // Waited for here and not inside serve_one(), whose frame is large: most connections are idle
      // most of the time.
      std::string block;
      const Io got = co_await read_head(block);
      if (got == Io::Ok || got == Io::Timeout) {
        keep = co_await serve_one(got, std::move(block));
      } else {
        if (got == Io::Eof) {
          const Io closed = co_await client_->close_write(loop_.reactor.now() + kDrainTimeout);
          static_cast<void>(closed);
        }
        keep = false;
      }
      if (draining_) keep = false;
    }
  } catch (const std::exception&) {
    // Out of memory or a bug: this connection ends, and has forwarded nothing that was not admitted.
  }
}

Task<bool> Session::prepare() {
  if (client_->ssl()) {
    const Io shaken = co_await client_->handshake(loop_.reactor.now() + kHandshakeTimeout);
    if (shaken != Io::Ok) co_return false;
    auto facts = certs::certificate_facts(client_->ssl());
    if (!facts) co_return false;
    caller_.certificate = *std::move(facts);
  } else {
    Result<certs::UnixPeer> peer;
    const int fd = client_->descriptor().fd();
    std::function<void()> job = [&peer, fd] { peer = certs::unix_peer(fd); };
    BlockingWorker::Run run(loop_.shared.worker, loop_.reactor, std::move(job));
    co_await run;
    if (!peer) co_return false;
    caller_.peer = *std::move(peer);
  }
  fixed_.host = loop_.shared.host_json;
  fixed_.source = audit::source_json(caller_);
  who_ = snapshot_->evaluator->policies().identify(caller_);
  if (who_) fixed_.identity = audit::identity_json(*who_);
  co_return true;
}

bool Session::refresh_snapshot() {
  if (loop_.shared.snapshots.generation() == snapshot_->id) return true;
  std::shared_ptr<const Snapshot> next = loop_.shared.snapshots.get();
  // INVARIANT: a reload never changes the listeners, so the index stays good.
  if (client_->ssl() && !next->tls[listener_]->verify_again(client_->ssl())) return false;
  snapshot_ = std::move(next);
  who_ = snapshot_->evaluator->policies().identify(caller_);
  fixed_.identity = who_ ? audit::identity_json(*who_) : std::string();
  return true;
}

Task<Io> Session::read_head(std::string& block) {
  const config::Limits& limits = snapshot_->gateway.limits;
  const auto max = static_cast<std::size_t>(limits.max_header_bytes);
  Reactor& reactor = loop_.reactor;
  Millis deadline = reactor.now() + limits.idle_timeout.count();
  bool started = !input_.empty();
  if (started) deadline = reactor.now() + limits.header_timeout.count();
  std::size_t searched = 0;
  for (;;) {
    const std::size_t end = find_head_end(input_, searched);
    if (end != std::string::npos && end <= max) {
      if (end == input_.size()) {
        block = std::move(input_);
        input_ = std::string();
      } else {
        block.assign(input_, 0, end);
        input_.erase(0, end);
      }
      co_return Io::Ok;
    }
    // Whatever it is, the head parser will refuse it with the reason.
    if (input_.size() > max || has_bare_line_feed(input_)) {
      block = std::move(input_);
      input_ = std::string();
      co_return Io::Ok;
    }
    searched = input_.size();
    const IoResult got = client_->try_read(reactor.scratch(), Reactor::kScratch);
    if (got.ok()) {
      input_.append(reactor.scratch(), got.size);
      if (!started) {
        started = true;
        deadline = reactor.now() + limits.header_timeout.count();
      }
      continue;
    }
    if (got.status != Io::Again) co_return got.status;
    idle_ = !started;
    ReadyAwaiter ready(client_->descriptor(), Direction::Read, deadline);
    const Wake wake = co_await ready;
    idle_ = false;
    if (wake == Wake::Cancelled) co_return Io::Cancelled;
    // An idle connection at its limit is closed in order, as if the client had closed it.
    if (wake == Wake::Timeout) co_return started ? Io::Timeout : Io::Eof;
  }
}

Task<std::optional<docker::Refusal>> Session::read_body(Exchange& x, std::int64_t limit) {
  const auto max = static_cast<std::uint64_t>(limit);
  if (!x.head.has_body()) co_return std::nullopt;
  x.body_pending = true;
  const std::string too_large = "the body is larger than " + std::to_string(max) + " bytes";
  if (x.head.content_length && *x.head.content_length > max) {
    co_return refusal(413, "body-too-large", "", too_large);
  }
  Reactor& reactor = loop_.reactor;
  const Millis deadline = reactor.now() + snapshot_->gateway.limits.body_timeout.count();
  if (x.head.expect_continue && input_.empty()) {
    const Io sent = co_await client_->write_all("HTTP/1.1 100 Continue\r\n\r\n", deadline);
    if (sent != Io::Ok) co_return refusal(400, "ambiguous-request", "", "the client went away");
  }
  ChunkReader chunks;
  for (;;) {
    if (x.head.chunked) {
      std::string_view rest = input_;
      for (std::string_view piece = chunks.next(rest); !piece.empty(); piece = chunks.next(rest)) {
        x.body.append(piece);
      }
      input_.erase(0, input_.size() - rest.size());
      if (x.body.size() > max) co_return refusal(413, "body-too-large", "", too_large);
      if (chunks.state() == ChunkReader::State::Bad) {
        co_return refusal(400, "ambiguous-request", "body", "the chunked framing is malformed");
      }
      if (chunks.state() == ChunkReader::State::Done) break;
    } else {
      const std::size_t missing = *x.head.content_length - x.body.size();
      if (input_.size() >= missing) {
        if (x.body.empty() && input_.size() == missing) {
          x.body = std::move(input_);
          input_ = std::string();
        } else {
          x.body.append(input_, 0, missing);
          input_.erase(0, missing);
        }
        break;
      }
      x.body.append(input_);
      input_.clear();
    }
    const IoResult got = client_->try_read(reactor.scratch(), Reactor::kScratch);
    if (got.ok()) {
      input_.append(reactor.scratch(), got.size);
      continue;
    }
    if (got.status != Io::Again) {
      co_return refusal(400, "ambiguous-request", "body", "the body broke off");
    }
    ReadyAwaiter ready(client_->descriptor(), Direction::Read, deadline);
    const Wake wake = co_await ready;
    if (wake != Wake::Ready) {
      co_return refusal(408, "ambiguous-request", "body", "the body did not arrive in time");
    }
  }
  x.body_pending = false;
  co_return std::nullopt;
}

// The decoder takes the bytes; what the record says about them is noted first.
void Session::note_body(Exchange& x) {
  x.body_bytes = x.body.size();
  if (!x.body.empty()) x.body_sha256 = loop_.hash.hex(x.body);
}

std::optional<docker::Refusal> Session::check_headers(const Exchange& x) const {
  const docker::Route& route = *x.target->route;
  const std::string_view type = x.head.content_type;
  if (starts_with_fold(type, "application/x-www-form-urlencoded") || starts_with_fold(type, "multipart/")) {
    return docker::Refusal::ambiguous("header/content-type", "form bodies are not accepted: the engine would read parameters from them");
  }
  if (x.head.has_body() && (route.method == docker::Method::Get || route.method == docker::Method::Head)) {
    return docker::Refusal::ambiguous("body", "a GET or HEAD request takes no body");
  }
  // The CLI commits without a body, and says nothing about its type.
  const bool no_body = route.body == docker::Body::Commit && !x.head.has_body();
  if (docker::has_json_body(route.body) && !no_body && !is_json_type(type)) {
    return docker::Refusal::ambiguous("header/content-type", "it must be application/json in UTF-8");
  }
  if (route.stream == docker::Stream::Hijack) {
    const std::string_view protocol = docker::upgrade_protocol(route);
    const bool must = protocol != "tcp";
    if (x.head.has_upgrade ? !equals_fold(x.head.upgrade, protocol) : must) {
      return docker::Refusal::ambiguous("header/upgrade", "only " + std::string(protocol) + " is spoken here");
    }
    // A page from anywhere could open a WebSocket with the certificate of whoever looks at it.
    if (x.head.has_origin && protocol == "websocket") {
      return refusal(403, "unknown-endpoint", "header/origin", "a browser may not open this stream");
    }
  }
  if (x.head.has_upgrade && docker::is_spooled(docker::body_of(*x.target))) {
    return docker::Refusal::ambiguous("header/upgrade", "an upload upgrades to nothing; use `DOCKER_BUILDKIT=0 docker build`");
  }
  if (!is_registry_auth(x.head.registry_config)) {
    return docker::Refusal::ambiguous("header/x-registry-config", "it is not base64");
  }
  if (!is_registry_auth(x.head.registry_auth)) {
    return docker::Refusal::ambiguous("header/x-registry-auth", "it is not base64");
  }
  return std::nullopt;
}

Task<bool> Session::serve_one(Io got, std::string head_block) {
  Exchange x;
  x.head_block = std::move(head_block);
  x.started_us = monotonic_us();
  if (got == Io::Timeout) {
    x.id = audit::new_ulid();
    docker::Refusal late = refusal(408, "ambiguous-request", "header", "the head did not arrive in time");
    co_return co_await refuse(x, std::move(late));
  }
  if (!refresh_snapshot()) co_return false;
  x.id = audit::new_ulid();

  auto head = parse_request_head(x.head_block);
  if (!head) {
    HeadError& error = head.error();
    if (x.head_block.size() > static_cast<std::size_t>(snapshot_->gateway.limits.max_header_bytes)) {
      error = {431, "header", "the head is larger than " + std::to_string(snapshot_->gateway.limits.max_header_bytes) + " bytes"};
    }
    docker::Refusal bad = refusal(error.status, "ambiguous-request", error.where, error.detail);
    co_return co_await refuse(x, std::move(bad));
  }
  x.head = *std::move(head);
  x.head_parsed = true;
  x.body_pending = x.head.has_body();
  if (!who_) {
    docker::Refusal stranger = refusal(403, "unknown-identity", "", "no identity matches this caller; ask an administrator to add one");
    co_return co_await refuse(x, std::move(stranger));
  }
  const std::optional<docker::Method> method = docker::parse_method(x.head.method);
  if (!method) {
    docker::Refusal unknown = refusal(403, "unknown-endpoint", "path", "this method is not one of the Engine API");
    co_return co_await refuse(x, std::move(unknown));
  }
  auto target = docker::classify(*method, x.head.target);
  if (!target) co_return co_await refuse(x, std::move(target.error()));
  x.target = *std::move(target);
  if (auto problem = check_headers(x)) co_return co_await refuse(x, *std::move(problem));

  const docker::Route& route = *x.target->route;
  // Closed routes are refused without reading what they carry; opaque bodies are relayed later.
  const bool closed = route.access == docker::Access::Closed;
  const bool spooled = !closed && docker::is_spooled(docker::body_of(*x.target));
  if (spooled) {
    docker::Target given = *x.target;
    docker::Parsed<docker::Target> checked = docker::check_target(std::move(given));
    if (!checked) co_return co_await refuse(x, std::move(checked.error()));
    x.target = *std::move(checked);
    auto problem = co_await spool_body(x);
    if (x.spool) x.body_bytes = x.spool->size();
    if (problem) co_return co_await refuse(x, *std::move(problem));
  } else if (!closed && route.body != docker::Body::Opaque) {
    auto problem = co_await read_body(x, snapshot_->gateway.limits.max_body_bytes);
    note_body(x);
    if (problem) co_return co_await refuse(x, *std::move(problem));
  }
  docker::Target target_copy = *x.target;
  docker::Parsed<docker::Request> request;
  if (closed) {
    // Rules may have more to say about it than that it is closed.
    request->target = std::move(target_copy);
  } else if (spooled) {
    request = x.scan->finish();
    x.scan.reset();
  } else {
    request = docker::decode_request(std::move(target_copy), std::move(x.body));
  }
  if (!request) co_return co_await refuse(x, std::move(request.error()));
  if (takes_credentials(route)) request->registry_auth = std::string(x.head.registry_auth);
  if (route.name == "build") request->registry_config = std::string(x.head.registry_config);
  if (route.stream == docker::Stream::Hijack) {
    auto headers = docker::upgrade_headers(route, x.head.upgrade_headers);
    if (!headers) co_return co_await refuse(x, std::move(headers.error()));
    request->upgrade_headers = *std::move(headers);
  }

  const policy::Evaluator& evaluator = *snapshot_->evaluator;
  if (!closed) {
    std::vector<std::string> names = policy::contested_names(*request);
    if (!names.empty()) {
      const Millis patience = loop_.reactor.now() + snapshot_->gateway.limits.lookup_timeout.count();
      x.names = co_await loop_.shared.names.acquire(loop_.reactor, std::move(names), patience);
      if (!x.names.ok()) {
        docker::Refusal busy = refusal(409, "busy-name", "", "other requests about the same volume or image are under way; try again");
        co_return co_await refuse(x, std::move(busy));
      }
    }
  }
  policy::Facts facts;
  const Millis lookup_deadline = loop_.reactor.now() + snapshot_->gateway.limits.lookup_timeout.count();
  for (int round = 0; round < kLookupRounds; ++round) {
    std::vector<policy::Lookup> wanted = evaluator.needs(*request, *who_, facts);
    if (wanted.empty()) break;
    co_await loop_.lookups.answer(std::move(wanted), facts, lookup_deadline);
  }
  docker::ApiVersion fallback;
  fallback.minor = loop_.shared.engine.api_minor.load(std::memory_order_relaxed);
  if (x.target->version.minor == 0 && fallback.minor == 0 && route.access != docker::Access::Free) {
    // A request without a version means "the newest you have": find out which that is.
    auto ping = co_await loop_.upstream.get("/_ping", lookup_deadline);
    fallback.minor = loop_.shared.engine.api_minor.load(std::memory_order_relaxed);
  }
  if (fallback.minor > docker::kNewestMinor) fallback.minor = docker::kNewestMinor;

  policy::Stamp stamp;
  stamp.decision = x.id;
  policy::Decision decision = evaluator.evaluate(*std::move(request), *who_, facts, stamp, fallback);
  co_return co_await conclude(x, std::move(decision));
}

Task<bool> Session::refuse(Exchange& x, docker::Refusal refusal) {
  policy::Decision decision = snapshot_->evaluator->refuse(refusal);
  co_return co_await conclude(x, std::move(decision));
}

Task<bool> Session::conclude(Exchange& x, policy::Decision decision) {
  const bool denied = decision.denied();
  const bool change = !x.target || x.target->route->access == docker::Access::Change ||
                      x.target->route->access == docker::Access::OptIn;
  const audit::Sync sync = denied || change ? audit::Sync::Now : audit::Sync::Later;
  const bool recorded = co_await record(x, decision, sync);
  if (!recorded && sync == audit::Sync::Now && snapshot_->gateway.audit.fail_closed) {
    co_return co_await reply(x, 503, "audit log unavailable: dockreeve cannot write this decision down, so the request was not forwarded");
  }
  if (denied) {
    const policy::Denied& verdict = std::get<policy::Denied>(decision.outcome);
    std::string text = verdict.plain.empty() ? policy::denial_text(decision, x.id) : verdict.plain;
    co_return co_await reply(x, verdict.status, std::move(text));
  }
  policy::Admitted admitted = std::get<policy::Admitted>(std::move(decision.outcome));
  co_return co_await forward(x, std::move(admitted), decision.findings);
}

namespace {

// Waits for the sink's answer about one record.
class Recorded {
 public:
  Recorded(Loop& loop, std::string record) : loop_(loop), record_(std::move(record)) {}
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> handle) {
    loop_.reactor.hold();
    loop_.shared.audit->write(std::move(record_), audit::Sync::Now, [this, handle](bool recorded) {
      loop_.reactor.post([this, handle, recorded] {
        recorded_ = recorded;
        loop_.reactor.release();
        handle.resume();
      });
    });
  }
  bool await_resume() const noexcept { return recorded_; }

 private:
  Loop& loop_;
  std::string record_;
  bool recorded_ = false;
};

}  // namespace

Task<bool> Session::record(Exchange& x, const policy::Decision& decision, audit::Sync sync) {
  audit::RequestFacts facts;
  facts.id = x.id;
  facts.listener = caller_.listener;
  std::string_view target_name;
  std::string_view target_kind = "system";
  facts.route = "unknown";
  if (x.head_parsed) {
    facts.method = x.head.method.substr(0, 16);
    facts.path = x.head.target.substr(0, std::min<std::size_t>(x.head.target.find('?'), 512));
    facts.user_agent = x.head.user_agent;
    facts.client_request_id = x.head.request_id;
  } else {
    facts.method = "-";
    facts.path = "-";
  }
  if (x.target) {
    facts.route = x.target->route->name;
    if (x.target->version.minor > 0) facts.api_version = "1." + std::to_string(x.target->version.minor);
    facts.query = &x.target->query;
    target_kind = kind_of(x.target->route->object);
    target_name = x.target->id;
    if (x.target->route->body == docker::Body::Create) {
      target_kind = "container";
      target_name = docker::param(x.target->query, "name");
    } else if (x.target->route->body == docker::Body::BuildContext) {
      target_kind = "image";
      target_name = docker::param(x.target->query, "t");
    }
  }
  facts.body_bytes = static_cast<std::int64_t>(x.body_bytes);
  // A hash of credentials would let them be guessed from the audit file.
  const bool credentials = x.target && x.target->route->body == docker::Body::Auth;
  if (x.body_bytes > 0 && !credentials) {
    facts.body_sha256 = x.body_sha256;
    if (const auto* admitted = std::get_if<policy::Admitted>(&decision.outcome)) {
      if (!admitted->wire().body.empty()) facts.forwarded_sha256 = loop_.hash.hex(admitted->wire().body);
    }
  }
  std::string text = audit::decision_record(fixed_, facts, decision, snapshot_->evaluator->policies().hash(),
                                            monotonic_us() - x.started_us, target_kind, target_name);
  if (sync == audit::Sync::Later) {
    loop_.shared.audit->write(std::move(text), audit::Sync::Later, {});
    co_return true;
  }
  Recorded recorded(loop_, std::move(text));
  co_return co_await recorded;
}

Task<bool> Session::reply(Exchange& x, int status, std::string message) {
  std::string body = "{\"message\":";
  json::append_string(body, message);
  body.append("}\n");
  bool keep = x.head_parsed && x.head.keep_alive && !x.body_pending && !draining_;
  std::string out = "HTTP/1.1 " + std::to_string(status) + " ";
  switch (status) {
    case 400: out.append("Bad Request"); break;
    case 403: out.append("Forbidden"); break;
    case 404: out.append("Not Found"); break;
    case 409: out.append("Conflict"); break;
    case 408: out.append("Request Timeout"); keep = false; break;
    case 413: out.append("Request Entity Too Large"); break;
    case 415: out.append("Unsupported Media Type"); break;
    case 417: out.append("Expectation Failed"); break;
    case 431: out.append("Request Header Fields Too Large"); break;
    case 502: out.append("Bad Gateway"); break;
    case 503: out.append("Service Unavailable"); break;
    case 504: out.append("Gateway Timeout"); break;
    case 505: out.append("HTTP Version Not Supported"); break;
    default: out.append("Refused"); break;
  }
  out.append("\r\nContent-Type: application/json\r\nContent-Length: ").append(std::to_string(body.size()));
  if (!x.id.empty()) out.append("\r\nX-Dockreeve-Decision: ").append(x.id);
  if (!keep) out.append("\r\nConnection: close");
  out.append("\r\n\r\n");
  if (!x.head_parsed || x.head.method != "HEAD") out.append(body);
  const Io sent = co_await client_->write_all(out, loop_.reactor.now() + kReplyTimeout);
  if (sent != Io::Ok) co_return false;
  if (!keep) co_await drain_input();
  co_return keep;
}

// An immediate close with unread input would reset the connection and lose the answer.
Task<void> Session::drain_input() {
  Reactor& reactor = loop_.reactor;
  const Millis deadline = reactor.now() + kDrainTimeout;
  const Io closed = co_await client_->close_write(deadline);
  if (closed != Io::Ok) co_return;
  std::string().swap(input_);
  std::size_t seen = 0;
  while (seen < kDrainBytes) {
    const IoResult got = client_->try_read(reactor.scratch(), Reactor::kScratch);
    if (got.ok()) {
      seen += got.size;
      continue;
    }
    if (got.status != Io::Again) co_return;
    ReadyAwaiter ready(client_->descriptor(), Direction::Read, deadline);
    const Wake wake = co_await ready;
    if (wake != Wake::Ready) co_return;
  }
}

}  // namespace dockreeve::proxy
