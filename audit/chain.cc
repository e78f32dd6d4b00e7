// See chain.h.

#include "audit/chain.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>

namespace dockreeve::audit {

LineHash::LineHash()
    : algorithm_(EVP_MD_fetch(nullptr, "SHA256", nullptr), &EVP_MD_free),
      context_(EVP_MD_CTX_new(), &EVP_MD_CTX_free) {
  // INVARIANT: SHA-256 exists in every provider set, FIPS included; without it nothing here works.
  if (!algorithm_ || !context_) std::abort();
}

std::string LineHash::hex(std::string_view line) {
  std::array<unsigned char, 32> digest{};
  unsigned int size = 0;
  if (EVP_DigestInit_ex2(context_.get(), algorithm_.get(), nullptr) != 1 ||
      EVP_DigestUpdate(context_.get(), line.data(), line.size()) != 1 ||
      EVP_DigestFinal_ex(context_.get(), digest.data(), &size) != 1 || size != digest.size()) {
    std::abort();  // a line with a wrong hash would break the log for good
  }
  static constexpr char kHex[] = "0123456789abcdef";
  std::string text(64, '0');
  for (std::size_t i = 0; i < digest.size(); ++i) {
    text[2 * i] = kHex[digest[i] >> 4];
    text[2 * i + 1] = kHex[digest[i] & 15];
  }
  return text;
}

void append_line(std::string& out, std::string_view record, ChainHead& head, LineHash& hash) {
  const std::size_t start = out.size();
  std::array<char, 20> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), head.next_seq).ptr;
  out += R"({"v":1,"seq":)";
  out.append(digits.data(), end);
  out += R"(,"prev":")";
  out += head.prev;
  out += R"(",)";
  const std::size_t body = out.size();
  out += record.substr(1);
  if (record.find('\n') != std::string_view::npos) {
    std::replace(out.begin() + static_cast<std::ptrdiff_t>(body), out.end(), '\n', ' ');
  }
  head.prev = hash.hex(std::string_view(out).substr(start));
  ++head.next_seq;
  out += '\n';
}

}  // namespace dockreeve::audit
