// What a network create may ask for, what connections and commits mean, whose they are.
#include <utility>

#include "policy/evaluator.h"
#include "policy/ownership.h"
#include "rule_harness.h"

namespace dockreeve::policy::testing {
namespace {

const std::string kNetwork = "POST /v1.41/networks/create";
const std::string kConnect = "POST /v1.41/networks/mine-net/connect";
const Overrides kBlocks{{"subnets", Texts{"10.9.0.0/16", "fd00:9::/32"}}};

std::string network(const std::string& members) {
  return R"({"Name":"app",)" + members + "}";
}
std::string pool(const std::string& members) {
  return network(R"("IPAM":{"Driver":"default","Config":[{)" + members + "}]}");
}

const std::vector<RuleCase> kCases{
    {"Plain",
     "allowed-network-drivers",
     {},
     kNetwork,
     network(R"("Driver":"bridge","Internal":true,"Attachable":true,"EnableIPv6":false,)"
             R"("CheckDuplicate":true,"IPAM":{"Driver":"default","Options":{},"Config":[]})"),
     "{}",
     {}},
    {"NoDriver", "allowed-network-drivers", {}, kNetwork, R"({"Name":"a"})", "{}", {}},
    {"Macvlan",
     "allowed-network-drivers",
     {},
     kNetwork,
     network(R"("Driver":"macvlan","Options":{"parent":"eth0"})"),
     "{}",
     {"/Driver", "/Options/parent"}},
    {"Ipvlan",
     "allowed-network-drivers",
     {},
     kNetwork,
     network(R"("Driver":"ipvlan")"),
     "{}",
     {"/Driver"}},
    {"OptionsThatAreFine",
     "allowed-network-drivers",
     {},
     kNetwork,
     network(R"("Options":{"encrypted":"","com.docker.network.driver.mtu":"1400"})"),
     "{}",
     {}},
    {"BridgeOfTheHost",
     "allowed-network-drivers",
     {},
     kNetwork,
     network(R"("Options":{"com.docker.network.bridge.name":"docker0"})"),
     "{}",
     {"/Options/com.docker.network.bridge.name"}},
    {"OptionInAnotherCase",
     "allowed-network-drivers",
     {},
     kNetwork,
     network(R"("Options":{"ENCRYPTED":""})"),
     "{}",
     {"/Options/ENCRYPTED"}},
    {"AdministratorsThings",
     "allowed-network-drivers",
     {},
     kNetwork,
     network(R"("Scope":"swarm","Ingress":true,"ConfigOnly":true,"ConfigFrom":{"Network":"x"})"),
     "{}",
     {"/Scope", "/Ingress", "/ConfigOnly", "/ConfigFrom"}},
    {"SubnetByDefault",
     "allowed-network-drivers",
     {},
     kNetwork,
     pool(R"("Subnet":"10.9.1.0/24")"),
     "{}",
     {"/IPAM/Config/0/Subnet"}},
    {"SubnetInside",
     "allowed-network-drivers",
     kBlocks,
     kNetwork,
     pool(R"("Subnet":"10.9.1.0/24","Gateway":"10.9.1.1","IPRange":"10.9.1.128/25",)"
          R"("AuxiliaryAddresses":{"a":"10.9.1.5"})"),
     "{}",
     {}},
    {"SubnetV6Inside",
     "allowed-network-drivers",
     kBlocks,
     kNetwork,
     pool(R"("Subnet":"fd00:9:1::/64")"),
     "{}",
     {}},
    {"SubnetAround",
     "allowed-network-drivers",
     kBlocks,
     kNetwork,
     pool(R"("Subnet":"10.0.0.0/8")"),
     "{}",
     {"/IPAM/Config/0/Subnet"}},
    {"SubnetOfLoopback",
     "allowed-network-drivers",
     kBlocks,
     kNetwork,
     pool(R"("Subnet":"127.0.0.0/8")"),
     "{}",
     {"/IPAM/Config/0/Subnet"}},
    {"SubnetMapped",
     "allowed-network-drivers",
     kBlocks,
     kNetwork,
     pool(R"("Subnet":"::ffff:10.9.1.0/120")"),
     "{}",
     {"/IPAM/Config/0/Subnet"}},
    {"GatewayElsewhere",
     "allowed-network-drivers",
     kBlocks,
     kNetwork,
     pool(R"("Subnet":"10.9.1.0/24","Gateway":"192.168.0.1","AuxiliaryAddresses":{"a":"8.8.8.8"})"),
     "{}",
     {"/IPAM/Config/0/Gateway", "/IPAM/Config/0/AuxiliaryAddresses/a"}},
    {"IpamOfAPlugin",
     "allowed-network-drivers",
     {},
     kNetwork,
     network(R"("IPAM":{"Driver":"dhcp","Options":{"a":"b"}})"),
     "{}",
     {"/IPAM/Driver", "/IPAM/Options"}},

    {"OverlayPlain",
     "overlay-encryption",
     {},
     kNetwork,
     network(R"("Driver":"overlay")"),
     "{}",
     {"/Options/encrypted"}},
    {"OverlayEncrypted",
     "overlay-encryption",
     {},
     kNetwork,
     network(R"("Driver":"overlay","Options":{"encrypted":""})"),
     "{}",
     {}},
    {"OverlayEncryptedTrue",
     "overlay-encryption",
     {},
     kNetwork,
     network(R"("Driver":"overlay","Options":{"encrypted":"true"})"),
     "{}",
     {}},
    {"OverlayEncryptedFalse",
     "overlay-encryption",
     {},
     kNetwork,
     network(R"("Driver":"overlay","Options":{"encrypted":"false"})"),
     "{}",
     {"/Options/encrypted"}},
    {"BridgeNeedsNoEncryption", "overlay-encryption", {}, kNetwork, R"({"Name":"a"})", "{}", {}},

    {"RequiredOnNetworks",
     "required-labels",
     {{"labels", std::map<std::string, std::string>{{"cost", ".+"}}}},
     kNetwork,
     R"({"Name":"a"})",
     "{}",
     {"/Labels/cost"}},
    {"ReservedOnNetworks",
     "reserved-labels",
     {},
     kNetwork,
     network(R"("Labels":{"io.dockreeve.owner":"bob"})"),
     "{}",
     {"/Labels/io.dockreeve.owner"}},
    {"ReservedInCommit",
     "reserved-labels",
     {},
     "POST /v1.41/commit?container=web",
     R"({"Labels":{"io.dockreeve.team":"data"}})",
     "{}",
     {"/Labels/io.dockreeve.team"}},
    {"ReservedInChange",
     "reserved-labels",
     {},
     "POST /v1.41/commit?container=web&changes=ENV%20A%3Db&changes=label%20io.dockreeve.team%3Dd",
     "",
     "{}",
     {"query/changes/1"}},
    {"ReservedInQuotes",
     "reserved-labels",
     {},
     "POST /v1.41/commit?container=web&changes=LABEL%20%22io.%22dock%5Creeve.team%3Dd",
     "",
     "{}",
     {"query/changes/0"}},
    {"ReservedOnBuild",
     "reserved-labels",
     {},
     "POST /v1.41/commit?container=web&changes=ONBUILD%20LABEL%20io.dockreeve.team%3Dd",
     "",
     "{}",
     {"query/changes/0"}},
    {"ReservedByVariable",
     "reserved-labels",
     {},
     "POST /v1.41/commit?container=web&changes=LABEL%20%24P%3Dd",
     "",
     "{}",
     {"query/changes/0"}},
    {"OtherChangesMayHaveVariables",
     "reserved-labels",
     {},
     "POST /v1.41/commit?container=web&changes=ENV%20P%3D%24HOME&changes=LABEL%20a%3Db",
     "",
     "{}",
     {}},
};

class NewNetworkRules : public RuleTable {};
TEST_P(NewNetworkRules, Reports) {
  EXPECT_EQ(run_rule(GetParam()), GetParam().want);
}
INSTANTIATE_TEST_SUITE_P(All, NewNetworkRules, ::testing::ValuesIn(kCases), case_name);

// --- whole policies

Evaluator site(const std::string& rules, ClosedRoutes closed = ClosedRoutes::Refused) {
  const std::string text =
      "apiVersion: dockreeve/v1\nkind: Identities\nunknown: deny\n"
      "identities: [{ name: \"{{cert.cn}}\", match: { certOU: \"*\" } }]\n"
      "---\napiVersion: dockreeve/v1\nkind: Policy\nmetadata: { name: site }\nspec: { rules: { " +
      rules +
      " } }\n---\napiVersion: dockreeve/v1\nkind: Binding\nmetadata: { name: all }\n"
      "spec: { subjects: { everyone: true }, policies: [site] }\n";
  std::vector<Diagnostic> diagnostics;
  auto set = load_policy_texts({{"site.yaml", text}}, diagnostics);
  for (const Diagnostic& diagnostic : diagnostics) {
    if (diagnostic.error) ADD_FAILURE() << render(diagnostic, text);
  }
  return Evaluator(std::move(set), closed);
}

const std::string kOwn = "own-resources-only: enforce";
const std::string kId = std::string(60, 'a');

// Everything called mine-* is the caller's; bob-* is not; the rest is nobody's or not there.
std::string world() {
  const std::string mine = R"("Labels":{"io.dockreeve.owner":"alice","io.dockreeve.team":"old"}})";
  const std::string bob = R"("Labels":{"io.dockreeve.owner":"bob"}})";
  return R"({"containers":{"mine-c":{"Id":")" + kId + R"(c001",)" + mine + R"(,"mine-d":{"Id":")" +
         kId + R"(d001",)" + mine + R"(,"bob-c":{"Id":")" + kId + R"(cbob",)" + bob +
         R"(},"networks":{"mine-net":{"Id":")" + kId + R"(e001",)" + mine +
         R"(,"bob-net":{"Id":")" + kId + R"(ebob",)" + bob + R"(,"bridge":{"Id":")" + kId +
         R"(b001"},"host":{"Id":")" + kId +
         R"(f001","Driver":"host"},"fresh":{"Name":"fresh-and-long"},"f00f":{"Name":"host","Id":")" +
         kId + R"(f001","Driver":"host"}},"services":{"mine-s":{"ID":"s1",)" + mine +
         R"(,"bob-s":{"ID":"s2",)" + bob + "}}";
}

Decision decide(const Evaluator& evaluator, const std::string& api, const std::string& body = "") {
  docker::Request request = request_for(api, body);
  const auto file = ContextFile::parse(world());
  if (!file) ADD_FAILURE() << file.error().text();
  const Facts facts = answer_all(evaluator, request, web_user(), file.value());
  return evaluator.evaluate(std::move(request), web_user(), facts, Stamp{"01D"});
}
const WireRequest& wire(const Decision& decision) {
  return std::get<Admitted>(decision.outcome).wire();
}
std::string plain(const Decision& decision) {
  return decision.denied() ? std::get<Denied>(decision.outcome).plain : "admitted";
}
Texts findings(const Decision& decision) {
  Texts out;
  for (const Finding& finding : decision.findings)
    out.push_back(finding.rule + " " + finding.pointer);
  return out;
}

TEST(NetworkOwnership, ConnectionsNeedBothEndsAndForwardBothIds) {
  const Evaluator own = site(kOwn);
  const Decision good =
      decide(own, kConnect, R"({"Container":"mine-c","EndpointConfig":{"Links":["mine-d"]}})");
  ASSERT_FALSE(good.denied());
  EXPECT_EQ(wire(good).target, "/v1.41/networks/" + kId + "e001/connect");
  EXPECT_EQ(wire(good).body, R"({"Container":")" + kId + R"(c001","EndpointConfig":{"Links":[")" +
                                 kId + R"(d001:mine-d"]}})");
  EXPECT_EQ(plain(decide(own, kConnect, R"({"Container":"bob-c"})")), "No such container: bob-c");
  EXPECT_EQ(plain(decide(own, "POST /v1.41/networks/bob-net/connect", R"({"Container":"mine-c"})")),
            "network bob-net not found");
  EXPECT_EQ(plain(decide(own, "POST /v1.41/networks/bob-net/connect", R"({"Container":"bob-c"})")),
            "network bob-net not found");
  EXPECT_TRUE(
      decide(own, kConnect, R"({"Container":"mine-c","EndpointConfig":{"Links":["bob-c:x"]}})")
          .denied());
  const Decision off = decide(own, "POST /v1.41/networks/mine-net/disconnect",
                              R"({"Container":"mine-c","Force":true})");
  ASSERT_FALSE(off.denied());
  EXPECT_EQ(wire(off).body, R"({"Container":")" + kId + R"(c001","Force":true})");
  EXPECT_TRUE(
      decide(own, "POST /v1.41/networks/mine-net/disconnect", R"({"Container":"bob-c"})").denied());
  EXPECT_FALSE(decide(own, "DELETE /v1.41/networks/mine-net").denied());
  EXPECT_TRUE(decide(own, "DELETE /v1.41/networks/bob-net").denied());
  EXPECT_TRUE(decide(own, "DELETE /v1.41/networks/bridge").denied());
}

TEST(NetworkOwnership, TheBridgeIsSharedAndTheHostIsNot) {
  const Evaluator own = site(kOwn);
  const std::string bridge = "POST /v1.41/networks/bridge/connect";
  EXPECT_FALSE(decide(own, bridge, R"({"Container":"mine-c"})").denied());
  EXPECT_FALSE(
      decide(own, bridge,
             R"({"Container":"mine-c","EndpointConfig":{"IPAMConfig":{},"DriverOpts":{}}})")
          .denied());
  for (const std::string endpoint :
       {R"("MacAddress":"02:42:ac:11:00:02")", R"("IPAMConfig":{"IPv4Address":"172.17.0.2"})",
        R"("IPAMConfig":{"LinkLocalIPs":["169.254.1.1"]})", R"("DriverOpts":{"a":"b"})"}) {
    const Decision decision =
        decide(own, bridge, R"({"Container":"mine-c","EndpointConfig":{)" + endpoint + "}}");
    EXPECT_EQ(findings(decision), Texts{"own-resources-only /EndpointConfig"}) << endpoint;
  }
  EXPECT_EQ(plain(decide(own, "POST /v1.41/networks/host/connect", R"({"Container":"mine-c"})")),
            "network host not found");
  // Without owners the rule about the host network holds by itself, for its id too.
  const Evaluator plain_site = site("no-host-network: enforce");
  for (const std::string name : {"host", "f00f"}) {
    EXPECT_EQ(findings(decide(plain_site, "POST /v1.41/networks/" + name + "/connect",
                              R"({"Container":"c"})")),
              Texts{"no-host-network path"})
        << name;
  }
}

TEST(NetworkOwnership, WhatIsTrueOfACreateIsTrueOfAConnection) {
  const std::string body = R"({"Container":"c","EndpointConfig":{"Links":["db"],"DriverOpts":)"
                           R"({"com.docker.network.endpoint.sysctls":"net.x.y=1"}}})";
  const auto with = [&](const std::string& rule, const std::string& network) {
    return findings(decide(site(rule), "POST /v1.41/networks/" + network + "/connect", body));
  };
  EXPECT_EQ(with("no-default-bridge: enforce", "bridge"), Texts{"no-default-bridge path"});
  EXPECT_TRUE(with("no-default-bridge: enforce", "app").empty());
  EXPECT_EQ(with("allowed-networks: { mode: enforce, allowed: [app] }", "db"),
            Texts{"allowed-networks path"});
  EXPECT_TRUE(with("allowed-networks: { mode: enforce, allowed: [app] }", "app").empty());
  EXPECT_EQ(with("no-legacy-links: enforce", "app"),
            Texts{"no-legacy-links /EndpointConfig/Links"});
  EXPECT_EQ(with("sysctls-allowlist: enforce", "app").size(), 1U);
}

TEST(NetworkOwnership, NewNetworksAreStampedAndKeepToTheDefaults) {
  const Evaluator own = site(kOwn);
  const Decision made = decide(own, kNetwork, R"({"Name":"fresh"})");
  ASSERT_FALSE(made.denied()) << findings(made).front();
  EXPECT_EQ(wire(made).body,
            R"({"Name":"fresh","CheckDuplicate":true,"Labels":{"io.dockreeve.decision":"01D",)"
            R"("io.dockreeve.owner":"alice","io.dockreeve.team":"web"}})");
  for (const std::string name : {"bob-net", "bridge", "host", "none", "default", "ingress"}) {
    EXPECT_EQ(findings(decide(own, kNetwork, R"({"Name":")" + name + R"("})")),
              Texts{"own-resources-only /Name"})
        << name;
  }
  EXPECT_EQ(findings(decide(own, kNetwork, R"({"Name":"deadbeef","Driver":"bridge"})")).front(),
            "ambiguous-request /Name");
  EXPECT_EQ(findings(decide(own, kNetwork, R"({"Name":"fresh","Driver":"macvlan"})")),
            Texts{"own-resources-only /Driver"});
  // An enforced rule of its own replaces the defaults, one that only warns does not.
  const std::string macvlan = R"(allowed-network-drivers: { mode: MODE, allowed: [macvlan] })";
  const auto judged = [&](const std::string& mode) {
    std::string rule = macvlan;
    rule.replace(rule.find("MODE"), 4, mode);
    return decide(site(kOwn + ", " + rule), kNetwork, R"({"Name":"fresh","Driver":"macvlan"})");
  };
  EXPECT_FALSE(judged("enforce").denied());
  EXPECT_TRUE(judged("warn").denied());
}

TEST(NetworkOwnership, AnExportIsLimitedLikeAChange) {
  const Evaluator own = site(kOwn);
  EXPECT_FALSE(decide(own, "GET /v1.41/containers/mine-c/export").denied());
  EXPECT_EQ(plain(decide(own, "GET /v1.41/containers/bob-c/export")), "No such container: bob-c");
  EXPECT_FALSE(decide(own, "GET /v1.41/containers/mine-c/archive?path=/").denied());
  EXPECT_EQ(plain(decide(own, "GET /v1.41/containers/bob-c/archive?path=/")),
            "No such container: bob-c");
  EXPECT_FALSE(decide(own, "GET /v1.41/containers/bob-c/json").denied());
}

TEST(NetworkOwnership, CommitsAreOfOnesOwnContainerAndCarryItsMaker) {
  const Evaluator own = site(kOwn);
  const Decision made =
      decide(own, "POST /v1.41/commit?container=mine-c&repo=app&changes=ENV%20A%3Db", "null");
  ASSERT_FALSE(made.denied());
  EXPECT_NE(wire(made).target.find("container=" + kId + "c001"), std::string::npos)
      << wire(made).target;
  // Without a body of its own the commit keeps all of the container's configuration.
  EXPECT_EQ(wire(made).body, "{}");
  EXPECT_NE(wire(made).target.find("&changes=LABEL%20io.dockreeve.owner%3D%22alice%22"),
            std::string::npos)
      << wire(made).target;
  // The changes have the last word over a body.
  const Decision set = decide(own, "POST /v1.41/commit?container=mine-c", R"({"User":"1"})");
  ASSERT_FALSE(set.denied());
  EXPECT_EQ(wire(set).body, R"({"User":"1"})");
  EXPECT_NE(wire(set).target.find("changes=LABEL%20io.dockreeve.owner%3D%22alice%22"),
            std::string::npos);
  docker::Request odd = request_for("POST /v1.41/commit?container=c", "");
  stamp_labels(odd, {"a\" $b", {}, {}, ""}, "01D", {});
  EXPECT_EQ(docker::param(odd.target.query, "changes"),
            R"(LABEL io.dockreeve.owner="a\" \$b" io.dockreeve.team="")");
  // The name that it gives is not another team's.
  const std::string theirs =
      R"({"containers":{"c":{"Id":"c1","Labels":{"io.dockreeve.owner":)"
      R"("alice"}}},"image":{"Id":"i","Labels":{"io.dockreeve.owner":"bob"}}})";
  docker::Request squat = request_for("POST /v1.41/commit?container=c&repo=tool&tag=1", "");
  const auto file = ContextFile::parse(theirs);
  const Facts facts = answer_all(own, squat, web_user(), file.value());
  EXPECT_EQ(findings(own.evaluate(std::move(squat), web_user(), facts, Stamp{"01D"})),
            Texts{"own-resources-only query/repo"});
  EXPECT_EQ(plain(decide(own, "POST /v1.41/commit?container=bob-c")), "No such container: bob-c");
}

}  // namespace
}  // namespace dockreeve::policy::testing
