// A request that has been understood: a row of the route table, its canonical query and its body.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "docker/create_container.h"
#include "docker/decode.h"
#include "docker/exec.h"
#include "docker/route.h"
#include "docker/update.h"
#include "docker/volume.h"

namespace dockreeve::docker {

// The client's bytes are gone: what is not in here cannot be forwarded.
struct Request {
  Target target;
  // monostate: no body, or a body that was dropped, or an opaque one that is streamed.
  std::variant<std::monostate, CreateContainer, ExecCreate, ExecStart, UpdateContainer, VolumeCreate>
      body;
  UnknownFields unknown;  // pointers of dropped keys
  std::string registry_auth;  // X-Registry-Auth on routes that take it, never logged

  const Route& route() const { return *target.route; }
  template <class T>
  const T* body_as() const { return std::get_if<T>(&body); }
  template <class T>
  T* body_as() { return std::get_if<T>(&body); }
};

// The body for `target`, decoded by the kind its row names. `body` is the complete body.
Parsed<Request> decode_request(Target target, std::string body);

// The canonical body bytes; empty when the request carries none. `trace`, if any, learns where each
// string of the body landed; its entries point into `request`.
std::string encode_body(const Request& request, std::vector<json::Written>* trace = nullptr);

}  // namespace dockreeve::docker
