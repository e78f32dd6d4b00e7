// How findings become a decision: modes, errors, missing policies, closed routes, wire form, texts.
#include "policy/evaluator.h"

#include <algorithm>
#include <utility>

#include "rule_harness.h"

namespace dockreeve::policy::testing {
namespace {

// A set with one ruleset for everybody, or none.
class FakeSet final : public PolicySet {
 public:
  explicit FakeSet(std::optional<std::vector<CompiledRule>> rules) {
    if (!rules) return;
    auto set = std::make_shared<Ruleset>();
    set->rules = *std::move(rules);
    set->policies = {"site"};
    set->bindings = {"all"};
    rules_ = std::move(set);
  }
  std::optional<Identity> identify(const certs::Caller&) const override { return std::nullopt; }
  Identity named(std::string name, std::vector<std::string> teams) const override {
    return {std::move(name), std::move(teams), {}, ""};
  }
  std::shared_ptr<const Ruleset> rules_for(const Identity&) const override { return rules_; }
  const std::string& hash() const override { return hash_; }

 private:
  std::shared_ptr<const Ruleset> rules_;
  std::string hash_ = "fake";
};

CompiledRule rule(std::string_view id, Mode mode, const Overrides& overrides = {}) {
  CompiledRule out;
  out.id = id;
  out.mode = mode;
  out.severity = Severity::High;
  out.policy = "site";
  out.origin = "site.yaml:3";
  const RuleEntry* entry = find_rule(id);
  out.message = entry->message;
  Params params;
  for (const ParamDef& param : entry->params)
    params.set(param.name, param.fallback);
  for (const auto& [name, value] : overrides)
    params.set(name, value);
  out.params = std::make_shared<const Params>(std::move(params));
  out.check = compile_rule(std::string(id), overrides);
  return out;
}

Evaluator evaluator(std::optional<std::vector<CompiledRule>> rules) {
  return Evaluator(std::make_shared<FakeSet>(std::move(rules)));
}

Decision decide(const Evaluator& evaluator, docker::Request request,
                const std::string& context = "{}") {
  const auto file = ContextFile::parse(context);
  const Facts facts = answer_all(evaluator, request, web_user(), file.value());
  return evaluator.evaluate(std::move(request), web_user(), facts, Stamp{"01D"}, {41});
}

Texts rules_of(const Decision& decision) {
  Texts out;
  for (const Finding& finding : decision.findings) {
    out.push_back(finding.rule + ":" + std::string(name(finding.effect)));
  }
  return out;
}

const WireRequest& wire(const Decision& decision) {
  return std::get<Admitted>(decision.outcome).wire();
}

const std::string kPrivileged = host(R"("Privileged":true)");

TEST(Evaluator, ModesDecideWhatAFindingDoes) {
  struct Case {
    Mode mode;
    bool denied;
    std::string effect;
  };
  for (const Case& c : {Case{Mode::Enforce, true, "deny"}, Case{Mode::Always, true, "deny"},
                        Case{Mode::Warn, false, "warn"}, Case{Mode::Audit, false, "audit"}}) {
    const Decision decision =
        decide(evaluator({{rule("no-privileged", c.mode)}}), request_for(kCreate, kPrivileged));
    EXPECT_EQ(decision.denied(), c.denied) << c.effect;
    EXPECT_EQ(rules_of(decision), Texts{"no-privileged:" + c.effect});
  }
  const Decision off = decide(evaluator({{rule("no-privileged", Mode::Disabled)}}),
                              request_for(kCreate, kPrivileged));
  EXPECT_FALSE(off.denied());
  EXPECT_TRUE(off.findings.empty());
}

TEST(Evaluator, AFindingSaysWhereItComesFrom) {
  const Decision decision = decide(evaluator({{rule("cap-add-allowlist", Mode::Enforce)}}),
                                   request_for(kCreate, host(R"("CapAdd":["SYS_ADMIN","BPF"])")));
  ASSERT_EQ(decision.findings.size(), 1U);
  const Finding& finding = decision.findings[0];
  EXPECT_EQ(finding.policy, "site");
  EXPECT_EQ(finding.origin, "site.yaml:3");
  EXPECT_EQ(finding.pointer, "/HostConfig/CapAdd");
  EXPECT_EQ(finding.fix, "remove --cap-add SYS_ADMIN");
  EXPECT_EQ(finding.controls, Texts{"cis-docker-1.6/5.4"});
  EXPECT_TRUE(finding.message.starts_with("Capability SYS_ADMIN, BPF may not be added. Allowed: "))
      << finding.message;
  EXPECT_EQ(decision.policies, Texts{"site"});
  EXPECT_EQ(decision.bindings, Texts{"all"});
}

TEST(Evaluator, EveryFindingIsCollected) {
  const Decision decision =
      decide(evaluator({{rule("no-privileged", Mode::Enforce), rule("no-host-pid", Mode::Enforce),
                         rule("no-host-uts", Mode::Warn)}}),
             request_for(kCreate, host(R"("Privileged":true,"PidMode":"host","UTSMode":"host")")));
  EXPECT_EQ(rules_of(decision),
            (Texts{"no-privileged:deny", "no-host-pid:deny", "no-host-uts:warn"}));
}

TEST(Evaluator, NobodyPassesWithoutAPolicy) {
  const Decision decision = decide(evaluator(std::nullopt), request_for("GET /v1.41/info", ""));
  EXPECT_EQ(rules_of(decision), Texts{"no-policy:deny"});
  EXPECT_EQ(std::get<Denied>(decision.outcome).status, 403);
  EXPECT_NE(decision.findings[0].message.find("alice"), std::string::npos);
}

TEST(Evaluator, NegotiationIsFreeForAll) {
  const Evaluator nobody = evaluator(std::nullopt);
  EXPECT_FALSE(decide(nobody, request_for("HEAD /_ping", "")).denied());
  EXPECT_FALSE(decide(nobody, request_for("GET /v1.41/version", "")).denied());
}

TEST(Evaluator, ClosedRoutesAreRefusedEvenIfNoRuleFires) {
  const Decision decision = decide(evaluator({{rule("no-privileged", Mode::Enforce)}}),
                                   request_for("POST /v1.41/swarm/init", ""));
  EXPECT_EQ(rules_of(decision), Texts{"unknown-endpoint:deny"});
  EXPECT_NE(decision.findings[0].message.find("swarm.init"), std::string::npos);
  const Decision named = decide(evaluator({{rule("no-swarm-management", Mode::Enforce)}}),
                                request_for("POST /v1.41/swarm/init", ""));
  EXPECT_EQ(rules_of(named), Texts{"no-swarm-management:deny"});
  const Decision warned = decide(evaluator({{rule("no-swarm-management", Mode::Warn)}}),
                                 request_for("POST /v1.41/swarm/init", ""));
  EXPECT_TRUE(warned.denied());
}

TEST(Evaluator, OptInRoutesNeedAnEnforcedAllowListThatNamesThem) {
  const std::string api = "GET /v1.41/nodes";
  const auto outcome = [&](Mode mode, const Texts& allow) {
    return decide(evaluator({{rule("endpoint-allowlist", mode, {{"allow", allow}})}}),
                  request_for(api, ""));
  };
  EXPECT_FALSE(outcome(Mode::Enforce, {"container.*", "node.list"}).denied());
  EXPECT_FALSE(outcome(Mode::Always, {"*", "node.list"}).denied());
  for (const Mode mode : {Mode::Warn, Mode::Audit, Mode::Disabled}) {
    EXPECT_TRUE(outcome(mode, {"node.list"}).denied());
  }
  const Decision globbed = outcome(Mode::Enforce, {"*", "node.*", "node.lis?"});
  EXPECT_EQ(rules_of(globbed), Texts{"unknown-endpoint:deny"});
  EXPECT_NE(globbed.findings[0].message.find("`allow` of an enforced endpoint-allowlist"),
            std::string::npos);
  EXPECT_EQ(rules_of(outcome(Mode::Enforce, {"image.*"})), Texts{"endpoint-allowlist:deny"});
  EXPECT_TRUE(
      decide(evaluator({{rule("no-privileged", Mode::Enforce)}}), request_for(api, "")).denied());
  // Closed rows stay closed, whoever names them.
  EXPECT_TRUE(decide(evaluator({{rule("endpoint-allowlist", Mode::Enforce,
                                      {{"allow", Texts{"swarm.inspect"}}})}}),
                     request_for("GET /v1.41/swarm", ""))
                  .denied());
}

TEST(Evaluator, AWeakerNoNewPrivilegesDoesNotReachTheEngine) {
  const Decision decision =
      decide(evaluator({{rule("no-privileged", Mode::Enforce)}}),
             request_for(kCreate, host(R"("SecurityOpt":["no-new-privileges=false"])")));
  EXPECT_EQ(rules_of(decision), Texts{"no-new-privileges:mutated"});
  EXPECT_EQ(wire(decision).body.find("no-new-privileges"), std::string::npos);
}

TEST(Evaluator, AServiceIsJudgedByRulesWhenAskedBeforehand) {
  const std::string body = R"({"TaskTemplate":{"ContainerSpec":{"CapabilityAdd":["SYS_ADMIN"]}}})";
  const std::string api = "POST /v1.41/services/create";
  const Evaluator gateway = evaluator({{rule("cap-add-allowlist", Mode::Enforce)}});
  EXPECT_EQ(rules_of(decide(gateway, request_for(api, body))), Texts{"cap-add-allowlist:deny"});
  EXPECT_EQ(rules_of(decide(gateway, request_for(api, "{}"))), Texts{"unknown-endpoint:deny"});
}

TEST(Evaluator, ABuildMayNotNameItsImageLikeAnId) {
  const Evaluator open = evaluator({{rule("no-privileged", Mode::Enforce)}});
  EXPECT_FALSE(decide(open, request_for("POST /v1.41/build?t=app:1", "")).denied());
  for (const auto* name : {"f5389114634a", "docker.io/library/f5389114634a:1"}) {
    const Decision decision =
        decide(open, request_for("POST /v1.41/build?t=" + std::string(name), ""));
    EXPECT_EQ(rules_of(decision), Texts{"ambiguous-request:deny"}) << name;
  }
}

TEST(Evaluator, AFailedLookupDeniesUnlessThePolicySaysOtherwise) {
  const docker::Request request = request_for(kCreate, host(""));
  Facts facts;
  facts.put({LookupKind::Engine, ""}, fail("", "engine is away\n"));
  const auto outcome = [&](Mode mode, bool error_denies) {
    CompiledRule compiled = rule("no-new-privileges", mode);
    compiled.error_denies = error_denies;
    return evaluator({{compiled}}).evaluate(request, web_user(), facts, Stamp{"01D"});
  };
  const Decision denied = outcome(Mode::Enforce, true);
  EXPECT_TRUE(denied.denied());
  EXPECT_EQ(rules_of(denied), Texts{"no-new-privileges:error"});
  EXPECT_NE(denied.findings[0].message.find("engine is away"), std::string::npos);
  EXPECT_FALSE(outcome(Mode::Enforce, false).denied());
  EXPECT_EQ(rules_of(outcome(Mode::Enforce, false)), Texts{"no-new-privileges:audit"});
  EXPECT_FALSE(outcome(Mode::Warn, true).denied());
  EXPECT_EQ(rules_of(outcome(Mode::Warn, true)), Texts{"no-new-privileges:warn"});
}

TEST(Evaluator, AnAnswerThatNobodyAskedForDeniesInEveryMode) {
  const docker::Request request = request_for(kCreate, host(""));
  for (const Mode mode : {Mode::Enforce, Mode::Warn, Mode::Audit}) {
    CompiledRule compiled = rule("no-new-privileges", mode);
    compiled.error_denies = false;
    const Decision decision =
        evaluator({{compiled}}).evaluate(request, web_user(), Facts{}, Stamp{"01D"});
    EXPECT_TRUE(decision.denied());
    EXPECT_EQ(rules_of(decision), Texts{"no-new-privileges:error"});
  }
}

TEST(Evaluator, NeedsStopAtTheLimitAndTheRequestIsRefused) {
  std::string binds;
  for (int i = 0; i < 70; ++i) {
    binds += (i > 0 ? "," : "") + std::string("\"v") + std::to_string(i) + ":/x" +
             std::to_string(i) + "\"";
  }
  const docker::Request request = request_for(kCreate, host("\"Binds\":[" + binds + "]"));
  const Evaluator judge = evaluator({{rule("volume-driver-opts-allowlist", Mode::Warn)}});
  EXPECT_EQ(judge.needs(request, web_user(), Facts{}).size(), 64U);
  const Decision decision = decide(judge, request);
  EXPECT_TRUE(decision.denied());
  EXPECT_NE(decision.findings[0].message.find("more than 64"), std::string::npos);
}

TEST(Evaluator, AsksOnlyWhatActiveRulesNeedAndOnlyOnce) {
  const docker::Request request = request_for(kCreate, host(R"("NetworkMode":"app")"));
  const Evaluator judge = evaluator(
      {{rule("no-host-network", Mode::Enforce), rule("no-new-privileges", Mode::Disabled)}});
  const std::vector<Lookup> wanted = judge.needs(request, web_user(), Facts{});
  EXPECT_EQ(wanted, (std::vector<Lookup>{{LookupKind::Network, "app"}}));
  Facts facts;
  facts.put(wanted[0], Fact(NetworkFact{}));
  EXPECT_TRUE(judge.needs(request, web_user(), facts).empty());
}

TEST(Evaluator, ReservedLabelsHoldWithoutBeingAskedFor) {
  const docker::Request request =
      request_for(kCreate, R"({"Labels":{"io.dockreeve.owner":"bob"}})");
  EXPECT_EQ(rules_of(decide(evaluator({std::vector<CompiledRule>{}}), request)),
            Texts{"reserved-labels:deny"});
  const Decision once = decide(evaluator({{rule("reserved-labels", Mode::Always)}}), request);
  EXPECT_EQ(rules_of(once), Texts{"reserved-labels:deny"});
}

TEST(Evaluator, MountsThatCannotBeReadAreRefused) {
  const Decision decision = decide(evaluator({std::vector<CompiledRule>{}}),
                                   request_for(kCreate, host(R"("Binds":["/srv/a:/x:rw,bogus"])")));
  EXPECT_EQ(rules_of(decision), Texts{"ambiguous-request:deny"});
  EXPECT_EQ(decision.findings[0].pointer, "/HostConfig/Binds/0");
}

TEST(Evaluator, NamesThatLookLikeIdsAreRefusedWhereOwnersCount) {
  const std::string api = kCreate + "?name=/abcdef012345";
  const Decision free = decide(evaluator({std::vector<CompiledRule>{}}), request_for(api, "{}"));
  EXPECT_FALSE(free.denied());
  const Evaluator owned = evaluator({{rule("own-resources-only", Mode::Enforce)}});
  EXPECT_EQ(rules_of(decide(owned, request_for(api, "{}"))), Texts{"ambiguous-request:deny"});
  EXPECT_FALSE(decide(owned, request_for(kCreate + "?name=abcdefg", "{}")).denied());
}

TEST(Evaluator, WhatIsAdmittedIsTheCanonicalForm) {
  const Decision decision = decide(
      evaluator({std::vector<CompiledRule>{}}),
      request_for("POST /containers/create?name=web&bogus=1",
                  R"({"Wibble":1,"Image":"alpine","HostConfig":{"Memory":5,"Privileged":false}})"));
  ASSERT_FALSE(decision.denied());
  EXPECT_EQ(wire(decision).method, docker::Method::Post);
  EXPECT_EQ(wire(decision).target, "/v1.41/containers/create?name=web");
  EXPECT_TRUE(wire(decision).has_body);
  EXPECT_EQ(wire(decision).body_kind, docker::Body::Create);
  EXPECT_EQ(
      wire(decision).body,
      R"({"Image":"alpine","Labels":{"io.dockreeve.decision":"01D",)"
      R"("io.dockreeve.owner":"alice","io.dockreeve.team":"web"},"HostConfig":{"Memory":5}})");
}

TEST(Evaluator, DroppedBodiesAreNotForwarded) {
  const Decision decision = decide(evaluator({std::vector<CompiledRule>{}}),
                                   request_for("POST /v1.41/containers/abc/stop", R"({"t":"5"})"));
  ASSERT_FALSE(decision.denied());
  EXPECT_FALSE(wire(decision).has_body);
  EXPECT_TRUE(wire(decision).body.empty());
  EXPECT_EQ(wire(decision).body_kind, docker::Body::None);
}

TEST(Evaluator, StreamsKeepTheirKind) {
  const Evaluator judge = evaluator({std::vector<CompiledRule>{}});
  const Decision upload =
      decide(judge, request_for("PUT /v1.41/containers/abc/archive?path=%2Ftmp", ""));
  EXPECT_EQ(wire(upload).body_kind, docker::Body::Opaque);
  const Decision attach =
      decide(judge, request_for("POST /v1.41/containers/abc/attach?stream=1", ""));
  EXPECT_EQ(wire(attach).stream, docker::Stream::Hijack);
}

TEST(Refuse, SaysWhatCouldNotBeUnderstood) {
  const Evaluator judge = evaluator(std::nullopt);
  const Decision decision = judge.refuse(
      docker::Refusal::ambiguous("/HostConfig/privileged", "two spellings of one key"));
  EXPECT_EQ(std::get<Denied>(decision.outcome).status, 400);
  EXPECT_EQ(rules_of(decision), Texts{"ambiguous-request:deny"});
  EXPECT_EQ(decision.findings[0].severity, Severity::Critical);
  EXPECT_EQ(decision.findings[0].mode, Mode::Always);
  const std::string text = denial_text(decision, "01ABC");
  EXPECT_TRUE(
      text.starts_with("refused by dockreeve: [ambiguous-request] The request is ambiguous: "
                       "two spellings of one key (at /HostConfig/privileged)."))
      << text;
  EXPECT_TRUE(text.ends_with("\ndecision 01ABC")) << text;
}

TEST(Refuse, KeepsTheDecodersWordsWhereTheTemplateNeedsMore) {
  const Evaluator judge = evaluator(std::nullopt);
  const Decision version = judge.refuse(
      {400, "api-version-range", "path", "API version \"1.99\" is outside 1.24 to 1.56"});
  EXPECT_TRUE(version.findings[0].message.starts_with("API version \"1.99\" is outside"));
  const Decision legacy = judge.refuse({400, "legacy-toplevel-hostconfig", "/Privileged", "x"});
  EXPECT_TRUE(legacy.findings[0].message.starts_with("`Privileged` belongs inside HostConfig"));
  const Decision exec = judge.refuse({404, "unknown-endpoint", "path", "no such exec instance"});
  EXPECT_EQ(denial_text(exec, "01ABC"), "No such exec instance");
}

TEST(DenialText, CountsAndLists) {
  const Evaluator judge =
      evaluator({{rule("no-privileged", Mode::Enforce), rule("no-host-pid", Mode::Enforce),
                  rule("no-host-uts", Mode::Warn)}});
  const Decision two = decide(
      judge, request_for(kCreate, host(R"("Privileged":true,"PidMode":"host","UTSMode":"host")")));
  EXPECT_EQ(denial_text(two, "01X"),
            "denied by dockreeve (policy site), 2 problems:\n"
            "  [no-privileged] Privileged mode is not allowed. Remove `--privileged`; add single "
            "capabilities with `--cap-add` or a device with `--device` if you need one.\n"
            "  [no-host-pid] Remove `--pid host`.\n"
            "decision 01X");
  const Decision one = decide(judge, request_for(kCreate, host(R"("PidMode":"host")")));
  EXPECT_TRUE(
      denial_text(one, "01X").starts_with("denied by dockreeve (policy site), 1 problem:\n"));
}

TEST(DenialText, StopsAtEight) {
  std::string caps;
  for (int i = 0; i < 10; ++i)
    caps += (i > 0 ? "," : "") + std::string(R"("a *:* rwm")");
  const Decision decision =
      decide(evaluator({{rule("no-device-cgroup-rules", Mode::Enforce)}}),
             request_for(kCreate, host("\"DeviceCgroupRules\":[" + caps + "]")));
  const std::string text = denial_text(decision, "01X");
  EXPECT_NE(text.find("10 problems:"), std::string::npos);
  EXPECT_TRUE(text.ends_with("\n  and 2 more\ndecision 01X")) << text;
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 10);
}

TEST(DenialText, ARequestCannotFakeALine) {
  const Decision decision =
      decide(evaluator({{rule("sysctls-allowlist", Mode::Enforce)}}),
             request_for(kCreate, host(R"("Sysctls":{"a\u2028b\u0085 c":"1"})")));
  ASSERT_TRUE(decision.denied());
  EXPECT_EQ(decision.findings[0].message.find('\n'), std::string::npos);
}

TEST(Message, PlaceholdersSectionsAndUnits) {
  CompiledRule memory = rule("max-memory-limit", Mode::Enforce);
  const Decision big =
      decide(evaluator({{memory}}), request_for(kCreate, host(R"("Memory":17179869184)")));
  EXPECT_EQ(big.findings[0].message, "16g is above the 8g ceiling. Use `--memory 8g` or less.");
  for (const bool tolerant : {true, false}) {
    CompiledRule oom =
        rule("no-oom-kill-disable", Mode::Enforce, {{"onlyWithoutMemoryLimit", tolerant}});
    oom.message = "Remove it{{#onlyWithoutMemoryLimit}} or add `--memory`{{/}}.";
    const Decision decision =
        decide(evaluator({{oom}}), request_for(kCreate, host(R"("OomKillDisable":true)")));
    EXPECT_EQ(decision.findings[0].message,
              tolerant ? "Remove it or add `--memory`." : "Remove it.");
  }
  memory.message = "{{identity}}/{{team}} {{nobody}}{{param.max}} {{route}}";
  const Decision own =
      decide(evaluator({{memory}}), request_for(kCreate, host(R"("Memory":17179869184)")));
  EXPECT_EQ(own.findings[0].message, "alice/web 8g container.create");
}

}  // namespace
}  // namespace dockreeve::policy::testing
