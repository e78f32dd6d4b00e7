// One audit record as JSON text, in the shape of docs/audit.md (schema version 1).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "certs/peer.h"
#include "docker/route.h"
#include "policy/evaluator.h"
#include "policy/identity.h"

namespace dockreeve::audit {

// Fixed for the life of the process; appended to every record as "host".
struct Host {
  std::string name, version, engine_version, boot_id;
};

struct RequestFacts {
  std::string id;                // ULID, also the decision id
  std::string listener;
  std::string_view method;       // as sent, at most 16 characters
  std::string_view path;         // as sent, query stripped, at most 512 characters
  std::string_view route;        // "container.create", or "unknown"
  std::string api_version;       // "1.41" or empty
  const docker::Query* query = nullptr;  // canonical, may be null
  std::string_view user_agent;
  std::string_view client_request_id;
  std::int64_t body_bytes = 0;
  std::string body_sha256, forwarded_sha256;  // hex, empty when there was no body
};

// The record written before a decision takes effect (kind "decision", stage "decided"), without
// seq and prev. `who` is null when nobody matched.
std::string decision_record(const Host& host, const RequestFacts& request, const certs::Caller& caller,
                            const policy::Identity* who, const policy::Decision& decision,
                            std::string_view policy_set, std::int64_t latency_us,
                            std::string_view target_kind, std::string_view target_name);

// Kinds "gateway" (start, stop, torn line) and "policy" (reload and its failure).
std::string note_record(const Host& host, std::string_view kind, std::string_view event,
                        std::string_view detail);

// A fresh ULID (Crockford base 32, 26 characters): time in ms, 80 random bits. Thread-safe.
std::string new_ulid();

}  // namespace dockreeve::audit
