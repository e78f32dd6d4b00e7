// What own-resources-only makes of requests that name no single object.
#include "policy/scope.h"

#include <utility>

#include "policy/evaluator.h"
#include "rule_harness.h"

namespace dockreeve::policy::testing {
namespace {

// `parameters` of own-resources-only, "" for none of it.
Evaluator evaluator(const std::string& parameters) {
  const std::string rule =
      parameters.empty() ? "{}" : "{ own-resources-only: { " + parameters + " }, no-prune: enforce }";
  const std::string text = R"(apiVersion: dockreeve/v1
kind: Identities
unknown: deny
identities: [{ name: "{{cert.cn}}", match: { certOU: "*" } }]
---
apiVersion: dockreeve/v1
kind: Policy
metadata: { name: site }
spec: { rules: )" + rule + R"( }
---
apiVersion: dockreeve/v1
kind: Binding
metadata: { name: all }
spec: { subjects: { everyone: true }, policies: [site] }
)";
  std::vector<Diagnostic> diagnostics;
  auto set = load_policy_texts({{"site.yaml", text}}, diagnostics);
  for (const Diagnostic& diagnostic : diagnostics) {
    if (diagnostic.error) ADD_FAILURE() << render(diagnostic, text);
  }
  return Evaluator(std::move(set));
}

const std::string kEnforce = "mode: enforce, by: team, reads: true, unowned: [admin]";
const std::string kOpen = "mode: enforce, by: team, reads: false";
const Identity kAlice{"alice", {"web"}, {}, ""};
const Identity kBoth{"both", {"data", "web"}, {}, ""};
const Identity kLoner{"loner", {}, {"guest"}, ""};
const Identity kAdmin{"root", {"web"}, {"admin"}, ""};

Decision decide(const std::string& parameters, const Identity& who, const std::string& api,
                const Facts& facts = {}) {
  return evaluator(parameters).evaluate(request_for(api, ""), who, facts, Stamp{"01D"});
}

TEST(SwarmLists, GetTheCallersLabel) {
  const auto narrowed = [](const std::string& api, OwnerScope scope) {
    docker::Request request = request_for(api, "");
    EXPECT_FALSE(narrow(request, scope));
    return std::string(docker::param(request.target.query, "filters"));
  };
  OwnerScope team{OwnedBy::Team, true, false, "alice", {"web"}};
  OwnerScope person{OwnedBy::Identity, true, false, "alice", {"web"}};
  EXPECT_EQ(narrowed("GET /v1.41/services", team), R"({"label":["io.dockreeve.team=web"]})");
  EXPECT_EQ(narrowed("GET /v1.41/secrets", person), R"({"label":["io.dockreeve.owner=alice"]})");
  EXPECT_EQ(narrowed("GET /v1.41/tasks?filters=%7B%22label%22%3A%5B%22io.dockreeve.team%3Ddata%22%5D%7D",
                     team),
            R"({"label":["io.dockreeve.team=data","io.dockreeve.team=web"]})");
  EXPECT_EQ(narrowed("GET /v1.41/nodes", team), "");
  team.reads = false;
  EXPECT_EQ(narrowed("GET /v1.41/configs", team), "");
}

WireRequest wire(const std::string& parameters, const Identity& who, const std::string& api,
                 const Facts& facts = {}) {
  const Decision decision = decide(parameters, who, api, facts);
  const auto* admitted = std::get_if<Admitted>(&decision.outcome);
  if (!admitted) {
    ADD_FAILURE() << api << " was denied";
    return {};
  }
  return admitted->wire();
}

// A container with this id that `team` owns; "" for nobody.
ContainerFact container(const std::string& id, const std::string& team) {
  ContainerFact fact;
  fact.id = id;
  if (!team.empty()) fact.labels = {{"io.dockreeve.team", team}};
  return fact;
}

const std::string kTeamWeb = "%22io.dockreeve.team%3Dweb%22";

TEST(Scope, ListsGetTheOwnerLabelWhereOneLabelSaysIt) {
  const std::string one = "?filters=%7B%22label%22%3A%5B" + kTeamWeb + "%5D%7D";
  for (const auto* path : {"/v1.41/containers/json", "/v1.41/volumes", "/v1.41/events"}) {
    const std::string api = std::string("GET ") + path;
    EXPECT_EQ(wire(kEnforce, kAlice, api).target, path + one);
    EXPECT_EQ(wire(kEnforce, kBoth, api).target, path);
    EXPECT_EQ(wire(kEnforce, kAdmin, api).target, path);
    EXPECT_EQ(wire(kOpen, kAlice, api).target, path);
    EXPECT_EQ(wire("", kAlice, api).target, path);
    EXPECT_NE(wire(kEnforce, kLoner, api).target.find("io.dockreeve.owner%3Dloner"), std::string::npos);
  }
  EXPECT_EQ(wire(kEnforce, kAlice, "GET /v1.41/networks").target, "/v1.41/networks");
}

TEST(Scope, FiltersOfTheClientStay) {
  EXPECT_EQ(wire(kEnforce, kAlice,
                 "GET /v1.41/containers/json?filters=%7B%22label%22%3A%7B%22io.dockreeve.team%3Ddata"
                 "%22%3Atrue%7D%2C%22status%22%3A%7B%22exited%22%3Atrue%7D%7D")
                .target,
            "/v1.41/containers/json?filters=%7B%22label%22%3A%5B%22io.dockreeve.team%3Ddata%22%2C" +
                kTeamWeb + "%5D%2C%22status%22%3A%5B%22exited%22%5D%7D");
}

TEST(Scope, ALimitIsCountedBehindTheFilter) {
  const WireRequest both = wire(kEnforce, kBoth, "GET /v1.41/containers/json?limit=2");
  EXPECT_EQ(both.target, "/v1.41/containers/json?all=1");
  EXPECT_EQ(both.answer->limit, 2U);
  const WireRequest alice = wire(kEnforce, kAlice, "GET /v1.41/containers/json?limit=2");
  EXPECT_NE(alice.target.find("limit=2"), std::string::npos);
  EXPECT_EQ(alice.answer->limit, 0U);
  EXPECT_EQ(wire(kEnforce, kBoth, "GET /v1.41/containers/json?limit=-1").target,
            "/v1.41/containers/json?limit=-1");
}

TEST(Scope, WhichAnswersAreReadAgain) {
  Facts facts;
  facts.put({LookupKind::Container, "c"}, container("1", "web"));
  NetworkFact bridge;
  bridge.id = "2";
  bridge.name = "bridge";
  facts.put({LookupKind::Network, "bridge"}, bridge);
  VolumeFact volume;
  volume.labels = {{"io.dockreeve.team", "web"}};
  facts.put({LookupKind::Volume, "v"}, volume);
  struct Row {
    const char* path;
    bool hiding, showing;
  };
  for (const Row& row : {Row{"containers/json", true, true}, Row{"volumes", true, true},
                         Row{"networks", true, false}, Row{"system/df", true, true},
                         Row{"events", true, false}, Row{"containers/c/json", false, true},
                         Row{"volumes/v", true, true}, Row{"networks/bridge", true, false},
                         Row{"images/json", false, false}, Row{"containers/c/logs", false, false}}) {
    const std::string api = std::string("GET /v1.41/") + row.path;
    EXPECT_EQ(wire(kEnforce, kAlice, api, facts).answer.has_value(), row.hiding) << row.path;
    EXPECT_EQ(wire(kOpen, kAlice, api, facts).answer.has_value(), row.showing) << row.path;
    EXPECT_FALSE(wire("", kAlice, api, facts).answer.has_value()) << row.path;
    EXPECT_FALSE(wire("mode: warn, reads: true", kAlice, api, facts).answer.has_value()) << row.path;
  }
}

TEST(Scope, PrunesTakeOnlyWhatIsStamped) {
  for (const auto* kind : {"containers", "volumes", "networks", "images"}) {
    const std::string path = std::string("/v1.41/") + kind + "/prune";
    const std::string web = path + "?filters=%7B%22label%22%3A%5B" + kTeamWeb + "%5D%7D";
    EXPECT_EQ(wire(kEnforce, kAlice, "POST " + path).target, web);
    EXPECT_EQ(wire(kOpen, kAlice, "POST " + path).target, web);
    EXPECT_EQ(wire(kEnforce, kAdmin, "POST " + path).target, web);
    EXPECT_NE(wire(kEnforce, kBoth, "POST " + path).target.find("team%3Ddata"), std::string::npos);
    EXPECT_NE(wire("mode: enforce, by: identity", kAlice, "POST " + path).target.find("owner%3Dalice"),
              std::string::npos);
    EXPECT_EQ(wire("", kAlice, "POST " + path).target, path);
    EXPECT_TRUE(decide("mode: audit", kAlice, "POST " + path).denied()) << "no-prune has its say";
  }
}

TEST(Scope, BuildCacheOfOthersStays) {
  const std::string none = "/v1.41/build/prune?filters=%7B%22id%22%3A%5B%22dockreeve-nothing%22%5D%7D";
  EXPECT_EQ(wire(kEnforce, kAlice, "POST /v1.41/build/prune").target, none);
  EXPECT_EQ(wire(kEnforce, kAlice,
                 "POST /v1.41/build/prune?all=1&filters=%7B%22id%22%3A%5B%22abc%22%5D%7D")
                .target,
            none);
}

TEST(Scope, ContainersInFiltersAreResolvedAndForeignOnesAbsent) {
  Facts facts;
  facts.put({LookupKind::Container, "c"}, container("111", "web"));
  facts.put({LookupKind::Container, "d"}, container("222", "data"));
  ContainerFact nothing;
  nothing.found = false;
  facts.put({LookupKind::Container, "e"}, nothing);
  const auto api = [](const std::string& key, const std::string& name) {
    return "GET /v1.41/containers/json?filters=%7B%22" + key + "%22%3A%5B%22" + name + "%22%5D%7D";
  };
  for (const auto* key : {"before", "since"}) {
    EXPECT_NE(wire(kEnforce, kAlice, api(key, "%2Fc"), facts).target.find("%22111%22"),
              std::string::npos);
    for (const std::string name : {"d", "e"}) {
      const Decision decision = decide(kEnforce, kAlice, api(key, name), facts);
      const auto* denied = std::get_if<Denied>(&decision.outcome);
      ASSERT_TRUE(denied);
      EXPECT_EQ(denied->status, 404);
      EXPECT_EQ(denied->plain, "No such container: " + name);
    }
    EXPECT_TRUE(decide(kEnforce, kAlice, api(key, "f"), facts).denied()) << "not looked up";
    EXPECT_FALSE(decide(kOpen, kAlice, api(key, "d"), facts).denied());
  }
}

TEST(Scope, TheEnvironmentOfOthersIsNotInTopEither) {
  Facts facts;
  facts.put({LookupKind::Container, "d"}, container("2", ""));
  EXPECT_FALSE(decide(kOpen, kAlice, "GET /v1.41/containers/d/top", facts).denied());
  EXPECT_TRUE(decide(kOpen, kAlice, "GET /v1.41/containers/d/top?ps_args=axe", facts).denied());
}

TEST(Scope, UnownedThingsBelongToARole) {
  Facts facts;
  facts.put({LookupKind::Container, "d"}, container("2", ""));
  facts.put({LookupKind::Container, "e"}, container("3", "data"));
  const std::string start = "POST /v1.41/containers/";
  EXPECT_FALSE(decide(kEnforce, kAdmin, start + "d/start", facts).denied());
  EXPECT_TRUE(decide(kEnforce, kAdmin, start + "e/start", facts).denied());
  EXPECT_TRUE(decide(kEnforce, kAlice, start + "d/start", facts).denied());
  EXPECT_TRUE(decide(kOpen, kAdmin, start + "d/start", facts).denied());
}

TEST(WithoutIds, WhatTheRequestDoesNotHaveIsHidden) {
  const std::string full(64, 'b');
  EXPECT_EQ(without_ids("in use by \"" + full + "\".", "POST /x"), "in use by \"(hidden)\".");
  EXPECT_EQ(without_ids("is using its image 0123456789ab", ""), "is using its image (hidden)");
  EXPECT_EQ(without_ids("No such container: " + full, "/containers/" + full + "/json"),
            "No such container: " + full);
  EXPECT_EQ(without_ids("a dead cafe, 1234567 and 0123456789abc", ""),
            "a dead cafe, 1234567 and 0123456789abc");
  EXPECT_EQ(without_ids("", ""), "");
}

}  // namespace
}  // namespace dockreeve::policy::testing
