// The words of a refusal, as docker prints them after "Error response from daemon: ".
#include <algorithm>

#include "base/text.h"
#include "policy/evaluator.h"

namespace dockreeve::policy {
namespace {

constexpr std::size_t kMostFindings = 8;

bool denies(const Finding& finding) {
  return finding.effect == Effect::Deny || finding.effect == Effect::Error;
}

}  // namespace

std::string denial_text(const Decision& decision, const std::string& decision_id) {
  if (const auto* denied = std::get_if<Denied>(&decision.outcome);
      denied && !denied->plain.empty()) {
    return denied->plain;
  }
  std::vector<const Finding*> findings;
  for (const Finding& finding : decision.findings) {
    if (denies(finding)) findings.push_back(&finding);
  }
  const std::string last = "decision " + decision_id;
  // Without a policy in play it was the gateway: a request that has no one meaning, or nobody's.
  if (findings.size() == 1 && decision.policies.empty()) {
    return "refused by dockreeve: [" + findings[0]->rule + "] " + findings[0]->message + "\n" +
           last;
  }
  const std::string names = text::join(decision.policies, ", ");
  std::string out = "denied by dockreeve";
  if (!names.empty()) out += " (policy " + names + ")";
  out +=
      ", " + std::to_string(findings.size()) + (findings.size() == 1 ? " problem:" : " problems:");
  const std::size_t shown = std::min(findings.size(), kMostFindings);
  for (std::size_t i = 0; i < shown; ++i) {
    out += "\n  [" + findings[i]->rule + "] " + findings[i]->message;
  }
  if (findings.size() > shown)
    out += "\n  and " + std::to_string(findings.size() - shown) + " more";
  return out + "\n" + last;
}

}  // namespace dockreeve::policy
