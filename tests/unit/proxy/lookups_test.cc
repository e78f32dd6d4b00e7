#include "proxy/lookups.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace dockreeve::proxy {
namespace {

namespace fs = std::filesystem;
using policy::LookupKind;

class Folder : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = fs::temp_directory_path() / "dockreeve-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    root_ = fs::canonical(pattern).string();
    fs::create_directories(root_ + "/real/sub");
    fs::create_symlink(root_ + "/real", root_ + "/link");
    fs::create_symlink(root_ + "/nothing", root_ + "/dangling");
    fs::create_symlink(root_ + "/loop", root_ + "/loop");
  }
  void TearDown() override { fs::remove_all(root_); }
  std::string root_;
};

using ResolvePath = Folder;

TEST_F(ResolvePath, FollowsLinksInEveryPart) {
  EXPECT_EQ(resolve_path(root_ + "/link/sub")->real, root_ + "/real/sub");
  EXPECT_TRUE(resolve_path(root_ + "/link/sub")->found);
}

TEST_F(ResolvePath, KeepsTheMissingTailBehindTheResolvedPart) {
  const auto fact = resolve_path(root_ + "/link/new/deeper");
  ASSERT_TRUE(fact.has_value());
  EXPECT_FALSE(fact->found);
  EXPECT_EQ(fact->real, root_ + "/real/new/deeper");
}

TEST_F(ResolvePath, RefusesLinksToNothingAndLoops) {
  EXPECT_FALSE(resolve_path(root_ + "/dangling").has_value());
  EXPECT_FALSE(resolve_path(root_ + "/dangling/x").has_value());
  EXPECT_FALSE(resolve_path(root_ + "/loop/x").has_value());
}

TEST_F(ResolvePath, RefusesAFileUsedAsAFolder) {
  std::ofstream(root_ + "/file") << "x";
  EXPECT_FALSE(resolve_path(root_ + "/file/x").has_value());
}

TEST_F(ResolvePath, RootStaysRoot) { EXPECT_EQ(resolve_path("/")->real, "/"); }

TEST(ParseFact, ReadsWhatRulesNeedOfAContainer) {
  const auto fact = parse_fact(LookupKind::Container, 200,
                               R"({"Id":"abc","Name":"/web","Config":{"User":"1000","Labels":{"io.dockreeve.team":"a"}},)"
                               R"("HostConfig":{"NetworkMode":"host","PidsLimit":null,"Memory":5}})");
  ASSERT_TRUE(fact.has_value());
  const auto& container = std::get<policy::ContainerFact>(*fact);
  EXPECT_EQ(container.name, "web");
  EXPECT_EQ(container.network_mode, "host");
  EXPECT_EQ(container.labels.at("io.dockreeve.team"), "a");
  EXPECT_FALSE(container.pids_limit.has_value());
  EXPECT_EQ(container.memory, 5);
}

TEST(ParseFact, NotFoundIsAnAnswerAndOtherStatusesAreErrors) {
  EXPECT_FALSE(std::get<policy::VolumeFact>(*parse_fact(LookupKind::Volume, 404, "{}")).found);
  EXPECT_FALSE(parse_fact(LookupKind::Volume, 500, "{}").has_value());
  EXPECT_FALSE(parse_fact(LookupKind::Volume, 200, "[]").has_value());
  EXPECT_FALSE(parse_fact(LookupKind::Volume, 200, "{").has_value());
}

TEST(ParseFact, AServiceHasItsLabelsInItsSpec) {
  const auto fact = parse_fact(LookupKind::Service, 200,
                               R"({"ID":"s1","Spec":{"Name":"web","Labels":{"io.dockreeve.team":"a"}}})");
  ASSERT_TRUE(fact.has_value());
  const auto& service = std::get<policy::ServiceFact>(*fact);
  EXPECT_EQ(service.id, "s1");
  EXPECT_EQ(service.name, "web");
  EXPECT_EQ(service.labels.at("io.dockreeve.team"), "a");
  EXPECT_FALSE(std::get<policy::ServiceFact>(*parse_fact(LookupKind::Service, 404, "{}")).found);
}

TEST(ParseFact, ReadsVolumeOptionsImageHealthAndEngineDefaults) {
  const auto volume = std::get<policy::VolumeFact>(*parse_fact(LookupKind::Volume, 200, R"({"Name":"v","Driver":"local","Options":{"o":"bind"},"Labels":null})"));
  EXPECT_EQ(volume.options.at("o"), "bind");
  const auto image = std::get<policy::ImageFact>(*parse_fact(
      LookupKind::Image, 200, R"({"Id":"sha256:1","RepoTags":["a:1"],"Created":"2001-01-01T00:00:00Z","Config":{"User":"","Healthcheck":{"Test":["NONE"]}}})"));
  EXPECT_FALSE(image.healthcheck);
  EXPECT_GT(image.age_days, 9000);
  const auto engine = std::get<policy::EngineFact>(*parse_fact(LookupKind::Engine, 200, R"({"SecurityOptions":["name=seccomp,profile=default","name=userns"],"DefaultRuntime":"runc"})"));
  EXPECT_TRUE(engine.userns_remap);
  EXPECT_FALSE(engine.no_new_privileges_default);
}

TEST(ParseFact, ReadsWhoUsesAnImage) {
  const auto fact = parse_fact(LookupKind::ImageUsers, 200,
                               R"([{"Id":"1","Labels":{"io.dockreeve.team":"web"}},{"Id":"2","Labels":null},{"Id":"3"}])");
  ASSERT_TRUE(fact.has_value());
  const auto& users = std::get<policy::ImageUsersFact>(*fact);
  ASSERT_EQ(users.labels.size(), 3u);
  EXPECT_EQ(users.labels[0].at("io.dockreeve.team"), "web");
  EXPECT_TRUE(users.labels[1].empty());
  EXPECT_FALSE(parse_fact(LookupKind::ImageUsers, 404, "{}").has_value());
  EXPECT_FALSE(parse_fact(LookupKind::ImageUsers, 200, "{}").has_value());
  EXPECT_FALSE(parse_fact(LookupKind::ImageUsers, 200, "[1]").has_value());
}

TEST(ParseFact, ReadsSwarmObjects) {
  const std::string body = R"({"ID":"x1","ServiceID":"s1","Spec":{"Name":"web","Labels":{"a":"b"}}})";
  const auto service = parse_fact(LookupKind::Service, 200, body);
  EXPECT_EQ(std::get<policy::ServiceFact>(*service).id, "x1");
  EXPECT_EQ(std::get<policy::ServiceFact>(*service).name, "web");
  EXPECT_EQ(std::get<policy::ServiceFact>(*service).labels.at("a"), "b");
  EXPECT_EQ(std::get<policy::TaskFact>(*parse_fact(LookupKind::Task, 200, body)).service_id, "s1");
  for (const LookupKind kind : {LookupKind::Secret, LookupKind::Config}) {
    EXPECT_EQ(std::get<policy::SecretFact>(*parse_fact(kind, 200, body)).labels.at("a"), "b");
    EXPECT_FALSE(std::get<policy::SecretFact>(*parse_fact(kind, 404, "{}")).found);
    // Not a swarm manager: nothing is known.
    EXPECT_FALSE(parse_fact(kind, 503, "{}").has_value());
  }
}

}  // namespace
}  // namespace dockreeve::proxy
