// SHA-256 and a keyed tag, for policy code: hashes of profiles and tags of redacted secrets.
#pragma once

#include <string>
#include <string_view>

namespace dockreeve::policy {

// 64 lower-case hex digits.
std::string sha256_hex(std::string_view bytes);

// Six hex digits of HMAC-SHA-256 under 32 random bytes made once per process.
std::string secret_tag(std::string_view secret);

}  // namespace dockreeve::policy
