// Owners: labels, foreign and absent objects, references in a create body, full ids on the wire.
#include "policy/ownership.h"

#include <utility>

#include "policy/evaluator.h"
#include "rule_harness.h"

namespace dockreeve::policy::testing {
namespace {

const std::string kPolicies = R"(apiVersion: dockreeve/v1
kind: Identities
unknown: deny
identities: [{ name: "{{cert.cn}}", match: { certOU: "*" } }]
---
apiVersion: dockreeve/v1
kind: Policy
metadata: { name: site }
spec: { rules: { own-resources-only: { mode: MODE, by: BY, reads: READS } } }
---
apiVersion: dockreeve/v1
kind: Binding
metadata: { name: all }
spec: { subjects: { everyone: true }, policies: [site] }
)";

struct Site {
  std::string mode = "enforce", by = "team", reads = "false";

  Evaluator evaluator() const {
    std::string text = kPolicies;
    for (const auto& [from, to] : {std::pair{"MODE", mode}, {"BY", by}, {"READS", reads}}) {
      text.replace(text.find(from), std::string(from).size(), to);
    }
    std::vector<Diagnostic> diagnostics;
    auto set = load_policy_texts({{"site.yaml", text}}, diagnostics);
    for (const Diagnostic& diagnostic : diagnostics) {
      if (diagnostic.error) ADD_FAILURE() << render(diagnostic, text);
    }
    return Evaluator(std::move(set));
  }
};

// Mine by team, mine by name, bob's, nobody's, and one that is not there. Keys are what is asked.
Result<Fact> answer(const Lookup& lookup) {
  using Labels = docker::Map<std::string>;
  const Labels team{{"io.dockreeve.owner", "carol"}, {"io.dockreeve.team", "web"}};
  const Labels mine{{"io.dockreeve.owner", "alice"}, {"io.dockreeve.team", "old"}};
  const Labels bobs{{"io.dockreeve.owner", "bob"}, {"io.dockreeve.team", "data"}};
  const auto labels = [&]() -> std::optional<Labels> {
    if (lookup.key.starts_with("team")) return team;
    if (lookup.key.starts_with("mine")) return mine;
    if (lookup.key.starts_with("bobs")) return bobs;
    if (lookup.key.starts_with("free") || lookup.key.starts_with("odd")) return Labels{};
    return std::nullopt;
  }();
  switch (lookup.kind) {
    case LookupKind::Container: {
      ContainerFact fact;
      fact.found = labels.has_value();
      fact.id = std::string(60, 'c') + lookup.key.substr(0, 4);
      fact.labels = labels.value_or(Labels{});
      return fact;
    }
    case LookupKind::Exec: {
      ExecFact fact;
      fact.found = lookup.key[0] != '0';
      fact.id = lookup.key;
      fact.container_id = lookup.key[0] == 'a' ? "mine-1" : "bobs-1";
      return fact;
    }
    case LookupKind::Volume: {
      VolumeFact fact;
      fact.found = labels.has_value();
      fact.driver = lookup.key.starts_with("odd") ? "nas" : "local";
      fact.labels = labels.value_or(Labels{});
      return fact;
    }
    case LookupKind::Network: {
      NetworkFact fact;
      fact.found = labels.has_value();
      fact.id = std::string(60, 'e') + lookup.key.substr(0, 4);
      fact.name = lookup.key == "mine-pre" ? "mine-prefix" : lookup.key;
      fact.driver = "bridge";
      fact.labels = labels.value_or(Labels{});
      return fact;
    }
    case LookupKind::Service: {
      ServiceFact fact;
      fact.found = labels.has_value();
      fact.id = std::string(21, 's') + lookup.key.substr(0, 4);
      fact.labels = labels.value_or(Labels{});
      return fact;
    }
    case LookupKind::Image:
    case LookupKind::ImageUsers:
    case LookupKind::Task:
    case LookupKind::Secret:
    case LookupKind::Config:
    case LookupKind::HostPath:
    case LookupKind::Engine:
      break;
  }
  return fail("", "not asked in this test");
}

Decision decide(const Evaluator& evaluator, const std::string& api, const std::string& body = "") {
  docker::Request request = request_for(api, body);
  Facts facts;
  for (auto wanted = evaluator.needs(request, web_user(), facts); !wanted.empty();
       wanted = evaluator.needs(request, web_user(), facts)) {
    for (const Lookup& lookup : wanted)
      facts.put(lookup, answer(lookup));
  }
  return evaluator.evaluate(std::move(request), web_user(), facts, Stamp{"01D"});
}

std::string start(const std::string& name) {
  return "POST /v1.41/containers/" + name + "/start";
}
std::string exec_start(char digit) {
  return "POST /v1.41/exec/" + std::string(64, digit) + "/start";
}
const WireRequest& wire(const Decision& decision) {
  return std::get<Admitted>(decision.outcome).wire();
}

TEST(Ownership, OfLabels) {
  const Identity who = web_user();
  EXPECT_TRUE(is_own({{"io.dockreeve.owner", "alice"}}, who, OwnedBy::Identity));
  EXPECT_FALSE(is_own({{"io.dockreeve.team", "web"}}, who, OwnedBy::Identity));
  EXPECT_TRUE(is_own({{"io.dockreeve.team", "web"}}, who, OwnedBy::Team));
  EXPECT_FALSE(is_own({}, who, OwnedBy::Team));
  EXPECT_FALSE(is_own({{"io.dockreeve.owner", ""}}, {"", {}, {}, ""}, OwnedBy::Team));
  EXPECT_FALSE(is_own({{"io.dockreeve.team", ""}}, {"x", {""}, {}, ""}, OwnedBy::Team));
}

TEST(Ownership, OwnObjectsByPathGoUpstreamUnderTheirFullId) {
  const Evaluator site = Site().evaluator();
  const Decision decision = decide(site, start("mine-1"));
  ASSERT_FALSE(decision.denied());
  EXPECT_EQ(wire(decision).target, "/v1.41/containers/" + std::string(60, 'c') + "mine/start");
  EXPECT_FALSE(decide(site, start("team-1")).denied());
}

TEST(Ownership, ForeignAndAbsentLookTheSame) {
  const Evaluator site = Site().evaluator();
  for (const std::string name : {"bobs-1", "gone-1", "free-1"}) {
    const Decision decision = decide(site, start(name));
    ASSERT_TRUE(decision.denied());
    const Denied& denied = std::get<Denied>(decision.outcome);
    EXPECT_EQ(denied.status, 404);
    EXPECT_EQ(denied.plain, "No such container: " + name);
    EXPECT_EQ(denial_text(decision, "01X"), "No such container: " + name);
    ASSERT_EQ(decision.findings.size(), 1U);
    EXPECT_EQ(decision.findings[0].rule, "own-resources-only");
    EXPECT_EQ(decision.findings[0].message, denied.plain);
  }
}

TEST(Ownership, EveryKindHasTheEnginesWords) {
  const Evaluator site = Site().evaluator();
  EXPECT_EQ(denial_text(decide(site, "DELETE /v1.41/volumes/bobs-v"), "x"),
            "get bobs-v: no such volume");
  EXPECT_EQ(denial_text(decide(site, "DELETE /v1.41/networks/bobs-n"), "x"),
            "network bobs-n not found");
  EXPECT_EQ(denial_text(decide(site, exec_start('b'), "{}"), "x"),
            "No such exec instance: " + std::string(64, 'b'));
  EXPECT_EQ(denial_text(decide(site, exec_start('0'), "{}"), "x"),
            "No such exec instance: " + std::string(64, '0'));
}

TEST(Ownership, AnExecBelongsToTheOwnerOfItsContainer) {
  const Decision decision = decide(Site().evaluator(), exec_start('a'), R"({"Tty":true})");
  ASSERT_FALSE(decision.denied());
  EXPECT_EQ(wire(decision).target, "/v1.41/exec/" + std::string(64, 'a') + "/start");
}

TEST(Ownership, OtherFindingsDoNotBetrayAForeignObject) {
  const Decision decision =
      decide(Site().evaluator(), "PUT /v1.41/containers/bobs-1/archive?path=%2F");
  EXPECT_EQ(std::get<Denied>(decision.outcome).plain, "No such container: bobs-1");
}

TEST(Ownership, ReadsAreFreeUnlessThePolicySaysSo) {
  EXPECT_FALSE(decide(Site().evaluator(), "GET /v1.41/containers/bobs-1/json").denied());
  EXPECT_FALSE(decide(Site().evaluator(), "POST /v1.41/containers/bobs-1/wait").denied());
  const Evaluator strict = Site{"enforce", "team", "true"}.evaluator();
  EXPECT_TRUE(decide(strict, "GET /v1.41/containers/bobs-1/json").denied());
  EXPECT_FALSE(decide(strict, "GET /v1.41/containers/mine-1/json").denied());
}

TEST(Ownership, ByIdentityTeamsDoNotCount) {
  const Evaluator site = Site{"enforce", "identity", "false"}.evaluator();
  EXPECT_TRUE(decide(site, start("team-1")).denied());
  EXPECT_FALSE(decide(site, start("mine-1")).denied());
}

TEST(Ownership, WarningsNameTheForeignAndAreSilentAboutTheAbsent) {
  const Evaluator site = Site{"warn", "team", "false"}.evaluator();
  const Decision foreign = decide(site, start("bobs-1"));
  ASSERT_FALSE(foreign.denied());
  ASSERT_EQ(foreign.findings.size(), 1U);
  EXPECT_TRUE(foreign.findings[0].message.starts_with("Container bobs-1 belongs to someone else."));
  EXPECT_TRUE(decide(site, start("gone-1")).findings.empty());
}

TEST(Ownership, ReferencesToOthersAreRefused) {
  const Evaluator site = Site().evaluator();
  struct Case {
    std::string host, pointer;
  };
  const std::vector<Case> cases{
      {R"("VolumesFrom":["NAME:ro"])", "/HostConfig/VolumesFrom/0"},
      {R"("Links":["/NAME:db"])", "/HostConfig/Links/0"},
      {R"("NetworkMode":"container:NAME")", "/HostConfig/NetworkMode"},
      {R"("PidMode":"container:NAME")", "/HostConfig/PidMode"},
      {R"("IpcMode":"container:NAME")", "/HostConfig/IpcMode"},
      {R"("NetworkMode":"NAME")", "/HostConfig/NetworkMode"},
  };
  for (const Case& c : cases) {
    const auto create = [&](const std::string& name) {
      std::string members = c.host;
      members.replace(members.find("NAME"), 4, name);
      return decide(site, kCreate, host(members));
    };
    EXPECT_FALSE(create("mine-1").denied()) << c.host;
    for (const std::string name : {"bobs-1", "gone-1"}) {
      const Decision decision = create(name);
      ASSERT_EQ(decision.findings.size(), 1U) << c.host;
      EXPECT_EQ(std::get<Denied>(decision.outcome).status, 403);
      EXPECT_EQ(decision.findings[0].pointer, c.pointer);
      EXPECT_NE(decision.findings[0].message.find(name + " does not exist or is not yours"),
                std::string::npos);
    }
  }
}

TEST(Ownership, VolumesMayBeNewOrPlainAndNobodys) {
  const Evaluator site = Site().evaluator();
  const auto denied = [&](const std::string& volume) {
    return decide(site, kCreate, host("\"Binds\":[\"" + volume + ":/x\"]")).denied();
  };
  EXPECT_FALSE(denied("gone-v"));
  EXPECT_FALSE(denied("free-v"));
  EXPECT_FALSE(denied("team-v"));
  EXPECT_TRUE(denied("bobs-v"));
  EXPECT_TRUE(denied("odd-v"));
  const std::string create = "POST /v1.41/volumes/create";
  EXPECT_TRUE(decide(site, create, R"({"Name":"bobs-v"})").denied());
  EXPECT_FALSE(decide(site, create, R"({"Name":"gone-v"})").denied());
  EXPECT_TRUE(decide(site, "DELETE /v1.41/volumes/free-v").denied());
}

TEST(Pinning, ReferencesInABodyBecomeFullIds) {
  const Decision decision = decide(
      Site().evaluator(), kCreate,
      host(
          R"("VolumesFrom":["mine-1:ro"],"Links":["mine-2","team-1:db"],"PidMode":"container:mine-1",)"
          R"("NetworkMode":"mine-net")"));
  ASSERT_FALSE(decision.denied());
  const std::string mine = std::string(60, 'c') + "mine";
  const std::string team = std::string(60, 'c') + "team";
  const std::string& body = wire(decision).body;
  EXPECT_NE(body.find("\"VolumesFrom\":[\"" + mine + ":ro\"]"), std::string::npos) << body;
  EXPECT_NE(body.find("\"Links\":[\"" + mine + ":mine-2\",\"" + team + ":db\"]"),
            std::string::npos);
  EXPECT_NE(body.find("\"PidMode\":\"container:" + mine + "\""), std::string::npos);
  EXPECT_NE(body.find("\"NetworkMode\":\"mine-net\""), std::string::npos);
}

TEST(Pinning, ANetworkPrefixBecomesTheId) {
  const Decision decision = decide(
      Site().evaluator(), kCreate,
      R"({"HostConfig":{"NetworkMode":"mine-pre"},"NetworkingConfig":{"EndpointsConfig":{"mine-pre":{}}}})");
  ASSERT_FALSE(decision.denied());
  const std::string id = std::string(60, 'e') + "mine";
  EXPECT_NE(wire(decision).body.find("\"NetworkMode\":\"" + id + "\""), std::string::npos);
  EXPECT_NE(wire(decision).body.find("\"EndpointsConfig\":{\"" + id + "\":{}}"), std::string::npos)
      << wire(decision).body;
}

TEST(Pinning, AnImageThatWasLookedIntoBecomesItsId) {
  Facts facts;
  ImageFact image;
  image.id = "sha256:" + std::string(64, 'a');
  facts.put({LookupKind::Image, "tool:1"}, Fact(image));
  const auto image_sent = [&facts](const std::string& name) {
    docker::Request request = request_for(kCreate, R"({"Image":")" + name + R"("})");
    pin_references(request, facts);
    return request.body_as<docker::CreateContainer>()->image;
  };
  EXPECT_EQ(image_sent("tool:1"), image.id);
  EXPECT_EQ(image_sent("tool:2"), "tool:2");
}

TEST(Pinning, AnImageThatWasNotThereIsNotAskedForAgain) {
  Facts facts;
  ImageFact gone;
  gone.found = false;
  facts.put({LookupKind::Image, "gone:1"}, Fact(gone));
  facts.put({LookupKind::Image, "here:1"}, Fact(ImageFact{}));
  const auto words = [&facts](const std::string& name) {
    return absent_image(request_for(kCreate, R"({"Image":")" + name + R"("})"), facts);
  };
  EXPECT_EQ(words("gone:1"), "No such image: gone:1");
  EXPECT_EQ(words("here:1"), "");
  EXPECT_EQ(words("unknown:1"), "");
}

TEST(Stamping, ContainersAndVolumesCarryTheirMaker) {
  const Evaluator site = Site().evaluator();
  const Decision volume = decide(site, "POST /v1.41/volumes/create", R"({"Name":"v"})");
  ASSERT_FALSE(volume.denied());
  EXPECT_NE(wire(volume).body.find(R"("io.dockreeve.owner":"alice")"), std::string::npos);
  EXPECT_NE(wire(volume).body.find(R"("io.dockreeve.team":"web")"), std::string::npos);
  EXPECT_NE(wire(volume).body.find(R"("io.dockreeve.decision":"01D")"), std::string::npos);
  docker::Request request = request_for(kCreate, "{}");
  stamp_labels(request, {"solo", {}, {}, ""}, "01E", {});
  const auto& labels = request.body_as<docker::CreateContainer>()->labels;
  EXPECT_EQ(labels.at("io.dockreeve.owner"), "solo");
  EXPECT_FALSE(labels.contains("io.dockreeve.team"));
}

TEST(LooksLikeId, HexOfSixToSixtyFour) {
  EXPECT_TRUE(looks_like_id("abcdef"));
  EXPECT_TRUE(looks_like_id("/" + std::string(64, '0')));
  EXPECT_FALSE(looks_like_id("abcde"));
  EXPECT_FALSE(looks_like_id("abcdeG"));
  EXPECT_FALSE(looks_like_id("ABCDEF"));
  EXPECT_FALSE(looks_like_id(std::string(65, '0')));
}

}  // namespace
}  // namespace dockreeve::policy::testing
