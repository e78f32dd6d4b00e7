#include "base/text.h"

#include <gtest/gtest.h>

namespace dockreeve::text {
namespace {

TEST(GlobMatch, OneStarStopsAtASlashTwoDoNot) {
  EXPECT_TRUE(glob_match("docker.io/library/*", "docker.io/library/busybox"));
  EXPECT_FALSE(glob_match("docker.io/library/*", "docker.io/library/a/b"));
  EXPECT_TRUE(glob_match("docker.io/**", "docker.io/library/a/b"));
  EXPECT_TRUE(glob_match("**", "a/b"));
  EXPECT_FALSE(glob_match("*", "a/b"));
  EXPECT_TRUE(glob_match("a*c*e", "abcde"));
  EXPECT_TRUE(glob_match("*/x", "a/x"));
  EXPECT_FALSE(glob_match("*/x", "a/b/x"));
}

TEST(GlobMatch, MatchesTheWholeText) {
  EXPECT_TRUE(glob_match("", ""));
  EXPECT_TRUE(glob_match("*", ""));
  EXPECT_FALSE(glob_match("", "a"));
  EXPECT_FALSE(glob_match("web", "web2"));
  EXPECT_FALSE(glob_match("web", "my-web"));
}

TEST(GlobMatch, EverythingElseIsLiteral) {
  EXPECT_FALSE(glob_match("a?c", "abc"));
  EXPECT_TRUE(glob_match("a?c", "a?c"));
  EXPECT_FALSE(glob_match("[ab]", "a"));
  EXPECT_FALSE(glob_match("a.c", "abc"));
  EXPECT_TRUE(glob_match("a\\", "a\\"));
}

TEST(GlobMatch, ManyStarsStayFast) {
  std::string pattern, subject(2000, 'a');
  for (int i = 0; i < 500; ++i)
    pattern += "a*";
  EXPECT_TRUE(glob_match(pattern, subject));
  EXPECT_FALSE(glob_match(pattern + "b", subject));
}

TEST(EditDistance, CountsSwapsOfNeighboursAsOne) {
  EXPECT_EQ(edit_distance("", ""), 0U);
  EXPECT_EQ(edit_distance("abc", ""), 3U);
  EXPECT_EQ(edit_distance("limit", "limt"), 1U);
  EXPECT_EQ(edit_distance("ruels", "rules"), 1U);
  EXPECT_EQ(edit_distance("defualt", "default"), 1U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
}

TEST(Suggest, TakesTheNearestWithinTwoEdits) {
  const std::vector<std::string> rules = {"require-digest", "require-memory-limit",
                                          "no-privileged"};
  EXPECT_EQ(suggest("require-memory-limt", rules), "require-memory-limit");
  EXPECT_EQ(suggest("no-privilegd", rules), "no-privileged");
  EXPECT_EQ(suggest("something-else", rules), "");
}

TEST(Suggest, TakesAWordCutShortAndAnotherCase) {
  const std::vector<std::string_view> keys = {"listeners", "certCN", "upstreamConnectTimeout"};
  EXPECT_EQ(suggest("listen", keys), "listeners");
  EXPECT_EQ(suggest("CERTcn", keys), "certCN");
  EXPECT_EQ(suggest("upstreamTimeout", keys), "");
  EXPECT_EQ(did_you_mean("listenrs", keys), "did you mean \"listeners\"?");
  EXPECT_EQ(did_you_mean("x", keys), "");
}

TEST(Suggest, ShortWordsNeedMoreThanALetterInCommon) {
  const std::vector<std::string_view> words = {"os", "by"};
  EXPECT_EQ(suggest("xy", words), "by");
  EXPECT_EQ(suggest("a", words), "");
  EXPECT_EQ(suggest("qq", words), "");
}

TEST(Utf8, RefusesWhatIsNotWellFormed) {
  EXPECT_TRUE(is_utf8("plain, \xC3\xA9, \xE2\x82\xAC, \xF0\x9F\x90\xB3"));
  EXPECT_FALSE(is_utf8("\xC0\xAF"));          // overlong
  EXPECT_FALSE(is_utf8("\xE0\x80\xAF"));      // overlong
  EXPECT_FALSE(is_utf8("\xED\xA0\x80"));      // surrogate
  EXPECT_FALSE(is_utf8("\xF4\x90\x80\x80"));  // beyond U+10FFFF
  EXPECT_FALSE(is_utf8("\xE2\x82"));          // cut short
  EXPECT_FALSE(is_utf8("\xFF"));
}

TEST(Printable, RefusesControlsAndSeparators) {
  EXPECT_TRUE(is_printable("alice@example.com \xC3\xA9"));
  EXPECT_FALSE(is_printable("a\nb"));
  EXPECT_FALSE(is_printable("a\x7F"));
  EXPECT_FALSE(
      is_printable("\xC2\x9B"
                   "31m"));                    // C1: starts an escape on some terminals
  EXPECT_FALSE(is_printable("\xE2\x80\xA8"));  // line separator
}

TEST(Quoted, IsSafeToPrintAndBounded) {
  EXPECT_EQ(quoted("web"), "\"web\"");
  EXPECT_EQ(quoted("a\x1B[31m\xFF"), "\"a?[31m?\"");
  const std::string cut = text::quoted(std::string(500, 'x'));
  EXPECT_LT(cut.size(), 90U);
  EXPECT_TRUE(cut.ends_with("...\""));
}

TEST(Helpers, JoinAndReplace) {
  const std::vector<std::string> items = {"a", "b"};
  EXPECT_EQ(join(items, ", "), "a, b");
  EXPECT_EQ(replace_all("a-b-c", "-", "+-"), "a+-b+-c");
  EXPECT_EQ(replace_all("", "-", "+"), "");
  EXPECT_EQ(to_lower("AbC\xC3\x89"), "abc\xC3\x89");
}

}  // namespace
}  // namespace dockreeve::text
