// HostConfig.SecurityOpt as the engine reads it: `=` before `:` as separator, later entries win,
// bare words for two options. Every question has the index of the entry that decided it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "docker/create_container.h"

namespace dockreeve::docker {

enum class SeccompMode : std::uint8_t {
  Default,     // nothing said, or "seccomp=", "seccomp=builtin"
  Unconfined,  // "seccomp=unconfined"
  AllowsAll,   // a profile that filters nothing, or text that is no profile
  Custom       // a profile that refuses by default
};

struct SecurityOptions {
  struct Entry {
    std::string value;  // what stands after the separator; the whole entry for an unknown one
    std::size_t index = 0;
  };

  SeccompMode seccomp = SeccompMode::Default;
  std::string seccomp_profile;  // the value of the deciding entry, as sent
  std::string
      seccomp_json;  // Custom and AllowsAll: the profile without white space, "" if not JSON
  std::string seccomp_problem;  // AllowsAll: why, one lower-case clause
  std::optional<std::size_t> seccomp_index;

  std::optional<Entry> apparmor;  // "" and absence are the default profile
  std::vector<Entry> labels;      // all of them, in order; the bare word `disable` is one

  bool no_new_privileges = false;
  std::optional<std::size_t> no_new_privileges_index;  // nullopt: nothing said

  bool writable_cgroups = false;
  std::optional<std::size_t> writable_cgroups_index;

  std::optional<Entry> systempaths;  // client-side only; engines refuse it

  // Names that no engine knows and entries without a separator; systempaths too.
  std::vector<Entry> unknown;
  // Entries with a known name and a value the engine refuses ("no-new-privileges=yes"). The flags
  // above are then on their unsafe side.
  std::vector<Entry> invalid;
};

SecurityOptions parse_security_opt(const StringList& security_opt);

// Leaves of the no-new-privileges entries only the one that switches it on, if the deciding one
// does: an explicit `false` changes nothing but a default of the engine's own, which is its
// administrator's. A list with an entry that the engine refuses stays as it is. True: something
// was left out.
bool drop_weaker_no_new_privileges(StringList& security_opt);

}  // namespace dockreeve::docker
