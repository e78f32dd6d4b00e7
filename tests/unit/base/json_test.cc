// What the strict reader takes, what it refuses and where it says the fault is; the writer.
#include "base/json.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <string>
#include <vector>

namespace dockreeve::json {
namespace {

using namespace std::string_literals;

std::string rewrite(Value v) {
  std::string out;
  Writer(out).copy(v);
  return out;
}

// The text read and written again, or "where: message".
std::string round_trip(std::string text, const Limits& limits = {}) {
  const auto document = Document::parse(std::move(text), limits);
  return document ? rewrite((*document)->root()) : "refused " + document.error().text();
}

TEST(JsonReader, TakesEveryKindOfValue) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"null", "null"},
      {" \t\r\n true ", "true"},
      {"false", "false"},
      {"0", "0"},
      {"-0", "-0"},
      {"9223372036854775807", "9223372036854775807"},
      {"1e-7", "1e-7"},
      {"-12.50E+3", "-12.50E+3"},
      {"\"\"", "\"\""},
      {"[]", "[]"},
      {"{}", "{}"},
      {"[ 1 , [ ] , { } , \"x\" ]", R"([1,[],{},"x"])"},
      {R"({ "a" : { "b" : [ null ] } , "c" : 1 })", R"({"a":{"b":[null]},"c":1})"},
      {R"({"":1})", R"({"":1})"},
      {"[[[1],2],3]", "[[[1],2],3]"},
  };
  for (const auto& [text, want] : cases)
    EXPECT_EQ(round_trip(text), want) << text;
}

TEST(JsonReader, UndoesEscapes) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {R"("\"\\\/\b\f\n\r\t")", "\"\\/\b\f\n\r\t"},
      {R"("a\u0062c")", "abc"},
      {R"("\u00e9\u20AC")", "\u00e9\u20ac"},
      {R"("\ud83d\ude00!")", "\U0001F600!"},
      {R"("\u0000x")", "\0x"s},
      {"\"plain text longer than one word of eight bytes\"",
       "plain text longer than one word of eight bytes"},
      {"\"long before the escape \\n and long behind it\"",
       "long before the escape \n and long behind it"},
      {"\"\u00e9 caf\u00e9 \U0001F600 \\u0041 \x7f\"", "\u00e9 caf\u00e9 \U0001F600 A \x7f"},
  };
  for (const auto& [text, want] : cases) {
    const auto document = Document::parse(text);
    ASSERT_TRUE(document) << text << ": " << document.error().text();
    EXPECT_EQ((*document)->root().kind(), Kind::String);
    EXPECT_EQ((*document)->root().text(), want) << text;
  }
}

TEST(JsonReader, TellsIntegersFromOtherNumbers) {
  struct Case {
    std::string text;
    Kind kind;
    std::int64_t value;
  };
  const std::vector<Case> cases = {
      {"0", Kind::Integer, 0},
      {"-0", Kind::Integer, 0},
      {"42", Kind::Integer, 42},
      {"9007199254740993", Kind::Integer, 9007199254740993},
      {"9223372036854775807", Kind::Integer, INT64_MAX},
      {"-9223372036854775808", Kind::Integer, INT64_MIN},
      {"9223372036854775808", Kind::Number, 0},
      {"-9223372036854775809", Kind::Number, 0},
      {"100000000000000000000000", Kind::Number, 0},
      {"1.0", Kind::Number, 0},
      {"1e2", Kind::Number, 0},
      {"0e0", Kind::Number, 0},
  };
  for (const Case& c : cases) {
    const auto document = Document::parse(c.text);
    ASSERT_TRUE(document) << c.text;
    EXPECT_EQ((*document)->root().kind(), c.kind) << c.text;
    EXPECT_EQ((*document)->root().integer(), c.value) << c.text;
    EXPECT_EQ((*document)->root().text(), c.text);
  }
}

TEST(JsonReader, RefusesWhatTheGrammarDoesNotAllow) {
  const std::vector<std::string> cases = {
      "",         " ",         "{",         "[",           "}",           "]",         "[1",
      "{\"a\"",   "{\"a\":",   "{\"a\":1",  "[1,]",        "{\"a\":1,}",  "[,1]",      "[1 2]",
      "{,}",      "{a:1}",     "{'a':1}",   "{1:1}",       "[1}",         "{\"a\":1]", "{\"a\" 1}",
      "nul",      "nulll",     "True",      "truefalse",   "01",          "-01",       "+1",
      "-",        "--1",       "1.",        ".5",          "1e",          "1e+",       "0x10",
      "NaN",      "Infinity",  "-Infinity", "1_000",       "\"",          "\"a",       "\"\\",
      "\"\\\"",   "\"\\x41\"", "\"\\u12\"", "\"\\u12G4\"", "\"\\u+123\"", "'a'",       "// c\n1",
      "1 // c",   "/**/1",     "{} {}",     "{}}",         "{}]",         "{}x",       "1 1",
      "{}\0"s,    "\0{}"s,     "{}\v",      "\f{}",        "\u00a0{}",    "{}\xff",    "[1]\n,",
      "\"a\nb\"", "\"a\tb\"",  "\"\x01\"",  "\"\0\""s,     "\"\x1f\"",
  };
  for (const std::string& text : cases) {
    EXPECT_TRUE(round_trip(text).starts_with("refused ")) << text << " -> " << round_trip(text);
  }
}

TEST(JsonReader, RefusesWhatIsNotUtf8) {
  const std::vector<std::string> bad = {
      "\x80",
      "\xbf",
      "\xc0\xaf",
      "\xc1\xbf",
      "\xc3",
      "\xc3(",
      "\xe0\x9f\xbf",
      "\xe2\x82",
      "\xe2(\xa1",
      "\xed\xa0\x80",
      "\xed\xbf\xbf",
      "\xf0\x8f\xbf\xbf",
      "\xf0\x9f\x98",
      "\xf4\x90\x80\x80",
      "\xf5\x80\x80\x80",
      "\xfe",
      "\xff",
  };
  for (const std::string& bytes : bad) {
    EXPECT_TRUE(round_trip("\"" + bytes + "\"").starts_with("refused "));
    EXPECT_TRUE(round_trip("\"" + bytes).starts_with("refused "));
    EXPECT_TRUE(round_trip("{\"" + bytes + "\":1}").starts_with("refused "));
    EXPECT_TRUE(
        round_trip("\"sixteen bytes of " + bytes + " in between\"").starts_with("refused "));
  }
  EXPECT_TRUE(round_trip("\xef\xbb\xbf{}").starts_with("refused "));   // BOM
  EXPECT_TRUE(round_trip("\xff\xfe{\0}\0"s).starts_with("refused "));  // UTF-16
  const std::vector<std::string> good = {"\xc2\x80",        "\xdf\xbf",     "\xe0\xa0\x80",
                                         "\xed\x9f\xbf",    "\xee\x80\x80", "\xf0\x90\x80\x80",
                                         "\xf4\x8f\xbf\xbf"};
  for (const std::string& bytes : good) {
    EXPECT_EQ(round_trip("\"" + bytes + "\""), "\"" + bytes + "\"");
  }
}

TEST(JsonReader, RefusesLoneSurrogates) {
  for (const char* text : {R"("\ud800")", R"("\udc00")", R"("\ud800x")", R"("\ud800\n")",
                           R"("\ud800\ud800")", R"("\ud800\u0041")", R"("\udc00\ud800")",
                           R"({"\ud800":1})", R"("\ud83d\u")", R"("\ud83d\ude0")"}) {
    EXPECT_TRUE(round_trip(text).starts_with("refused ")) << text;
  }
}

TEST(JsonReader, RefusesControlCharactersInKeysOnly) {
  for (const char* key : {R"(\u0000)", R"(\n)", R"(a\tb)", R"(\u001f)", R"(\u007f)", "\x7f"}) {
    EXPECT_TRUE(round_trip("{\"" + std::string(key) + "\":1}").starts_with("refused ")) << key;
    EXPECT_TRUE(Document::parse("\"" + std::string(key) + "\"")) << key;
  }
}

TEST(JsonReader, RefusesDuplicateKeysAfterUnescaping) {
  EXPECT_EQ(round_trip(R"({"a":1,"a":2})"), "refused /a: key given twice");
  EXPECT_EQ(round_trip(R"({"x":[0,{"a":1,"\u0061":1}]})"), "refused /x/1/a: key given twice");
  EXPECT_EQ(round_trip(R"({"a/b":{"~":1,"~":1}})"), "refused /a~1b/~0: key given twice");
  EXPECT_EQ(round_trip(R"({"a":1,"A":2})"), R"({"a":1,"A":2})");
  EXPECT_EQ(round_trip(R"({"a":{"a":1},"b":{"a":1}})"), R"({"a":{"a":1},"b":{"a":1}})");
}

std::string object_of(const std::vector<std::string>& keys) {
  std::string text = "{";
  for (const std::string& key : keys)
    text += (text.size() > 1 ? ",\"" : "\"") + key + "\":0";
  return text + "}";
}

TEST(JsonReader, FindsDuplicatesInObjectsOfEverySize) {
  for (const std::size_t size : std::initializer_list<std::size_t>{2, 5, 6, 7, 8, 17, 100, 2048}) {
    std::vector<std::string> keys;
    for (std::size_t i = 0; i < size; ++i)
      keys.push_back("some.label/" + std::to_string(i));
    EXPECT_TRUE(Document::parse(object_of(keys))) << size;
    for (std::size_t twin : {std::size_t{0}, (size - 1) / 2, size - 2}) {
      std::vector<std::string> doubled = keys;
      doubled.back() = keys[twin];
      EXPECT_EQ(round_trip(object_of(doubled)),
                "refused " + pointer_join("", keys[twin]) + ": key given twice");
    }
  }
}

// The hash looks at both ends of a key only, so these all collide.
TEST(JsonReader, StaysFastAndRightWhenKeysCollide) {
  std::vector<std::string> keys;
  for (int i = 1000; i < 3000; ++i)
    keys.push_back("same-head" + std::to_string(i) + "same-tail");
  const auto start = std::chrono::steady_clock::now();
  EXPECT_TRUE(Document::parse(object_of(keys)));
  keys.push_back(keys[700]);
  EXPECT_EQ(round_trip(object_of(keys)), "refused /" + keys[700] + ": key given twice");
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(1));
}

TEST(JsonReader, KeepsItsLimits) {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  EXPECT_TRUE(Document::parse(nested(32)));
  EXPECT_TRUE(round_trip(nested(33)).starts_with("refused ")) << round_trip(nested(33));
  EXPECT_TRUE(round_trip(std::string(1 << 20, '[')).starts_with("refused "));
  EXPECT_TRUE(Document::parse(nested(1000), {.max_depth = 1000}));

  const Limits small{.max_members = 3, .max_keys = 2, .max_values = 6};
  EXPECT_TRUE(Document::parse("[1,2,3]", small));
  EXPECT_TRUE(round_trip("[1,2,3,4]", small).starts_with("refused too many elements"));
  EXPECT_TRUE(Document::parse(R"({"a":1,"b":2})", small));
  EXPECT_TRUE(round_trip(R"({"a":1,"b":2,"c":3})", small).starts_with("refused too many keys"));
  EXPECT_TRUE(Document::parse("[[1],[2],3]", small));
  EXPECT_TRUE(round_trip("[[1],[2,3],3]", small).starts_with("refused /2: too many values"));
  EXPECT_FALSE(Document::parse(object_of(std::vector<std::string>(2049, "k"))));
}

TEST(JsonReader, SaysWhereTheFaultIs) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", ": no JSON value at byte 0"},
      {R"({"a":{"b":[1,x]}})", "/a/b/1: expected a value at byte 13"},
      {R"({"a":1,"b":tru})", "/b: expected a value at byte 11"},
      {R"({"a":1,"b":"\q"})", "/b: unknown escape at byte 14"},
      {R"({"a":[{"k":1},{"l":01}]})", "/a/1/l: expected a comma or a closing brace at byte 20"},
      {R"({"a":{"b":1,}})", "/a: expected a key in double quotes at byte 12"},
      {"[1,2", "/1: array is not closed at byte 4"},
      {"{} x", ": something follows the JSON value at byte 3"},
  };
  for (const auto& [text, want] : cases) {
    const auto document = Document::parse(text);
    ASSERT_FALSE(document) << text;
    EXPECT_EQ(document.error().where + ": " + document.error().message, want);
  }
}

TEST(JsonValue, WalksAndFinds) {
  const auto document = Document::parse(R"({"a":[1,[2,3],{"x":4}],"b":"t","c":true,"d":{}})");
  ASSERT_TRUE(document);
  const Value root = (*document)->root();
  EXPECT_EQ(root.size(), 4U);
  std::vector<std::string> keys;
  for (auto member = root.first(); member; member = member->next()) {
    keys.emplace_back(member->key());
  }
  EXPECT_EQ(keys, (std::vector<std::string>{"a", "b", "c", "d"}));
  const Value a = *root.find("a");
  EXPECT_EQ(a.size(), 3U);
  EXPECT_EQ(a.first()->next()->next()->find("x")->integer(), 4);
  EXPECT_FALSE(a.first()->next()->next()->next());
  EXPECT_EQ(a.first()->key(), "");
  EXPECT_TRUE(root.find("c")->boolean());
  EXPECT_EQ(root.find("c")->text(), "");
  EXPECT_FALSE(root.find("d")->first());
  EXPECT_FALSE(root.find("A"));
  EXPECT_FALSE(a.find("x"));
  EXPECT_FALSE(root.next());
  EXPECT_EQ(root.find("b")->integer(), 0);
}

TEST(JsonWriter, PutsCommasAndEscapes) {
  std::string out;
  Writer(out)
      .begin_object()
      .key("a")
      .begin_array()
      .value(1)
      .value("x\"\\\n\r\t\x01\x7f\u00e9")
      .null()
      .begin_object()
      .end_object()
      .value(false)
      .end_array()
      .key("k\"")
      .value(std::int64_t{INT64_MIN})
      .key("r")
      .raw("[1]")
      .end_object();
  EXPECT_EQ(out, R"({"a":[1,"x\"\\\n\r\t\u0001\u007f)"
                 "\u00e9"
                 R"(",null,{},false],"k\"":-9223372036854775808,"r":[1]})");
  EXPECT_TRUE(nlohmann::json::accept(out));
}

TEST(JsonWriter, EscapesEveryByteSoThatItReadsBack) {
  std::string all;
  for (int c = 0; c < 128; ++c)
    all += static_cast<char>(c);
  for (std::size_t from = 0; from <= all.size(); ++from) {
    const std::string text = all.substr(from) + "\u20ac";
    std::string out;
    append_string(out, text);
    EXPECT_EQ(nlohmann::json::parse(out).get<std::string>(), text);
    EXPECT_EQ((*Document::parse(out))->root().text(), text);
  }
  std::string out;
  append_string(out, {});
  EXPECT_EQ(out, "\"\"");
}

TEST(JsonPointer, EscapesTokens) {
  EXPECT_EQ(pointer_join("/HostConfig", "a/b"), "/HostConfig/a~1b");
  EXPECT_EQ(pointer_join("", "~1/"), "/~01~1");
  EXPECT_EQ(pointer_join("/Mounts", std::size_t{12}), "/Mounts/12");
}

TEST(FoldKey, FoldsAsGoDoes) {
  EXPECT_EQ(fold_key("HostConfig"), "hostconfig");
  EXPECT_EQ(fold_key("Ho\u017ftConfig"), "hostconfig");
  EXPECT_EQ(fold_key("Networ\u212aMode"), "networkmode");
  EXPECT_EQ(fold_key("\u017f\u017f\u212a"), "ssk");
  // Not in the same folding class as any ASCII letter.
  for (const char* other : {"\u0131", "\u0130", "\uff30", "\u00e9", "\xc5", "\xe2\x84"}) {
    EXPECT_EQ(fold_key(other), other);
  }
}

}  // namespace
}  // namespace dockreeve::json
