#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <gmock/gmock.h>
#include <unistd.h>

#include "loader_fixture.h"
#include "policy/catalogue.h"

namespace dockreeve::policy {
namespace {

using testing::codes;
using testing::document;
using testing::find;
using testing::golden;
using testing::load_text;
using testing::must_load;
using testing::must_load_text;
using testing::slurp;

std::vector<std::string> broken_files() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(golden("broken"))) {
    if (entry.path().extension() == ".yaml") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

class BrokenPolicy : public ::testing::TestWithParam<std::string> {};

// Every file in broken/ with exactly the diagnostics, as printed, in the .txt beside it.
TEST_P(BrokenPolicy, IsReportedAsWritten) {
  const std::string file = GetParam() + ".yaml";
  const std::string text = slurp(golden("broken/" + file));
  const std::string identities = slurp(golden("identities.yaml"));
  std::vector<std::pair<std::string, std::string>> files;
  if (text.find("kind: Identities") == std::string::npos) {
    files.emplace_back("identities.yaml", identities);
  }
  files.emplace_back(file, text);
  std::vector<Diagnostic> diagnostics;
  const auto set = load_policy_texts(files, diagnostics);
  std::string printed;
  for (const Diagnostic& diagnostic : diagnostics) {
    printed += render(diagnostic, diagnostic.file == file ? text : identities) + '\n';
  }
  printed += set ? "loaded\n" : "refused\n";
  EXPECT_EQ(printed, slurp(golden("broken/" + GetParam() + ".txt")));
}

INSTANTIATE_TEST_SUITE_P(Golden, BrokenPolicy, ::testing::ValuesIn(broken_files()),
                         [](const auto& param_info) {
                           std::string name = param_info.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST(BrokenPolicies, AreMany) {
  EXPECT_GE(broken_files().size(), 60U);
}

TEST(LoadPolicies, GoodFilesLoadWithoutErrors) {
  for (const char* file : {"one-team.yaml", "cis.yaml", "build-host.yaml"}) {
    EXPECT_NE(must_load(golden(std::string("good/") + file)), nullptr) << file;
  }
}

TEST(LoadPolicies, TheDocumentedExampleLoadsWithoutAWord) {
  std::vector<Diagnostic> diagnostics;
  const std::string folder = std::string(DOCKREEVE_SOURCE_DIR) + "/config/policies.example";
  EXPECT_NE(load_policies({folder}, diagnostics), nullptr);
  EXPECT_EQ(codes(diagnostics), "");
}

TEST(LoadPolicies, PolicyModesAndParametersReachTheCaller) {
  const auto set = must_load(golden("good/one-team.yaml"));
  ASSERT_NE(set, nullptr);
  const auto rules = set->rules_for(Identity{"alice", {"team"}, {}, {}});
  ASSERT_NE(rules, nullptr);
  EXPECT_EQ(rules->policies, std::vector<std::string>{"one-team"});
  EXPECT_EQ(rules->bindings, std::vector<std::string>{"one-team"});

  const CompiledRule* caps = find(rules, "cap-add-allowlist");
  ASSERT_NE(caps, nullptr);
  EXPECT_EQ(caps->mode, Mode::Enforce);
  EXPECT_EQ(caps->policy, "one-team");
  EXPECT_EQ(caps->origin, "one-team.yaml:23");
  EXPECT_THAT(caps->params->list("allowed"), ::testing::ElementsAre("NET_BIND_SERVICE", "CHOWN"));

  EXPECT_EQ(find(rules, "max-memory-limit")->params->integer("max"), std::int64_t{8} << 30);
  EXPECT_EQ(find(rules, "max-cpu-limit")->params->decimal("max"), 64);
  EXPECT_EQ(find(rules, "own-resources-only")->params->text("by"), "team");
  EXPECT_FALSE(find(rules, "own-resources-only")->params->flag("reads"));
  EXPECT_THAT(find(rules, "allowed-network-drivers")->params->list("allowed"),
              ::testing::ElementsAre("", "bridge"));

  const CompiledRule* privileged = find(rules, "no-privileged");
  ASSERT_NE(privileged, nullptr);
  EXPECT_EQ(privileged->policy, "baseline@1");
  EXPECT_EQ(privileged->origin, "");
  EXPECT_TRUE(privileged->error_denies);
  ASSERT_TRUE(privileged->check.run);

  EXPECT_EQ(find(rules, "no-secrets-in-env")->mode, Mode::Warn);
  EXPECT_EQ(find(rules, "oom-score-adj-range")->params->integer("min"), -500);
  EXPECT_EQ(find(rules, "run-as-non-root"), nullptr);
}

TEST(LoadPolicies, RulesComeInCatalogueOrder) {
  const auto rules = must_load(golden("good/one-team.yaml"))->rules_for({"a", {"team"}, {}, {}});
  ASSERT_NE(rules, nullptr);
  std::vector<const RuleEntry*> order;
  for (const CompiledRule& rule : rules->rules)
    order.push_back(find_rule(rule.id));
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST(LoadPolicies, ExtendsFoldsLeftToRightThenOwnRules) {
  const auto set = must_load_text(
      document("Policy", "a",
               "rules: { max-memory-limit: { mode: warn, max: 1g }, "
               "no-host-pid: { mode: warn, severity: low } }") +
      document("Policy", "b", "rules: { max-memory-limit: { max: 2g } }") +
      document("Policy", "p", "extends: [a, b], rules: { max-memory-limit: enforce }") +
      document("Binding", "all", "subjects: { everyone: true }, policies: [p]"));
  ASSERT_NE(set, nullptr);
  const auto rules = set->rules_for({"x", {}, {}, {}});
  const CompiledRule* memory = find(rules, "max-memory-limit");
  ASSERT_NE(memory, nullptr);
  EXPECT_EQ(memory->mode, Mode::Enforce);
  EXPECT_EQ(memory->policy, "p");
  EXPECT_EQ(memory->params->integer("max"), std::int64_t{2} << 30);
  const CompiledRule* pid = find(rules, "no-host-pid");
  ASSERT_NE(pid, nullptr);
  EXPECT_EQ(pid->severity, Severity::Low);
  EXPECT_EQ(pid->policy, "a");
}

TEST(LoadPolicies, AlwaysRulesApplyWithoutAnyPreset) {
  const auto set = must_load_text(
      document("Policy", "p",
               "rules: { reserved-labels: { prefixes: [io.dockreeve., com.example.] } }") +
      document("Binding", "all", "subjects: { everyone: true }, policies: [p], mode: audit"));
  ASSERT_NE(set, nullptr);
  const CompiledRule* labels = find(set->rules_for({"x", {}, {}, {}}), "reserved-labels");
  ASSERT_NE(labels, nullptr);
  EXPECT_EQ(labels->mode, Mode::Always);
  EXPECT_EQ(labels->params->list("prefixes").size(), 2U);
}

TEST(LoadPolicies, DisabledRulesAreLeftOut) {
  const auto set = must_load_text(
      document("Policy", "p", "extends: [baseline@1], rules: { no-host-pid: disabled }") +
      document("Binding", "all", "subjects: { everyone: true }, policies: [p]"));
  ASSERT_NE(set, nullptr);
  const auto rules = set->rules_for({"x", {}, {}, {}});
  EXPECT_EQ(find(rules, "no-host-pid"), nullptr);
  EXPECT_NE(find(rules, "no-host-ipc"), nullptr);
}

TEST(LoadPolicies, SaysWhichKindIsMissing) {
  std::vector<Diagnostic> diagnostics;
  EXPECT_EQ(load_policy_texts({{"empty.yaml", "# nothing\n"}}, diagnostics), nullptr);
  ASSERT_EQ(codes(diagnostics), "E118@0 E118@0 E118@0");
  EXPECT_EQ(render(diagnostics[0], ""),
            "empty.yaml: error[E118]: there is no document of kind Identities; "
            "without it nobody has a name");
}

TEST(LoadPolicies, AnUnreadablePathIsAnError) {
  std::vector<Diagnostic> diagnostics;
  EXPECT_EQ(load_policies({"/nonexistent/policies"}, diagnostics), nullptr);
  EXPECT_EQ(codes(diagnostics), "E012@0");
}

TEST(LoadPolicies, AFolderWithoutPoliciesIsAnError) {
  const auto folder =
      std::filesystem::temp_directory_path() / ("dockreeve-empty-" + std::to_string(::getpid()));
  std::filesystem::create_directory(folder);
  std::vector<Diagnostic> diagnostics;
  EXPECT_EQ(load_policies({folder.string()}, diagnostics), nullptr);
  EXPECT_EQ(codes(diagnostics), "E012@0");
  std::filesystem::remove(folder);
}

TEST(LoadPolicies, HashFollowsContentAndNotTheFolder) {
  const std::string text = slurp(golden("good/one-team.yaml"));
  std::vector<Diagnostic> diagnostics;
  const auto a = load_policy_texts({{"/etc/a/p.yaml", text}}, diagnostics);
  const auto b = load_policy_texts({{"/srv/b/p.yaml", text}}, diagnostics);
  const auto c = load_policy_texts({{"/srv/b/p.yaml", text + "\n"}}, diagnostics);
  ASSERT_TRUE(a && b && c);
  EXPECT_EQ(a->hash().size(), 64U);
  EXPECT_EQ(a->hash(), b->hash());
  EXPECT_NE(a->hash(), c->hash());
}

TEST(LoadPolicies, PresetsWithoutCodeForAnEnforcedRuleAreRefused) {
  for (const std::string base : {"baseline", "restricted", "cis"}) {
    bool whole = true;
    for (const RuleEntry& rule : catalogue()) {
      whole = whole && (rule.modes.at(base) != Mode::Enforce || rule.has_code);
    }
    std::vector<Diagnostic> diagnostics;
    const auto set =
        load_text(document("Policy", "p", "extends: [" + base + "@1]") +
                      document("Binding", "all", "subjects: { everyone: true }, policies: [p]"),
                  diagnostics);
    EXPECT_EQ(set != nullptr, whole) << base << ' ' << codes(diagnostics);
    EXPECT_EQ(codes(diagnostics), whole ? "" : "E113@5") << base;
    EXPECT_TRUE(whole || base != "baseline");
  }
}

TEST(LoadPolicies, LongChainsOfExtendsAreRefusedNotFollowed) {
  std::string text = document("Policy", "p0", "rules: { no-privileged: enforce }");
  for (int i = 1; i < 2000; ++i) {
    text =
        document("Policy", "p" + std::to_string(i), "extends: [p" + std::to_string(i - 1) + "]") +
        text;
  }
  text += document("Binding", "all", "subjects: { everyone: true }, policies: [p1999]");
  std::vector<Diagnostic> diagnostics;
  EXPECT_EQ(load_text(text, diagnostics), nullptr);
  EXPECT_EQ(diagnostics.front().code, "E305");
}

TEST(Render, ShowsNoControlCharactersAndCutsLongLines) {
  Diagnostic diagnostic{true, "f.yaml", 2, 3, 4, "E104", "unknown", "hint"};
  EXPECT_EQ(render(diagnostic, "one\nab\x1B[31mc\n"),
            "f.yaml:2:3: error[E104]: unknown\n    2 | ab [31mc\n      |   ^^^^ hint");
  const std::string cut = render(diagnostic, "one\n" + std::string(5000, 'x'));
  EXPECT_LT(cut.size(), 400U);
}

TEST(Render, CountsCharactersNotBytes) {
  Diagnostic diagnostic{true, "f.yaml", 1, 6, 3, "E104", "m", ""};
  EXPECT_EQ(render(diagnostic, "\xC3\xA9\xC3\xA9 abc"),
            "f.yaml:1:6: error[E104]: m\n    1 | \xC3\xA9\xC3\xA9 abc\n      |    ^^^");
}

TEST(Render, PutsTheHintBesideTheMessageWhenThereIsNoLine) {
  Diagnostic diagnostic{false, "f.yaml", 0, 0, 1, "W202", "m", "h"};
  EXPECT_EQ(render(diagnostic, "x"), "f.yaml: warning[W202]: m; h");
}

}  // namespace
}  // namespace dockreeve::policy
