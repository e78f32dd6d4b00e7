// Look-up answers from a file instead of an engine: `dockreeve eval --context` and the golden
// decisions. The keys are those of tests/golden/decisions.jsonl, section "context" of
// docs/policy.md.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>

#include "policy/evaluator.h"
#include "policy/facts.h"

namespace dockreeve::policy {

// A JSON object with any of
//   image         {User, Healthcheck, ageDays, Labels, RepoTags, RepoDigests}: every image
//   container     {User, NetworkMode, PidMode, IpcMode, Labels, Id, limits}: every container
//   containers    name -> the same
//   volumes       name -> {Driver, Options, Labels}
//   networks      name -> {Driver, Id, Labels}
//   realpath      path -> path
//   resolvesAsId  [image reference]: those that the engine takes for the start of an id
//   engine        {noNewPrivileges, usernsRemap, DefaultRuntime, LoggingDriver}
// Defaults: images, containers and networks exist and are plain, no volume exists, no path is a
// symbolic link, the engine remaps no users and sets no-new-privileges only when told.
class ContextFile {
 public:
  // Refuses unknown keys and wrong types; the error's `where` is the key.
  static Result<ContextFile> parse(std::string_view text);

  // `strict`: what the file does not say is an error instead of the default.
  Result<Fact> answer(const Lookup& lookup, bool strict = false) const;

 private:
  std::map<Lookup, Fact> answers_;  // by name; an empty key answers for every name
  std::set<std::string> ids_;       // references of resolvesAsId
};

// Asks and answers until nothing is missing.
Facts answer_all(const Evaluator& evaluator, const docker::Request& request, const Identity& who,
                 const ContextFile& context, bool strict = false);

}  // namespace dockreeve::policy
