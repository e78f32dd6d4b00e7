#include <gtest/gtest.h>
#include <re2/re2.h>

#include <atomic>
#include <gmock/gmock.h>
#include <thread>

#include "loader_fixture.h"
#include "policy/templates.h"

namespace dockreeve::policy {
namespace {

using testing::codes;
using testing::document;
using ::testing::ElementsAre;
using testing::find;
using testing::golden;
using testing::load_text;
using testing::must_load;
using testing::must_load_text;

std::int64_t gib(std::int64_t n) {
  return n << 30;
}

class BuildHost : public ::testing::Test {
 protected:
  void SetUp() override {
    set_ = must_load(golden("good/build-host.yaml"));
    ASSERT_NE(set_, nullptr);
  }
  std::int64_t max_memory(const Identity& who) const {
    const CompiledRule* rule = find(set_->rules_for(who), "max-memory-limit");
    return rule ? rule->params->integer("max") : -1;
  }
  std::shared_ptr<const PolicySet> set_;
};

TEST_F(BuildHost, LayersFoldFromEveryoneToIdentitiesWhateverTheFileOrder) {
  EXPECT_EQ(max_memory({"alice", {"web"}, {}, {}}), gib(8));
  EXPECT_EQ(max_memory({"bob", {"data"}, {}, {}}), gib(32));
  // The binding for this machine stands before the one for its team.
  EXPECT_EQ(max_memory({"data-big1", {"data"}, {}, {}}), gib(64));
  const auto rules = set_->rules_for({"data-big1", {"data"}, {}, {}});
  EXPECT_THAT(rules->bindings, ElementsAre("everyone-build", "data-bigger-boxes", "one-machine"));
  EXPECT_THAT(rules->policies, ElementsAre("shared-build-host"));
  const CompiledRule* devices = find(rules, "device-requests-allowlist");
  ASSERT_NE(devices, nullptr);
  EXPECT_EQ(devices->policy, "data-bigger-boxes");
  EXPECT_EQ(find(set_->rules_for({"alice", {"web"}, {}, {}}), "device-requests-allowlist"),
            nullptr);
}

TEST_F(BuildHost, ExceptKeepsOutAndNoBindingMeansNoRules) {
  EXPECT_EQ(set_->rules_for({"banned-7", {"web"}, {}, {}}), nullptr);
  EXPECT_NE(set_->rules_for({"banned-7", {"data"}, {}, {}}), nullptr);  // the team's own binding
}

TEST_F(BuildHost, CapLowersButNeverReachesLockedRules) {
  const auto rules = set_->rules_for({"root", {}, {"admin"}, {}});
  EXPECT_EQ(find(rules, "max-memory-limit")->mode, Mode::Audit);
  EXPECT_EQ(find(rules, "no-host-pid")->mode, Mode::Audit);
  EXPECT_EQ(find(rules, "no-container-namespace-sharing")->mode, Mode::Audit);
  EXPECT_EQ(find(rules, "uninspectable-stream")->mode, Mode::Audit);
  EXPECT_EQ(find(rules, "no-privileged")->mode, Mode::Enforce);
  EXPECT_EQ(find(rules, "no-host-network")->mode, Mode::Enforce);
}

TEST_F(BuildHost, TemplatesAreFilledForTheCaller) {
  const auto rules = set_->rules_for({"alice", {"web"}, {}, {}});
  EXPECT_THAT(find(rules, "bind-mount-allowlist")->params->list("allowed"),
              ElementsAre("/srv/ci/web", "/home/alice"));
  EXPECT_THAT(find(rules, "trusted-registry")->params->list("registries"),
              ElementsAre("docker.io/library/*", "registry.example.com:5000/web/*",
                          "registry.example.com:5000/shared/**"));
  EXPECT_THAT(find(rules, "allowed-networks")->params->list("allowed"),
              ElementsAre("none", "web-*"));
  EXPECT_EQ(find(rules, "trusted-registry")->message, "not from here");
  EXPECT_FALSE(find(rules, "max-memory-limit")->error_denies);
  const std::string& volumes = find(rules, "volume-name-scope")->params->text("pattern");
  EXPECT_TRUE(RE2::FullMatch("web-data", volumes));
  EXPECT_FALSE(RE2::FullMatch("data-data", volumes));
}

TEST_F(BuildHost, SeveralTeamsGiveSeveralValuesAndNoTeamGivesNone) {
  const auto both = set_->rules_for({"alice", {"data", "web"}, {"ops"}, {}});
  EXPECT_THAT(find(both, "bind-mount-allowlist")->params->list("allowed"),
              ElementsAre("/srv/ci/data", "/srv/ci/web", "/home/alice"));
  EXPECT_THAT(find(both, "allowed-networks")->params->list("allowed"),
              ElementsAre("none", "data-*", "web-*", "ops-net"));
  const std::string& volumes = find(both, "volume-name-scope")->params->text("pattern");
  EXPECT_TRUE(RE2::FullMatch("web-x", volumes));
  EXPECT_TRUE(RE2::FullMatch("data-x", volumes));
  const auto none = set_->rules_for({"alice", {}, {}, {}});
  EXPECT_THAT(find(none, "allowed-networks")->params->list("allowed"), ElementsAre("none"));
  const std::string& nothing = find(none, "volume-name-scope")->params->text("pattern");
  EXPECT_FALSE(RE2::PartialMatch("web-x", nothing));
  EXPECT_FALSE(RE2::PartialMatch("-x", nothing));
  EXPECT_EQ(find(none, "required-labels")->params->map("labels").size(), 1U);
}

TEST_F(BuildHost, RulesetsAreSharedBetweenEqualCallers) {
  const Identity who{"alice", {"web"}, {}, {}};
  EXPECT_EQ(set_->rules_for(who), set_->rules_for(who));
  EXPECT_NE(set_->rules_for(who), set_->rules_for({"bob", {"web"}, {}, {}}));  // {{identity}}
}

TEST(RulesFor, CallersShareWhatDoesNotDependOnThem) {
  const auto set =
      must_load_text(document("Policy", "p", "rules: { no-privileged: enforce }") +
                     document("Binding", "all", "subjects: { everyone: true }, policies: [p]"));
  EXPECT_EQ(set->rules_for({"alice", {"web"}, {}, {}}),
            set->rules_for({"bob", {"data"}, {"ops"}, {}}));
}

TEST(RulesFor, IsSafeFromManyThreadsAndBeyondTheCache) {
  const auto set =
      must_load_text(document("Policy", "p",
                              "rules: { bind-mount-allowlist: { mode: enforce, allowed: "
                              "[\"/home/{{identity}}\"] } }") +
                     document("Binding", "all", "subjects: { everyone: true }, policies: [p]"));
  std::vector<std::thread> threads;
  std::atomic<int> wrong = 0;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 5000; ++i) {
        const std::string name = "u" + std::to_string(i);
        const auto rules = set->rules_for({name, {}, {}, {}});
        const CompiledRule* rule = find(rules, "bind-mount-allowlist");
        if (!rule || rule->params->list("allowed") != std::vector<std::string>{"/home/" + name})
          ++wrong;
      }
    });
  }
  for (std::thread& thread : threads)
    thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST(Bindings, WithinALayerTheLaterFileOrderWins) {
  const auto set = must_load_text(
      document("Policy", "p", "rules: { max-memory-limit: { mode: enforce, max: 1g } }") +
      document(
          "Binding", "w",
          "subjects: { teams: [web] }, policies: [p], params: { max-memory-limit: { max: 2g } }") +
      document(
          "Binding", "d",
          "subjects: { teams: [data] }, policies: [p], params: { max-memory-limit: { max: 3g } }"));
  EXPECT_EQ(find(set->rules_for({"x", {"data", "web"}, {}, {}}), "max-memory-limit")
                ->params->integer("max"),
            gib(3));
  EXPECT_EQ(set->rules_for({"x", {}, {"ops"}, {}}), nullptr);
}

TEST(Bindings, KeysThatALaterPolicyLeavesOutStay) {
  const auto set = must_load_text(
      document(
          "Policy", "all",
          "rules: { max-memory-limit: { mode: enforce, max: 1g }, cap-drop-required: enforce }") +
      document("Policy", "softer", "extends: [baseline@1], rules: { max-memory-limit: warn }") +
      document("Binding", "e", "subjects: { everyone: true }, policies: [all]") +
      document("Binding", "w", "subjects: { teams: [web] }, policies: [softer]"));
  const auto rules = set->rules_for({"x", {"web"}, {}, {}});
  EXPECT_EQ(find(rules, "max-memory-limit")->mode, Mode::Warn);
  EXPECT_EQ(find(rules, "max-memory-limit")->params->integer("max"), gib(1));
  // A preset that leaves a rule off does not switch it off where another policy has it on.
  EXPECT_EQ(find(rules, "cap-drop-required")->mode, Mode::Enforce);
}

TEST(Bindings, ALockWinsWhereOnlySomeCallersMeetBoth) {
  std::vector<Diagnostic> diagnostics;
  const auto set = load_text(
      document("Policy", "hard",
               "rules: { max-memory-limit: { mode: enforce, max: 1g, locked: true } }") +
          document("Policy", "soft", "rules: { max-memory-limit: { mode: warn, max: 9g } }") +
          document("Binding", "w", "subjects: { teams: [web] }, policies: [hard]") +
          document("Binding", "d", "subjects: { teams: [data] }, policies: [soft]"),
      diagnostics);
  ASSERT_NE(set, nullptr) << codes(diagnostics);
  const CompiledRule* both =
      find(set->rules_for({"x", {"data", "web"}, {}, {}}), "max-memory-limit");
  EXPECT_EQ(both->mode, Mode::Enforce);
  EXPECT_EQ(both->params->integer("max"), gib(1));
  EXPECT_EQ(find(set->rules_for({"x", {"data"}, {}, {}}), "max-memory-limit")->mode, Mode::Warn);
}

TEST(Bindings, RepeatingALockedSettingIsNoAttempt) {
  std::vector<Diagnostic> diagnostics;
  const auto set = load_text(
      document("Policy", "p",
               "extends: [baseline@1], rules: { no-privileged: { mode: enforce, locked: true } }") +
          document("Policy", "q", "extends: [baseline@1], rules: { no-privileged: enforce }") +
          document("Binding", "e", "subjects: { everyone: true }, policies: [p]") +
          document("Binding", "w", "subjects: { teams: [web] }, policies: [q]"),
      diagnostics);
  EXPECT_NE(set, nullptr) << codes(diagnostics);
  EXPECT_EQ(codes(diagnostics), "");
}

TEST(Templates, NamesThatMeanSomethingInAGlobOrPathAreDropped) {
  const std::vector<std::string> list = {"/srv/{{identity}}", "/fixed"};
  const auto filled = [&](const std::string& name) {
    return std::get<std::vector<std::string>>(expand(list, Template::Path, {name, {}, {}, {}}));
  };
  EXPECT_THAT(filled("alice_1.x"), ElementsAre("/srv/alice_1.x", "/fixed"));
  for (const char* name : {"*", "../etc", "a/b", "..", ".", "a?", "[a]", "a:b"}) {
    EXPECT_THAT(filled(name), ElementsAre("/fixed")) << name;
  }
}

TEST(Templates, NamesAreLiteralInRegularExpressions) {
  const ParamValue pattern = std::string("^{{identity}}-\\d{{2}}$");
  const auto filled = std::get<std::string>(expand(pattern, Template::Regex, {"a.*", {}, {}, {}}));
  EXPECT_EQ(filled.find("{{identity}}"), std::string::npos);
  EXPECT_NE(filled.find("\\d{{2}}"), std::string::npos);
  const auto plain = std::get<std::string>(
      expand(std::string("^{{identity}}-"), Template::Regex, {"a.*", {}, {}, {}}));
  EXPECT_TRUE(RE2::PartialMatch("a.*-x", plain));
  EXPECT_FALSE(RE2::PartialMatch("abc-x", plain));
}

TEST(Templates, TwoPlaceholdersInOneEntryAreOneTeam) {
  const ParamValue list = std::vector<std::string>{"{{team}}/{{team}}-{{role}}"};
  const Identity who{"x", {"a", "b"}, {"r"}, {}};
  EXPECT_THAT(std::get<std::vector<std::string>>(expand(list, Template::Glob, who)),
              ElementsAre("a/a-r", "b/b-r"));
}

}  // namespace
}  // namespace dockreeve::policy
