// A request that has been understood: a row of the route table, its canonical query and its body.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "docker/commit.h"
#include "docker/create_container.h"
#include "docker/decode.h"
#include "docker/dockerfile.h"
#include "docker/exec.h"
#include "docker/image_archive.h"
#include "docker/network.h"
#include "docker/route.h"
#include "docker/service.h"
#include "docker/update.h"
#include "docker/upgrade.h"
#include "docker/volume.h"

namespace dockreeve::docker {

// The client's bytes are gone: what is not in here cannot be forwarded.
struct Request {
  Target target;
  // monostate: no body, or a body that was dropped, or an opaque one that is streamed.
  std::variant<std::monostate, CreateContainer, ExecCreate, ExecStart, UpdateContainer, VolumeCreate,
               AuthConfig, NetworkCreate, NetworkConnect, NetworkDisconnect, Commit, ServiceSpec>
      body;
  UnknownFields unknown;  // pointers of dropped keys
  std::string registry_auth;  // X-Registry-Auth on routes that take it, never logged
  std::string registry_config;  // X-Registry-Config of a build, never logged
  // What was read out of a spooled body. A build without a Dockerfile here has a remote context, or
  // is judged by its query alone (`dockreeve eval` without a file).
  std::optional<Dockerfile> dockerfile;
  std::optional<ImageArchive> images;
  std::optional<Dockerfile> changes;  // of an import
  HeaderList upgrade_headers; // what an upgrade needs besides its name, canonical

  const Route& route() const { return *target.route; }
  template <class T>
  const T* body_as() const { return std::get_if<T>(&body); }
  template <class T>
  T* body_as() { return std::get_if<T>(&body); }
};

// The kind of body that the request carries: the row's, or what its query makes of it.
Body body_of(const Target& target);
// Whether such a body goes to a temporary file before it is judged.
bool is_spooled(Body body);

// Brings the query of a build or an import into its one form before the body is read. Refuses what
// needs BuildKit, and parameters that are no JSON of their kind. Other targets are left alone.
Parsed<Target> check_target(Target target);

// Reads a spooled body piece by piece; the result is the request.
class BodyScan {
 public:
  // `target` has gone through check_target() and is_spooled(body_of()).
  BodyScan(Target target, std::uint64_t max_bytes);
  ~BodyScan();
  // False once the body is refused: call finish() for the reason.
  bool feed(std::string_view data);
  Parsed<Request> finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The body for `target`, decoded by the kind its row names. `body` is the complete body.
Parsed<Request> decode_request(Target target, std::string body);

// The canonical body bytes; empty when the request carries none. `trace`, if any, learns where each
// string of the body landed; its entries point into `request`.
std::string encode_body(const Request& request, std::vector<json::Written>* trace = nullptr);

}  // namespace dockreeve::docker
