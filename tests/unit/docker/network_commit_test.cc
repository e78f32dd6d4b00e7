// Bodies of networks and commits, the changes of a commit, and the readings of a service that are
// its own: two spellings of one key, fractions, templates.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "docker/request.h"

namespace dockreeve::docker {
namespace {

Parsed<Request> decode(Method method, const std::string& line, const std::string& body) {
  auto target = classify(method, line);
  if (!target) return tl::unexpected(target.error());
  return decode_request(*std::move(target), body);
}
Parsed<Request> post(const std::string& line, const std::string& body) {
  return decode(Method::Post, line, body);
}
std::string refused_at(const Parsed<Request>& request) {
  return request ? "accepted" : request.error().pointer;
}

const std::string kNetworks = "/v1.41/networks/create";
const std::string kServices = "/v1.41/services/create";
std::string commit(const std::string& query) {
  return "/v1.41/commit?container=web" + query;
}
std::string container_spec(const std::string& members) {
  return R"({"TaskTemplate":{"ContainerSpec":{)" + members + "}}}";
}

TEST(NetworkBodies, AsTheCliSendsThem) {
  const auto request =
      post(kNetworks,
           R"({"CheckDuplicate":true,"Name":"app","Driver":"bridge","Scope":"","EnableIPv6":false,)"
           R"("IPAM":{"Driver":"default","Options":{},"Config":[]},"Internal":false,)"
           R"("Attachable":true,"Ingress":false,"ConfigOnly":false,"ConfigFrom":null,)"
           R"("Options":{},"Labels":{"a":"b"}})");
  ASSERT_TRUE(request) << request.error().detail;
  const auto& network = *request->body_as<NetworkCreate>();
  EXPECT_TRUE(network.attachable && network.check_duplicate);
  EXPECT_EQ(network.enable_ipv6, false);
  EXPECT_FALSE(network.config_from);
  EXPECT_EQ(encode_body(*request),
            R"({"Name":"app","CheckDuplicate":true,"Driver":"bridge","EnableIPv6":false,)"
            R"("IPAM":{"Driver":"default","Config":[]},"Attachable":true,"Labels":{"a":"b"}})");
}

TEST(NetworkBodies, NamesThatMeanSomethingElseAreRefused) {
  for (const std::string name : {"", "container:x", "a/b", "-x", "a b"}) {
    EXPECT_EQ(refused_at(post(kNetworks, R"({"Name":")" + name + R"("})")), "/Name") << name;
  }
  EXPECT_EQ(refused_at(post(kNetworks, R"({"Name":"a","Name":"b"})")), "/Name");
  EXPECT_EQ(refused_at(post(kNetworks, "")), "");
  for (const std::string route : {"connect", "disconnect"}) {
    for (const std::string name : {"", "//x", "a/../b", "a%2fb"}) {
      EXPECT_EQ(
          refused_at(post("/v1.41/networks/n/" + route, R"({"Container":")" + name + R"("})")),
          "/Container")
          << name;
    }
  }
  const auto slash = post("/v1.41/networks/n/connect", R"({"Container":"/web"})");
  ASSERT_TRUE(slash);
  EXPECT_EQ(slash->body_as<NetworkConnect>()->container, "web");
}

TEST(CommitBody, IsAConfigOrNothing) {
  for (const std::string body : {"", " \n", "null\n", "{}"}) {
    const auto request = post(commit(""), body);
    ASSERT_TRUE(request) << body;
    EXPECT_EQ(encode_body(*request), "{}");
  }
  EXPECT_EQ(refused_at(post(commit(""), R"({"HostConfig":{"Privileged":true}})")), "/HostConfig");
  EXPECT_EQ(refused_at(post(commit(""), R"({"Binds":["/:/x"]})")), "/Binds");
  EXPECT_EQ(refused_at(post(commit(""), R"({"labels":{}})")), "/labels");
  EXPECT_EQ(refused_at(post(commit(""), "null {}")), "");
}

TEST(CommitQuery, NamesOneContainer) {
  EXPECT_EQ(refused_at(post("/v1.41/commit", "")), "query/container");
  EXPECT_EQ(refused_at(post("/v1.41/commit?container=a%2Fb", "")), "query/container");
  const auto slash = post("/v1.41/commit?container=%2Fweb", "");
  ASSERT_TRUE(slash);
  EXPECT_EQ(param(slash->target.query, "container"), "web");
}

TEST(CommitChanges, AreWholeLinesOfKnownInstructions) {
  for (const std::string change :
       {"CMD%20sh", "entrypoint%20%5B%22a%22%5D", "ENV%20A%3Db", "%20LABEL%20a%3Db", "EXPOSE%2080",
        "ONBUILD%20RUN%20x", "USER%201", "VOLUME%20%2Fd", "WORKDIR%20%2Fw", "STOPSIGNAL%209",
        "HEALTHCHECK%20NONE"}) {
    EXPECT_TRUE(post(commit("&changes=" + change), "")) << change;
  }
  for (const std::string change :
       {"FROM%20x", "RUN%20x", "COPY%20a%20b", "SHELL%20x", "%23%20escape%3D%60", "ENV%20a%3Db%5C",
        "ENV%20a%3Db%60", "ENV%20a%3Db%5C%20%20", "ONBUILD%20RUN%20%3C%3CEOF", "L%C3%84BEL%20a"}) {
    EXPECT_EQ(refused_at(post(commit("&changes=CMD%20x&changes=" + change), "")), "query/changes/1")
        << change;
  }
}

TEST(CommitChanges, LineBreaksAreRefusedWithTheQuery) {
  EXPECT_EQ(refused_at(post(commit("&changes=CMD%20a%0ALABEL%20b%3Dc"), "")), "query/changes");
  EXPECT_EQ(refused_at(post(commit("&changes=CMD%20a%0DLABEL%20b%3Dc"), "")), "query/changes");
}

TEST(ServiceBody, TakesTheHealthcheckInBothSpellingsButOnce) {
  for (const std::string key : {"Healthcheck", "HealthCheck"}) {
    const auto request =
        post(kServices, container_spec(R"("TTY":true,"Image":"a",")" + key + R"(":{"Retries":3})"));
    ASSERT_TRUE(request) << key;
    EXPECT_EQ(request->body_as<ServiceSpec>()->task_template.container_spec.healthcheck->retries,
              3);
  }
  EXPECT_EQ(refused_at(post(kServices, container_spec(R"("Healthcheck":{},"HealthCheck":{})"))),
            "/TaskTemplate/ContainerSpec/HealthCheck");
  EXPECT_EQ(refused_at(post(kServices, container_spec(R"("HealthCheck":null,"Healthcheck":{})"))),
            "/TaskTemplate/ContainerSpec/HealthCheck");
}

TEST(ServiceBody, FractionsAreKeptExactly) {
  const auto body = [](const std::string& ratio) {
    return R"({"TaskTemplate":{"ContainerSpec":{}},"UpdateConfig":{"MaxFailureRatio":)" + ratio +
           "}}";
  };
  for (const std::string ratio : {"0.25", "0.333333343", "1"}) {
    const auto request = post(kServices, body(ratio));
    ASSERT_TRUE(request) << ratio;
    EXPECT_EQ(encode_body(*request), body(ratio));
  }
  for (const std::string ratio : {"2", "-1", "1.5", "1e-3", "0.1234567891", "\"0.5\"", "-0.5"}) {
    EXPECT_EQ(refused_at(post(kServices, body(ratio))), "/UpdateConfig/MaxFailureRatio") << ratio;
  }
}

TEST(ServiceBody, TemplatesAreRefusedWhereTheyCannotBeJudged) {
  for (const auto& [members, where] : std::vector<std::pair<std::string, std::string>>{
           {R"("User":"{{.Service.Name}}")", "/User"},
           {R"("Dir":"{{.Service.Name}}")", "/Dir"},
           {R"("Mounts":[{"Type":"bind","Source":"/srv/{{.Service.Labels.x}}"}])", "/Mounts/0"},
           {R"("Mounts":[{"VolumeOptions":{"DriverConfig":{"Options":{"device":"{{1}}"}}}}])",
            "/Mounts/0"}}) {
    EXPECT_EQ(refused_at(post(kServices, container_spec(members))),
              "/TaskTemplate/ContainerSpec" + where);
  }
  EXPECT_TRUE(post(kServices, container_spec(R"("Env":["N={{.Node.Hostname}}"])")));
}

TEST(ServiceBody, TasksAreContainers) {
  EXPECT_TRUE(post(kServices, R"({"TaskTemplate":{"Runtime":"container"}})"));
  EXPECT_EQ(refused_at(post(kServices, R"({"TaskTemplate":{"Runtime":"plugin"}})")),
            "/TaskTemplate/Runtime");
  EXPECT_EQ(refused_at(post(kServices, R"({"TaskTemplate":{"PluginSpec":{"Name":"x"}}})")),
            "/TaskTemplate/PluginSpec");
  EXPECT_EQ(refused_at(
                post(kServices, container_spec(R"("Privileges":{"CredentialSpec":{"File":"x"}})"))),
            "/TaskTemplate/ContainerSpec/Privileges/CredentialSpec");
}

}  // namespace
}  // namespace dockreeve::docker
