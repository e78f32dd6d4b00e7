// Loads policies from files and texts for the tests of this folder.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "policy/policy_set.h"

namespace dockreeve::policy::testing {

inline std::string golden(const std::string& name) {
  return std::string(DOCKREEVE_SOURCE_DIR) + "/tests/golden/policies/" + name;
}

inline std::string slurp(const std::string& path) {
  std::ifstream input(path);
  EXPECT_TRUE(input.good()) << path;
  std::ostringstream text;
  text << input.rdbuf();
  return text.str();
}

inline std::string codes(const std::vector<Diagnostic>& diagnostics) {
  std::string out;
  for (const Diagnostic& diagnostic : diagnostics) {
    if (!out.empty()) out += ' ';
    out += diagnostic.code + '@' + std::to_string(diagnostic.line);
  }
  return out;
}

// A set that must load; errors become test failures.
inline std::shared_ptr<const PolicySet> must_load(const std::string& path) {
  std::vector<Diagnostic> diagnostics;
  auto set = load_policies({path}, diagnostics);
  EXPECT_NE(set, nullptr) << codes(diagnostics);
  return set;
}

// The same from one text, below a header that gives teams web and data to certificates with that OU
// and roles admin and ops to certificates with that O.
inline std::shared_ptr<const PolicySet> load_text(const std::string& documents,
                                                  std::vector<Diagnostic>& diagnostics) {
  const std::string identities =
      "apiVersion: dockreeve/v1\nkind: Identities\nidentities:\n"
      "  - { name: \"{{cert.cn}}\", match: { certCN: \"**\" } }\n"
      "teams: { web: [{ certOU: web }], data: [{ certOU: data }] }\n"
      "roles: { admin: [{ certO: admin }], ops: [{ certO: ops }] }\n";
  return load_policy_texts({{"identities.yaml", identities}, {"policies.yaml", documents}},
                           diagnostics);
}

inline std::shared_ptr<const PolicySet> must_load_text(const std::string& documents) {
  std::vector<Diagnostic> diagnostics;
  auto set = load_text(documents, diagnostics);
  EXPECT_NE(set, nullptr) << codes(diagnostics);
  return set;
}

// Documents with less typing. `spec` is flow YAML.
inline std::string document(const std::string& kind, const std::string& name,
                            const std::string& spec) {
  return "---\napiVersion: dockreeve/v1\nkind: " + kind + "\nmetadata: { name: " + name +
         " }\nspec: { " + spec + " }\n";
}

// The rule as it applies to a caller; null when it does not.
inline const CompiledRule* find(const std::shared_ptr<const Ruleset>& rules, std::string_view id) {
  if (!rules) return nullptr;
  for (const CompiledRule& rule : rules->rules) {
    if (rule.id == id) return &rule;
  }
  return nullptr;
}

}  // namespace dockreeve::policy::testing
