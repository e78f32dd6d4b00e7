#include "policy/rules/literal_filter.h"

#include <re2/filtered_re2.h>

#include <vector>

namespace dockreeve::policy::rules {

LiteralFilter::LiteralFilter(std::span<const std::string> patterns, const RE2::Options& options) {
  constexpr int kShortest = 3;
  re2::FilteredRE2 filtered(kShortest);
  for (const std::string& pattern : patterns) {
    int id = 0;
    if (filtered.Add(pattern, options, &id) != RE2::NoError) return;
  }
  std::vector<std::string> atoms;
  filtered.Compile(&atoms);
  std::vector<int> always;
  filtered.AllPotentials({}, &always);
  if (atoms.empty() || !always.empty()) return;
  for (const std::string& atom : atoms) {
    std::uint32_t triple = 0;
    for (std::size_t i = 0; i < kShortest; ++i) {
      const auto byte = static_cast<unsigned char>(atom[i]);
      triple = triple >> 5U | (byte & 31U) << 10U;
    }
    triples_.set(triple);
  }
  useful_ = true;
}

}  // namespace dockreeve::policy::rules
