// Names of images in path and query: one spelling, no ids in disguise.
#include "docker/image_names.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace dockreeve::docker {
namespace {

// The canonical target, or "refused at POINTER".
std::string canonical(Method method, const std::string& target) {
  Parsed<Target> parsed = classify(method, target);
  if (!parsed) return "refused by the table: " + parsed.error().detail;
  const auto done = canonical_image_names(*parsed);
  return done ? encode_target(*parsed, {}) : "refused at " + done.error().pointer;
}

const std::string kId(64, 'a');

TEST(ImageNames, HaveOneSpelling) {
  using enum Method;
  struct Line {
    Method method;
    std::string sent, forwarded;
  };
  for (const Line& line : std::vector<Line>{
           {Post, "/images/busybox/tag?repo=app",
            "/images/docker.io/library/busybox/tag?repo=docker.io%2Flibrary%2Fapp&tag=latest"},
           {Post, "/images/index.docker.io/busybox:local/tag?repo=r.example:5000/x:2&tag=3",
            "/images/docker.io/library/busybox:local/tag?repo=r.example%3A5000%2Fx&tag=3"},
           {Post, "/images/" + kId + "/tag?repo=x:1",
            "/images/" + kId + "/tag?repo=docker.io%2Flibrary%2Fx&tag=1"},
           {Post, "/images/f5389114634a/tag?repo=x",
            "/images/f5389114634a/tag?repo=docker.io%2Flibrary%2Fx&tag=latest"},
           {Post, "/images/team/x/push?tag=1", "/images/docker.io/team/x/push?tag=1"},
           {Post, "/images/team/x:2/push", "/images/docker.io/team/x/push?tag=2"},
           {Post, "/images/team/x:2/push?tag=1", "/images/docker.io/team/x/push?tag=1"},
           {Post, "/images/team/x:2/push?platform=linux",
            "/images/docker.io/team/x/push?tag=2&platform=linux"},
           {Post, "/images/team/x/push", "/images/docker.io/team/x/push"},
           {Delete, "/images/busybox?force=true", "/images/docker.io/library/busybox?force=1"},
           {Delete, "/images/sha256:" + kId, "/images/sha256:" + kId},
           {Delete, "/images/cafe", "/images/cafe"},
           {Get, "/images/busybox/get", "/images/docker.io/library/busybox/get"},
           {Get, "/images/get?names=a:1&names=cafe12",
            "/images/get?names=docker.io%2Flibrary%2Fa%3A1&names=cafe12"},
           {Get, "/distribution/quay.io/x:1/json", "/distribution/quay.io/x:1/json"},
           // The routes of an open image keep what was asked.
           {Get, "/images/busybox/json", "/images/busybox/json"},
           {Post, "/commit?container=web&repo=x",
            "/commit?container=web&repo=docker.io%2Flibrary%2Fx&tag=latest"},
           {Post, "/commit?container=web", "/commit?container=web"},
       }) {
    EXPECT_EQ(canonical(line.method, line.sent), line.forwarded) << line.sent;
  }
}

TEST(ImageNames, RefusesWhatTakesOverAnId) {
  for (const std::string repo :
       {"f53891", "f5389114634a", "docker.io/library/f5389114634a", "index.docker.io/f5389114634a",
        "library/f5389114634a", "f5389114634a:1"}) {
    EXPECT_EQ(canonical(Method::Post, "/images/x/tag?repo=" + repo), "refused at query/repo")
        << repo;
  }
  EXPECT_EQ(canonical(Method::Post, "/images/x/tag?repo=" + kId), "refused at query/repo");
  for (const auto* repo : {"cafe", "f5389g", "team/f5389114634a", "r.example/f5389114634a"}) {
    EXPECT_TRUE(
        canonical(Method::Post, std::string("/images/x/tag?repo=") + repo).starts_with("/images/"))
        << repo;
  }
}

TEST(ImageNames, RefusesWhatIsNoName) {
  for (const auto* query :
       {"", "?repo=", "?tag=1", "?repo=Upper", "?repo=a:b:c", "?repo=a&tag=-x", "?repo=a&tag=x/y",
        "?repo=http:%2F%2Fa", "?repo=a%20b", "?repo=..%2Fa"}) {
    EXPECT_EQ(canonical(Method::Post, std::string("/images/x/tag") + query),
              "refused at query/repo")
        << query;
  }
  EXPECT_EQ(canonical(Method::Post, "/images/x/tag?repo=a@sha256:" + kId), "refused at query/repo");
  EXPECT_EQ(canonical(Method::Post, "/images/sha256:" + kId + "/push"), "refused at path");
  EXPECT_EQ(canonical(Method::Post, "/images/x@sha256:" + kId + "/push"), "refused at path");
  EXPECT_EQ(canonical(Method::Post, "/images/x/push?tag=a:b"), "refused at query/tag");
  EXPECT_EQ(canonical(Method::Delete, "/images/Upper"), "refused at path");
  EXPECT_EQ(canonical(Method::Get, "/images/get?names=ok&names=Upper"), "refused at query/names");
  EXPECT_EQ(canonical(Method::Post, "/commit?container=c&tag=1"), "refused at query/tag");
}

TEST(ImageNames, TellsWhatIsNamed) {
  const auto names = [](Method method, const std::string& target) {
    std::vector<std::string> out;
    const Parsed<Target> parsed = classify(method, target);
    for (const NewName& name : new_image_names(parsed.value()))
      out.push_back(name.ref.canonical());
    return out;
  };
  using Names = std::vector<std::string>;
  EXPECT_EQ(names(Method::Post, "/images/x/tag?repo=a&tag=2"), Names{"docker.io/library/a:2"});
  EXPECT_EQ(names(Method::Post, "/commit?container=c&repo=a"), Names{"docker.io/library/a:latest"});
  EXPECT_EQ(names(Method::Post, "/images/x/push?tag=1"), Names{});
}

}  // namespace
}  // namespace dockreeve::docker
