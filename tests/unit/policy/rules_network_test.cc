// Networks, images, hygiene, operations, integrity and ownership rules.
#include "rule_harness.h"

namespace dockreeve::policy::testing {
namespace {

const std::string kExec = "POST /v1.41/containers/abc/exec";
const std::string kUpdate = "POST /v1.41/containers/abc/update";
const std::string kVolume = "POST /v1.41/volumes/create";
const std::string kPull = "POST /v1.41/images/create?";
const Texts kImage{"/Image"};

std::string image(const std::string& name) { return R"({"Image":")" + name + R"("})"; }
std::string port(const std::string& ip, const std::string& number) {
  return host(R"("PortBindings":{"80/tcp":[{"HostIp":")" + ip + R"(","HostPort":")" + number +
              R"("}]})");
}
std::string env(const std::string& entry) { return R"({"Env":[")" + entry + R"("]})"; }
std::string hosts(const std::string& entry) { return host(R"("ExtraHosts":[")" + entry + R"("])"); }

const Texts kPort{"/HostConfig/PortBindings/80~1tcp/0/HostPort"};
const Texts kIp{"/HostConfig/PortBindings/80~1tcp/0/HostIp"};
const Texts kHosts{"/HostConfig/ExtraHosts/0"};
const Texts kEnv{"/Env/0"};

const std::vector<RuleCase> kCases{
    {"BridgeByDefault", "no-default-bridge", {}, kCreate, host(""), "{}", {"/HostConfig/NetworkMode"}},
    {"BridgeNone", "no-default-bridge", {}, kCreate, host(R"("NetworkMode":"none")"), "{}", {}},
    {"NetworksGlob", "allowed-networks", {{"allowed", Texts{"none", "web-*"}}}, kCreate,
     host(R"("NetworkMode":"web-db")"), "{}", {}},
    {"NetworksOther", "allowed-networks", {{"allowed", Texts{"none", "web-*"}}}, kCreate,
     host(R"("NetworkMode":"data-db")"), "{}", {"/HostConfig/NetworkMode"}},
    {"PortLeadingZero", "no-privileged-host-ports", {}, kCreate, port("", "080"), "{}", kPort},
    {"PortLowRange", "no-privileged-host-ports", {}, kCreate, port("", "1000-2000"), "{}", kPort},
    {"PortEphemeral", "no-privileged-host-ports", {}, kCreate, port("", ""), "{}", {}},
    {"PortNonsense", "no-privileged-host-ports", {}, kCreate, port("", "+8080"), "{}", kPort},
    {"IpUnspecified6", "bind-host-interface", {}, kCreate, port("::0", "8080"), "{}", kIp},
    {"IpMapped", "bind-host-interface", {}, kCreate, port("::ffff:0.0.0.0", "8080"), "{}", kIp},
    {"IpListed", "bind-host-interface", {{"allowed", Texts{"10.0.0.0/8"}}}, kCreate,
     port("10.1.1.1", "8080"), "{}", {}},
    {"IpUnlisted", "bind-host-interface", {{"allowed", Texts{"10.0.0.0/8"}}}, kCreate,
     port("127.0.0.1", "8080"), "{}", kIp},
    {"IpFilledIn", "bind-host-interface", {}, kCreate, host(R"("PortBindings":{"80/tcp":null})"), "{}",
     {"/HostConfig/PortBindings/80~1tcp/HostIp"}},
    {"PublishAll", "no-publish-all-ports", {}, kCreate, host(R"("PublishAllPorts":true)"), "{}",
     {"/HostConfig/PublishAllPorts"}},
    {"RangeInside", "host-port-range", {}, kCreate, port("", "20000-29999"), "{}", {}},
    {"RangeOutside", "host-port-range", {}, kCreate, port("", "29999-30000"), "{}", kPort},
    {"RangeEphemeral", "host-port-range", {}, kCreate, port("", "0"), "{}", kPort},
    {"Links", "no-legacy-links", {}, kCreate, host(R"("Links":["a:b"])"), "{}", {"/HostConfig/Links"}},
    {"LinksOfEndpoint", "no-legacy-links", {}, kCreate,
     R"({"NetworkingConfig":{"EndpointsConfig":{"n":{"Links":["a"]}}}})", "{}",
     {"/NetworkingConfig/EndpointsConfig/n/Links"}},
    {"HostGateway", "extra-hosts-restricted", {}, kCreate, hosts("h:host-gateway"), "{}", kHosts},
    {"HostGatewayAllowed", "extra-hosts-restricted", {{"allowHostGateway", true}}, kCreate,
     hosts("h:host-gateway"), "{}", {}},
    {"HostMappedLoopback", "extra-hosts-restricted", {}, kCreate, hosts("h:::ffff:127.0.0.1"), "{}",
     kHosts},
    {"HostOrdinary", "extra-hosts-restricted", {}, kCreate, hosts("h:10.1.2.3"), "{}", {}},
    {"HostOfBuild", "extra-hosts-restricted", {}, "POST /v1.41/build?extrahosts=h%3A127.0.0.1", "",
     "{}", {"query/extrahosts"}},
    {"DnsListed", "dns-allowlist", {{"allowed", Texts{"10.0.0.0/8"}}}, kCreate,
     host(R"("Dns":["10.0.0.1"])"), "{}", {}},
    {"DnsUnlisted", "dns-allowlist", {{"allowed", Texts{"10.0.0.0/8"}}}, kCreate,
     host(R"("Dns":["8.8.8.8"])"), "{}", {"/HostConfig/Dns/0"}},
    {"NetworkCreateUnread", "allowed-network-drivers", {}, "POST /v1.41/networks/create", "", "{}",
     {"!/Driver"}},
    {"NetworkInspectFine", "allowed-network-drivers", {}, "GET /v1.41/networks/x", "", "{}", {}},

    {"ImageOfficial", "trusted-registry", {}, kCreate, image("index.docker.io/library/alpine:1"), "{}",
     {}},
    {"ImageLookalike", "trusted-registry", {}, kCreate, image("docker.io.evil.com/library/alpine"),
     "{}", kImage},
    {"ImageMissing", "trusted-registry", {}, kCreate, "{}", "{}", kImage},
    {"ImageUpperCase", "trusted-registry", {}, kCreate, image("Alpine"), "{}", kImage},
    {"ImageShortId", "trusted-registry", {}, kCreate, image("cafe"), R"({"resolvesAsId":["cafe"]})",
     kImage},
    {"ImageHexName", "trusted-registry", {}, kCreate, image("cafe"), "{}", {}},
    {"ImageIdAllowed", "trusted-registry", {{"allowImageIds", true}}, kCreate, image("cafe"),
     R"({"resolvesAsId":["cafe"],"image":{"RepoTags":["alpine:3.20"]}})", {}},
    {"ImageIdOfOther", "trusted-registry", {{"allowImageIds", true}}, kCreate, image("cafe"),
     R"({"resolvesAsId":["cafe"],"image":{"RepoTags":["me/x:1"]}})", kImage},
    {"ImageTagIgnoredBesideDigest", "trusted-registry",
     {{"registries", Texts{"docker.io/library/busybox:local"}}}, kCreate,
     image("busybox:local@sha256:" + std::string(64, 'a')), "{}", kImage},
    {"ImageTagListed", "trusted-registry", {{"registries", Texts{"docker.io/library/busybox:local"}}},
     kCreate, image("busybox:local"), "{}", {}},
    {"ImageMount", "trusted-registry", {}, kCreate,
     R"({"Image":"alpine:3","HostConfig":{"Mounts":[{"Type":"image","Source":"me/x","Target":"/x"}]}})",
     "{}", {"/HostConfig/Mounts/0"}},
    {"PullTrusted", "trusted-registry", {}, kPull + "fromImage=alpine&tag=3.20", "", "{}", {}},
    {"PullAllTags", "trusted-registry", {}, kPull + "fromImage=alpine", "", "{}", {"query/tag"}},
    {"PullOther", "trusted-registry", {}, kPull + "fromImage=quay.io%2Fx%2Fy&tag=1", "", "{}",
     {"query/fromImage"}},
    {"TagLatest", "no-latest-tag", {}, kCreate, image("alpine:latest"), "{}", kImage},
    {"TagNone", "no-latest-tag", {}, kCreate, image("registry:5000/x"), "{}", kImage},
    {"TagDigest", "no-latest-tag", {}, kCreate, image("alpine@sha256:" + std::string(64, 'a')), "{}",
     {}},
    {"TagOfId", "no-latest-tag", {}, kCreate, image("cafe"), R"({"resolvesAsId":["cafe"]})", {}},
    {"DigestMissing", "require-digest", {}, kCreate, image("alpine:3.20"), "{}", kImage},
    {"DigestThere", "require-digest", {}, kCreate, image("alpine@sha256:" + std::string(64, 'a')), "{}",
     {}},
    {"AgeOld", "image-max-age", {}, kCreate, image("a"), R"({"image":{"ageDays":181}})", kImage},
    {"AgeEdge", "image-max-age", {}, kCreate, image("a"), R"({"image":{"ageDays":180}})", {}},
    {"ImageLabel", "image-required-labels",
     {{"labels", std::map<std::string, std::string>{{"v", "^[0-9]+$"}}}}, kCreate, image("a"),
     R"({"image":{"Labels":{"v":"12"}}})", {}},
    {"ImageLabelWrong", "image-required-labels",
     {{"labels", std::map<std::string, std::string>{{"v", "[0-9]+"}}}}, kCreate, image("a"),
     R"({"image":{"Labels":{"v":"12x"}}})", kImage},

    {"EnvPassword", "no-secrets-in-env", {}, kCreate, env("DB_PASSWORD=hunter2"), "{}", kEnv},
    {"EnvFile", "no-secrets-in-env", {}, kCreate, env("DB_PASSWORD_FILE=/run/x"), "{}", {}},
    {"EnvUrl", "no-secrets-in-env", {}, kCreate, env("DB=postgres://u:p@h/d"), "{}", kEnv},
    {"EnvPath", "no-secrets-in-env", {}, kCreate, env("PATH=/usr/bin"), "{}", {}},
    {"EnvOfExec", "no-secrets-in-env", {}, kExec, env("API_TOKEN=abcdef"), "{}", kEnv},
    {"BuildArg", "no-secrets-in-build-args", {},
     "POST /v1.41/build?buildargs=%7B%22NPM_TOKEN%22%3A%22abc%22%2C%22V%22%3A%221%22%7D", "", "{}",
     {"query/buildargs"}},
    {"BuildArgUnset", "no-secrets-in-build-args", {},
     "POST /v1.41/build?buildargs=%7B%22NPM_TOKEN%22%3Anull%7D", "", "{}", {}},
    {"BuildRemote", "build-remote-context", {}, "POST /v1.41/build?remote=https%3A%2F%2Fx", "", "{}",
     {"query/remote"}},
    {"BuildLocal", "build-remote-context", {}, "POST /v1.41/build?t=x", "", "{}", {}},
    {"LabelMissing", "required-labels",
     {{"labels", std::map<std::string, std::string>{{"cost", "[a-z]+"}}}}, kCreate,
     R"({"Labels":{"cost":"A"}})", "{}", {"/Labels/cost"}},
    {"LabelThere", "required-labels",
     {{"labels", std::map<std::string, std::string>{{"cost", "[a-z]+"}}}}, kVolume,
     R"({"Labels":{"cost":"a"}})", "{}", {}},
    {"NamePattern", "container-name-pattern", {{"pattern", std::string("web-.*")}},
     kCreate + "?name=/data-1", "{}", "{}", {"query/name"}},
    {"NameFits", "container-name-pattern", {{"pattern", std::string("web-.*")}},
     "POST /v1.41/containers/abc/rename?name=web-1", "", "{}", {}},
    {"HealthNone", "require-healthcheck", {}, kCreate, R"({"Healthcheck":{"Test":["NONE"]}})",
     R"({"image":{"Healthcheck":true}})", {"/Healthcheck"}},
    {"HealthInherited", "require-healthcheck", {}, kCreate, R"({"Healthcheck":{"Test":[]}})",
     R"({"image":{"Healthcheck":true}})", {}},
    {"RestartEndless", "restart-policy-limited", {}, kCreate,
     host(R"("RestartPolicy":{"Name":"on-failure"})"), "{}", {"/HostConfig/RestartPolicy"}},
    {"RestartUnset", "restart-policy-limited", {}, kCreate, host(""), "{}", {}},
    {"RestartUpdateUnchanged", "restart-policy-limited", {}, kUpdate, "{\"Memory\":9000000}", "{}", {}},
    {"LogNone", "log-driver-allowlist", {}, kCreate, host(R"("LogConfig":{"Type":"none"})"), "{}",
     {"/HostConfig/LogConfig/Type"}},
    {"LogEngineDefault", "log-driver-allowlist", {{"allow", Texts{"journald"}}}, kCreate, host(""),
     R"({"engine":{"LoggingDriver":"json-file"}})", {"/HostConfig/LogConfig/Type"}},
    {"LogEngineListed", "log-driver-allowlist", {{"allow", Texts{"journald"}}}, kCreate, host(""),
     R"({"engine":{"LoggingDriver":"journald"}})", {}},
    {"RotationMissing", "log-rotation-required", {}, kCreate, host(""), "{}",
     {"/HostConfig/LogConfig/Config/max-size"}},
    {"RotationThere", "log-rotation-required", {}, kCreate,
     host(R"("LogConfig":{"Type":"json-file","Config":{"max-size":"10m"}})"), "{}", {}},
    {"SshdJoined", "no-sshd", {}, kCreate, R"({"Entrypoint":["/usr/sbin/sshd"],"Cmd":["-D"]})", "{}",
     {"/Cmd"}},
    {"SshdNear", "no-sshd", {}, kCreate, R"({"Cmd":["sshdx","my-sshd"]})", "{}", {}},
    {"SshdExec", "no-sshd", {}, kExec, R"({"Cmd":["sh","-c","sshd -D"]})", "{}", {"/Cmd"}},
    {"StopTimeout", "stop-timeout-max", {}, kCreate, R"({"StopTimeout":61})", "{}", {"/StopTimeout"}},
    {"StopTimeoutEndless", "stop-timeout-max", {}, kCreate, R"({"StopTimeout":-1})", "{}",
     {"/StopTimeout"}},
    {"StopTimeoutEdge", "stop-timeout-max", {}, kCreate, R"({"StopTimeout":60})", "{}", {}},

    {"PluginPull", "no-plugin-install", {}, "POST /v1.41/plugins/pull?remote=x%2Fy", "", "{}",
     {"path"}},
    {"PluginPullListed", "no-plugin-install", {{"allow", Texts{"x/y"}}},
     "POST /v1.41/plugins/pull?remote=x%2Fy", "", "{}", {}},
    {"PluginNameIsNotRemote", "no-plugin-install", {{"allow", Texts{"good"}}},
     "POST /v1.41/plugins/pull?remote=x%2Fy&name=good", "", "{}", {"path"}},
    {"PluginDisable", "no-plugin-install", {}, "POST /v1.41/plugins/x/disable", "", "{}", {}},
    {"SwarmInit", "no-swarm-management", {}, "POST /v1.41/swarm/init", "", "{}", {"path"}},
    {"SwarmInspect", "no-swarm-management", {}, "GET /v1.41/swarm", "", "{}", {}},
    {"Debug", "no-debug-endpoints", {}, "GET /debug/pprof/heap", "", "{}", {"path"}},
    {"NotDebug", "no-debug-endpoints", {}, "GET /v1.41/info", "", "{}", {}},
    {"Prune", "no-prune", {}, "POST /v1.41/volumes/prune", "", "{}", {"path"}},
    {"PruneOwn", "no-prune", {},
     "POST /v1.41/containers/prune?filters=%7B%22label%22%3A%5B%22io.dockreeve.owner%3Dalice%22%5D%7D",
     "", "{}", {}},
    {"PruneForeign", "no-prune", {},
     "POST /v1.41/containers/prune?filters=%7B%22label%22%3A%5B%22io.dockreeve.owner%3Dbob%22%5D%7D",
     "", "{}", {"path"}},
    {"Commit", "no-container-commit", {}, "POST /v1.41/commit?container=x", "", "{}", {"path"}},
    {"ImportFromUrl", "no-image-import", {}, kPull + "fromSrc=-&repo=x", "", "{}",
     {"query/fromSrc"}},
    {"ImportBesidePull", "no-image-import", {}, kPull + "fromImage=a&tag=1&fromSrc=-", "", "{}",
     {"query/fromSrc"}},
    {"PullIsNoImport", "no-image-import", {}, kPull + "fromImage=a&tag=1", "", "{}", {}},
    {"Load", "no-image-import", {}, "POST /v1.41/images/load", "", "{}", {"path"}},
    {"LoadAllowed", "no-image-import", {{"allowLoad", true}}, "POST /v1.41/images/load", "", "{}", {}},
    {"ArchiveWrite", "no-archive-write", {}, "PUT /v1.41/containers/abc/archive?path=%2F", "", "{}",
     {"query/path"}},
    {"ArchiveWriteAllowed", "no-archive-write", {{"allowPaths", Texts{"/tmp/"}}},
     "PUT /v1.41/containers/abc/archive?path=%2Ftmp%2Fx", "", "{}", {}},
    {"ArchiveWriteEscapes", "no-archive-write", {{"allowPaths", Texts{"/tmp"}}},
     "PUT /v1.41/containers/abc/archive?path=%2Ftmp%2F..%2Fetc", "", "{}", {"query/path"}},
    {"Push", "push-registry-allowlist", {{"registries", Texts{"r.example:5000/web/*"}}},
     "POST /v1.41/images/r.example:5000/web/app/push?tag=1", "", "{}", {}},
    {"PushElsewhere", "push-registry-allowlist", {{"registries", Texts{"r.example:5000/web/*"}}},
     "POST /v1.41/images/r.example:5000/data/app/push?tag=1", "", "{}", {"path"}},
    {"Endpoint", "endpoint-allowlist", {{"allow", Texts{"container.*"}}}, "GET /v1.41/info", "", "{}",
     {"path"}},
    {"EndpointListed", "endpoint-allowlist", {{"allow", Texts{"container.*"}}}, kCreate, "{}", "{}",
     {}},

    {"Grpc", "uninspectable-stream", {}, "POST /v1.41/grpc", "", "{}", {"path"}},
    {"GrpcAllowed", "uninspectable-stream", {{"allow", Texts{"grpc"}}}, "POST /v1.41/grpc", "", "{}",
     {}},
    {"UnknownFields", "unknown-field", {}, kCreate, R"({"Wibble":1,"HostConfig":{"Wobble":2}})", "{}",
     {"/Wibble", "/HostConfig/Wobble"}},
    {"UnknownAllowed", "unknown-field", {{"allow", Texts{"/Wibble"}}}, kCreate, R"({"Wibble":1})", "{}",
     {}},
    {"UnknownOption", "unknown-field", {}, kCreate,
     host(R"("SecurityOpt":["no-new-privileges","x=y"])"), "{}", {"/HostConfig/SecurityOpt/1"}},
    {"ReservedLabel", "reserved-labels", {}, kCreate, R"({"Labels":{"io.dockreeve.owner":"x"}})", "{}",
     {"/Labels/io.dockreeve.owner"}},
    {"ReservedNear", "reserved-labels", {}, kCreate, R"({"Labels":{"io.dockreevex":"x"}})", "{}", {}},
    {"ReservedOfMount", "reserved-labels", {}, kCreate,
     host(R"("Mounts":[{"Type":"volume","Target":"/x","VolumeOptions":{"Labels":)"
          R"({"io.dockreeve.team":"x"}}}])"),
     "{}", {"/HostConfig/Mounts/0/VolumeOptions/Labels/io.dockreeve.team"}},
    {"ReservedOfVolume", "reserved-labels", {}, kVolume, R"({"Labels":{"io.dockreeve.team":"x"}})",
     "{}", {"/Labels/io.dockreeve.team"}},
    {"ReservedOfBuild", "reserved-labels", {},
     "POST /v1.41/build?labels=%7B%22io.dockreeve.owner%22%3A%22x%22%7D", "", "{}",
     {"query/labels/io.dockreeve.owner"}},
};

class NetworkRules : public RuleTable {};
TEST_P(NetworkRules, Says) { EXPECT_EQ(run_rule(GetParam()), GetParam().want); }
INSTANTIATE_TEST_SUITE_P(Cases, NetworkRules, ::testing::ValuesIn(kCases), case_name);

TEST(NetworkLookups, FailedLookupsAreReported) {
  const std::vector<RuleCase> cases{
      {"a", "trusted-registry", {}, kCreate, image("cafe"), "{}", {"!/Image"}},
      {"b", "no-latest-tag", {}, kCreate, image("cafe"), "{}", {"!/Image"}},
      {"c", "image-max-age", {}, kCreate, image("x"), "{}", {"!/Image"}},
      {"d", "require-healthcheck", {}, kCreate, image("x"), "{}", {"!/Healthcheck"}},
      {"e", "log-driver-allowlist", {}, kCreate, host(""), "{}", {"!/HostConfig/LogConfig/Type"}},
      {"f", "own-resources-only", {}, "POST /v1.41/containers/abc/start", "", "{}", {"!path"}}};
  for (const RuleCase& c : cases) EXPECT_EQ(run_rule(c, true), c.want) << c.rule;
}

TEST(RuleParameters, BadOnesAreRefusedByName) {
  const auto refuses = [](const std::string& id, const std::string& param, ParamValue value) {
    const RuleEntry* entry = find_rule(id);
    Params params;
    for (const ParamDef& def : entry->params) params.set(def.name, def.fallback);
    params.set(param, std::move(value));
    for (const RuleDef& def : rule_defs()) {
      if (def.id != id) continue;
      const auto check = def.compile(params);
      const std::string where = check ? "" : check.error().where;
      EXPECT_TRUE(where.starts_with(param)) << where;
    }
  };
  refuses("no-sshd", "pattern", std::string("("));
  refuses("trusted-registry", "registries", Texts{"Bad Pattern"});
  refuses("bind-host-interface", "allowed", Texts{"10.0.0.0/99"});
  refuses("host-port-range", "range", std::string("90000"));
  refuses("ulimit-max", "max", std::map<std::string, std::string>{{"nofile", "many"}});
  refuses("no-secrets-in-env", "valuePatterns", Texts{"["});
  refuses("required-labels", "labels", std::map<std::string, std::string>{{"a", "("}});
}

TEST(RuleTableOfContents, IsInCatalogueOrder) {
  std::size_t next = 0;
  for (const RuleEntry& entry : catalogue()) {
    if (next < rule_defs().size() && rule_defs()[next].id == entry.id) ++next;
  }
  EXPECT_EQ(next, rule_defs().size());
}

}  // namespace
}  // namespace dockreeve::policy::testing
