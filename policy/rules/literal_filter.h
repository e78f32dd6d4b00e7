// A quick look whether a regular expression can match at all, before it is run.
//
// Secret patterns are run over every environment value of every create, and next to none matches.
// RE2 knows which literals a text must contain for a pattern to match; their first three bytes go
// into a table, and a text without any of these triples needs no search.
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <re2/re2.h>

namespace dockreeve::policy::rules {

class LiteralFilter {
 public:
  // Passes every text.
  LiteralFilter() = default;
  // For patterns that compile with `options`. One that needs no literal makes it pass every text.
  LiteralFilter(std::span<const std::string> patterns, const RE2::Options& options);

  // False only if no pattern matches `text`.
  bool may_match(std::string_view text) const {
    if (!useful_) return true;
    std::uint32_t triple = 0;
    unsigned char all = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
      const auto byte = static_cast<unsigned char>(text[i]);
      all |= byte;
      // The low five bits are the same for both cases of a letter.
      triple = triple >> 5U | (byte & 31U) << 10U;
      if (i >= 2 && triples_[triple]) return true;
    }
    // Folding beyond ASCII (the Kelvin sign is a k) is RE2's business.
    return all >= 0x80;
  }

 private:
  bool useful_ = false;
  std::bitset<std::size_t{1} << 15U> triples_;
};

}  // namespace dockreeve::policy::rules
