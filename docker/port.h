// Port texts of a create body: the keys of PortBindings and ExposedPorts, and HostPort.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"

namespace dockreeve::docker {

enum class Protocol : std::uint8_t { Tcp, Udp, Sctp };
std::string_view name(Protocol protocol);

struct ContainerPort {
  std::uint16_t port = 0;
  Protocol protocol = Protocol::Tcp;
  bool operator==(const ContainerPort&) const = default;
};

// A key such as "80/tcp": 1..65535 without leading zeros, and a lower-case protocol. The engine
// stores a lot more than that and means little by it, so the rest is refused.
Result<ContainerPort> parse_container_port(std::string_view input);

// Both ends are 0 when the engine chooses ("" and "0").
struct HostPort {
  std::uint16_t first = 0, last = 0;
  bool ephemeral() const { return first == 0; }
  bool operator==(const HostPort&) const = default;
};

// "", "8080", "080" (which is 80), "8000-8010", each also with a suffix "/tcp", "/udp" or "/sctp"
// that the engine ignores.
Result<HostPort> parse_host_port(std::string_view input);

// A policy's range: "8080" or "20000-29999". Refuses "" and 0.
Result<HostPort> parse_port_range(std::string_view input);

}  // namespace dockreeve::docker
