// The pass: the only value with which a request can go upstream.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "docker/request.h"
#include "policy/races.h"
#include "policy/scope.h"

namespace dockreeve::policy {

// Exactly what will be written to the engine, apart from headers the gateway always sends.
struct WireRequest {
  docker::Method method = docker::Method::Get;
  std::string target;        // canonical request target
  std::string body;          // canonical bytes; empty when there is none
  bool has_body = false;     // send Content-Type and Content-Length
  docker::Body body_kind = docker::Body::None;   // Opaque: the client's stream follows
  docker::Stream stream = docker::Stream::No;
  std::string registry_auth; // X-Registry-Auth, or empty
  std::string registry_config; // X-Registry-Config, or empty
  std::optional<AnswerScope> answer;  // what has to leave the answer, if anything has
  bool hide_ids = false;  // a refusal of the engine's shows no id that the request does not have
  std::optional<JudgedImage> image;   // what a created container must show as its image
  docker::HeaderList upgrade_headers;
  std::string_view upgrade;  // what a hijacked exchange upgrades to; a literal
};

// Move-only; only the Evaluator can make one, and only for a request that no enforced rule objected
// to. Holds encoded bytes, so "forward the original" cannot be written down.
class [[nodiscard]] Admitted {
 public:
  Admitted(Admitted&&) noexcept = default;
  Admitted& operator=(Admitted&&) noexcept = default;
  Admitted(const Admitted&) = delete;
  Admitted& operator=(const Admitted&) = delete;
  const WireRequest& wire() const { return wire_; }

 private:
  friend class Evaluator;
  explicit Admitted(WireRequest wire) : wire_(std::move(wire)) {}
  WireRequest wire_;
};

}  // namespace dockreeve::policy
