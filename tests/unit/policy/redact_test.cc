// Nothing secret leaves the evaluator: canaries in every place that can hold one.
#include "policy/redact.h"

#include "policy/digest.h"
#include "rule_harness.h"

namespace dockreeve::policy::testing {
namespace {

const std::string kCanary = "canary-7f3a9";

RedactedBody redact(const std::string& api, const std::string& body) {
  const docker::Request request = request_for(api, body);
  std::vector<json::Written> trace;
  const std::string encoded = docker::encode_body(request, &trace);
  return redact_body(request, encoded, trace);
}

TEST(Redact, EveryValueOfTheEnvironment) {
  const RedactedBody out =
      redact(kCreate, R"({"Env":["A=)" + kCanary + R"(","EMPTY=","UNSET","B=x=y"]})");
  EXPECT_EQ(out.body, R"({"Env":["A=)" + redacted(kCanary) + R"(","EMPTY=","UNSET","B=)" +
                          redacted("x=y") + R"("],"HostConfig":{}})");
  EXPECT_EQ(out.pointers, (Texts{"/Env/0", "/Env/3"}));
}

TEST(Redact, LeavesNoCanary) {
  const std::string secret = kCanary + "-AKIAABCDEFGHIJKLMNOP ";
  const std::vector<std::pair<std::string, std::string>> cases{
      {kCreate, R"({"Labels":{"db.password":"SECRET"}})"},
      {kCreate, R"({"Labels":{"note":"xxxxx AKIAABCDEFGHIJKLMNOP SECRET"}})"},
      {kCreate,
       R"({"HostConfig":{"LogConfig":{"Type":"splunk","Config":{"splunk-token":"SECRET"}}}})"},
      {kCreate, R"({"HostConfig":{"Annotations":{"api_key":"SECRET"}}})"},
      {kCreate, R"({"Cmd":["mysql","--password","SECRET"]})"},
      {kCreate, R"({"Cmd":["mysql","-p","SECRET"]})"},
      {kCreate, R"({"Cmd":["mysql","--password=SECRET"]})"},
      {kCreate, R"({"Entrypoint":["run","token=SECRET"]})"},
      {kCreate, R"({"Cmd":["sh","-c","login --token SECRET"]})"},
      {kCreate, R"({"Cmd":["curl","https://user:SECRET@host/"]})"},
      {kCreate, R"({"Healthcheck":{"Test":["CMD","x","--api-key","SECRET"]}})"},
      {kCreate, R"({"HostConfig":{"SecurityOpt":["seccomp={\"SECRET\":1}"]}})"},
      {kCreate, R"({"HostConfig":{"Mounts":[{"Type":"volume","Target":"/x","VolumeOptions":)"
                R"({"DriverConfig":{"Options":{"o":"username=u,password=SECRET"}}}}]}})"},
      {"POST /v1.41/volumes/create", R"({"DriverOpts":{"o":"username=u,password=SECRET"}})"},
      {"POST /v1.41/containers/abc/exec", R"({"Env":["X=SECRET"]})"},
      {"POST /v1.41/containers/abc/exec", R"({"Cmd":["x","--secret","SECRET"]})"},
  };
  for (const auto& [api, text] : cases) {
    std::string body = text;
    body.replace(body.find("SECRET"), 6, kCanary);
    const RedactedBody out = redact(api, body);
    EXPECT_EQ(out.body.find(kCanary), std::string::npos) << body << " -> " << out.body;
    EXPECT_EQ(out.pointers.size(), 1U) << body;
  }
}

TEST(Redact, KeepsWhatIsNoSecret) {
  const std::string body =
      R"({"Cmd":["sleep","30","--port=80"],"Image":"alpine","Labels":{"app":"web"},)"
      R"("HostConfig":{"Binds":["/srv/a:/b"],"SecurityOpt":["seccomp=unconfined"]}})";
  const RedactedBody out = redact(kCreate, body);
  EXPECT_EQ(out.body, body);
  EXPECT_TRUE(out.pointers.empty());
}

TEST(Redact, AProfileIsNamedByItsHash) {
  const RedactedBody out = redact(kCreate, R"({"HostConfig":{"SecurityOpt":["seccomp={}"]}})");
  EXPECT_EQ(out.body, R"({"HostConfig":{"SecurityOpt":["seccomp=<profile sha256:)" +
                          sha256_hex("{}") + R"(>"]}})");
  EXPECT_EQ(out.pointers, Texts{"/HostConfig/SecurityOpt/0"});
}

TEST(Redact, RequestsWithoutABodyHaveNothingToShow) {
  const RedactedBody out = redact("GET /v1.41/info", "");
  EXPECT_TRUE(out.body.empty());
  EXPECT_TRUE(out.pointers.empty());
}

TEST(Redacted, TellsEqualSecretsApartFromOthersAndNothingElse) {
  const std::string one = redacted("hunter2");
  EXPECT_EQ(one, redacted("hunter2"));
  EXPECT_NE(one, redacted("hunter3"));
  EXPECT_TRUE(one.starts_with("<redacted:7:"));
  EXPECT_EQ(one.size(), std::string("<redacted:7:123456>").size());
  EXPECT_EQ(one.find(sha256_hex("hunter2").substr(0, 6)), std::string::npos);
}

TEST(Digest, Sha256OfAKnownText) {
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

}  // namespace
}  // namespace dockreeve::policy::testing
