// {{team}}, {{role}} and {{identity}} in parameters.
#pragma once

#include <string>
#include <string_view>

#include "policy/catalogue.h"
#include "policy/identity.h"

namespace dockreeve::policy {

// The first placeholder of a text that is not one of the three, or that stands where `allowed` is
// Template::No; empty when all is well.
std::string bad_placeholder(std::string_view text, Template allowed);

// Which placeholders a value has.
struct Uses {
  bool team = false, role = false, identity = false;
  Uses& operator|=(const Uses& other);
};
Uses uses(const ParamValue& value);

// The value for one caller. In a list every entry with a placeholder becomes one entry per team (or
// role); one without a usable value disappears, so that it matches nothing. In a regular expression
// a placeholder becomes a group of alternatives, quoted; without any, a group that never matches.
// Names that would mean something in a glob or path (slashes, stars, "..") are not usable there.
ParamValue expand(const ParamValue& value, Template target, const Identity& who);

}  // namespace dockreeve::policy
