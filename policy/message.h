// The texts of findings: templates of the catalogue or of a policy, filled with what a rule found.
#pragma once

#include <string>
#include <string_view>

#include "policy/catalogue.h"
#include "policy/params.h"
#include "policy/rule.h"

namespace dockreeve::policy {

// Where the placeholders of one message come from. Anything may be null.
struct MessageSource {
  const Vars* vars = nullptr;       // {{value}}: what the rule said
  const Vars* context = nullptr;    // {{self}}, {{route}}: the same for every rule
  const Params* params = nullptr;   // {{param.max}}
  const RuleEntry* rule = nullptr;  // types of the parameters, for bytes and durations
};

// `{{name}}` is replaced, by nothing when nobody knows it; `{{#name}}…{{/}}` stays when `name` is a
// true flag or a text that is not empty. The result has no line breaks.
std::string fill_message(std::string_view text, const MessageSource& source);

}  // namespace dockreeve::policy
