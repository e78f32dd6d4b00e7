// IP addresses and CIDR blocks of port bindings, extra hosts, resolvers and policies.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace dockreeve::docker {

// One IPv4 or IPv6 address. An IPv4-mapped IPv6 address is the IPv4 address, as in Go.
class IpAddress {
 public:
  // Refuses zones, leading zeros in IPv4 and everything that is no literal.
  static Result<IpAddress> parse(std::string_view input);

  bool is_v4() const { return v4_; }
  bool is_unspecified() const;  // 0.0.0.0 or ::
  bool is_loopback() const;     // 127.0.0.0/8 or ::1
  bool is_link_local() const;   // 169.254.0.0/16 or fe80::/10
  std::string text() const;     // canonical

  bool operator==(const IpAddress&) const = default;

 private:
  friend class Cidr;
  std::array<std::uint8_t, 16> bytes_{};  // IPv4 uses the first four
  bool v4_ = false;
};

// "10.0.0.0/8", "::1/128"; an address alone is a block of one. Host bits are ignored.
class Cidr {
 public:
  static Result<Cidr> parse(std::string_view input);

  // False when the families differ.
  bool contains(const IpAddress& address) const;
  bool contains(const Cidr& block) const;
  std::string text() const;  // "10.0.0.0/8"

  bool operator==(const Cidr&) const = default;

 private:
  IpAddress base_;
  int prefix_ = 0;
};

}  // namespace dockreeve::docker
