#include "docker/answer_splitter.h"

#include <gtest/gtest.h>

#include <string>

namespace dockreeve::docker {
namespace {

using Shape = AnswerSplitter::Shape;

// Writes down what it is told: "key=text" values, "<text>" pieces, "key[" and "]".
struct Notes final : AnswerSplitter::Visitor {
  std::string text;
  void piece(std::string_view key, std::string_view piece) override {
    text.append(key).append("<").append(piece).append(">");
  }
  void value(std::string_view key, std::string_view value) override {
    text.append(key).append("=").append(value).append(";");
  }
  void list_begins(std::string_view key) override { text.append(key).append("["); }
  void list_ends(std::string_view) override { text.append("]"); }
};

// "BAD" when the text was refused. Every way of cutting it must say the same.
std::string split(Shape shape, const std::string& text, std::size_t max_piece = 1024) {
  std::string first;
  for (std::size_t step = text.size() + 1; step > 0; step = step > 3 ? 3 : step - 1) {
    Notes notes;
    AnswerSplitter splitter(shape, max_piece, notes);
    bool fine = true;
    for (std::size_t at = 0; at < text.size(); at += step)
      fine = splitter.feed(std::string_view(text).substr(at, step));
    const std::string seen = fine && splitter.finish() ? notes.text : "BAD";
    if (first.empty()) first = seen;
    EXPECT_EQ(seen, first) << "cut into pieces of " << step;
  }
  return first;
}

TEST(AnswerSplitter, Lists) {
  EXPECT_EQ(split(Shape::List, "[]\n"), "[]");
  EXPECT_EQ(split(Shape::List, "null\n"), "=null;");
  EXPECT_EQ(split(Shape::List, R"( [ {"a":[1,{"b":"]}"}]} , {"c":"\"]\\"} ] )"),
            R"([<{"a":[1,{"b":"]}"}]}><{"c":"\"]\\"}>])");
  EXPECT_EQ(split(Shape::List, R"([1,"two",null])"), R"([<1><"two"><null>])");
}

TEST(AnswerSplitter, Sequences) {
  EXPECT_EQ(split(Shape::Sequence, "{\"a\":1}\n{\"b\":2}\r\n{}"), R"(<{"a":1}><{"b":2}><{}>)");
  EXPECT_EQ(split(Shape::Sequence, "{}{}"), "<{}><{}>");
}

TEST(AnswerSplitter, AnEmptySequenceIsOne) {
  Notes notes;
  AnswerSplitter splitter(Shape::Sequence, 10, notes);
  EXPECT_TRUE(splitter.finish());
  EXPECT_EQ(notes.text, "");
}

TEST(AnswerSplitter, Members) {
  EXPECT_EQ(split(Shape::Members, R"({"V":[{"a":"}"},{}],"W":null,"N":12,"O":{"x":[]},"E":[]})"),
            R"(V[V<{"a":"}"}>V<{}>]W=null;N=12;O={"x":[]};E[])");
  EXPECT_EQ(split(Shape::Members, "null"), "=null;");
  EXPECT_EQ(split(Shape::Members, R"({"a":"{"})"), R"(a="{";)");
}

TEST(AnswerSplitter, RefusesWhatIsNotTheShape) {
  for (const auto* text : {"[{}", "[{}{}]", "[,{}]", "[{},]", "[{}]]", "[{}] x", "[{\"a\":\"]", "]"})
    EXPECT_EQ(split(Shape::List, text), "BAD") << text;
  for (const auto* text : {"{", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "{\"a\" 1}", "{}{}",
                           "{\"a\\u0062\":[]}", "{\"a\":[}"})
    EXPECT_EQ(split(Shape::Members, text), "BAD") << text;
  for (const auto* text : {"{", "{},{}", "[", "\"x", "}"})
    EXPECT_EQ(split(Shape::Sequence, text), "BAD") << text;
  EXPECT_EQ(split(Shape::List, "{}"), "={};");
}

TEST(AnswerSplitter, APieceHasALimitAndTheAnswerHasNone) {
  const std::string piece = R"({"a":"12345678"})";
  EXPECT_EQ(split(Shape::Sequence, piece, piece.size()), "<" + piece + ">");
  EXPECT_EQ(split(Shape::Sequence, piece, piece.size() - 1), "BAD");
  Notes notes;
  AnswerSplitter splitter(Shape::Sequence, piece.size(), notes);
  for (int i = 0; i < 1000; ++i) {
    EXPECT_TRUE(splitter.feed(piece));
    EXPECT_EQ(notes.text.size(), piece.size() + 2);
    notes.text.clear();
  }
  EXPECT_TRUE(splitter.finish());
}

}  // namespace
}  // namespace dockreeve::docker
