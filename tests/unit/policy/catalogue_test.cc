#include "policy/catalogue.h"

#include <gtest/gtest.h>

#include <set>
#include <stdexcept>

#include "policy/rule.h"

namespace dockreeve::policy {
namespace {

template <class T>
const T& value_of(std::string_view rule, std::string_view param, const std::string& preset = {}) {
  for (const ParamDef& def : find_rule(rule)->params) {
    if (def.name == param) {
      return std::get<T>(preset.empty() ? def.fallback : def.per_preset.at(preset));
    }
  }
  throw std::logic_error("no such parameter");
}

using Texts = std::vector<std::string>;

TEST(Catalogue, HasEveryRuleOnce) {
  std::set<std::string> ids;
  for (const RuleEntry& rule : catalogue())
    ids.insert(rule.id);
  EXPECT_EQ(catalogue().size(), 105U);
  EXPECT_EQ(ids.size(), 105U);
  EXPECT_EQ(find_rule("no-such-rule"), nullptr);
  EXPECT_EQ(find_rule("no-privileged")->severity, Severity::Critical);
  EXPECT_EQ(find_rule("no-privileged")->cis, Texts{"5.5"});
  EXPECT_EQ(find_rule("no-privileged")->fix, "remove --privileged");
}

TEST(Catalogue, CountsOfThePresetsAreThoseDocumented) {
  const auto count = [](const std::string& preset, Mode mode) {
    int found = 0;
    for (const RuleEntry& rule : catalogue())
      found += rule.modes.at(preset) == mode ? 1 : 0;
    return found;
  };
  EXPECT_EQ(count("baseline", Mode::Enforce), 27);
  EXPECT_EQ(count("baseline", Mode::Warn), 4);
  EXPECT_EQ(count("restricted", Mode::Enforce), 71);
  EXPECT_EQ(count("restricted", Mode::Warn), 4);
}

TEST(Catalogue, DefaultsAreValuesNotNamesOfValues) {
  EXPECT_EQ(value_of<Texts>("cap-add-allowlist", "allowed").size(), 14U);
  EXPECT_EQ(value_of<Texts>("cap-add-allowlist", "allowed", "restricted"),
            Texts{"NET_BIND_SERVICE"});
  EXPECT_EQ(value_of<Texts>("cap-drop-required", "required", "cis"), Texts{"NET_RAW"});
  EXPECT_EQ(value_of<Texts>("no-container-namespace-sharing", "namespaces", "baseline"),
            (Texts{"pid", "ipc"}));
  EXPECT_EQ(value_of<std::int64_t>("oom-score-adj-range", "min", "baseline"), -500);
  EXPECT_TRUE(value_of<bool>("require-cpu-limit", "acceptShares", "cis"));
  EXPECT_EQ(value_of<std::int64_t>("max-memory-limit", "max"), std::int64_t{8} << 30);
  EXPECT_EQ(value_of<std::int64_t>("image-max-age", "max"), 180 * 24 * 3600);
  EXPECT_EQ(value_of<Texts>("sysctls-allowlist", "allowed").size(), 14U);
  for (const RuleEntry& rule : catalogue()) {
    for (const ParamDef& param : rule.params) {
      if (const auto* list = std::get_if<Texts>(&param.fallback)) {
        for (const std::string& value : *list)
          EXPECT_NE(value, "builtin") << rule.id;
      }
    }
  }
}

TEST(Catalogue, EveryDefaultIsOfTheTypeDeclared) {
  for (const RuleEntry& rule : catalogue()) {
    for (const ParamDef& param : rule.params) {
      for (const auto& [preset, value] : param.per_preset) {
        EXPECT_EQ(value.index(), param.fallback.index()) << rule.id << ' ' << param.name;
      }
      if (const auto* text = std::get_if<std::string>(&param.fallback);
          text && !param.one_of.empty()) {
        EXPECT_NE(std::find(param.one_of.begin(), param.one_of.end(), *text), param.one_of.end());
      }
    }
  }
}

// Templates aside, what the catalogue says about a rule must be something its code accepts.
TEST(Catalogue, EveryRuleCompilesWithItsDefaults) {
  for (const RuleDef& def : rule_defs()) {
    const RuleEntry* rule = find_rule(def.id);
    ASSERT_NE(rule, nullptr) << def.id;
    EXPECT_TRUE(rule->has_code);
    Params params;
    bool templated = false;
    for (const ParamDef& param : rule->params) {
      params.set(param.name, param.fallback);
      templated = templated || param.templates != Template::No;
    }
    if (templated) continue;
    const auto check = def.compile(params);
    EXPECT_TRUE(check) << def.id << ": " << (check ? "" : check.error().text());
  }
}

TEST(Catalogue, WordsAreReadBack) {
  for (const Mode mode : {Mode::Disabled, Mode::Audit, Mode::Warn, Mode::Enforce}) {
    EXPECT_EQ(parse_mode(name(mode)), mode);
  }
  EXPECT_FALSE(parse_mode("always"));
  EXPECT_FALSE(parse_mode("Enforce"));
  EXPECT_EQ(parse_severity("low"), Severity::Low);
  EXPECT_FALSE(parse_severity(""));
  EXPECT_EQ(name(Effect::Mutated), "mutated");
}

TEST(Params, AskingForWhatIsNotDeclaredIsABug) {
  Params params;
  params.set("max", std::int64_t{5});
  EXPECT_EQ(params.integer("max"), 5);
  EXPECT_THROW(params.text("max"), std::logic_error);
  EXPECT_THROW(params.integer("min"), std::logic_error);
}

}  // namespace
}  // namespace dockreeve::policy
