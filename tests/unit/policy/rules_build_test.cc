// Rules about builds, image archives and imports.
#include "policy/evaluator.h"
#include "policy/ownership.h"
#include "tests/unit/docker/tar_support.h"
#include "tests/unit/policy/loader_fixture.h"
#include "tests/unit/policy/rule_harness.h"

namespace dockreeve::policy {
namespace {

using namespace testing;
using docker::testing::file;
using docker::testing::kEnd;

std::string context(const std::string& dockerfile) {
  return file("Dockerfile", dockerfile) + kEnd;
}
const std::string kBuild = "POST /v1.41/build";
const std::string kLoad = "POST /v1.41/images/load";
std::string archive(const std::string& tags) {
  return file("manifest.json", "[{\"RepoTags\":[" + tags + "]}]") + kEnd;
}
const Overrides kTeam{{"registries", Texts{"docker.io/library/*", "reg:5000/team/**"}}};

class Builds : public RuleTable {};
TEST_P(Builds, Reports) {
  EXPECT_EQ(run_rule(GetParam()), GetParam().want);
}

INSTANTIATE_TEST_SUITE_P(
    Table, Builds,
    ::testing::Values(
        RuleCase{"trusted", "trusted-registry", kTeam, kBuild,
                 context("FROM busybox AS a\nFROM reg:5000/team/x\nCOPY --from=a / /"), "{}", {}},
        RuleCase{"untrusted", "trusted-registry", kTeam, kBuild,
                 context("FROM evil/x AS a\nFROM busybox\nCOPY --from=reg:5000/other / /"), "{}",
                 {"Dockerfile:1", "Dockerfile:3"}},
        RuleCase{"by_id", "trusted-registry", kTeam, kBuild, context("FROM cafe"),
                 R"({"resolvesAsId":["cafe"]})", {"Dockerfile:1"}},
        RuleCase{"squats", "trusted-registry", kTeam, kBuild + "?t=mine/x&t=busybox&t=reg:5000/team/y",
                 context("FROM busybox"), "{}", {"query/t", "query/t"}},
        RuleCase{"load_squats", "trusted-registry", kTeam, kLoad, archive(R"("mine/x:1","busybox:1")"),
                 "{}", {"body"}},
        RuleCase{"import_squats", "trusted-registry", kTeam,
                 "POST /v1.41/images/create?fromSrc=-&repo=busybox&tag=x", "tar", "{}", {"query/repo"}},
        RuleCase{"from_listed", "build-from-allowlist", {}, kBuild, context("FROM busybox:1"), "{}", {}},
        RuleCase{"from_other", "build-from-allowlist", {}, kBuild,
                 context("FROM scratch\nCOPY --from=a/b / /"), "{}", {"Dockerfile:2"}},
        RuleCase{"user", "build-requires-user", {}, kBuild, context("FROM a\nUSER 1000"), "{}", {}},
        RuleCase{"user_of_stage", "build-requires-user", {}, kBuild,
                 context("FROM a AS b\nUSER app\nFROM b"), "{}", {}},
        RuleCase{"no_user", "build-requires-user", {}, kBuild, context("FROM a"), "{}", {"Dockerfile"}},
        RuleCase{"root", "build-requires-user", {}, kBuild, context("FROM a\nUSER 0:1"), "{}", {"Dockerfile"}},
        RuleCase{"variable", "build-requires-user", {}, kBuild, context("FROM a\nUSER $U"), "{}", {"Dockerfile"}},
        RuleCase{"target", "build-requires-user", {}, kBuild + "?target=x",
                 context("FROM a AS x\nFROM b\nUSER 5"), "{}", {"Dockerfile"}},
        RuleCase{"label_line", "reserved-labels", {}, kBuild,
                 context("FROM a\nLABEL x=y 'io.dockreeve.owner'=z"), "{}", {"Dockerfile"}},
        RuleCase{"label_query", "reserved-labels", {},
                 kBuild + "?labels=%7B%22io.dockreeve.x%22%3A%22%22%7D", "", "{}",
                 {"query/labels/io.dockreeve.x"}},
        RuleCase{"label_change", "reserved-labels", {},
                 "POST /v1.41/images/create?fromSrc=-&changes=LABEL+io.dockreeve.a%3Db", "tar", "{}",
                 {"query/changes"}},
        RuleCase{"memory", "max-memory-limit", {}, kBuild + "?memory=99999999999", "", "{}", {"query/memory"}},
        RuleCase{"no_memory", "max-memory-limit", {}, kBuild, "", "{}", {}},
        RuleCase{"cpu", "max-cpu-limit", {{"max", 2.0}}, kBuild + "?cpuquota=300000&cpuperiod=100000", "",
                 "{}", {"query/cpuquota"}},
        RuleCase{"shm", "shm-size-max", {}, kBuild + "?shmsize=99999999999", "", "{}", {"query/shmsize"}},
        RuleCase{"network", "allowed-networks", {{"allowed", Texts{"none"}}}, kBuild, "", "{}",
                 {"query/networkmode"}},
        RuleCase{"network_none", "allowed-networks", {{"allowed", Texts{"none"}}},
                 kBuild + "?networkmode=none", "", "{}", {}},
        RuleCase{"joins", "no-container-namespace-sharing", {}, kBuild + "?networkmode=container:x", "",
                 "{}", {"query/networkmode"}},
        RuleCase{"joins_host", "no-host-network", {}, kBuild + "?networkmode=container:x", "",
                 R"({"containers":{"x":{"NetworkMode":"host"}}})", {"query/networkmode"}},
        RuleCase{"foreign_network", "own-resources-only", {}, kBuild + "?networkmode=theirs", "", "{}",
                 {"query/networkmode"}},
        RuleCase{"import", "no-image-import", {}, "POST /v1.41/images/create?fromSrc=-", "tar", "{}",
                 {"query/fromSrc"}}),
    case_name);

Decision decide(const std::string& rules, const std::string& api, const std::string& body) {
  std::vector<Diagnostic> diagnostics;
  const auto set = load_policy_texts(
      {{"p.yaml",
        "apiVersion: dockreeve/v1\nkind: Identities\nunknown: deny\nidentities:\n"
        "  - { name: x, match: { certOU: \"*\" } }\n---\napiVersion: dockreeve/v1\nkind: Policy\n"
        "metadata: { name: p }\nspec:\n  rules: " + rules +
            "\n---\napiVersion: dockreeve/v1\nkind: Binding\nmetadata: { name: b }\n"
            "spec: { subjects: { everyone: true }, policies: [p] }\n"}},
      diagnostics);
  if (!set) ADD_FAILURE() << (diagnostics.empty() ? "" : diagnostics.front().message);
  Facts facts;
  return Evaluator(set).evaluate(request_for(api, body), web_user(), facts, Stamp{"01TEST"});
}

std::string target_of(const Decision& decision) {
  const auto* admitted = std::get_if<Admitted>(&decision.outcome);
  return admitted ? admitted->wire().target : "denied";
}

TEST(BuildDecision, StampsTheOwnerBehindTheClientsLabels) {
  const std::string target = target_of(
      decide("{}", kBuild + "?labels=%7B%22a%22%3A%22b%22%7D&q=1", context("FROM a")));
  EXPECT_NE(target.find("q=1&labels=%7B%22a%22%3A%22b%22%2C%22io.dockreeve.owner%22%3A%22alice%22%2C"
                        "%22io.dockreeve.team%22%3A%22web%22%7D"),
            std::string::npos)
      << target;
}

TEST(BuildDecision, ImportsAreStampedByALine) {
  const std::string target =
      target_of(decide("{}", "POST /v1.41/images/create?fromSrc=-&changes=ENV+a%3Db", "tar"));
  EXPECT_NE(target.find("changes=ENV%20a%3Db&changes=LABEL%20io.dockreeve.owner%3D%22alice%22"),
            std::string::npos)
      << target;
}

TEST(BuildDecision, RemoteContextsAreOpenedByARuleOnly) {
  const std::string api = kBuild + "?remote=https://git.example/x.tar";
  const std::string listed = "build-remote-context: { mode: enforce, allowed: [\"https://git.example/**\"] }";
  EXPECT_TRUE(decide("{}", api, "").denied());
  EXPECT_TRUE(decide("{ build-remote-context: enforce }", api, "").denied());
  EXPECT_TRUE(decide("{ build-remote-context: warn }", api, "").denied());
  EXPECT_FALSE(decide("{ " + listed + " }", api, "").denied());
  // Nobody has read the Dockerfile behind it.
  EXPECT_TRUE(decide("{ " + listed + ", trusted-registry: enforce }", api, "").denied());
}

TEST(BuildDecision, AnotherCgroupIsOpenedByARuleOnly) {
  const std::string api = kBuild + "?cgroupparent=/ci";
  EXPECT_TRUE(decide("{}", api, context("FROM a")).denied());
  EXPECT_TRUE(decide("{ no-cgroup-parent: warn }", api, context("FROM a")).denied());
  EXPECT_TRUE(decide("{ no-cgroup-parent: enforce }", api, context("FROM a")).denied());
  EXPECT_FALSE(decide("{ no-cgroup-parent: { mode: enforce, allowed: [/ci] } }", api,
                      context("FROM a")).denied());
}

TEST(BuildDecision, ImportsComeFromTheClient) {
  const std::string api = "POST /v1.41/images/create?fromSrc=";
  EXPECT_FALSE(decide("{}", api + "-", "tar").denied());
  EXPECT_TRUE(decide("{}", api + "http://x/y", "").denied());
  EXPECT_TRUE(decide("{}", api + "-&fromImage=a&tag=b", "tar").denied());
}

TEST(BuildDecision, RecordsWhatWasRead) {
  EXPECT_EQ(decide("{}", kBuild, context("FROM a\nCOPY --from=b / /")).canonical_body,
            R"({"reads":["a","b"]})");
  EXPECT_EQ(decide("{}", kLoad, archive(R"("x:1")")).canonical_body, R"({"names":["x:1"]})");
}

}  // namespace
}  // namespace dockreeve::policy
