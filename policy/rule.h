// What a rule is: a pure function of the canonical request, the caller and the answers to its
// questions, with its parameters bound.
#pragma once

#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "docker/request.h"
#include "policy/facts.h"
#include "policy/identity.h"
#include "policy/params.h"

namespace dockreeve::policy {

class RequestView;  // policy/request_view.h

struct Input {
  const docker::Request& request;
  const Identity& who;
  const Facts& facts;
  const RequestView& view;  // what several rules parse out of the request, parsed once
  // device-requests-allowlist has its say about GPU and CDI requests. Where nothing has, they count
  // as what their hooks do: host paths in the container (bind-mount-allowlist).
  bool device_requests_judged = false;
  // own-resources-only is enforced, so that prunes are kept to what is the caller's.
  bool owner_scoped = false;
  // An enforced allowed-network-drivers has its say about a network create. Where it has not,
  // own-resources-only holds it to that rule's defaults.
  bool new_networks_judged = false;
};

// Values for the placeholders of a rule's message: {"value", "/etc"}. Two names are special: "text"
// replaces the message as a whole, "plain" is what the engine itself would answer (own-resources-only
// answers for foreign objects with it, status 404).
using Vars = std::map<std::string, std::string, std::less<>>;

// Where a rule puts what it found. The evaluator adds mode, severity, origin and the message, which
// comes from the catalogue's template filled with `vars` and the parameters.
class Report {
 public:
  // `value` is a JSON value ("true", "\"/etc\""), shown in records; never a secret.
  void add(std::string pointer, std::string value, Vars vars = {}, std::string fix = {}) {
    items_.push_back({std::move(pointer), std::move(value), std::move(vars), std::move(fix), {}});
  }
  // A look-up the rule needs has failed: the rule's onError decides (default deny).
  void lookup_failed(std::string pointer, const Error& error) {
    items_.push_back({std::move(pointer), "null", {}, {}, error.text()});
  }
  // The rule wants an answer that nobody asked for: a bug or a request with too many look-ups.
  // Always denies.
  void not_looked_up(std::string pointer) {
    items_.push_back({std::move(pointer), "null", {}, {}, "a look-up is missing", true});
  }

  struct Item {
    std::string pointer, value;
    Vars vars;
    std::string fix;
    std::string error;  // not empty: the look-up failure
    bool missing = false;  // not_looked_up()
  };
  const std::vector<Item>& items() const { return items_; }

 private:
  std::vector<Item> items_;
};

// A compiled rule. Both functions are pure and safe to call from any thread.
struct Check {
  std::function<void(const Input&, Report&)> run;
  // Look-ups still wanted, given the answers in input.facts; called again until nothing new is
  // asked. Empty function: the rule reads the request alone.
  std::function<void(const Input&, std::vector<Lookup>&)> needs;
};

// One line of the table in policy/catalogue.cc. `compile` binds parameters (already typed and
// complete) and may refuse them, e.g. for a bad pattern.
struct RuleDef {
  std::string_view id;
  Result<Check> (*compile)(const Params& params);
};

// Every rule that has code, in catalogue order.
std::span<const RuleDef> rule_defs();

}  // namespace dockreeve::policy
