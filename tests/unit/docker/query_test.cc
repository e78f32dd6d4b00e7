#include "docker/query.h"

#include <gtest/gtest.h>

#include <gmock/gmock.h>
#include <string>

namespace dockreeve::docker {
namespace {

// The canonical query of a request line, or the refusal's rule, pointer and detail.
std::string canonical(Method method, std::string_view target) {
  const Parsed<Target> parsed = classify(method, target);
  if (!parsed) return parsed.error().rule + " " + parsed.error().pointer;
  std::string out;
  append_query(out, parsed->query);
  return out;
}

std::string list(const std::string& query) {
  return canonical(Method::Get, "/containers/json?" + query);
}

std::string create(const std::string& query) {
  return canonical(Method::Post, "/containers/create?" + query);
}

TEST(Query, BooleansFollowTheEnginesTable) {
  for (const auto* text : {"", "0", "no", "false", "none", "False", "NO", "None", "+false+"}) {
    EXPECT_EQ(list("all=" + std::string(text)), "all=0") << text;
  }
  for (const auto* text : {"1", "true", "True", "yes", "on", "off", "n", "banana", "00", "2"}) {
    EXPECT_EQ(list("all=" + std::string(text)), "all=1") << text;
  }
  EXPECT_EQ(list("all"), "all=0");
  EXPECT_EQ(list("all=%00"), "ambiguous-request query/all");
  EXPECT_EQ(list("all=0%0a"), "ambiguous-request query/all");
}

TEST(Query, IntegersAreInt64) {
  EXPECT_EQ(list("limit=-1"), "limit=-1");
  EXPECT_EQ(list("limit=007"), "limit=7");
  EXPECT_EQ(list("limit=-0"), "limit=0");
  EXPECT_EQ(list("limit="), "");
  EXPECT_EQ(list("limit=9223372036854775807"), "limit=9223372036854775807");
  for (const auto* text :
       {"9223372036854775808", "1.0", "+5", "%2B5", "0x5", "5+", "-", "a", "1e3"}) {
    EXPECT_EQ(list("limit=" + std::string(text)), "ambiguous-request query/limit") << text;
  }
}

TEST(Query, TextIsDecodedOnceAndReEncoded) {
  EXPECT_EQ(create("name=a%2562"), "name=a%2562");
  EXPECT_EQ(create("n%61me=web"), "name=web");
  EXPECT_EQ(create("name=a+b%2Bc"), "name=a%20b%2Bc");
  EXPECT_EQ(create("name=%c3%a9"), "name=%C3%A9");
  EXPECT_EQ(create("name=a=b"), "name=a%3Db");
  EXPECT_EQ(create("name=%2Fweb"), "name=%2Fweb");
  EXPECT_EQ(create("name="), "");
  EXPECT_EQ(create("name"), "");
  EXPECT_EQ(create("name=a-b._~c"), "name=a-b._~c");
  EXPECT_EQ(create("name={\"a\"}"), "name=%7B%22a%22%7D");
  for (const auto* text : {"%00", "a%0d%0aHost:+x", "%7f", "%ff", "%c3", "%ed%a0%80", "%c2%85"}) {
    EXPECT_EQ(create("name=" + std::string(text)), "ambiguous-request query/name") << text;
  }
}

TEST(Query, BrokenQueriesAreRefusedEvenInUnknownKeys) {
  for (const auto* text : {"name=%zz", "x=%", "x=%4", "%zz=1", "name=a;b=c", "a;b", "name=a#b",
                           "name=a b", "x=\x80", "x=\x7f", "x=\t"}) {
    EXPECT_EQ(create(text), "ambiguous-request query") << text;
  }
}

TEST(Query, OnlyKnownKeysSurviveInTableOrder) {
  EXPECT_EQ(
      create("platform=linux&Name=x&name[]=y&NAME=z&name=web&Image=busybox&&=v&=&_method=GET"),
      "name=web&platform=linux");
  EXPECT_EQ(create("?x=1&name=web"), "name=web");
  EXPECT_EQ(create("?name=x"), "");
  EXPECT_EQ(create(""), "");
  EXPECT_EQ(create("&&&"), "");
}

TEST(Query, ScalarKeysComeOnceListsAsOften) {
  EXPECT_EQ(create("name=a&name=b"), "ambiguous-request query/name");
  EXPECT_EQ(create("name=a&name=a"), "ambiguous-request query/name");
  EXPECT_EQ(create("name=&name=b"), "ambiguous-request query/name");
  EXPECT_EQ(create("name=a&n%61me=b"), "ambiguous-request query/name");
  EXPECT_EQ(canonical(Method::Post, "/images/create?changes=USER+1&fromSrc=-&changes=CMD+x"),
            "fromSrc=-&changes=USER%201&changes=CMD%20x");
}

TEST(Query, PruneRefusesKeysItDoesNotKnow) {
  for (const auto* path : {"/containers/prune", "/images/prune", "/volumes/prune",
                           "/networks/prune", "/build/prune"}) {
    for (const auto* query : {"Filters={}", "x=1", "filters[]=x", "?filters={}"}) {
      EXPECT_EQ(canonical(Method::Post, std::string(path) + "?" + query), "ambiguous-request query")
          << path << query;
    }
    EXPECT_EQ(canonical(Method::Post, std::string(path) + "?filters={\"until\":[\"1h\"]}"),
              "filters=%7B%22until%22%3A%5B%221h%22%5D%7D");
  }
}

TEST(Query, CheckpointsCannotBeStarted) {
  EXPECT_EQ(canonical(Method::Post, "/containers/web/start?checkpoint=cp1"),
            "ambiguous-request query/checkpoint");
  EXPECT_EQ(canonical(Method::Post, "/containers/web/start?checkpoint-dir=%2Fetc"),
            "ambiguous-request query/checkpoint-dir");
  EXPECT_EQ(canonical(Method::Post, "/containers/web/start?checkpoint=&detachKeys=ctrl-x"),
            "detachKeys=ctrl-x");
}

TEST(Query, FiltersAreRebuilt) {
  const auto filters = [](std::string_view text) {
    const Result<std::string> parsed = canonical_filters(text);
    return parsed ? *parsed : "error: " + parsed.error().message;
  };
  EXPECT_EQ(filters(R"({"label":["a=b","c"]})"), R"({"label":["a=b","c"]})");
  EXPECT_EQ(filters(R"({ "label" : { "a" : true, "b" : false } })"), R"({"label":["a","b"]})");
  EXPECT_EQ(filters(R"({"label":[],"name":["\u0061"]})"), R"({"label":[],"name":["a"]})");
  EXPECT_EQ(filters(""), "");
  EXPECT_EQ(filters("null"), "");
  EXPECT_EQ(filters("{}"), "");
  EXPECT_EQ(filters(" {\n} "), "");
  for (const auto* text :
       {"[]", "1", "\"x\"", "{", R"({"a":["b"]} x)", R"({"a":["b"],"a":["c"]})", R"({"a":"b"})",
        R"({"a":null})", R"({"a":[1]})", R"({"a":[null]})", R"({"a":{"b":1}})",
        R"({"a":{"b":null}})", R"({"a":["b"],"c":{"d":true}})", R"({"a":[["b"]]})",
        R"({"a":{"b":true,"b":false}})"}) {
    EXPECT_THAT(filters(text), testing::StartsWith("error: ")) << text;
  }
}

TEST(Query, FiltersInALineAreRefusedOrCanonical) {
  EXPECT_EQ(list("filters=%7B%22label%22%3A+%5B%22a%22%5D%7D&all=True"),
            "all=1&filters=%7B%22label%22%3A%5B%22a%22%5D%7D");
  EXPECT_EQ(list("filters={}"), "");
  EXPECT_EQ(list("filters=x%20HTTP%2F1.1%0D%0AHost%3A%20d"), "ambiguous-request query/filters");
  EXPECT_EQ(list("filters={\"a\":[\"b\"]}&filters={}"), "ambiguous-request query/filters");
}

TEST(Query, ParamFindsTheFirstValue) {
  const Query query{{"changes", "a"}, {"changes", "b"}};
  EXPECT_EQ(param(query, "changes"), "a");
  EXPECT_EQ(param(query, "name"), "");
}

TEST(Query, CommonClientsAreRead) {
  EXPECT_EQ(canonical(Method::Get, "/v1.41/containers/c/logs?stdout=1&stderr=1&tail=all&follow=0"),
            "follow=0&stdout=1&stderr=1&tail=all");
  EXPECT_EQ(canonical(Method::Delete, "/v1.41/containers/c?v=True&link=False&force=True"),
            "v=1&force=1&link=0");
  EXPECT_EQ(canonical(Method::Post, "/containers/c/attach?stream=true&stdin=true&hijack=true"),
            "stream=1&stdin=1");
  EXPECT_EQ(canonical(Method::Get, "/v1.41/containers/c/stats?stream=0&one-shot=1"),
            "stream=0&one-shot=1");
  EXPECT_EQ(canonical(Method::Post, "/containers/c/stop?t=-1&signal=SIGINT"), "t=-1&signal=SIGINT");
  EXPECT_EQ(canonical(Method::Post, "/images/create?fromImage=127.0.0.1%3A5000%2Fteam%2Fx&tag=1"),
            "fromImage=127.0.0.1%3A5000%2Fteam%2Fx&tag=1");
  EXPECT_EQ(list("limit=-1&all=1&size=0&trunc_cmd=0"), "all=1&limit=-1&size=0");
}

}  // namespace
}  // namespace dockreeve::docker
