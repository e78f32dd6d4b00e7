// One objection (or remark) of one rule about one request.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace dockreeve::policy {

enum class Mode : std::uint8_t { Disabled, Audit, Warn, Enforce, Always };
enum class Effect : std::uint8_t { Deny, Warn, Audit, Excepted, Mutated, Error };
enum class Severity : std::uint8_t { Low, Medium, High, Critical };

std::string_view name(Mode mode);          // "enforce"
std::string_view name(Effect effect);      // "deny"
std::string_view name(Severity severity);  // "critical"

struct Finding {
  std::string rule;
  Effect effect = Effect::Deny;
  Severity severity = Severity::Medium;
  Mode mode = Mode::Enforce;
  std::string policy;    // where the rule was switched on: "baseline@1", "acceptance"
  std::string origin;    // file:line of the last setting, may be empty
  std::string pointer;   // JSON pointer into the canonical body, or "path", "query/NAME"
  std::string value;     // a JSON value: what was sent, redacted
  std::string message;   // for people, one line, says the way out
  std::string fix;       // the docker flag that mends it, may be empty
  std::vector<std::string> controls;  // "cis-docker-1.6/5.5"
  bool operator==(const Finding&) const = default;
};
using Findings = std::vector<Finding>;

}  // namespace dockreeve::policy
