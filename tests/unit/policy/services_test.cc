// Services: their tasks are judged as the containers they are.
#include <utility>

#include "policy/catalogue.h"
#include "policy/evaluator.h"
#include "policy/stand_in.h"
#include "rule_harness.h"

namespace dockreeve::policy::testing {
namespace {

const std::string kService = "POST /v1.41/services/create";

docker::Request service(const std::string& body, const std::string& api = kService) {
  return request_for(api, body);
}
std::string spec(const std::string& members) {
  return R"({"TaskTemplate":{"ContainerSpec":{)" + members + "}}}";
}
docker::CreateContainer task_of(const std::string& body) {
  const auto other = stand_in(service(body));
  return *other->body_as<docker::CreateContainer>();
}

Evaluator site(const std::string& rules) {
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
  return Evaluator(std::move(set), ClosedRoutes::JudgedByRules);
}

Decision decide(const std::string& rules, const std::string& body,
                const std::string& context = "{}", const std::string& api = kService) {
  const Evaluator evaluator = site(rules);
  docker::Request request = service(body, api);
  const auto file = ContextFile::parse(context);
  if (!file) ADD_FAILURE() << file.error().text();
  const Facts facts = answer_all(evaluator, request, web_user(), file.value());
  return evaluator.evaluate(std::move(request), web_user(), facts, Stamp{"01D"});
}
Texts findings(const Decision& decision) {
  Texts out;
  for (const Finding& finding : decision.findings)
    out.push_back(finding.rule + " " + finding.pointer);
  return out;
}

struct Hole {
  std::string rule, body, pointer;
};

TEST(Services, EachFieldIsSeenByItsRule) {
  const std::string in_spec = "/TaskTemplate/ContainerSpec/";
  const std::vector<Hole> holes{
      {"cap-add-allowlist", spec(R"("CapabilityAdd":["SYS_ADMIN"])"), in_spec + "CapabilityAdd"},
      {"cap-drop-required", spec(""), in_spec + "CapabilityDrop"},
      {"no-new-privileges", spec(""), in_spec + "Privileges"},
      {"run-as-non-root", spec(R"("User":"0")"), in_spec + "User"},
      {"no-root-group", spec(R"("User":"1000","Groups":["0"])"), in_spec + "Groups/0"},
      {"no-host-network", R"({"TaskTemplate":{"Networks":[{"Target":"host"}]}})",
       "/TaskTemplate/Networks"},
      {"no-host-network", R"({"Networks":[{"Target":"app"},{"Target":"host"}]})",
       "/TaskTemplate/Networks"},
      {"seccomp-not-unconfined", spec(R"("Privileges":{"Seccomp":{"Mode":"unconfined"}})"),
       in_spec + "Privileges"},
      {"seccomp-not-unconfined",
       spec(R"("Privileges":{"Seccomp":{"Mode":"custom","Profile":"e30="}})"),
       in_spec + "Privileges"},
      {"seccomp-not-unconfined", spec(R"("Privileges":{"Seccomp":{"Mode":"odd"}})"),
       in_spec + "Privileges"},
      {"apparmor-not-unconfined", spec(R"("Privileges":{"AppArmor":{"Mode":"disabled"}})"),
       in_spec + "Privileges"},
      {"selinux-not-disabled", spec(R"("Privileges":{"SELinuxContext":{"Disable":true}})"),
       in_spec + "Privileges"},
      {"selinux-not-disabled", spec(R"("Privileges":{"SELinuxContext":{"Type":"spc_t"}})"),
       in_spec + "Privileges"},
      {"sysctls-allowlist", spec(R"("Sysctls":{"kernel.shmmax":"1"})"),
       in_spec + "Sysctls/kernel.shmmax"},
      {"require-memory-limit", spec(""), "/TaskTemplate/Resources/Limits/MemoryBytes"},
      {"require-cpu-limit", spec(""), "/TaskTemplate/Resources/Limits/NanoCPUs"},
      {"require-pids-limit", spec(""), "/TaskTemplate/Resources/Limits/Pids"},
      {"no-docker-socket-mount",
       spec(R"("Mounts":[{"Type":"bind","Source":"/var/run/docker.sock","Target":"/s"}])"),
       in_spec + "Mounts/0"},
      {"no-sensitive-host-mounts",
       spec(R"("Mounts":[{"Type":"bind","Source":"/etc","Target":"/x","ReadOnly":false}])"),
       in_spec + "Mounts/0"},
      {"bind-mount-allowlist",
       spec(R"("Mounts":[{"Type":"volume","Source":"v","Target":"/x","VolumeOptions":)"
            R"({"DriverConfig":{"Options":{"type":"none","o":"bind","device":"/opt"}}}}])"),
       in_spec + "Mounts/0"},
      {"no-shared-mount-propagation",
       spec(R"("Mounts":[{"Type":"bind","Source":"/srv","Target":"/x",)"
            R"("BindOptions":{"Propagation":"rshared"}}])"),
       in_spec + "Mounts/0"},
      {"read-only-rootfs", spec(""), in_spec + "ReadOnly"},
      {"no-privileged-host-ports",
       R"({"EndpointSpec":{"Ports":[{"TargetPort":80,"PublishedPort":80}]}})",
       "/EndpointSpec/Ports"},
      {"extra-hosts-restricted", spec(R"("Hosts":["127.0.0.1 registry"])"), in_spec + "Hosts/0"},
      {"no-secrets-in-env", spec(R"("Env":["DB_PASSWORD=hunter2hunter2"])"), in_spec + "Env/0"},
      {"log-driver-allowlist", R"({"TaskTemplate":{"LogDriver":{"Name":"none"}}})",
       "/TaskTemplate/LogDriver/Name"},
      {"trusted-registry", spec(R"("Image":"evil.example/x:1")"), in_spec + "Image"},
      {"reserved-labels", R"({"Labels":{"io.dockreeve.owner":"bob"}})",
       "/Labels/io.dockreeve.owner"},
      {"reserved-labels", spec(R"("Labels":{"io.dockreeve.owner":"bob"})"),
       "/Labels/io.dockreeve.owner"},
  };
  for (const Hole& hole : holes) {
    EXPECT_EQ(
        findings(decide(hole.rule == "reserved-labels" ? "" : hole.rule + ": enforce", hole.body)),
        Texts{hole.rule + " " + hole.pointer})
        << hole.body;
  }
}

// What the catalogue lists for services has something to say about a service that offends all.
TEST(Services, NoRuleThatListsThemIsForgotten) {
  for (const RuleEntry& entry : catalogue()) {
    if (entry.apis.find("services") == std::string::npos) continue;
    EXPECT_TRUE(judges_stand_in(entry.id, service("{}"))) << entry.id;
  }
  EXPECT_FALSE(judges_stand_in("no-default-bridge", service("{}")));
  EXPECT_FALSE(judges_stand_in("limit-memory-swap", service("{}")));
}

TEST(Services, ATaskIsTheContainerItSays) {
  const docker::CreateContainer task =
      task_of(R"({"Labels":{"a":"1"},"TaskTemplate":{"ContainerSpec":{"Image":"i","Command":["c"],)"
              R"("Args":["d"],"Dir":"/w","Labels":{"b":"2"},"StopGracePeriod":5000000000,)"
              R"("Privileges":{"NoNewPrivileges":true},"DNSConfig":{"Nameservers":["1.1.1.1"]}},)"
              R"("Resources":{"Limits":{"NanoCPUs":3,"MemoryBytes":100,"Pids":7},"SwapBytes":50},)"
              R"("Networks":[{"Target":"n1","Aliases":["x"]},{"Target":"n2"}]},)"
              R"("EndpointSpec":{"Ports":[{"TargetPort":53,"Protocol":"udp"},)"
              R"({"TargetPort":80,"PublishedPort":8080,"PublishMode":"host"}]}})");
  EXPECT_EQ(task.image, "i");
  EXPECT_EQ(task.entrypoint->front(), "c");
  EXPECT_EQ(task.cmd->front(), "d");
  EXPECT_EQ(task.working_dir, "/w");
  EXPECT_EQ(task.stop_timeout, 5);
  EXPECT_EQ(task.labels, (docker::Map<std::string>{{"a", "1"}, {"b", "2"}}));
  const docker::HostConfig& host = task.host_config;
  EXPECT_EQ(host.security_opt->front(), "no-new-privileges");
  EXPECT_EQ(host.dns->front(), "1.1.1.1");
  EXPECT_EQ(host.nano_cpus, 3);
  EXPECT_EQ(host.memory_swap, 150);
  EXPECT_EQ(host.pids_limit, 7);
  EXPECT_EQ(host.network_mode, "n1");
  EXPECT_TRUE(task.networking_config.endpoints_config.contains("n2"));
  EXPECT_EQ(host.port_bindings.at("53/udp")->front().host_port, "");
  EXPECT_EQ(host.port_bindings.at("80/tcp")->front().host_port, "8080");
}

TEST(Services, OwnersAreLookedAtAndNetworksBecomeIds) {
  const std::string id(64, 'e');
  const std::string context =
      R"({"networks":{"mine":{"Id":")" + id +
      R"(","Labels":{"io.dockreeve.team":"web"}},"bobs":{"Labels":{"io.dockreeve.team":"data"}}},)"
      R"("services":{"mine-s":{"ID":"s1","Labels":{"io.dockreeve.owner":"carol",)"
      R"("io.dockreeve.team":"web"}},"bob-s":{"Labels":{"io.dockreeve.team":"data"}}}})";
  const std::string own = "own-resources-only: enforce";
  const auto on = [](const std::string& network) {
    return R"({"Name":"s","TaskTemplate":{"Networks":[{"Target":")" + network + R"("}]}})";
  };
  const Decision mine = decide(own, on("mine"), context);
  ASSERT_FALSE(mine.denied());
  const std::string& body = std::get<Admitted>(mine.outcome).wire().body;
  EXPECT_NE(body.find(R"("Target":")" + id), std::string::npos) << body;
  EXPECT_EQ(findings(decide(own, on("bobs"), context)),
            Texts{"own-resources-only /TaskTemplate/Networks"});
  EXPECT_EQ(findings(decide(own, spec(R"("Secrets":[{"SecretID":"x"}],"Configs":[{}])"))),
            (Texts{"own-resources-only /TaskTemplate/ContainerSpec/Secrets",
                   "own-resources-only /TaskTemplate/ContainerSpec/Configs"}));

  const std::string update = "POST /v1.41/services/mine-s/update?version=3";
  const std::string kept =
      R"({"Name":"s","Labels":{"io.dockreeve.owner":"carol","io.dockreeve.team":"web"}})";
  const Decision changed = decide(own, kept, context, update);
  ASSERT_FALSE(changed.denied()) << findings(changed).front();
  const auto& wire = std::get<Admitted>(changed.outcome).wire();
  EXPECT_EQ(wire.target, "/v1.41/services/s1/update?version=3");
  EXPECT_NE(wire.body.find(R"("io.dockreeve.owner":"carol")"), std::string::npos) << wire.body;
  EXPECT_EQ(wire.body.find("alice"), std::string::npos);
  EXPECT_TRUE(decide(own, R"({"Labels":{"io.dockreeve.owner":"bob"}})", context, update).denied());
  EXPECT_EQ(std::get<Denied>(
                decide(own, "{}", context, "POST /v1.41/services/bob-s/update?version=3").outcome)
                .plain,
            "service bob-s not found");
}

}  // namespace
}  // namespace dockreeve::policy::testing
