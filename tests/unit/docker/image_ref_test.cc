#include "docker/image_ref.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace dockreeve::docker {
namespace {

const std::string kHex(64, 'a');
const std::string kDigest = "sha256:" + kHex;

std::string canonical(std::string_view text) {
  const Result<ImageRef> ref = parse_image_ref(text);
  return ref ? ref->canonical() : "error";
}

TEST(ImageRef, SpellingsOfOneImageAreOne) {
  for (const auto* text : {"busybox:local", "docker.io/library/busybox:local",
                           "library/busybox:local", "index.docker.io/library/busybox:local",
                           "docker.io/busybox:local", "index.docker.io/busybox:local"}) {
    EXPECT_EQ(canonical(text), "docker.io/library/busybox:local") << text;
    EXPECT_EQ(parse_image_ref(text)->familiar(), "busybox:local") << text;
  }
}

TEST(ImageRef, LookAlikesStayApart) {
  EXPECT_EQ(canonical("busybox"), "docker.io/library/busybox:latest");
  EXPECT_EQ(canonical("team/x"), "docker.io/team/x:latest");
  EXPECT_EQ(canonical("localhost/x"), "localhost/x:latest");
  EXPECT_EQ(canonical("localhost:5000/team/x"), "localhost:5000/team/x:latest");
  EXPECT_EQ(canonical("127.0.0.1:5000/team/x"), "127.0.0.1:5000/team/x:latest");
  EXPECT_EQ(canonical("127.0.0.1:5000/teamevil/x"), "127.0.0.1:5000/teamevil/x:latest");
  EXPECT_EQ(canonical("registry-1.docker.io/library/busybox"),
            "registry-1.docker.io/library/busybox:latest");
  EXPECT_EQ(canonical("Docker.io/library/busybox"), "Docker.io/library/busybox:latest");
  EXPECT_EQ(canonical("[::1]:5000/x"), "[::1]:5000/x:latest");
  EXPECT_EQ(canonical("busybox:LOCAL"), "docker.io/library/busybox:LOCAL");
  EXPECT_EQ(canonical("localhost:5000"), "docker.io/library/localhost:5000");
  EXPECT_EQ(canonical("docker.io/library/evil/alpine:3.20"), "docker.io/library/evil/alpine:3.20");
}

TEST(ImageRef, TagsAndDigestsAreKept) {
  const Result<ImageRef> both = parse_image_ref("busybox:1.36@" + kDigest);
  ASSERT_TRUE(both);
  EXPECT_EQ(both->tag, "1.36");
  EXPECT_EQ(both->digest, kDigest);
  EXPECT_EQ(both->effective_tag(), "1.36");
  EXPECT_EQ(both->repository(), "docker.io/library/busybox");
  const Result<ImageRef> digest = parse_image_ref("busybox@" + kDigest);
  ASSERT_TRUE(digest);
  EXPECT_EQ(digest->effective_tag(), "");
  EXPECT_EQ(digest->canonical(), "docker.io/library/busybox@" + kDigest);
  EXPECT_EQ(digest->familiar(), "busybox@" + kDigest);
  EXPECT_EQ(parse_image_ref("busybox")->effective_tag(), "latest");
  EXPECT_EQ(parse_image_ref("busybox")->tag, "");
  EXPECT_EQ(parse_image_ref("127.0.0.1:5000/team/x:1")->familiar(), "127.0.0.1:5000/team/x:1");
}

TEST(ImageRef, TheFamiliarNameIsTheSameImage) {
  EXPECT_EQ(parse_image_ref("docker.io/team/x")->familiar(), "team/x");
  EXPECT_EQ(parse_image_ref("docker.io/quay.io/x/y")->familiar(), "docker.io/quay.io/x/y");
  EXPECT_EQ(parse_image_ref("docker.io/localhost/x")->familiar(), "docker.io/localhost/x");
  EXPECT_EQ(parse_image_ref("docker.io/library/a/b")->familiar(), "library/a/b");
}

TEST(ImageRef, RefusesWhatTheEngineRefuses) {
  const std::vector<std::string> bad{"",
                                     "Busybox",
                                     "library/Busybox",
                                     "Foo/bar",
                                     " busybox",
                                     "busybox ",
                                     "busybox\n",
                                     "http://x/y",
                                     "a//b",
                                     "a/../b",
                                     "a/./b",
                                     "a%2fb",
                                     "a#b",
                                     "busybox:a:b",
                                     "busybox:",
                                     "busybox@",
                                     "busybox@sha256:short",
                                     "busybox@sha256:" + std::string(64, 'A'),
                                     "busybox@md5:" + std::string(32, 'a'),
                                     "busybox@" + kDigest + "@" + kDigest,
                                     "busybox:-x",
                                     "busybox:.x",
                                     "busybox:" + std::string(129, 'x'),
                                     std::string(250, 'a'),
                                     "-busybox",
                                     "busybox-",
                                     "a___b",
                                     "a..b",
                                     "a._b",
                                     "a/",
                                     "/a",
                                     "host.:5000/a",
                                     "-host.x/a",
                                     "host.x:port/a",
                                     "host.x:/a",
                                     "busyb\xc3\xb6x",
                                     std::string("busybox\0x", 9),
                                     "CAFE"};
  for (const std::string& text : bad)
    EXPECT_EQ(canonical(text), "error") << text;
}

TEST(ImageRef, ComponentSeparatorsAreAllowedBetweenWords) {
  for (const auto* text : {"a__b", "a--b", "a---b", "a.b", "a_b", "a-b/c-d"}) {
    EXPECT_NE(canonical(std::string("docker.io/t/") + text), "error") << text;
  }
  EXPECT_NE(canonical("busybox:" + std::string(128, 'x')), "error");
  EXPECT_NE(canonical(std::string(255 - 18, 'a')), "error");  // docker.io/library/ is 18
  EXPECT_EQ(canonical(std::string(256 - 18, 'a')), "error");
}

TEST(ImageRef, IdsAreSetApart) {
  for (const std::string& text : {kHex, kDigest, std::string("sha256:76")}) {
    const Result<ImageRef> ref = parse_image_ref(text);
    ASSERT_TRUE(ref) << text;
    EXPECT_EQ(ref->kind, ImageRefKind::IdLike) << text;
    EXPECT_EQ(ref->repository(), "") << text;
    EXPECT_EQ(ref->effective_tag(), "") << text;
  }
  EXPECT_EQ(canonical(kHex), kDigest);
  for (const auto* text : {"cafe", "7643", "0"}) {
    const Result<ImageRef> ref = parse_image_ref(text);
    ASSERT_TRUE(ref) << text;
    EXPECT_EQ(ref->kind, ImageRefKind::Name) << text;
    EXPECT_TRUE(ref->may_be_id) << text;
  }
  for (const auto* text : {"busybox", "cafe:1", "library/cafe", "sha256", "sha256:x"}) {
    const Result<ImageRef> ref = parse_image_ref(text);
    ASSERT_TRUE(ref) << text;
    EXPECT_EQ(ref->kind, ImageRefKind::Name) << text;
    EXPECT_FALSE(ref->may_be_id) << text;
  }
}

TEST(ImageRef, PullsAddTheTag) {
  const auto pull = [](std::string_view image, std::string_view tag) {
    const Result<ImageRef> ref = parse_pull_ref(image, tag);
    return ref ? ref->canonical() : "error";
  };
  EXPECT_EQ(pull("docker.io/library/alpine", "latest"), "docker.io/library/alpine:latest");
  EXPECT_EQ(pull("alpine", "3.20"), "docker.io/library/alpine:3.20");
  EXPECT_EQ(pull("alpine:", "3.20"), "docker.io/library/alpine:3.20");
  EXPECT_EQ(pull("alpine:3.19", "3.20"), "docker.io/library/alpine:3.20");
  EXPECT_EQ(pull("alpine:3.19", kDigest), "docker.io/library/alpine@" + kDigest);
  EXPECT_EQ(pull("alpine@" + kDigest, "3.20"), "docker.io/library/alpine:3.20@" + kDigest);
  EXPECT_EQ(parse_pull_ref("alpine", "")->tag, "");
  for (const auto* tag : {"a b", "a/b", "-x", "a:b"})
    EXPECT_EQ(pull("alpine", tag), "error") << tag;
  EXPECT_EQ(pull(kHex, ""), "error");
  EXPECT_EQ(pull("", "x"), "error");
}

bool matches(std::string_view pattern, std::string_view image) {
  const Result<ImagePattern> parsed = ImagePattern::parse(pattern);
  const Result<ImageRef> ref = parse_image_ref(image);
  EXPECT_TRUE(parsed) << pattern;
  EXPECT_TRUE(ref) << image;
  return parsed && ref && parsed->matches(*ref);
}

TEST(ImagePattern, StarsStayInTheirComponent) {
  EXPECT_TRUE(matches("docker.io/library/*", "alpine:3.20"));
  EXPECT_TRUE(matches("docker.io/library/*", "docker.io/alpine:3.20"));
  EXPECT_TRUE(matches("docker.io/library/*", "index.docker.io/library/alpine:3.20"));
  EXPECT_FALSE(matches("docker.io/library/*", "someuser/alpine:3.20"));
  EXPECT_FALSE(matches("docker.io/library/*", "docker.io/library/evil/alpine:3.20"));
  EXPECT_FALSE(matches("docker.io/library/*", "registry.example.com:5000/team/app:1.0"));
  EXPECT_FALSE(matches("docker.io/library/*", "localhost/app:1"));
  EXPECT_FALSE(matches("docker.io/library/*", "docker.io.evil.com/library/alpine"));
  EXPECT_FALSE(matches("docker.io/library/*", kDigest));
  EXPECT_FALSE(matches("**", kHex));
  EXPECT_TRUE(matches("127.0.0.1:5000/team/*", "127.0.0.1:5000/team/x:1"));
  EXPECT_FALSE(matches("127.0.0.1:5000/team/*", "127.0.0.1:5000/teamevil/x:1"));
  EXPECT_FALSE(matches("127.0.0.1:5000/team/*", "127.0.0.1:5001/team/x:1"));
  EXPECT_FALSE(matches("127.0.0.1:5000/team/*", "127.0.0.1:5000/team/a/b"));
  EXPECT_FALSE(matches("127.0.0.1:5000/team/*", "team/x"));
}

TEST(ImagePattern, DoubleStarsCross) {
  EXPECT_TRUE(
      matches("registry.example.com:5000/shared/**", "registry.example.com:5000/shared/a/b/c"));
  EXPECT_FALSE(matches("registry.example.com:5000/shared/**", "registry.example.com:5000/shared"));
  EXPECT_FALSE(
      matches("registry.example.com:5000/shared/**", "registry.example.com:5000/sharedx/a"));
  EXPECT_TRUE(matches("**", "ghcr.io/a/b"));
  EXPECT_TRUE(matches("**/busybox", "quay.io/x/busybox"));
}

TEST(ImagePattern, ShortPatternsMeanTheHub) {
  EXPECT_TRUE(matches("busybox", "docker.io/library/busybox:1"));
  EXPECT_FALSE(matches("busybox", "localhost/busybox"));
  EXPECT_TRUE(matches("team/x", "docker.io/team/x"));
  EXPECT_TRUE(matches("library/*", "alpine"));
  EXPECT_TRUE(matches("*", "alpine"));
  EXPECT_FALSE(matches("*", "team/alpine"));
}

TEST(ImagePattern, TagsInAPatternMustMatchWhatRuns) {
  EXPECT_TRUE(matches("docker.io/library/busybox:local", "busybox:local"));
  EXPECT_FALSE(matches("docker.io/library/busybox:local", "busybox:LOCAL"));
  EXPECT_FALSE(matches("docker.io/library/busybox:local", "busybox"));
  EXPECT_TRUE(matches("busybox:latest", "busybox"));
  EXPECT_TRUE(matches("busybox:1.*", "busybox:1.36.1"));
  EXPECT_FALSE(matches("busybox:1.*", "busybox:2.0"));
  EXPECT_FALSE(matches("busybox:1.*", "busybox:1.36@" + kDigest));
  EXPECT_TRUE(matches("busybox@" + kDigest, "busybox:any@" + kDigest));
  EXPECT_FALSE(matches("busybox@" + kDigest, "busybox@sha256:" + std::string(64, 'b')));
  EXPECT_TRUE(matches("busybox", "busybox@" + kDigest));
}

TEST(ImagePattern, RefusesWhatCannotMatch) {
  for (const auto* text :
       {"", "registry.example.com", "localhost", "registry.example.com:5000", "a b", "UPPER",
        "a//b", "a/", "/a", "a:", "a@sha256:x", "a:b:c", "ht tp://x", "a?b"}) {
    EXPECT_FALSE(ImagePattern::parse(text)) << text;
  }
}

}  // namespace
}  // namespace dockreeve::docker
