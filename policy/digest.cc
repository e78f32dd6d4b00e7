#include "policy/digest.h"

#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include <array>
#include <stdexcept>

namespace dockreeve::policy {
namespace {

constexpr std::size_t kBlock = 64;
constexpr std::size_t kDigest = 32;
using Digest = std::array<unsigned char, kDigest>;

// INVARIANT: SHA-256 is built into the library we link; that it fails means memory is gone.
void require(bool ok) {
  if (!ok) throw std::runtime_error("SHA-256 is not available");
}

std::string hex(const Digest& digest, std::size_t digits) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out(digits, '0');
  for (std::size_t i = 0; i < digits; ++i) {
    const unsigned byte = digest[i / 2];
    out[i] = kHex[i % 2 == 0 ? byte >> 4U : byte & 15U];
  }
  return out;
}

// HMAC (RFC 2104) with both padded key blocks already hashed: a create body has dozens of values to
// tag, and this halves the blocks of each. The one-shot interface has no state to copy, EVP's copy
// allocates; hence the plain SHA-256 functions, which OpenSSL 3 calls deprecated.
struct Key {
  SHA256_CTX inner{}, outer{};
  Key() {
    std::array<unsigned char, kDigest> secret{};
    require(RAND_bytes(secret.data(), static_cast<int>(secret.size())) == 1);
    absorb(inner, secret, 0x36U);
    absorb(outer, secret, 0x5cU);
    OPENSSL_cleanse(secret.data(), secret.size());
  }

 private:
  static void absorb(SHA256_CTX& state, const std::array<unsigned char, kDigest>& secret,
                     unsigned char pad) {
    std::array<unsigned char, kBlock> block{};
    block.fill(pad);
    for (std::size_t i = 0; i < secret.size(); ++i)
      block[i] ^= secret[i];
    require(SHA256_Init(&state) == 1 && SHA256_Update(&state, block.data(), block.size()) == 1);
    OPENSSL_cleanse(block.data(), block.size());
  }
};

Digest finish(SHA256_CTX& state) {
  Digest out{};
  require(SHA256_Final(out.data(), &state) == 1);
  return out;
}

}  // namespace

std::string sha256_hex(std::string_view bytes) {
  Digest out{};
  require(SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), out.data()) !=
          nullptr);
  return hex(out, 2 * kDigest);
}

std::string secret_tag(std::string_view secret) {
  static const Key key;
  SHA256_CTX state = key.inner;
  require(SHA256_Update(&state, secret.data(), secret.size()) == 1);
  const Digest inner = finish(state);
  state = key.outer;
  require(SHA256_Update(&state, inner.data(), inner.size()) == 1);
  constexpr std::size_t kTagDigits = 6;
  return hex(finish(state), kTagDigits);
}

}  // namespace dockreeve::policy
