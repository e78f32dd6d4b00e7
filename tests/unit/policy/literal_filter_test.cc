// The filter may only say no where RE2 says no.
#include "policy/rules/literal_filter.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace dockreeve::policy::rules {
namespace {

const std::vector<std::string> kPatterns{
    "(?i)^(.*[_.-])?([a-z0-9]*(password|passwd)|pwd|[a-z0-9]*token|api_?key)([_.-].*)?$",
    "(?s)^.*\\b(AKIA|ASIA)[0-9A-Z]{4}\\b.*$",
    "(?si)^.*\\b[a-z][a-z0-9+.-]*://[^/\\s:@]*:[^/\\s@]+@.*$",
};

TEST(LiteralFilter, NeverHidesAMatch) {
  std::mt19937 random(20260110);
  const std::vector<std::string> pieces{"pass", "word", "pwd",  "PWD", "to", "ken", "TOKEN", "_",
                                        ".",    "AKIA", "ASIA", "0A1B", "api", "key", "Api_Key",
                                        "http://", "u:p@", "h", " ", "to\xe2\x84\xaa" "en", "ſ"};
  int matched = 0;
  for (const std::string& pattern : kPatterns) {
    const RE2 re(pattern);
    const LiteralFilter filter(std::span(&pattern, 1), RE2::Options());
    for (int i = 0; i < 20000; ++i) {
      std::string text;
      for (auto n = random() % 5; n > 0; --n)
        text += pieces[random() % pieces.size()];
      if (!RE2::PartialMatch(text, re)) continue;
      ++matched;
      EXPECT_TRUE(filter.may_match(text)) << pattern << " on " << text;
    }
  }
  EXPECT_GT(matched, 1000);
}

TEST(LiteralFilter, SparesTheSearch) {
  const LiteralFilter filter(kPatterns, RE2::Options());
  EXPECT_FALSE(filter.may_match("WORKER_SETTING_00"));
  EXPECT_FALSE(filter.may_match("value-of-setting-0-abcdefgh"));
  EXPECT_FALSE(filter.may_match(""));
  EXPECT_TRUE(filter.may_match("DB_PASSWORD"));
}

TEST(LiteralFilter, PassesAllWhereAPatternNeedsNoLiteral) {
  const std::vector<std::string> patterns{"^.*token.*$", "^[a-z]+$"};
  EXPECT_TRUE(LiteralFilter(patterns, RE2::Options()).may_match("x"));
  const std::vector<std::string> broken{"("};
  RE2::Options quiet;
  quiet.set_log_errors(false);
  EXPECT_TRUE(LiteralFilter(broken, quiet).may_match("x"));
  EXPECT_TRUE(LiteralFilter().may_match("x"));
}

}  // namespace
}  // namespace dockreeve::policy::rules
