#include <gtest/gtest.h>

#include "base/yaml_reader.h"

namespace dockreeve::yaml {
namespace {

// "E005@3:1" of the only problem, or all of them, so that a failure shows what was said.
std::string problems(const std::string& text) {
  std::string out;
  for (const Problem& problem : read(text).problems) {
    if (!out.empty()) out += ' ';
    out += problem.code + '@' + std::to_string(problem.at.line) + ':' +
           std::to_string(problem.at.column);
  }
  return out;
}

Node one(const std::string& text) {
  Stream stream = read(text);
  EXPECT_TRUE(stream.problems.empty()) << problems(text);
  EXPECT_EQ(stream.documents.size(), 1U);
  return stream.documents.empty() ? Node() : stream.documents.front();
}

TEST(YamlRead, KeepsTextAndPositions) {
  const Node root = one("a: [x, \"$y\", $z]\nb:\n  c: 'it''s'\n");
  ASSERT_TRUE(root.is_map());
  const Entry* a = root.find("a");
  ASSERT_NE(a, nullptr);
  EXPECT_EQ(a->at, (Position{1, 1}));
  ASSERT_EQ(a->value.items.size(), 3U);
  EXPECT_EQ(a->value.items[0].text, "x");
  EXPECT_FALSE(a->value.items[0].quoted);
  EXPECT_EQ(a->value.items[1].text, "$y");
  EXPECT_TRUE(a->value.items[1].quoted);
  EXPECT_EQ(a->value.items[1].width, 4);
  EXPECT_EQ(a->value.items[2].at, (Position{1, 14}));
  const Entry* c = root.find("b")->value.find("c");
  ASSERT_NE(c, nullptr);
  EXPECT_EQ(c->value.text, "it's");
  EXPECT_EQ(c->at, (Position{3, 3}));
  EXPECT_EQ(root.find("d"), nullptr);
}

TEST(YamlRead, PlacesEmptyValuesAndContainersAtTheirKey) {
  const Node root = one("a:\nb:\n  - 1\n");
  EXPECT_TRUE(root.find("a")->value.is_null());
  EXPECT_EQ(root.find("a")->value.at, (Position{1, 1}));
  EXPECT_TRUE(root.find("b")->value.is_list());
  EXPECT_EQ(root.find("b")->value.at, (Position{2, 1}));
}

TEST(YamlRead, ReadsSeveralDocumentsAndSkipsEmptyOnes) {
  EXPECT_EQ(read("---\na: 1\n---\n---\nb: 2\n...\n--- {c: 3}\n").documents.size(), 3U);
  EXPECT_EQ(read("# nothing\n").documents.size(), 0U);
  EXPECT_EQ(problems(""), "");
}

TEST(YamlRead, ADocumentBeginsOnlyAfterASeparator) {
  EXPECT_EQ(problems("- a\nb: c\n"), "E004@2:1");
  EXPECT_EQ(problems("{a: 1}\n{b: 2}\n"), "E004@2:1");
}

TEST(YamlRead, RefusesWhatOurSubsetLeavesOut) {
  EXPECT_EQ(problems("\xEF\xBB\xBFskip: 1\n"), "E001@1:1");
  EXPECT_EQ(problems("a: 1\nb: \xFF\n"), "E001@2:1");
  EXPECT_EQ(problems(std::string("a: \0b\n", 6)), "E001@1:4");
  EXPECT_EQ(problems("a: \"\\0\"\n"), "E001@1:4");
  EXPECT_EQ(problems("a: 1\rb: 2\n"), "E001@1:5");
  EXPECT_EQ(problems("a:\n\t- b\n"), "E003@2:1");
  EXPECT_EQ(problems("a: 1\nb: 2\na: 3\n"), "E005@3:1");
  EXPECT_EQ(problems("a: {b: 1, \"b\": 2}\n"), "E005@1:11");
  EXPECT_EQ(problems("a: &x 1\nb: *x\n"), "E006@1:4 E006@2:4");
  EXPECT_EQ(problems("a: *x\n").substr(0, 4), "E006");
  EXPECT_EQ(problems("a: * \n").substr(0, 4), "E006");
  EXPECT_EQ(problems("a: !!int 1\n"), "E007@1:4");
  EXPECT_EQ(problems("a: ! {b: 1}\n"), "E007@1:4");
  EXPECT_EQ(problems("<<: {a: 1}\n"), "E008@1:1");
  EXPECT_EQ(problems("? [a]\n: b\n"), "E009@1:3");
  EXPECT_EQ(problems(": b\n"), "E009@1:1");
  EXPECT_EQ(problems("%YAML 1.2\n---\na: 1\n"), "E011@1:1");
}

TEST(YamlRead, QuotedMarksAreText) {
  EXPECT_EQ(one("a: \"&x *y !z\" # &c\n").find("a")->value.text, "&x *y !z");
  EXPECT_EQ(one("\"<<\": 1\n").entries.size(), 1U);
}

TEST(YamlRead, TakesWindowsLineEnds) {
  EXPECT_EQ(one("a: 1\r\nb: 2\r\n").entries.size(), 2U);
}

TEST(YamlRead, RefusesMalformedText) {
  EXPECT_EQ(problems("a: b: c\n"), "E004@1:5");
  EXPECT_EQ(problems("a: [1, 2\n").substr(0, 4), "E004");
  EXPECT_EQ(problems("a: 'x\n").substr(0, 4), "E004");
  EXPECT_EQ(problems("a: \"x\n\n").substr(0, 4), "E004");
}

TEST(YamlRead, BoundsNestingAndSize) {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  EXPECT_EQ(problems(nested(32)), "");
  EXPECT_EQ(problems(nested(33)), "E010@1:33");
  EXPECT_EQ(problems(nested(100000)).substr(0, 4), "E010");
  EXPECT_EQ(problems(std::string(kMaxBytes, '#')), "");
  EXPECT_EQ(problems(std::string(kMaxBytes + 1, '#')), "E002@0:0");
}

TEST(YamlRead, StopsAfterEnoughProblems) {
  std::string text;
  for (int i = 0; i < 500; ++i)
    text += "a: 1\n";
  EXPECT_EQ(read(text).problems.size(), 50U);
}

TEST(YamlScalars, OnlyPlainTrueAndFalseAreBooleans) {
  const Node list = one("[true, false, yes, \"true\", True, ~]");
  EXPECT_EQ(as_bool(list.items[0]), true);
  EXPECT_EQ(as_bool(list.items[1]), false);
  for (std::size_t i = 2; i < list.items.size(); ++i)
    EXPECT_FALSE(as_bool(list.items[i])) << i;
  EXPECT_FALSE(as_text(list.items[0]));
  EXPECT_EQ(as_text(list.items[2]), "yes");
  EXPECT_EQ(as_text(list.items[3]), "true");
  EXPECT_FALSE(as_text(list.items[5]));
}

TEST(YamlScalars, IntegersAreDecimalAndExact) {
  const Node list = one(
      "[0, -500, 9223372036854775807, 010, 0x10, 1.0, 1e3, -0, \"5\", 9223372036854775808, +1]");
  EXPECT_EQ(as_int(list.items[0]), 0);
  EXPECT_EQ(as_int(list.items[1]), -500);
  EXPECT_EQ(as_int(list.items[2]), INT64_MAX);
  for (std::size_t i = 3; i < list.items.size(); ++i) {
    EXPECT_FALSE(as_int(list.items[i])) << list.items[i].text;
  }
}

}  // namespace
}  // namespace dockreeve::yaml
