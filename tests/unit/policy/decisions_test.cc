// The golden decisions: what real and hostile requests come to under the presets, rule by rule.
// Each line says how it is judged under baseline@1 and restricted@1; the sets must be equal, not
// merely overlap.
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <fstream>
#include <set>
#include <string>

#include "docker/request.h"
#include "policy/context_file.h"
#include "policy/evaluator.h"

namespace dockreeve::policy {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kCases = 183;

struct Golden {
  std::string decision;
  std::set<std::string> deny, warn;
  bool operator==(const Golden&) const = default;
};
std::ostream& operator<<(std::ostream& out, const Golden& golden) {
  out << golden.decision << " deny[";
  for (const std::string& rule : golden.deny)
    out << ' ' << rule;
  out << " ] warn[";
  for (const std::string& rule : golden.warn)
    out << ' ' << rule;
  return out << " ]";
}

Golden expected(const Json& json) {
  return {json.at("decision"), json.at("deny").get<std::set<std::string>>(),
          json.at("warn").get<std::set<std::string>>()};
}

Golden seen(const Decision& decision) {
  Golden out;
  for (const Finding& finding : decision.findings) {
    if (finding.effect == Effect::Deny || finding.effect == Effect::Error) {
      out.deny.insert(finding.rule);
    }
    if (finding.effect == Effect::Warn) out.warn.insert(finding.rule);
  }
  out.decision = decision.denied() ? "deny" : out.warn.empty() ? "allow" : "warn";
  return out;
}

// Fails the test and returns null on any diagnostic that is an error.
std::shared_ptr<const PolicySet> policies(const std::string& preset, const Json& params) {
  const std::string text =
      "apiVersion: dockreeve/v1\nkind: Identities\nunknown: deny\nidentities:\n"
      "  - { name: \"{{cert.cn}}\", match: { certOU: \"*\" } }\n"
      "---\napiVersion: dockreeve/v1\nkind: Policy\nmetadata: { name: golden }\n"
      "spec:\n  extends: [" +
      preset + "]\n  rules: " + params.dump() +
      "\n"
      "---\napiVersion: dockreeve/v1\nkind: Binding\nmetadata: { name: all }\n"
      "spec: { subjects: { everyone: true }, policies: [golden] }\n";
  std::vector<Diagnostic> diagnostics;
  auto set = load_policy_texts({{"golden.yaml", text}}, diagnostics);
  for (const Diagnostic& diagnostic : diagnostics) {
    if (diagnostic.error) ADD_FAILURE() << render(diagnostic, text);
  }
  return set;
}

Identity alice() {
  return {"alice", {"web"}, {}, "test"};
}

docker::Parsed<docker::Request> request_of(const Json& line) {
  const std::string api = line.at("api");
  const std::size_t space = api.find(' ');
  const auto method = docker::parse_method(api.substr(0, space));
  std::string target = api.substr(space + 1);
  if (line.contains("query")) target += "?" + line.at("query").get<std::string>();
  auto classified = docker::classify(method.value(), target);
  if (!classified) return tl::unexpected(classified.error());
  std::string body;
  if (line.contains("body_raw")) {
    body = line.at("body_raw");
  } else if (line.contains("body") && !line.at("body").is_null()) {
    body = line.at("body").dump();
  }
  // A closed route is judged by its name; what it carries does not matter.
  if (classified->route->access == docker::Access::Closed) {
    docker::Request request;
    request.target = *std::move(classified);
    return request;
  }
  return docker::decode_request(*std::move(classified), std::move(body));
}

Decision decide(const Evaluator& evaluator, const Json& line) {
  auto request = request_of(line);
  if (!request) return evaluator.refuse(request.error());
  const auto context = ContextFile::parse(line.value("context", Json::object()).dump());
  if (!context) ADD_FAILURE() << line.at("name") << ": " << context.error().text();
  const Facts facts = answer_all(evaluator, *request, alice(), *context);
  return evaluator.evaluate(*std::move(request), alice(), facts, Stamp{"01TEST"});
}

std::vector<Json> golden_lines() {
  std::ifstream file(DOCKREEVE_SOURCE_DIR "/tests/golden/decisions.jsonl");
  std::vector<Json> out;
  for (std::string line; std::getline(file, line);)
    out.push_back(Json::parse(line));
  return out;
}

void run(const std::string& preset, const std::string& key) {
  const std::vector<Json> lines = golden_lines();
  ASSERT_EQ(lines.size(), kCases);
  const auto plain = policies(preset, Json::object());
  ASSERT_TRUE(plain);
  for (const Json& line : lines) {
    const auto set = line.contains("params") ? policies(preset, line.at("params")) : plain;
    ASSERT_TRUE(set) << line.at("name");
    const Decision decision = decide(Evaluator(set, ClosedRoutes::JudgedByRules), line);
    EXPECT_EQ(seen(decision), expected(line.at("expect").at(key)))
        << line.at("name") << ": " << line.at("why");
  }
}

TEST(GoldenDecisions, Baseline) {
  run("baseline@1", "baseline");
}
TEST(GoldenDecisions, Restricted) {
  run("restricted@1", "restricted");
}

}  // namespace
}  // namespace dockreeve::policy
