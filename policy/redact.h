// The canonical body of a request as it may be recorded: secrets are replaced before the record
// leaves the evaluator.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "docker/request.h"

namespace dockreeve::policy {

struct RedactedBody {
  std::string body;                   // canonical JSON; empty when the request has no decoded body
  std::vector<std::string> pointers;  // JSON pointers of what was replaced
};

// Replaced by `<redacted:LEN:TAG>`: values of Env, labels, log options and volume options that look
// like secrets, words of a command that follow a password flag or look like secrets. TAG is 6 hex
// digits of HMAC-SHA-256 under a key that this process made up: equal secrets can be told in one
// log, not guessed from it. A seccomp profile is replaced by its SHA-256.
//
// `encoded` and `trace` are what docker::encode_body made of this very request: the replacements are
// cut into those bytes, which is cheaper than writing the body twice.
RedactedBody redact_body(const docker::Request& request, std::string_view encoded,
                         std::span<const json::Written> trace);

// `<redacted:LEN:TAG>` for one value.
std::string redacted(std::string_view secret);

}  // namespace dockreeve::policy
