// Finding the next byte of a string that JSON treats specially, many bytes at a time.
//
// Internal to json.cc and json_writer.cc: reading and writing stop at the same bytes.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace dockreeve::json::scan {

inline std::uint64_t repeat(unsigned char byte) {
  return 0x0101010101010101U * std::uint64_t{byte};
}

// High bit of every byte that is zero; bytes above the first zero may be marked wrongly.
inline std::uint64_t zero_bytes(std::uint64_t word) {
  return (word - repeat(0x01)) & ~word & repeat(0x80);
}

inline bool is_plain(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
}

// First byte of [at, end) that is a quote, a backslash, a control character, DEL or not ASCII.
inline const char* skip_plain(const char* at, const char* end) {
#ifdef __SSE2__
  while (end - at >= 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    // Signed: bytes from 0x80 are below the space too.
    const __m128i low = _mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20));
    const __m128i quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
    const __m128i backslash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
    const __m128i del = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f));
    const __m128i stop = _mm_or_si128(_mm_or_si128(low, quote), _mm_or_si128(backslash, del));
    const auto mask = static_cast<unsigned>(_mm_movemask_epi8(stop));
    if (mask != 0) return at + std::countr_zero(mask);
    at += 16;
  }
#endif
  if constexpr (std::endian::native == std::endian::little) {
    while (end - at >= 8) {
      std::uint64_t word = 0;
      std::memcpy(&word, at, sizeof word);
      const std::uint64_t below_space = (word - repeat(0x20)) & ~word;
      const std::uint64_t stop =
          (below_space | zero_bytes(word ^ repeat('"')) | zero_bytes(word ^ repeat('\\')) |
           zero_bytes(word ^ repeat(0x7f)) | word) &
          repeat(0x80);
      // Marks below the first true one are exact: a borrow only travels upwards from a hit.
      if (stop != 0) return at + (std::countr_zero(stop) >> 3);
      at += 8;
    }
  }
  while (at < end && is_plain(*at))
    ++at;
  return at;
}

}  // namespace dockreeve::json::scan
