// Answers the questions that policies ask: engine objects by GET, host paths by realpath.
#pragma once

#include <string>
#include <vector>

#include "policy/facts.h"
#include "proxy/blocking.h"
#include "proxy/upstream.h"

namespace dockreeve::proxy {

// One loop's; not thread-safe.
class Lookups {
 public:
  Lookups(Upstream& upstream, BlockingWorker& worker) : upstream_(upstream), worker_(worker) {}

  // Every wanted look-up gets an entry in `facts`; one that failed or came late holds the error.
  Task<void> answer(std::vector<policy::Lookup> wanted, policy::Facts& facts, Millis deadline);

 private:
  Task<void> answer_one(const policy::Lookup& lookup, policy::Facts& facts, Millis deadline);
  Upstream& upstream_;
  BlockingWorker& worker_;
};

// The fact in an engine answer. `status` 404 is "not found"; anything else than 200 is an error.
Result<policy::Fact> parse_fact(policy::LookupKind kind, int status, std::string body);

// Symlink-free form of an absolute path: what exists is resolved, a missing tail is appended.
// Fails when a part cannot be read or is a symbolic link to nothing. Blocks on the file system.
Result<policy::PathFact> resolve_path(const std::string& path);

}  // namespace dockreeve::proxy
