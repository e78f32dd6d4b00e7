// ULIDs: the ids that tie a denial on a user's screen to a line of the log. Made on every request,
// so they cost no system call.

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <sys/random.h>

#include "audit/record.h"

namespace dockreeve::audit {
namespace {

// xoshiro256++ (Blackman and Vigna), seeded by the kernel. Ids need to be unique, not secret.
class Random {
 public:
  Random() {
    auto* bytes = reinterpret_cast<unsigned char*>(state_.data());
    std::size_t have = 0;
    while (have < sizeof state_) {
      const ssize_t got = getrandom(bytes + have, sizeof state_ - have, 0);
      if (got > 0) have += static_cast<std::size_t>(got);
    }
  }

  std::uint64_t next() {
    const std::uint64_t result = rotate(state_[0] + state_[3], 23) + state_[0];
    const std::uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = rotate(state_[3], 45);
    return result;
  }

 private:
  static std::uint64_t rotate(std::uint64_t x, int by) { return (x << by) | (x >> (64 - by)); }
  std::array<std::uint64_t, 4> state_{};
};

constexpr char kCrockford[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

void put(char* out, int digits, std::uint64_t value) {
  for (int i = digits; i-- > 0; value >>= 5)
    out[i] = kCrockford[value & 31];
}

}  // namespace

std::string new_ulid() {
  thread_local Random random;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
  std::string id(26, '0');
  put(id.data(), 10, static_cast<std::uint64_t>(ms) & ((std::uint64_t{1} << 48) - 1));
  put(id.data() + 10, 8, random.next() >> 24);  // 40 bits each
  put(id.data() + 18, 8, random.next() >> 24);
  return id;
}

}  // namespace dockreeve::audit
