// inet_pton does the reading; mapped addresses and masks are settled here.
#include "docker/net_address.h"

#include <algorithm>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <optional>

#include "base/text.h"

namespace dockreeve::docker {
namespace {

constexpr std::array<std::uint8_t, 12> kMappedPrefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr int kMappedBits = 96;

// 0..max without sign or leading zero.
std::optional<int> parse_prefix(std::string_view text, int max) {
  if (text.empty() || text.size() > 3 || (text.size() > 1 && text.front() == '0')) {
    return std::nullopt;
  }
  int value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return value <= max ? std::optional(value) : std::nullopt;
}

}  // namespace

Result<IpAddress> IpAddress::parse(std::string_view input) {
  const std::string copy(input);
  IpAddress out;
  // A NUL would end the text early for inet_pton.
  if (copy.find('\0') == std::string::npos) {
    if (inet_pton(AF_INET, copy.c_str(), out.bytes_.data()) == 1) {
      out.v4_ = true;
      return out;
    }
    if (inet_pton(AF_INET6, copy.c_str(), out.bytes_.data()) == 1) {
      if (std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), out.bytes_.begin())) {
        IpAddress mapped;
        std::copy(out.bytes_.begin() + kMappedPrefix.size(), out.bytes_.end(),
                  mapped.bytes_.begin());
        mapped.v4_ = true;
        return mapped;
      }
      return out;
    }
  }
  return fail("", text::quoted(input) + " is not an IP address");
}

bool IpAddress::is_unspecified() const {
  return std::all_of(bytes_.begin(), bytes_.end(), [](std::uint8_t byte) { return byte == 0; });
}

bool IpAddress::is_loopback() const {
  if (v4_) return bytes_[0] == 127;
  return bytes_.back() == 1 &&
         std::all_of(bytes_.begin(), bytes_.end() - 1, [](std::uint8_t byte) { return byte == 0; });
}

bool IpAddress::is_link_local() const {
  if (v4_) return bytes_[0] == 169 && bytes_[1] == 254;
  return bytes_[0] == 0xfe && (bytes_[1] & 0xc0) == 0x80;
}

std::string IpAddress::text() const {
  std::array<char, INET6_ADDRSTRLEN> buffer{};
  inet_ntop(v4_ ? AF_INET : AF_INET6, bytes_.data(), buffer.data(), buffer.size());
  return buffer.data();
}

Result<Cidr> Cidr::parse(std::string_view input) {
  const auto refuse = [input] {
    return fail("", text::quoted(input) + " is not an address block such as 10.0.0.0/8");
  };
  const std::size_t slash = input.find('/');
  const std::string_view address = input.substr(0, slash);
  const Result<IpAddress> base = IpAddress::parse(address);
  if (!base) return refuse();
  // "::ffff:10.0.0.0/104" counts its bits in the IPv6 spelling.
  const bool mapped = base->is_v4() && address.find(':') != std::string_view::npos;
  const int full = base->is_v4() && !mapped ? 32 : 128;
  std::optional<int> prefix = full;
  if (slash != std::string_view::npos) prefix = parse_prefix(input.substr(slash + 1), full);
  if (mapped && prefix)
    prefix = *prefix >= kMappedBits ? std::optional(*prefix - kMappedBits) : std::nullopt;
  if (!prefix) return refuse();
  Cidr out;
  out.base_ = *base;
  out.prefix_ = *prefix;
  for (std::size_t i = 0; i < out.base_.bytes_.size(); ++i) {
    const int kept = std::clamp(out.prefix_ - static_cast<int>(i) * 8, 0, 8);
    out.base_.bytes_[i] = static_cast<std::uint8_t>(out.base_.bytes_[i] & (0xff00 >> kept));
  }
  return out;
}

bool Cidr::contains(const IpAddress& address) const {
  if (address.v4_ != base_.v4_) return false;
  for (std::size_t i = 0; i < base_.bytes_.size(); ++i) {
    const int kept = std::clamp(prefix_ - static_cast<int>(i) * 8, 0, 8);
    if (((address.bytes_[i] ^ base_.bytes_[i]) & (0xff00 >> kept) & 0xff) != 0) return false;
  }
  return true;
}

bool Cidr::contains(const Cidr& block) const {
  return block.prefix_ >= prefix_ && contains(block.base_);
}

std::string Cidr::text() const {
  return base_.text() + "/" + std::to_string(prefix_);
}

}  // namespace dockreeve::docker
