// Who is calling, in the words of the Identities document.
#pragma once

#include <string>
#include <vector>

namespace dockreeve::policy {

struct Identity {
  std::string name;                  // "web-runner-7"
  std::vector<std::string> teams;    // sorted, unique
  std::vector<std::string> roles;    // sorted, unique
  std::string matched_by;            // "identities[0]"
  bool operator==(const Identity&) const = default;
};

}  // namespace dockreeve::policy
