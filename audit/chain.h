// The hash that chains one line of the log to the next, and how a line is put together.
#pragma once

#include <openssl/evp.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace dockreeve::audit {

// `prev` of the very first line of a log.
inline constexpr std::string_view kChainStart =
    "0000000000000000000000000000000000000000000000000000000000000000";

// SHA-256 as 64 lower-case hex digits. Keeps its OpenSSL objects, so a short text costs little; one
// thread at a time.
class LineHash {
 public:
  LineHash();
  // Of a line's bytes without its newline.
  std::string hex(std::string_view line);

 private:
  std::unique_ptr<EVP_MD, decltype(&EVP_MD_free)> algorithm_;
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

// Where a chain stands: what the next line will carry.
struct ChainHead {
  std::uint64_t next_seq = 1;
  std::string prev{kChainStart};
};

// Appends one line, newline included: `record` (a JSON object without v, seq and prev) with the
// three put in front. Moves `head` past it. Raw newlines in `record`, which JSON allows between
// tokens only, become blanks.
void append_line(std::string& out, std::string_view record, ChainHead& head, LineHash& hash);

}  // namespace dockreeve::audit
