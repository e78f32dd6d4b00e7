// What own-resources-only means where no single object is named: lists, events, disk usage, prunes.
//
// Two things happen to such a request. Its filters get the owner label, in the engine's own syntax,
// so that the engine leaves out what is not the caller's; and its answer is read again on the way
// back (proxy/answer_filter), because not everything can be said in a filter.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "docker/request.h"
#include "policy/identity.h"
#include "policy/ownership.h"
#include "policy/params.h"

namespace dockreeve::policy {

// Whose objects are the caller's.
struct OwnerScope {
  OwnedBy by = OwnedBy::Team;
  bool reads = false;    // routes that only show state are limited too
  bool unowned = false;  // what carries no owner label counts as the caller's
  std::string name;
  std::vector<std::string> teams;

  // By the values of the owner and team labels, "" for one that is missing.
  bool owns(std::string_view owner, std::string_view team) const;
  bool owns(const docker::Map<std::string>& labels) const;
};

// The scope that the parameters of own-resources-only give to `who`.
OwnerScope scope_of(const Params& params, const Identity& who);

// What the answer of the engine shows, so that its foreign parts can be found.
enum class AnswerKind : std::uint8_t {
  Containers, Volumes, Networks,  // lists
  DiskUsage,
  Events,                         // endless
  Container, Volume, Network      // one object
};

// How an answer has to be changed before it leaves.
struct AnswerScope {
  AnswerKind kind = AnswerKind::Containers;
  // True: foreign objects are left out (one object: it is absent). False: they are shown without
  // the values of their environment and the paths of their bind mounts.
  bool hide = false;
  std::size_t limit = 0;  // at most so many elements of a list; 0: all
  std::string absent;     // one object: the engine's words for one that does not exist
  OwnerScope scope;
};

// Narrows the filters of an admitted request to the scope, in place. Returns what is left to do
// with the answer.
std::optional<AnswerScope> narrow(docker::Request& request, const OwnerScope& scope);

// A text of the engine's about a request that failed, without the ids (12 or 64 hex digits) that are
// not in `known`: "name already in use by container ID" tells what others have.
std::string without_ids(std::string_view text, std::string_view known);

// The networks every engine has and everybody may see, join aside.
bool is_builtin_network(std::string_view name);

// Containers that the filters of a container list name: `since` and `before`, both spellings.
std::vector<std::string> listed_beside(const docker::Request& request);
// Replaces those names by the ids that `facts` has for them.
void pin_listed_beside(docker::Request& request, const Facts& facts);

}  // namespace dockreeve::policy
