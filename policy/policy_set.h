// Policy documents, loaded and compiled: Identities, Policy, Binding.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "certs/peer.h"
#include "policy/finding.h"
#include "policy/identity.h"
#include "policy/rule.h"

namespace dockreeve::policy {

// A mistake in a file. Printed as file:line:column: error[E104]: text, then the line and a caret.
struct Diagnostic {
  bool error = true;         // else a warning
  std::string file;
  int line = 0, column = 0;  // 1-based; 0: the file as a whole
  int width = 1;             // length of the caret line
  std::string code;          // "E104"
  std::string message;       // lower-case clause
  std::string hint;          // "did you mean ...?", may be empty
};
// One diagnostic with its source line and caret, as section 2.8 of the policy language shows it.
std::string render(const Diagnostic& diagnostic, std::string_view source);

// The setting of one rule for one set of people after all layers are folded.
struct CompiledRule {
  std::string_view id;       // into the catalogue
  Mode mode = Mode::Enforce;
  Severity severity = Severity::Medium;
  std::string policy, origin, message;  // message: template, catalogue's or overridden
  bool error_denies = true;  // onError
  std::shared_ptr<const Params> params;
  Check check;
};

// Everything that applies to one caller: flat, in catalogue order, disabled rules left out.
struct Ruleset {
  std::vector<CompiledRule> rules;
  std::vector<std::string> policies, bindings;
};

class PolicySet {
 public:
  virtual ~PolicySet() = default;
  // The caller's identity, or nothing when no entry matches (then: refused).
  virtual std::optional<Identity> identify(const certs::Caller& caller) const = 0;
  // Identity by name for offline tools: teams and roles come from entries that match a certificate
  // with that CN; `teams` adds more.
  virtual Identity named(std::string name, std::vector<std::string> teams) const = 0;
  // The rules for this identity; null when no binding applies (then: refused). Cheap: compiled once
  // per combination of matching bindings and teams, kept for the life of the set. Thread-safe.
  virtual std::shared_ptr<const Ruleset> rules_for(const Identity& who) const = 0;
  virtual const std::string& hash() const = 0;  // SHA-256 hex over content and preset versions
};

// Reads files and folders (*.yaml, *.yml in name order). On any error diagnostics say why and the
// result is null; warnings alone do not stop it.
std::shared_ptr<const PolicySet> load_policies(const std::vector<std::string>& paths,
                                               std::vector<Diagnostic>& diagnostics);
// The same from memory: pairs of a display name and the text.
std::shared_ptr<const PolicySet> load_policy_texts(
    const std::vector<std::pair<std::string, std::string>>& files, std::vector<Diagnostic>& diagnostics);

}  // namespace dockreeve::policy
