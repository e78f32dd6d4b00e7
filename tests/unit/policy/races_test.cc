#include "policy/races.h"

#include <utility>

#include "rule_harness.h"

namespace dockreeve::policy::testing {
namespace {

Texts contested(const std::string& api, const std::string& body = "") {
  return contested_names(request_for(api, body));
}

TEST(Races, NamesThatRequestsContendFor) {
  EXPECT_EQ(contested(kCreate, R"({"HostConfig":{"Binds":["v:/a","/srv:/b","u:/c:ro","v:/d"],)"
                               R"("Mounts":[{"Type":"volume","Source":"w","Target":"/e"},)"
                               R"({"Type":"volume","Target":"/f"}]}})"),
            (Texts{"volume/u", "volume/v", "volume/w"}));
  EXPECT_EQ(contested(kCreate, R"({"Volumes":{"/x":{}}})"), Texts{});
  EXPECT_EQ(contested("POST /v1.41/volumes/create", R"({"Name":"v"})"), Texts{"volume/v"});
  EXPECT_EQ(contested("POST /v1.41/volumes/create", "{}"), Texts{});
  EXPECT_EQ(contested("DELETE /v1.41/volumes/v"), Texts{"volume/v"});
  EXPECT_EQ(contested("GET /v1.41/volumes/v"), Texts{});
  EXPECT_EQ(contested("POST /v1.41/containers/x/start"), Texts{});
}

TEST(Races, SpellingsOfAnImageAreOneName) {
  const Texts one{"image/docker.io/library/busybox:1"};
  EXPECT_EQ(contested("DELETE /v1.41/images/busybox:1"), one);
  EXPECT_EQ(contested("DELETE /v1.41/images/docker.io/library/busybox:1"), one);
  EXPECT_EQ(contested("POST /v1.41/images/x/tag?repo=library/busybox&tag=1"), one);
  EXPECT_EQ(contested("POST /v1.41/commit?container=c&repo=busybox&tag=1"), one);
  EXPECT_EQ(contested("POST /v1.41/commit?container=c"), Texts{});
  EXPECT_EQ(contested("POST /v1.41/images/x/tag?repo=busybox"),
            contested("DELETE /v1.41/images/busybox"));
}

TEST(Races, AContainerMustShowTheImageThatWasJudged) {
  const docker::Request create = request_for(kCreate, R"({"Image":"app"})");
  Facts facts;
  EXPECT_FALSE(judged_image(create, facts));
  facts.put({LookupKind::Image, "other"}, ImageFact{});
  EXPECT_FALSE(judged_image(create, facts));
  facts.put({LookupKind::Image, "app"}, fail("", "no answer"));
  EXPECT_FALSE(judged_image(create, facts)) << "a rule that went on without an answer judged none";
  ImageFact image;
  image.id = "sha256:aa";
  image.repo_digests = {"app@sha256:bb"};
  facts.put({LookupKind::Image, "app"}, image);
  const auto judged = judged_image(create, facts);
  ASSERT_TRUE(judged);
  EXPECT_TRUE(judged->allows("sha256:aa"));
  EXPECT_TRUE(judged->allows("sha256:bb"));
  EXPECT_FALSE(judged->allows("sha256:cc"));
  EXPECT_FALSE(judged->allows(""));
  image.found = false;
  facts.put({LookupKind::Image, "app"}, image);
  ASSERT_TRUE(judged_image(create, facts));
  EXPECT_FALSE(judged_image(create, facts)->allows("sha256:aa")) << "it was not there";
}

}  // namespace
}  // namespace dockreeve::policy::testing
