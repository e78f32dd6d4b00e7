#include <gtest/gtest.h>

#include "docker/query.h"
#include "docker/request.h"
#include "tests/unit/docker/tar_support.h"

namespace dockreeve::docker {
namespace {

using namespace testing;

Parsed<Request> request(const std::string& target, const std::string& body = "") {
  Parsed<Target> parsed = classify(Method::Post, target);
  if (!parsed) return tl::unexpected(parsed.error());
  return decode_request(*std::move(parsed), body);
}

std::string query(const std::string& text) {
  const auto made = request("/v1.41/build?" + text);
  if (!made) return "! " + made.error().pointer + " " + std::to_string(made.error().status);
  std::string out;
  append_query(out, made->target.query);
  return out;
}

TEST(BuildQuery, OneForm) {
  EXPECT_EQ(query("version=1&squash=0&t=a&t=b:1&rm=true"), "t=a&t=b%3A1&rm=1&squash=0&version=1");
  EXPECT_EQ(query("buildargs=%7B+%22A%22%3A+%22b%22%2C%22C%22%3Anull+%7D"),
            "buildargs=%7B%22A%22%3A%22b%22%2C%22C%22%3Anull%7D");
  EXPECT_EQ(query("buildargs=%7B%7D&labels=null&cachefrom=%5B%5D&ulimits=null"), "");
  EXPECT_EQ(query("ulimits=%5B%7B%22Name%22%3A%22nofile%22%2C%22Hard%22%3A2%2C%22Soft%22%3A1%7D%5D"),
            "ulimits=%5B%7B%22Name%22%3A%22nofile%22%2C%22Hard%22%3A2%2C%22Soft%22%3A1%7D%5D");
}

TEST(BuildQuery, BuildKitIsRefusedWithTheWayOut) {
  for (const auto* text : {"version=2", "version=", "session=x", "outputs=x", "buildid=x", "squash=1",
                           "remote=client-session"}) {
    const auto made = request("/build?" + std::string(text));
    if (std::string(text) == "version=") {
      EXPECT_TRUE(made);
      continue;
    }
    ASSERT_FALSE(made) << text;
    EXPECT_EQ(made.error().status, 403);
    EXPECT_NE(made.error().detail.find("DOCKER_BUILDKIT=0"), std::string::npos);
  }
}

TEST(BuildQuery, Refuses) {
  EXPECT_EQ(query("securityopt=seccomp%3Dunconfined"), "! query/securityopt 400");
  EXPECT_EQ(query("dockerfile=a&dockerfile=b"), "! query/dockerfile 400");
  EXPECT_EQ(query("t=A:b"), "! query/t 400");
  for (const auto* text : {"buildargs=x", "buildargs=%5B%5D", "buildargs=%7B%22a%22%3A1%7D",
                           "buildargs=%7B%22a%22%3A%22b%22%2C%22a%22%3A%22c%22%7D",
                           "labels=%7B%22a%22%3Anull%7D", "cachefrom=%5B1%5D",
                           "cachefrom=%5B%22A%22%5D", "ulimits=%7B%7D",
                           "ulimits=%5B%7B%22name%22%3A%22x%22%7D%5D", "ulimits=%5B%7B%7D%5D"}) {
    EXPECT_TRUE(query(text).ends_with(" 400")) << text << " " << query(text);
  }
}

// The base image of what a context builds, or "! reason".
std::string base(const std::string& archive, const std::string& dockerfile = "") {
  const auto made = request("/build?dockerfile=" + dockerfile, archive);
  if (!made) return "! " + made.error().detail;
  return made->dockerfile->stages.front().base;
}

TEST(BuildContext, ChoosesAsTheEngineDoes) {
  const std::string a = "FROM a";
  const std::string b = "FROM b";
  EXPECT_EQ(base(file("dockerfile", b) + file("Dockerfile", a) + kEnd), "a");
  EXPECT_EQ(base(file("dockerfile", b) + kEnd), "b");
  EXPECT_EQ(base(file("DOCKERFILE", b) + file("x/Dockerfile", b) + file("./Dockerfile", a) + kEnd), "a");
  EXPECT_EQ(base(header("dockerfile", '5', 0) + file("Dockerfile", a) + kEnd), "a");
  EXPECT_EQ(base(file("Dockerfile", a) + file("x/f", b) + kEnd, "/./x//f"), "b");
  EXPECT_EQ(base(file("Dockerfile", a) + header("l", '2', 0, "Dockerfile") + kEnd), "a");
}

TEST(BuildContext, Refuses) {
  const std::string a = "FROM a";
  const std::vector<std::pair<std::string, std::string>> cases{
      {"", file("f", "x") + kEnd},
      {"", file("Dockerfile", "") + kEnd},
      {"", file("Dockerfile", a) + file("/Dockerfile", a) + kEnd},
      {"", file("Dockerfile", a) + header("Dockerfile", '5', 0) + kEnd},
      {"", header("Dockerfile", '2', 0, "f") + file("f", a) + kEnd},
      {"", header("Dockerfile", '2', 0, "f") + file("dockerfile", a) + kEnd},
      {"", file("f", a) + header("Dockerfile", '1', 0, "f") + kEnd},
      {"", header("Dockerfile", '6', 0) + kEnd},
      {"", file("Dockerfile", std::string((1 << 20) + 1, '#')) + kEnd},
      {"d/f", header("d", '2', 0, "e") + file("e/f", a) + kEnd},
      {"d/f", file("d/f", a) + file("d", "x") + kEnd},
      {"../f", file("f", a) + kEnd},
      {"d/../f", file("f", a) + kEnd},
      {"f/", file("f", a) + kEnd},
      {"d%5Cf", file("d\\f", a) + kEnd},
      {"dockerfile", file("Dockerfile", a) + kEnd},
  };
  for (const auto& [name, archive] : cases) {
    EXPECT_TRUE(base(archive, name).starts_with("! ")) << name << " " << base(archive, name);
  }
}

TEST(BuildContext, ArgumentsOfTheQuery) {
  const auto made = request("/build?buildargs=%7B%22T%22%3A%222%22%2C%22U%22%3Anull%7D",
                            file("Dockerfile", "ARG T=1\nARG U=3\nFROM a:$T$U") + kEnd);
  ASSERT_TRUE(made) << made.error().detail;
  EXPECT_EQ(made->dockerfile->images[0].name, "a:23");
}

TEST(BuildContext, OneContextOnly) {
  EXPECT_FALSE(request("/build?remote=http://x/y", file("Dockerfile", "FROM a") + kEnd));
}

std::string names(const std::string& archive) {
  const auto made = request("/images/load", archive);
  if (!made) return "! " + made.error().detail;
  std::string out;
  for (const std::string& name : made->images->names) out += name + " ";
  return out;
}

TEST(ImageArchive, NamesFromEveryList) {
  EXPECT_EQ(names(file("manifest.json", R"([{"RepoTags":["a:1","b:2"]},{"RepoTags":null}])") +
                  file("repositories", R"({"c":{"latest":"0123"},"a":{"1":"x"}})") +
                  file("index.json", R"({"manifests":[
                    {"annotations":{"io.containerd.image.name":"d:4","org.opencontainers.image.ref.name":"4"}},
                    {"annotations":{"org.opencontainers.image.ref.name":"e:5"}},{}]})") +
                  kEnd),
            "a:1 b:2 c:latest d:4 e:5 ");
  EXPECT_EQ(names(file("./manifest.json", "[]") + kEnd), "");
}

TEST(ImageArchive, Refuses) {
  for (const std::string& archive :
       {file("f", "x") + kEnd, file("manifest.json", "[]") + file("manifest.json", "[]") + kEnd,
        header("manifest.json", '2', 0, "f") + file("f", "[]") + kEnd,
        file("manifest.json", "[]") + header("repositories", '2', 0, "f") + kEnd,
        file("manifest.json", "{}") + kEnd, file("manifest.json", "[] []") + kEnd,
        file("manifest.json", R"([{"repoTags":["a"]}])") + kEnd,
        file("manifest.json", R"([{"RepoTags":["a"],"RepoTags":["b"]}])") + kEnd,
        file("manifest.json", R"([{"RepoTags":["A B"]}])") + kEnd,
        file("manifest.json", R"([{"RepoTags":"a"}])") + kEnd,
        file("index.json", R"({"Manifests":[]})") + kEnd}) {
    EXPECT_TRUE(names(archive).starts_with("! ")) << names(archive);
  }
}

TEST(Import, OnlyFromTheBody) {
  EXPECT_TRUE(request("/images/create?fromSrc=-&repo=a&tag=b&changes=ENV+a%3Db", "x"));
  EXPECT_TRUE(request("/images/create?fromImage=a&tag=b"));
  for (const auto* text : {"fromSrc=-&repo=A", "fromSrc=-&repo=a&tag=%2F"}) {
    EXPECT_FALSE(request("/images/create?" + std::string(text), "x")) << text;
  }
  EXPECT_FALSE(request("/images/create?fromSrc=-&changes=ENV+a+%5C", "x"));
}

}  // namespace
}  // namespace dockreeve::docker
