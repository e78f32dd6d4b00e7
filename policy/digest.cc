#include "policy/digest.h"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <array>
#include <memory>
#include <stdexcept>

namespace dockreeve::policy {
namespace {

constexpr std::size_t kBlock = 64;
constexpr std::size_t kDigest = 32;
using Digest = std::array<unsigned char, kDigest>;

struct ContextFree {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_MD_CTX, ContextFree>;

// INVARIANT: SHA-256 is built into the library we link; that it fails means memory is gone.
void require(bool ok) {
  if (!ok) throw std::runtime_error("SHA-256 is not available");
}

Context new_context() {
  Context context(EVP_MD_CTX_new());
  require(context != nullptr);
  return context;
}

void start(EVP_MD_CTX* context) {
  static EVP_MD* const kSha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  require(kSha256 && EVP_DigestInit_ex2(context, kSha256, nullptr) == 1);
}

Digest finish(EVP_MD_CTX* context) {
  Digest out{};
  require(EVP_DigestFinal_ex(context, out.data(), nullptr) == 1);
  return out;
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

// The two padded keys of HMAC (RFC 2104), each one block.
struct Key {
  std::array<unsigned char, kBlock> inner{}, outer{};
  Key() {
    std::array<unsigned char, kDigest> secret{};
    require(RAND_bytes(secret.data(), static_cast<int>(secret.size())) == 1);
    for (std::size_t i = 0; i < kBlock; ++i) {
      const unsigned char byte = i < secret.size() ? secret[i] : 0;
      inner[i] = byte ^ 0x36U;
      outer[i] = byte ^ 0x5cU;
    }
  }
};

}  // namespace

std::string sha256_hex(std::string_view bytes) {
  const Context context = new_context();
  start(context.get());
  require(EVP_DigestUpdate(context.get(), bytes.data(), bytes.size()) == 1);
  return hex(finish(context.get()), 2 * kDigest);
}

std::string secret_tag(std::string_view secret) {
  static const Key key;
  // One context a thread: making one costs more than the hash.
  thread_local const Context context = new_context();
  start(context.get());
  require(EVP_DigestUpdate(context.get(), key.inner.data(), kBlock) == 1);
  require(EVP_DigestUpdate(context.get(), secret.data(), secret.size()) == 1);
  const Digest inner = finish(context.get());
  start(context.get());
  require(EVP_DigestUpdate(context.get(), key.outer.data(), kBlock) == 1);
  require(EVP_DigestUpdate(context.get(), inner.data(), kDigest) == 1);
  constexpr std::size_t kTagDigits = 6;
  return hex(finish(context.get()), kTagDigits);
}

}  // namespace dockreeve::policy
