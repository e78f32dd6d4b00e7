// Audit records as text. One is made on every request, so members are appended as they go, in a
// fixed order, without a document in between; what a connection repeats is made once (Fixed).

#include "audit/record.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>
#include <span>

#include "audit/text.h"

namespace dockreeve::audit {
namespace {

constexpr std::string_view kNoHash =
    "0000000000000000000000000000000000000000000000000000000000000000";

// Largest pieces, in bytes of output. What comes before the findings adds up to less than half a
// record, so that findings always find room.
constexpr std::size_t kWord = 128;      // versions, ids, names of listeners and routes
constexpr std::size_t kLine = 512;      // paths, names, pointers
constexpr std::size_t kMessage = 1024;  // sentences, distinguished names
constexpr std::size_t kList = 2048;     // a list of names
constexpr std::size_t kQuery = 4096;
constexpr std::size_t kFindings = 24u << 10;
constexpr std::size_t kRedactions = 8u << 10;
constexpr std::size_t kReserve = 2048;  // what may follow the input: "truncated" and brackets
constexpr std::size_t kTruncated = 16;  // entries of that list

// Names of what was cut. Bounded, since it is written when there is no room left.
class Cuts {
 public:
  void add(std::string pointer) {
    if (pointers_.size() < kTruncated && pointer.size() < 64)
      pointers_.push_back(std::move(pointer));
  }
  void append_to(std::string& out) const {
    if (pointers_.empty()) return;
    out += R"(,"truncated":[)";
    for (const std::string& pointer : pointers_) {
      if (&pointer != &pointers_.front()) out += ',';
      append_text(out, pointer, kWord);
    }
    out += ']';
  }

 private:
  std::vector<std::string> pointers_;
};

// One member; `lead` is what stands before the value: `,"path":`.
bool add(std::string& out, std::string_view lead, std::string_view text, std::size_t max = kWord) {
  out += lead;
  return append_text(out, text, max);
}

bool add_if(std::string& out, std::string_view lead, std::string_view text,
            std::size_t max = kWord) {
  return text.empty() || add(out, lead, text, max);
}

void add_number(std::string& out, std::string_view lead, std::int64_t number) {
  std::array<char, 20> digits{};
  out += lead;
  out.append(digits.data(),
             std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr);
}

// As many elements as fit into `max` bytes. Returns whether all did, uncut.
bool add_list(std::string& out, std::string_view lead, std::span<const std::string> items,
              std::size_t max = kList) {
  out += lead;
  out += '[';
  const std::size_t start = out.size();
  bool whole = true;
  for (const std::string& item : items) {
    const std::size_t before = out.size();
    if (before != start) out += ',';
    whole = append_text(out, item, kLine) && whole;
    if (out.size() - start > max) {
      out.resize(before);
      whole = false;
      break;
    }
  }
  out += ']';
  return whole;
}

bool is_hash(std::string_view text) {
  return text.size() == 64 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

bool is_ulid(std::string_view text) {
  return text.size() == 26 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') ||
                  (c >= 'A' && c <= 'Z' && c != 'I' && c != 'L' && c != 'O' && c != 'U');
         });
}

// RFC 3339 in UTC with microseconds. The part down to the second is made once a second and thread.
void append_now(std::string& out) {
  struct Second {
    std::time_t time = -1;
    std::array<char, 32> text{};
    std::size_t size = 0;
  };
  thread_local Second second;
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  if (now.tv_sec != second.time) {
    std::tm parts{};
    gmtime_r(&now.tv_sec, &parts);
    second.size =
        std::strftime(second.text.data(), second.text.size(), "%Y-%m-%dT%H:%M:%S.", &parts);
    second.time = now.tv_sec;
  }
  out.append(second.text.data(), second.size);
  std::array<char, 7> micros{"000000"};
  auto rest = now.tv_nsec / 1000;
  for (std::size_t i = 6; i-- > 0; rest /= 10)
    micros[i] = static_cast<char>('0' + rest % 10);
  out.append(micros.data(), 6);
  out += 'Z';
}

// Query values that carry what a client may want to keep to itself: build arguments, and Dockerfile
// lines (ENV) of commit and import.
bool secret_query_key(std::string_view key) {
  return key == "buildargs" || key == "changes";
}

// `text` with the part before '@' taken out of every "https://user:secret@host/x" in it.
std::string without_user_info(std::string_view text) {
  std::string kept;
  for (std::size_t mark = 0; (mark = text.find("://")) != std::string_view::npos;) {
    const std::size_t host = mark + 3;
    const std::size_t end = std::min(text.find_first_of("/?#, \"", host), text.size());
    const std::size_t at = text.substr(host, end - host).rfind('@');
    kept += text.substr(0, host);
    if (at != std::string_view::npos) kept += "<redacted>";
    text.remove_prefix(at != std::string_view::npos ? host + at : host);
  }
  return kept += text;
}

bool add_query(std::string& out, const docker::Query& query, std::vector<std::string>& redacted) {
  out += R"(,"query":{)";
  const std::size_t start = out.size();
  bool whole = true;
  for (std::size_t i = 0; i < query.size();) {
    const std::string& key = query[i].first;
    std::string value = query[i].second;
    for (++i; i < query.size() && query[i].first == key; ++i) {  // a list parameter
      value += ", " + query[i].second;
    }
    std::string shown = secret_query_key(key) ? "<redacted:" + std::to_string(value.size()) + ">"
                                              : without_user_info(value);
    if (shown != value) redacted.push_back("query/" + key);
    const std::size_t before = out.size();
    if (before != start) out += ',';
    append_text(out, key, kWord);
    out += ':';
    whole = append_text(out, shown, kLine) && whole;
    if (out.size() - start > kQuery) {
      out.resize(before);
      whole = false;
      break;
    }
  }
  out += '}';
  return whole;
}

// A header that a client chose freely is kept only when it can do no harm anywhere.
bool safe_request_id(std::string_view id) {
  return !id.empty() && id.size() <= 64 && std::all_of(id.begin(), id.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           std::string_view("-_.:/+=@").find(c) != std::string_view::npos;
  });
}

void add_request(std::string& out, const RequestFacts& request, bool denied,
                 std::vector<std::string>& redacted, Cuts& cuts) {
  add(out, R"(,"request":{"id":)", request.id);
  add_if(out, R"(,"listener":)", request.listener);
  add(out, R"(,"method":)", request.method, 32);
  if (!add(out, R"(,"path":)", request.path, kLine)) cuts.add("/request/path");
  add_if(out, R"(,"apiVersion":)", request.api_version, 32);
  add(out, R"(,"route":)", request.route);
  if (request.query != nullptr && !request.query->empty() &&
      !add_query(out, *request.query, redacted)) {
    cuts.add("/request/query");
  }
  if (!add_if(out, R"(,"userAgent":)", request.user_agent, 256)) cuts.add("/request/userAgent");
  if (safe_request_id(request.client_request_id)) {
    add(out, R"(,"clientRequestId":)", request.client_request_id);
  }
  if (request.body_bytes > 0) add_number(out, R"(,"bodyBytes":)", request.body_bytes);
  if (is_hash(request.body_sha256)) {
    add(out, R"(,"bodySha256":)", request.body_sha256);
    const bool forwarded = !denied && is_hash(request.forwarded_sha256);
    if (denied || forwarded) {
      add(out, R"(,"forwardedSha256":)", forwarded ? request.forwarded_sha256 : kNoHash);
    }
  }
  out += '}';
}

// The schema's words for a target, which are fewer than the engine has.
std::string_view target_word(std::string_view kind) {
  static constexpr std::array<std::string_view, 10> kWords{
      "container", "image", "volume", "network", "exec",
      "service",   "build", "plugin", "swarm",   "system"};
  if (std::find(kWords.begin(), kWords.end(), kind) != kWords.end()) return kind;
  const bool swarm = kind == "node" || kind == "task" || kind == "secret" || kind == "config";
  return swarm ? "swarm" : "system";
}

bool has_fix(const policy::Finding& finding) {
  return !finding.fix.empty() && finding.message.find(finding.fix) == std::string::npos;
}

// Returns whether nothing of it was cut.
bool add_finding(std::string& out, const policy::Finding& finding) {
  bool whole = add(out, R"({"rule":)", finding.rule);
  add(out, R"(,"effect":)", policy::name(finding.effect));
  add(out, R"(,"severity":)", policy::name(finding.severity));
  if (finding.mode != policy::Mode::Disabled) {
    add(out, R"(,"mode":)", policy::name(finding.mode));
  }
  add_if(out, R"(,"policy":)", finding.policy);
  add_if(out, R"(,"origin":)", finding.origin, kLine);
  whole = add_if(out, R"(,"pointer":)", finding.pointer, kLine) && whole;
  if (!finding.value.empty()) {
    if (finding.value.size() > kMessage) {
      whole = false;
    } else if (nlohmann::json::accept(finding.value)) {
      out += R"(,"value":)";
      out += finding.value;
    } else {  // plain text after all: a line that does not parse would cost the whole chain
      add(out, R"(,"value":)", finding.value, kMessage);
    }
  }
  if (has_fix(finding)) {
    whole = add(out, R"(,"message":)", finding.message + " Fix: " + finding.fix, kMessage) && whole;
  } else {
    whole = add_if(out, R"(,"message":)", finding.message, kMessage) && whole;
  }
  if (!finding.controls.empty()) {
    whole = add_list(out, R"(,"controls":)", finding.controls, kLine) && whole;
  }
  out += '}';
  return whole;
}

// As many findings as fit into `room`, those that deny first: they are the reason.
void add_findings(std::string& out, const policy::Findings& findings, std::size_t room,
                  Cuts& cuts) {
  out += R"(,"findings":[)";
  const std::size_t start = out.size();
  bool whole = true;
  bool full = false;
  for (const bool denying : {true, false}) {
    if (full) break;
    for (const policy::Finding& finding : findings) {
      if ((finding.effect == policy::Effect::Deny) != denying) continue;
      const std::size_t before = out.size();
      if (before != start) out += ',';
      whole = add_finding(out, finding) && whole;
      full = out.size() - start > room;
      if (full) {
        out.resize(before);
        break;
      }
    }
  }
  if (full || !whole) cuts.add("/decision/findings");
  out += ']';
}

std::string_view outcome(const policy::Decision& decision) {
  if (decision.denied()) return "deny";
  const bool warned =
      std::any_of(decision.findings.begin(), decision.findings.end(),
                  [](const policy::Finding& f) { return f.effect == policy::Effect::Warn; });
  return warned ? "warn" : "allow";
}

void add_decision(std::string& out, const policy::Decision& decision, std::string_view policy_set,
                  std::int64_t latency_us, Cuts& cuts) {
  add(out, R"(,"decision":{"outcome":)", outcome(decision));
  if (decision.denied()) {
    add_number(out, R"(,"status":)", std::get<policy::Denied>(decision.outcome).status);
  }
  add_number(out, R"(,"latencyUs":)", latency_us);
  add(out, R"(,"policySet":)", is_hash(policy_set) ? policy_set : kNoHash);
  if (!decision.policies.empty() && !add_list(out, R"(,"policies":)", decision.policies)) {
    cuts.add("/decision/policies");
  }
  if (!decision.bindings.empty() && !add_list(out, R"(,"bindings":)", decision.bindings)) {
    cuts.add("/decision/bindings");
  }
  if (!decision.findings.empty()) {
    const std::size_t room = kMaxRecordBytes - kReserve - std::min(out.size(), kMaxRecordBytes / 2);
    add_findings(out, decision.findings, std::min(kFindings, room), cuts);
  }
  out += '}';
}

void add_redactions(std::string& out, const std::vector<std::string>& of_body,
                    const std::vector<std::string>& of_request, Cuts& cuts) {
  if (of_body.empty() && of_request.empty()) return;
  std::vector<std::string> all = of_body;
  all.insert(all.end(), of_request.begin(), of_request.end());
  if (!add_list(out, R"(,"redactions":)", all, kRedactions)) cuts.add("/redactions");
}

void add_input(std::string& out, const std::string& body, Cuts& cuts) {
  if (body.size() < 2 || body.front() != '{') return;
  if (out.size() + body.size() + kReserve > kMaxRecordBytes) {
    cuts.add("/input");
    return;
  }
  out += R"(,"input":)";
  out += body;
}

}  // namespace

std::string host_json(const Host& host) {
  std::string out;
  add(out, R"({"name":)", host.name, kLine);
  out += R"(,"gateway":"dockreeve")";
  add_if(out, R"(,"version":)", host.version);
  add_if(out, R"(,"engineVersion":)", host.engine_version);
  add_if(out, R"(,"bootId":)", host.boot_id);
  out += '}';
  return out;
}

std::string source_json(const certs::Caller& caller) {
  std::string out;
  if (caller.transport == certs::Transport::Unix) {
    add_number(out, R"({"transport":"unix","peer":{"pid":)", caller.peer.pid);
    add_number(out, R"(,"uid":)", caller.peer.uid);
    add_number(out, R"(,"gid":)", caller.peer.gid);
    out += "}}";
    return out;
  }
  const certs::CertificateFacts& certificate = caller.certificate;
  out = R"({"transport":"tls")";
  add_if(out, R"(,"ip":)", caller.ip);
  if (caller.port > 0) add_number(out, R"(,"port":)", caller.port);
  add(out, R"(,"tls":{"version":)", certificate.version);
  add_if(out, R"(,"cipher":)", certificate.cipher);
  add_if(out, R"(,"subject":)", certificate.subject, kMessage);
  add_if(out, R"(,"issuer":)", certificate.issuer, kMessage);
  add_if(out, R"(,"serial":)", certificate.serial);
  add_if(out, R"(,"fingerprint":)", certificate.fingerprint);
  std::vector<std::string> names;
  for (const std::string& name : certificate.san_uri)
    names.push_back("URI:" + name);
  for (const std::string& name : certificate.san_dns)
    names.push_back("DNS:" + name);
  for (const std::string& name : certificate.san_email)
    names.push_back("email:" + name);
  if (!names.empty()) add_list(out, R"(,"san":)", names);
  add_if(out, R"(,"notAfter":)", certificate.not_after);
  out += "}}";
  return out;
}

std::string identity_json(const policy::Identity& who) {
  std::string out;
  add(out, R"({"name":)", who.name, kLine);
  add_list(out, R"(,"teams":)", who.teams);
  add_list(out, R"(,"roles":)", who.roles);
  add_if(out, R"(,"matchedBy":)", who.matched_by);
  out += '}';
  return out;
}

std::string decision_record(const Fixed& fixed, const RequestFacts& request,
                            const policy::Decision& decision, std::string_view policy_set,
                            std::int64_t latency_us, std::string_view target_kind,
                            std::string_view target_name) {
  Cuts cuts;
  std::vector<std::string> redacted;
  std::string out;
  out.reserve(fixed.host.size() + fixed.source.size() + fixed.identity.size() +
              request.path.size() + request.user_agent.size() + decision.canonical_body.size() +
              400 * decision.findings.size() + 900);
  out += R"({"id":")";
  out += is_ulid(request.id) ? request.id : new_ulid();
  out += R"(","ts":")";
  append_now(out);
  out += R"(","kind":"decision","stage":"decided","host":)";
  out += fixed.host;
  add_request(out, request, decision.denied(), redacted, cuts);
  out += R"(,"source":)";
  out += fixed.source;
  if (!fixed.identity.empty()) {
    out += R"(,"identity":)";
    out += fixed.identity;
  }
  if (!target_kind.empty()) {
    add(out, R"(,"target":{"kind":)", target_word(target_kind));
    if (!add_if(out, R"(,"name":)", target_name, kLine)) cuts.add("/target/name");
    out += '}';
  }
  add_decision(out, decision, policy_set, latency_us, cuts);
  add_redactions(out, decision.redactions, redacted, cuts);
  add_input(out, decision.canonical_body, cuts);
  cuts.append_to(out);
  out += '}';
  return out;
}

std::string decision_record(const Host& host, const RequestFacts& request,
                            const certs::Caller& caller, const policy::Identity* who,
                            const policy::Decision& decision, std::string_view policy_set,
                            std::int64_t latency_us, std::string_view target_kind,
                            std::string_view target_name) {
  const Fixed fixed{host_json(host), source_json(caller),
                    who != nullptr ? identity_json(*who) : std::string()};
  return decision_record(fixed, request, decision, policy_set, latency_us, target_kind,
                         target_name);
}

std::string note_record(const Host& host, std::string_view kind, std::string_view event,
                        std::string_view detail) {
  std::string note;
  add(note, R"({"event":)", event);
  add_if(note, R"(,"detail":)", detail, kFindings);
  note += '}';
  return note_record_raw(host_json(host), kind, note);
}

std::string note_record_raw(std::string_view host_json, std::string_view kind,
                            std::string_view note_json) {
  std::string out = R"({"id":")" + new_ulid() + R"(","ts":")";
  append_now(out);
  add(out, R"(","kind":)", kind);
  out += R"(,"stage":"n/a","host":)";
  out += host_json;
  out += R"(,"note":)";
  out += note_json;
  out += '}';
  return out;
}

}  // namespace dockreeve::audit
