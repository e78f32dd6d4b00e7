// Every route of the Engine API in one table, and the way from a request line to a row of it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "docker/refusal.h"

namespace dockreeve::docker {

enum class Method : std::uint8_t { Get, Head, Post, Put, Delete };
std::string_view name(Method method);
std::optional<Method> parse_method(std::string_view text);  // byte for byte; "post" is no method

// What the path names, so that it can be resolved and its owner checked.
enum class Object : std::uint8_t { None, Container, Exec, Image, Volume, Network, Plugin, Service,
                                   Node, Task, Secret, Config };

// What the request carries.
enum class Body : std::uint8_t {
  None,          // must be empty; `{}` and `null` are accepted and dropped
  Ignored,       // a small JSON object that clients repeat and the engine ignores: dropped
  Create,        // CreateContainer
  ExecCreate,
  ExecStart,
  Update,        // UpdateContainer
  VolumeCreate,
  Auth,          // AuthConfig
  NetworkCreate,
  NetworkConnect,
  NetworkDisconnect,
  Commit,
  Service,       // ServiceSpec
  Opaque,        // a tar: passed through, never read
  BuildContext,  // a tar, plain or gzip: spooled, its Dockerfile is read
  ImageArchive,  // the same, with the names of its images
  ImportArchive, // a tar that becomes one image: spooled, not read (images/create with fromSrc=-)
  Undecoded      // the gateway cannot read it yet: the route is refused
};

// Whether the gateway reads the body and writes it again.
bool has_json_body(Body body);

// How the answer behaves.
enum class Stream : std::uint8_t {
  No,         // an ordinary answer
  Download,   // long or endless answer: no idle limit
  Hijack      // 101 or a raw-stream 200: bytes both ways until both ends close
};

// What an identity needs to be let through before any rule looks at the details.
enum class Access : std::uint8_t {
  Free,     // every known identity: negotiation
  Read,     // open; shows state
  Change,   // open; changes or starts something
  OptIn,    // refused unless an enforced endpoint-allowlist names the route itself, without a glob
  Closed    // never opened
};

// How one query parameter is read (Go's form rules) and written again.
// Refused: the engine knows the key, the gateway lets no value of it through.
enum class ParamType : std::uint8_t { Text, Bool, Integer, Filters, TextList, Refused };
struct ParamSpec {
  std::string_view name;
  ParamType type;
};

struct Route {
  std::string_view name;     // "container.create": audit records and policies say this
  Method method;
  std::string_view pattern;  // "/containers/{id}/json"; {name*} may hold slashes
  Object object;
  Body body;
  Stream stream;
  Access access;
  std::string_view query;    // "name:text platform:text", read by param_specs()
  bool strict_query = false; // an unknown key is refused instead of dropped (prune)
};

// Whether the row does nothing but show state, whoever may call it.
bool only_reads(const Route& route);

// What a row with Stream::Hijack upgrades to: "websocket" and "h2c" must be asked for by the client,
// "tcp" may be.
std::string_view upgrade_protocol(const Route& route);

// All rows, in matching order. First match wins, as in the engine's router.
std::span<const Route> routes();

// One parameter list of a row, parsed once at first use. Thread-safe.
std::span<const ParamSpec> param_specs(const Route& route);

struct ApiVersion {
  int minor = 0;  // 0: the path had no version
  bool operator==(const ApiVersion&) const = default;
};
inline constexpr int kOldestMinor = 24;  // "1.24"
inline constexpr int kNewestMinor = 56;  // "1.56", the newest schema known here

using Query = std::vector<std::pair<std::string, std::string>>;

// A request line that has been understood.
struct Target {
  const Route* route = nullptr;
  ApiVersion version;
  std::string id;    // the {id} or {name*} part, decoded; empty when the pattern has none
  std::string id2;   // a second part (checkpoint name), else empty
  Query query;       // known keys only, in table order, values canonical (booleans 1/0)
};

// Reads method and origin-form target. Refuses: percent signs, "//", "." and ".." segments,
// backslashes, control and 8-bit characters in the path; a version outside
// 1.kOldestMinor..1.kNewestMinor or spelt otherwise (api-version-range); a path that no row matches
// (unknown-endpoint, 403); a query with bad escapes, ';', control characters, a scalar key twice.
Parsed<Target> classify(Method method, std::string_view target);

// The canonical request target: version prefix (the one given, or `fallback` when the client named
// none and fallback.minor > 0), path, query re-encoded.
std::string encode_target(const Target& target, ApiVersion fallback);

// First value of a canonical query parameter, or "".
std::string_view param(const Query& query, std::string_view name);

}  // namespace dockreeve::docker
