#include "docker/upgrade.h"

#include <algorithm>
#include <array>
#include <span>

#include "base/text.h"

namespace dockreeve::docker {
namespace {

using Sent = std::vector<std::pair<std::string_view, std::string_view>>;

constexpr std::size_t kLongestValue = 512;
constexpr std::size_t kMostMethods = 64;

struct Spec {
  std::string_view name;
  bool required, repeated;
};
// Extensions are not negotiated: what the engine does not hear of it does not use.
constexpr std::array<Spec, 3> kWebSocket{{{"Sec-WebSocket-Key", true, false},
                                          {"Sec-WebSocket-Version", true, false},
                                          {"Sec-WebSocket-Protocol", false, false}}};
constexpr std::array<Spec, 4> kSession{{{"X-Docker-Expose-Session-Uuid", true, false},
                                        {"X-Docker-Expose-Session-Name", false, false},
                                        {"X-Docker-Expose-Session-Sharedkey", false, false},
                                        {"X-Docker-Expose-Session-Grpc-Method", false, true}}};

bool same_name(std::string_view a, std::string_view b) {
  return text::to_lower(a) == text::to_lower(b);
}

std::span<const Spec> specs_of(const Route& route) {
  if (route.name == "container.attach_ws") return kWebSocket;
  if (route.name == "session") return kSession;
  return {};
}

bool is_plain(std::string_view value) {
  return value.size() <= kLongestValue &&
         std::all_of(value.begin(), value.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

// 16 bytes in base64.
bool is_websocket_key(std::string_view key) {
  return key.size() == 24 && key.ends_with("==") &&
         std::all_of(key.begin(), key.end() - 2, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                  c == '+' || c == '/';
         });
}

bool is_right(std::string_view name, std::string_view value) {
  if (name == "Sec-WebSocket-Key") return is_websocket_key(value);
  if (name == "Sec-WebSocket-Version") return value == "13";
  return !value.empty() && is_plain(value);
}

}  // namespace

bool is_upgrade_header(std::string_view name) {
  const auto named = [name](const Spec& spec) { return same_name(spec.name, name); };
  return std::any_of(kWebSocket.begin(), kWebSocket.end(), named) ||
         std::any_of(kSession.begin(), kSession.end(), named);
}

Parsed<HeaderList> upgrade_headers(const Route& route, const Sent& sent) {
  HeaderList out;
  for (const Spec& spec : specs_of(route)) {
    const auto refuse = [&spec](std::string why) {
      return tl::unexpected(
          Refusal::ambiguous("header/" + text::to_lower(spec.name), std::move(why)));
    };
    std::size_t count = 0;
    for (const auto& [name, value] : sent) {
      if (!same_name(name, spec.name)) continue;
      if (++count > (spec.repeated ? kMostMethods : 1)) return refuse("it is there too often");
      // Clients leave the name of a session empty.
      if (value.empty() && !spec.required) continue;
      if (!is_right(spec.name, value)) return refuse("it is malformed");
      out.emplace_back(spec.name, value);
    }
    if (spec.required && count == 0) return refuse("it is missing");
  }
  return out;
}

}  // namespace dockreeve::docker
