// Ports and ranges; numbers are read digit by digit, so signs and other bases never get in.
#include "docker/port.h"

#include <array>
#include <optional>
#include <string>

#include "base/text.h"

namespace dockreeve::docker {
namespace {

constexpr std::array<std::string_view, 3> kProtocols{"tcp", "udp", "sctp"};

std::optional<Protocol> parse_protocol(std::string_view text) {
  for (std::size_t i = 0; i < kProtocols.size(); ++i) {
    if (kProtocols[i] == text) return static_cast<Protocol>(i);
  }
  return std::nullopt;
}

// A decimal of 0..65535; leading zeros are as the engine reads them: nothing.
std::optional<std::uint16_t> parse_number(std::string_view text) {
  if (text.empty()) return std::nullopt;
  std::uint32_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + static_cast<std::uint32_t>(c - '0');
    if (value > 65535) return std::nullopt;
  }
  return static_cast<std::uint16_t>(value);
}

// "8080" or "8000-8010", ends in order and not 0.
std::optional<HostPort> parse_range(std::string_view text) {
  const std::size_t dash = text.find('-');
  const std::optional<std::uint16_t> first = parse_number(text.substr(0, dash));
  const std::optional<std::uint16_t> last =
      dash == std::string_view::npos ? first : parse_number(text.substr(dash + 1));
  if (!first || !last || *first == 0 || *last < *first) return std::nullopt;
  return HostPort{*first, *last};
}

}  // namespace

std::string_view name(Protocol protocol) {
  return kProtocols[static_cast<std::size_t>(protocol)];
}

Result<ContainerPort> parse_container_port(std::string_view input) {
  const std::size_t slash = input.find('/');
  const std::string_view number = input.substr(0, slash);
  const std::optional<std::uint16_t> port = parse_number(number);
  const std::optional<Protocol> protocol =
      slash == std::string_view::npos ? std::nullopt : parse_protocol(input.substr(slash + 1));
  if (!port || number.starts_with('0') || !protocol) {
    return fail("", text::quoted(input) + " is not a port such as 80/tcp");
  }
  return ContainerPort{*port, *protocol};
}

Result<HostPort> parse_host_port(std::string_view input) {
  std::string_view number = input;
  const std::size_t slash = input.find('/');
  if (slash != std::string_view::npos) {
    if (!parse_protocol(input.substr(slash + 1))) {
      return fail("", text::quoted(input) + " is not a host port such as 8080 or 8000-8010");
    }
    number = input.substr(0, slash);
  }
  if (input.empty() || parse_number(number) == std::uint16_t{0}) return HostPort{};
  const std::optional<HostPort> range = parse_range(number);
  if (!range)
    return fail("", text::quoted(input) + " is not a host port such as 8080 or 8000-8010");
  return *range;
}

Result<HostPort> parse_port_range(std::string_view input) {
  const std::optional<HostPort> range = parse_range(input);
  if (!range)
    return fail("", text::quoted(input) + " is not a port or a range such as 20000-29999");
  return *range;
}

}  // namespace dockreeve::docker
