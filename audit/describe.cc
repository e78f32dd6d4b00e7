// One record in words, for the person who holds a decision id in hand.

#include <nlohmann/json.hpp>

#include <cstdio>
#include <string>
#include <string_view>

#include "audit/text.h"
#include "audit/verify.h"

namespace dockreeve::audit {
namespace {

using Json = nlohmann::json;

// Characters that act on a terminal, or reorder the text around them, become visible escapes.
std::string printable(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    char32_t point = 0;
    const std::size_t length = decode_utf8(text, point);
    const bool control = point < 0x20 || (point >= 0x7f && point < 0xa0);
    const bool reorders = (point >= 0x200e && point <= 0x200f) ||
                          (point >= 0x2028 && point <= 0x202e) ||
                          (point >= 0x2066 && point <= 0x2069);
    if (length == 0 || control || reorders) {
      char escape[12];
      std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(point));
      out += length == 0 ? "?" : escape;
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return out;
}

const Json& member(const Json& object, const char* key) {
  static const Json kNone;
  if (!object.is_object()) return kNone;
  const auto it = object.find(key);
  return it == object.end() ? kNone : *it;
}

// A scalar or any other JSON value as one printable piece; nothing for an absent one.
std::string text(const Json& value) {
  if (value.is_null()) return "";
  if (value.is_string()) return printable(value.get_ref<const std::string&>());
  return printable(value.dump(-1, ' ', false, Json::error_handler_t::replace));
}

std::string text(const Json& object, const char* key) {
  return text(member(object, key));
}

std::string list(const Json& array) {
  std::string out;
  if (!array.is_array()) return out;
  for (const Json& item : array)
    out += (out.empty() ? "" : ", ") + text(item);
  return out;
}

class Page {
 public:
  void row(std::string_view name, const std::string& value) {
    if (value.empty()) return;
    out_ += "  ";
    out_ += name;
    out_.append(name.size() < 10 ? 10 - name.size() : 1, ' ');
    out_ += value + "\n";
  }
  void line(const std::string& text) { out_ += text + "\n"; }
  std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

// " (x)" or nothing.
std::string aside(std::string_view before, const std::string& value, std::string_view after = "") {
  if (value.empty()) return "";
  return std::string(before) + value + std::string(after);
}

std::string who(const Json& record) {
  const Json& identity = member(record, "identity");
  if (!identity.is_object()) return "nobody the configuration knows";
  const std::string teams = list(member(identity, "teams"));
  const std::string roles = list(member(identity, "roles"));
  return text(identity, "name") + aside(", team ", teams) + aside(", role ", roles) +
         aside(" (by ", text(identity, "matchedBy"), ")");
}

std::string from(const Json& record) {
  const Json& source = member(record, "source");
  const Json& tls = member(source, "tls");
  const Json& peer = member(source, "peer");
  std::string out = text(source, "transport");
  if (tls.is_object()) {
    out += aside(" ", text(source, "ip")) + aside(":", text(source, "port")) +
           aside(", certificate ", text(tls, "subject")) + aside(" serial ", text(tls, "serial"));
  }
  if (peer.is_object()) {
    out += " socket, uid " + text(peer, "uid") + " gid " + text(peer, "gid") + " pid " +
           text(peer, "pid");
  }
  return out + aside(", listener ", text(member(record, "request"), "listener"));
}

void add_findings(Page& page, const Json& findings) {
  if (!findings.is_array() || findings.empty()) return;
  page.line(findings.size() == 1 ? "  1 finding:"
                                 : "  " + std::to_string(findings.size()) + " findings:");
  for (const Json& finding : findings) {
    const std::string value = text(finding, "value");
    page.line("    " + text(finding, "effect") + "  [" + text(finding, "rule") + "] " +
              text(finding, "severity") + aside(", at ", text(finding, "pointer")) +
              aside(", sent ", value));
    const std::string message = text(finding, "message");
    if (!message.empty()) page.line("      " + message);
    const std::string policy = text(finding, "policy");
    const std::string origin = text(finding, "origin");
    if (!policy.empty() || !origin.empty()) {
      page.line("      set by " + policy + (policy.empty() ? origin : aside(" at ", origin)) +
                aside("; ", list(member(finding, "controls"))));
    }
  }
}

std::string headline(const Json& record) {
  const Json& decision = member(record, "decision");
  const std::string outcome = text(decision, "outcome");
  std::string word = "RECORDED";
  if (outcome == "deny") word = "DENIED";
  if (outcome == "warn") word = "ALLOWED WITH WARNINGS";
  if (outcome == "allow") word = "ALLOWED";
  if (outcome == "error") word = "FAILED";
  const Json& request = member(record, "request");
  if (!request.is_object()) return word + "  " + text(record, "kind");
  return word + "  " + text(request, "route") + "  " + text(request, "method") + " " +
         text(request, "path") + aside("  (HTTP ", text(decision, "status"), ")");
}

}  // namespace

Result<std::string> describe_record(const std::string& line) {
  const Json record = Json::parse(line, nullptr, false);
  if (!record.is_object() || !member(record, "kind").is_string()) return fail("", "not a record");
  const Json& request = member(record, "request");
  const Json& decision = member(record, "decision");
  const Json& target = member(record, "target");
  Page page;
  page.line(headline(record));
  page.row("id", request.is_object() ? text(request, "id") : text(record, "id"));
  page.row("when", text(record, "ts") + aside(" on ", text(member(record, "host"), "name")) +
                       aside(", record ", text(record, "seq")));
  if (request.is_object()) {
    page.row("who", who(record));
    page.row("from", from(record));
  }
  if (target.is_object()) {
    page.row("what", text(target, "kind") + aside(" ", text(target, "name")));
  }
  page.row("query", text(member(request, "query")));
  page.row("client", text(request, "userAgent"));
  page.row("policies", list(member(decision, "policies")));
  page.row("set", text(decision, "policySet"));
  add_findings(page, member(decision, "findings"));
  page.row("redacted", list(member(record, "redactions")));
  page.row("cut", list(member(record, "truncated")));
  page.row("input", text(member(record, "input")));
  page.row("note", text(member(record, "note")));
  return page.take();
}

}  // namespace dockreeve::audit
