// Linux capability names as the engine accepts them in CapAdd and CapDrop.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace dockreeve::docker {

inline constexpr std::string_view kAllCapabilities = "ALL";

// "cap_Net_Admin" -> "NET_ADMIN", "all" -> "ALL". Refuses names that are not ASCII (the engine's
// upper-casing turns "ſYS_ADMIN" into SYS_ADMIN) and names the kernel does not have. The view
// points into a static table.
Result<std::string_view> normalise_capability(std::string_view input);

// The 41 capabilities of Linux, without prefix, in kernel order.
std::span<const std::string_view> known_capabilities();

// The 14 that a container has when nothing is said.
std::span<const std::string_view> default_capabilities();

}  // namespace dockreeve::docker
