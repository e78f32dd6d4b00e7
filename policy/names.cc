// The words for modes, effects and severities, as policies and records spell them.
#include "policy/finding.h"

namespace dockreeve::policy {

std::string_view name(Mode mode) {
  switch (mode) {
    case Mode::Disabled:
      return "disabled";
    case Mode::Audit:
      return "audit";
    case Mode::Warn:
      return "warn";
    case Mode::Enforce:
      return "enforce";
    case Mode::Always:
      return "always";
  }
  return "always";
}

std::string_view name(Effect effect) {
  switch (effect) {
    case Effect::Deny:
      return "deny";
    case Effect::Warn:
      return "warn";
    case Effect::Audit:
      return "audit";
    case Effect::Excepted:
      return "excepted";
    case Effect::Mutated:
      return "mutated";
    case Effect::Error:
      return "error";
  }
  return "error";
}

std::string_view name(Severity severity) {
  switch (severity) {
    case Severity::Low:
      return "low";
    case Severity::Medium:
      return "medium";
    case Severity::High:
      return "high";
    case Severity::Critical:
      return "critical";
  }
  return "critical";
}

}  // namespace dockreeve::policy
