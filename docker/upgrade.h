// The headers that belong to an upgrade: a WebSocket handshake, the services that a BuildKit
// session exposes.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "docker/refusal.h"
#include "docker/route.h"

namespace dockreeve::docker {

using HeaderList = std::vector<std::pair<std::string, std::string>>;

// Whether upgrade_headers() wants to see a header of this name. Case does not matter.
bool is_upgrade_header(std::string_view name);

// The headers of `sent` that the route needs, in one spelling and order; all others are dropped.
// Refuses a WebSocket handshake that is not version 13 with a 16-byte key, a session without id,
// headers that stand there twice, and values that no client sends.
Parsed<HeaderList> upgrade_headers(
    const Route& route, const std::vector<std::pair<std::string_view, std::string_view>>& sent);

}  // namespace dockreeve::docker
