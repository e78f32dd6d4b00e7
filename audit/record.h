// One audit record as JSON text, in the shape of docs/audit.md (schema version 1).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "certs/peer.h"
#include "docker/route.h"
#include "policy/evaluator.h"
#include "policy/identity.h"

namespace dockreeve::audit {

// A line of the log, its newline included, is never longer than this.
inline constexpr std::size_t kMaxLineBytes = 64u << 10;
// What a record may take of it; the rest is for v, seq, prev and the newline, which the sink adds.
inline constexpr std::size_t kMaxRecordBytes = kMaxLineBytes - 256;

// Fixed for the life of the process; appended to every record as "host".
struct Host {
  std::string name, version, engine_version, boot_id;
};

// The parts of a record that many requests share, as JSON objects: `host` for the life of the
// process, the other two for the life of a connection. Make them once with the functions below.
struct Fixed {
  std::string host;
  std::string source;
  std::string identity;  // empty: nobody matched
};
std::string host_json(const Host& host);
std::string source_json(const certs::Caller& caller);
std::string identity_json(const policy::Identity& who);

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

// The record written before a decision takes effect (kind "decision", stage "decided"), without v,
// seq and prev. One line, valid UTF-8 and at most kMaxRecordBytes whatever the request held: what
// does not fit is cut or left out, and named in "truncated". The id of the request is also the
// record's; a request without a well-formed one gets a fresh ULID for the record. `target_kind` may
// be empty: no target.
std::string decision_record(const Fixed& fixed, const RequestFacts& request,
                            const policy::Decision& decision, std::string_view policy_set,
                            std::int64_t latency_us, std::string_view target_kind,
                            std::string_view target_name);

// The same for a single use. `who` is null when nobody matched.
std::string decision_record(const Host& host, const RequestFacts& request,
                            const certs::Caller& caller, const policy::Identity* who,
                            const policy::Decision& decision, std::string_view policy_set,
                            std::int64_t latency_us, std::string_view target_kind,
                            std::string_view target_name);

// Kinds "gateway" (start, stop) and "policy" (reload and its failure). `detail` is left out when
// empty.
std::string note_record(const Host& host, std::string_view kind, std::string_view event,
                        std::string_view detail);

// The same with a `note` object of the caller's own, as JSON text.
std::string note_record_raw(std::string_view host_json, std::string_view kind,
                            std::string_view note_json);

// A fresh ULID (Crockford base 32, 26 characters): time in ms, 80 random bits. Thread-safe.
std::string new_ulid();

}  // namespace dockreeve::audit
