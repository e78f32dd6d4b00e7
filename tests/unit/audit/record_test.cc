// Records: the published schema, hostile text, size, and what must never be in one.

#include <chrono>
#include <cstdlib>
#include <gmock/gmock.h>
#include <set>
#include <thread>

#include "audit/chain.h"
#include "tests/unit/audit/audit_support.h"
#include "tests/unit/audit/schema_check.h"

namespace dockreeve::audit::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const nlohmann::json& schema() {
  static const auto kSchema = nlohmann::json::parse(
      read_file(std::string(DOCKREEVE_SOURCE_DIR) + "/tests/golden/audit.schema.json"));
  return kSchema;
}

Fixed tls_fixed() {
  return {host_json(build_host()), source_json(tls_caller()), identity_json(web_runner())};
}

// As the sink would write it.
std::string line_of(const std::string& record) {
  std::string line;
  ChainHead head;
  LineHash hash;
  append_line(line, record, head, hash);
  line.pop_back();
  return line;
}

nlohmann::json parsed(const std::string& record) {
  const std::string line = line_of(record);
  auto json = nlohmann::json::parse(line, nullptr, false);
  EXPECT_TRUE(json.is_object()) << line.substr(0, 300);
  EXPECT_EQ(schema_problem(schema(), json), "") << line.substr(0, 300);
  EXPECT_LE(line.size() + 1, kMaxLineBytes);
  return json;
}

nlohmann::json decided(const RequestFacts& request, const policy::Decision& decision,
                       std::string_view kind = "container", std::string_view name = "web-1") {
  return parsed(
      decision_record(tls_fixed(), request, decision, some_policy_set(), 212, kind, name));
}

TEST(SchemaCheckTest, FindsWhatIsWrong) {
  auto good = parsed(note("x"));
  const auto problem_with = [&](const char* key, nlohmann::json value) {
    auto bad = good;
    bad[key] = std::move(value);
    return schema_problem(schema(), bad);
  };
  EXPECT_THAT(problem_with("kind", "other"), HasSubstr("/kind"));
  EXPECT_THAT(problem_with("seq", "1"), HasSubstr("is no integer"));
  EXPECT_THAT(problem_with("v", 2), HasSubstr("is not 1"));
  EXPECT_THAT(problem_with("id", "short"), HasSubstr("does not match"));
  EXPECT_THAT(problem_with("ts", "yesterday"), HasSubstr("date-time"));
  EXPECT_THAT(problem_with("surprise", 1), HasSubstr("unknown member surprise"));
  EXPECT_THAT(problem_with("redactions", {1}), HasSubstr("/redactions/0"));
  good.erase("prev");
  EXPECT_THAT(schema_problem(schema(), good), HasSubstr("lacks"));
  EXPECT_THAT(schema_problem({{"minimum", 1}}, 0), HasSubstr("not known"));
}

TEST(RecordTest, DenialHoldsWhoWhatAndWhy) {
  RequestFacts request = create_request();
  const docker::Query query{{"name", "web-1"}};
  request.query = &query;
  request.client_request_id = "ci-42";
  const auto json = decided(request, denied_decision());
  EXPECT_EQ(json["id"], request.id);
  EXPECT_EQ(json["kind"], "decision");
  EXPECT_EQ(json["stage"], "decided");
  EXPECT_EQ(json["host"], nlohmann::json::parse(R"({"name":"build-03","gateway":"dockreeve",
      "version":"0.1.0","engineVersion":"20.10.24","bootId":"f6c0d3"})"));
  EXPECT_EQ(json["request"]["query"]["name"], "web-1");
  EXPECT_EQ(json["request"]["clientRequestId"], "ci-42");
  EXPECT_EQ(json["request"]["forwardedSha256"], std::string(64, '0'));
  EXPECT_EQ(json["source"]["tls"]["san"][0], "URI:spiffe://corp.example/team/web/runner-7");
  EXPECT_EQ(json["source"]["port"], 51522);
  EXPECT_EQ(json["identity"]["teams"][0], "web");
  EXPECT_EQ(json["target"], nlohmann::json::parse(R"({"kind":"container","name":"web-1"})"));
  const auto& decision = json["decision"];
  EXPECT_EQ(decision["outcome"], "deny");
  EXPECT_EQ(decision["status"], 403);
  EXPECT_EQ(decision["latencyUs"], 212);
  EXPECT_EQ(decision["policySet"], some_policy_set());
  EXPECT_EQ(decision["policies"].size(), 2u);
  EXPECT_EQ(decision["findings"].size(), 2u);
  EXPECT_EQ(decision["findings"][0]["value"], true);
  EXPECT_EQ(decision["findings"][0]["message"], "Privileged mode is not allowed. Fix: --cap-add");
  EXPECT_EQ(decision["findings"][1]["value"], "DB_PASSWORD");
  EXPECT_EQ(json["input"]["Image"], "nginx");
  EXPECT_EQ(json["redactions"][0], "/Env/1");
  EXPECT_FALSE(json.contains("truncated"));
}

TEST(RecordTest, UnmatchedCallerHasNoIdentity) {
  const std::string record =
      decision_record(build_host(), create_request(), tls_caller(), nullptr, denied_decision(),
                      some_policy_set(), 1, "container", "");
  EXPECT_FALSE(parsed(record).contains("identity"));
}

TEST(RecordTest, SingleUseFormIsTheSameRecord) {
  const policy::Identity who = web_runner();
  auto single =
      parsed(decision_record(build_host(), create_request(), tls_caller(), &who, denied_decision(),
                             some_policy_set(), 212, "container", "web-1"));
  auto fixed = decided(create_request(), denied_decision());
  single.erase("ts");
  fixed.erase("ts");
  single.erase("prev");
  fixed.erase("prev");
  EXPECT_EQ(single, fixed);
}

TEST(RecordTest, UnixCallerIsNamedByItsPeer) {
  certs::Caller caller;
  caller.transport = certs::Transport::Unix;
  caller.listener = "local";
  caller.peer = {4711, 1000, 999, "ann", {999}, {"docker-users"}};
  const auto json = parsed(decision_record(build_host(), create_request(), caller, nullptr,
                                           denied_decision(), some_policy_set(), 1, "", ""));
  EXPECT_EQ(json["source"]["transport"], "unix");
  EXPECT_EQ(json["source"]["peer"], nlohmann::json::parse(R"({"pid":4711,"uid":1000,"gid":999})"));
  EXPECT_FALSE(json["source"].contains("tls"));
  EXPECT_FALSE(json.contains("target"));
}

// Policies that hold one rule, which objects to every request with the given mode.
class OneRule final : public policy::PolicySet {
 public:
  explicit OneRule(policy::Mode mode) {
    policy::CompiledRule rule;
    rule.id = "no-prune";
    rule.mode = mode;
    rule.message = "no";
    rule.params = std::make_shared<policy::Params>();
    rule.check.run = [](const policy::Input&, policy::Report& report) {
      report.add("path", "null");
    };
    rules_->rules.push_back(std::move(rule));
  }
  std::optional<policy::Identity> identify(const certs::Caller&) const override { return {}; }
  policy::Identity named(std::string name, std::vector<std::string>) const override {
    return {std::move(name), {}, {}, ""};
  }
  std::shared_ptr<const policy::Ruleset> rules_for(const policy::Identity&) const override {
    return rules_;
  }
  const std::string& hash() const override { return some_policy_set(); }

 private:
  std::shared_ptr<policy::Ruleset> rules_ = std::make_shared<policy::Ruleset>();
};

nlohmann::json judged(policy::Mode mode) {
  const policy::Evaluator evaluator(std::make_shared<OneRule>(mode));
  auto target = docker::classify(docker::Method::Get, "/v1.41/containers/json");
  EXPECT_TRUE(target);
  docker::Request request;
  request.target = *target;
  return decided(create_request(),
                 evaluator.evaluate(std::move(request), web_runner(), {}, {create_request().id}));
}

TEST(RecordTest, OutcomeIsWhatHappensToTheRequest) {
  const auto allowed = judged(policy::Mode::Audit);
  EXPECT_EQ(allowed["decision"]["outcome"], "allow");
  EXPECT_FALSE(allowed["decision"].contains("status"));
  EXPECT_EQ(allowed["decision"]["findings"][0]["effect"], "audit");
  EXPECT_EQ(allowed["request"]["forwardedSha256"], std::string(64, '4'));
  EXPECT_EQ(judged(policy::Mode::Warn)["decision"]["outcome"], "warn");
  EXPECT_EQ(judged(policy::Mode::Enforce)["decision"]["outcome"], "deny");
}

TEST(RecordTest, StatusIsTheOneTheClientGets) {
  policy::Decision decision = denied_decision();
  decision.outcome = denied_with(400);
  EXPECT_EQ(decided(create_request(), decision)["decision"]["status"], 400);
}

TEST(RecordTest, TargetKindsOutsideTheSchemaAreMapped) {
  for (const auto& [given, written] : {std::pair{"node", "swarm"}, std::pair{"secret", "swarm"},
                                       std::pair{"volume", "volume"}, std::pair{"?", "system"}}) {
    EXPECT_EQ(decided(create_request(), denied_decision(), given)["target"]["kind"], written);
  }
}

TEST(RecordTest, HostileTextStaysOnOneValidLine) {
  const std::string nasty = "a\n\r\t\"\\\x01\x7f\xff\xc0\xaf\xed\xa0\x80\xc2\x85\xe2\x80\xa8z{}";
  RequestFacts request = create_request();
  const docker::Query query{{"name", nasty}, {nasty, "x"}};
  request.query = &query;
  request.id = "not a ulid\n";
  request.method = nasty;
  request.path = nasty;
  request.user_agent = nasty;
  request.client_request_id = nasty;
  request.listener = nasty;
  request.route = nasty;
  request.api_version = nasty;
  request.body_sha256 = nasty;
  policy::Decision decision = denied_decision();
  for (auto& finding : decision.findings) {
    finding.rule = finding.policy = finding.origin = finding.pointer = finding.message = nasty;
    finding.value = nasty;  // not the JSON value it should be
    finding.controls = {nasty};
  }
  decision.policies = decision.bindings = decision.redactions = {nasty};
  certs::Caller caller = tls_caller();
  caller.ip = caller.certificate.subject = caller.certificate.issuer = nasty;
  caller.certificate.san_dns = {nasty};
  const policy::Identity who{nasty, {nasty}, {nasty}, nasty};
  const std::string record = decision_record(Host{nasty, nasty, nasty, nasty}, request, caller,
                                             &who, decision, nasty, 1, "container", nasty);
  EXPECT_EQ(record.find_first_of("\n\r\t\x01\x7f"), std::string::npos);
  EXPECT_EQ(record.find("\xc2\x85"), std::string::npos);
  EXPECT_EQ(record.find("\xe2\x80\xa8"), std::string::npos);
  const auto json = parsed(record);
  EXPECT_EQ(json["request"]["path"],
            "a\n\r\t\"\\\x01\x7f\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\u0085\u2028z{}");
  EXPECT_FALSE(json["request"].contains("clientRequestId"));
  EXPECT_FALSE(json["request"].contains("bodySha256"));
  EXPECT_EQ(json["decision"]["policySet"], std::string(64, '0'));
  EXPECT_NE(json["id"], "not a ulid\n");
}

TEST(RecordTest, InputIsCutFirst) {
  policy::Decision decision = denied_decision();
  decision.canonical_body = R"({"Image":")" + std::string(70000, 'x') + R"("})";
  const auto json = decided(create_request(), decision);
  EXPECT_EQ(json["truncated"], nlohmann::json::parse(R"(["/input"])"));
  EXPECT_FALSE(json.contains("input"));
  EXPECT_EQ(json["decision"]["findings"].size(), 2u);
}

TEST(RecordTest, LargeInputIsKeptWhileItFits) {
  policy::Decision decision = denied_decision();
  decision.canonical_body = R"({"Image":")" + std::string(55000, 'x') + R"("})";
  const auto json = decided(create_request(), decision);
  EXPECT_EQ(json["input"]["Image"].get<std::string>().size(), 55000u);
}

TEST(RecordTest, DenyingFindingsSurviveTheCut) {
  policy::Decision decision = denied_decision();
  const policy::Finding deny = decision.findings[0];
  policy::Finding warn = decision.findings[1];
  warn.message = std::string(900, 'w');
  decision.findings.assign(300, warn);
  decision.findings.push_back(deny);
  const auto json = decided(create_request(), decision);
  EXPECT_EQ(json["decision"]["findings"][0]["rule"], deny.rule);
  EXPECT_GT(json["decision"]["findings"].size(), 10u);
  EXPECT_LT(json["decision"]["findings"].size(), 301u);
  EXPECT_EQ(json["truncated"][0], "/decision/findings");
}

TEST(RecordTest, NothingMakesALineTooLong) {
  // Every text at its worst: long, and each byte written as six.
  const std::string huge(70000, '\x01');
  const std::vector<std::string> many(100, std::string(300, '\x02'));
  RequestFacts request = create_request();
  docker::Query query;
  for (int i = 0; i < 1000; ++i)
    query.emplace_back("key" + std::to_string(i), huge.substr(0, 999));
  request.query = &query;
  request.id = request.listener = request.api_version = huge;
  request.method = request.path = request.route = request.user_agent = huge;
  policy::Decision decision = denied_decision();
  decision.findings.resize(100, decision.findings[0]);
  for (auto& finding : decision.findings) {
    finding.rule = finding.policy = finding.origin = finding.pointer = huge;
    finding.value = '"' + std::string(2000, 'v') + '"';
    finding.message = finding.fix = huge;
    finding.controls = many;
  }
  decision.policies = decision.bindings = decision.redactions = many;
  decision.canonical_body = R"({"k":")" + std::string(64000, 'x') + R"("})";
  certs::Caller caller = tls_caller();
  auto& certificate = caller.certificate;
  caller.ip = certificate.version = certificate.cipher = certificate.subject = huge;
  certificate.issuer = certificate.serial = certificate.fingerprint = certificate.not_after = huge;
  certificate.san_uri = certificate.san_dns = certificate.san_email = many;
  const policy::Identity who{huge, many, many, huge};
  const std::string record =
      decision_record(Host{huge, huge, huge, huge}, request, caller, &who, decision,
                      some_policy_set(), INT64_MAX, "container", huge);
  EXPECT_LE(record.size(), kMaxRecordBytes);
  const auto json = parsed(record);
  EXPECT_GE(json["decision"]["findings"].size(), 2u);
  for (const char* pointer :
       {"/request/path", "/request/query", "/request/userAgent", "/target/name",
        "/decision/policies", "/decision/findings", "/redactions", "/input"}) {
    EXPECT_THAT(json["truncated"].dump(), HasSubstr(pointer));
  }
  EXPECT_THAT(json["request"]["path"].get<std::string>(), HasSubstr("…"));
}

TEST(RecordTest, SecretsOfTheQueryAreReplaced) {
  RequestFacts request = create_request();
  const docker::Query query{{"buildargs", R"({"TOKEN":"canary-1"})"},
                            {"changes", "ENV A=canary-2"},
                            {"changes", "ENV B=canary-3"},
                            {"remote", "https://ann:canary-4@git.example/x.git#main"},
                            {"t", "a/b:1"},
                            {"t", "a/b:2"}};
  request.query = &query;
  const auto json = decided(request, denied_decision());
  EXPECT_THAT(json.dump(), Not(HasSubstr("canary")));
  EXPECT_EQ(json["request"]["query"]["remote"], "https://<redacted>@git.example/x.git#main");
  EXPECT_EQ(json["request"]["query"]["buildargs"], "<redacted:20>");
  EXPECT_EQ(json["request"]["query"]["t"], "a/b:1, a/b:2");
  EXPECT_EQ(
      json["redactions"],
      nlohmann::json::parse(R"(["/Env/1","query/buildargs","query/changes","query/remote"])"));
}

TEST(RecordTest, NothingOfTheEnvironmentIsRecorded) {
  ASSERT_EQ(setenv("DB_PASSWORD", "canary-in-the-environment", 1), 0);
  const TempFolder folder;
  {
    auto sink = open_or_die({.path = folder.file("a.jsonl")});
    RequestFacts request = create_request();
    sink->write(decision_record(tls_fixed(), request, denied_decision(), some_policy_set(), 1,
                                "container", "x"),
                Sync::Later, {});
    sink->write(note("started"), Sync::Later, {});
  }
  EXPECT_EQ(lines_of(folder.file("a.jsonl")).size(), 2u);
  EXPECT_THAT(read_file(folder.file("a.jsonl")), Not(HasSubstr("canary")));
  unsetenv("DB_PASSWORD");
}

TEST(RecordTest, NotesFollowTheSchema) {
  const auto json = parsed(note_record(build_host(), "policy", "reload-failed", "x.yaml:1: bad\n"));
  EXPECT_EQ(json["kind"], "policy");
  EXPECT_EQ(json["stage"], "n/a");
  EXPECT_EQ(json["note"]["event"], "reload-failed");
  EXPECT_EQ(json["note"]["detail"], "x.yaml:1: bad\n");
  const auto bare = parsed(note_record(build_host(), "gateway", "start", ""));
  EXPECT_FALSE(bare["note"].contains("detail"));
  EXPECT_LE(note_record(build_host(), "gateway", "x", std::string(200000, '\x01')).size(),
            kMaxRecordBytes);
}

TEST(RecordTest, TimeIsNowInUtc) {
  const auto before = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  const std::string ts = parsed(note("x"))["ts"];
  std::tm parts{};
  ASSERT_NE(strptime(ts.c_str(), "%Y-%m-%dT%H:%M:%S", &parts), nullptr) << ts;
  const std::time_t written = timegm(&parts);
  EXPECT_GE(written, before);
  EXPECT_LE(written, before + 5);
}

TEST(UlidTest, IsUniqueOverThreadsAndCarriesTheTime) {
  std::vector<std::vector<std::string>> made(4);
  std::vector<std::thread> threads;
  for (auto& mine : made) {
    threads.emplace_back([&mine] {
      for (int i = 0; i < 5000; ++i)
        mine.push_back(new_ulid());
    });
  }
  for (auto& thread : threads)
    thread.join();
  std::set<std::string> all;
  for (const auto& mine : made)
    all.insert(mine.begin(), mine.end());
  EXPECT_EQ(all.size(), 20000u);
  static const std::string kDigits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  for (const std::string& id : all) {
    ASSERT_EQ(id.size(), 26u);
    ASSERT_EQ(id.find_first_not_of(kDigits), std::string::npos) << id;
  }
  std::int64_t ms = 0;
  for (const char c : new_ulid().substr(0, 10)) {
    ms = ms * 32 + static_cast<std::int64_t>(kDigits.find(c));
  }
  const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::system_clock::now().time_since_epoch());
  EXPECT_LE(ms, now.count());
  EXPECT_GE(ms, now.count() - 5000);
}

}  // namespace
}  // namespace dockreeve::audit::testing
