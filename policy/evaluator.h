// From an understood request and a known caller to a decision.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "docker/request.h"
#include "policy/admitted.h"
#include "policy/facts.h"
#include "policy/finding.h"
#include "policy/identity.h"
#include "policy/policy_set.h"

namespace dockreeve::policy {

struct Denied {
  int status = 403;
  // When not empty, the reply's message is exactly this: the engine's own words for an object that
  // does not exist, which is also what a foreign object looks like.
  std::string plain;
};

struct Decision {
  Findings findings;                 // every one, in catalogue order; deny, warn, audit
  std::vector<std::string> policies; // names that apply to the caller
  std::vector<std::string> bindings;
  std::string canonical_body;        // canonical JSON of the body, redacted: for the audit record
  std::vector<std::string> redactions;  // pointers replaced in it
  std::variant<Denied, Admitted> outcome;

  bool denied() const { return std::holds_alternative<Denied>(outcome); }
};

// What the gateway stamps on objects it lets through. `decision` is the id shown to the user.
struct Stamp {
  std::string decision;
};

// What becomes of routes that an allow-list has to open and does not.
enum class ClosedRoutes : std::uint8_t {
  Refused,       // as the gateway does
  JudgedByRules  // those whose bodies can be read get what the rules say: for asking beforehand
};

// Immutable; shared by all threads.
class Evaluator {
 public:
  explicit Evaluator(std::shared_ptr<const PolicySet> set,
                     ClosedRoutes closed = ClosedRoutes::Refused);

  // Look-ups still missing in `facts`. Call until it returns nothing.
  std::vector<Lookup> needs(const docker::Request& request, const Identity& who, const Facts& facts) const;

  // All findings, then the outcome. Consumes the request: what is admitted is its canonical form
  // with resolved ids and ownership labels. `fallback` is the API version for version-less paths.
  Decision evaluate(docker::Request request, const Identity& who, const Facts& facts,
                    const Stamp& stamp, docker::ApiVersion fallback = {}) const;

  // The decision for a request that could not even be understood.
  Decision refuse(const docker::Refusal& refusal) const;

  const PolicySet& policies() const { return *set_; }

 private:
  std::shared_ptr<const PolicySet> set_;
  ClosedRoutes closed_;
};

// The text docker prints: first line with the count, one line a finding, the decision id.
// Section "Decision" of docs/policy.md.
std::string denial_text(const Decision& decision, const std::string& decision_id);

}  // namespace dockreeve::policy
