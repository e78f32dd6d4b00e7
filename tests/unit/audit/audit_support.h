// What the audit tests share: a folder of their own, decisions to record, files read back.
#pragma once

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <array>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <unistd.h>
#include <vector>

#include "audit/record.h"
#include "audit/sink.h"
#include "audit/verify.h"

namespace dockreeve::audit::testing {

// A folder that goes away with the test.
class TempFolder {
 public:
  TempFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "audit_test_XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

inline std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

inline void write_file(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

inline std::vector<std::string> lines_of(const std::string& path) {
  std::vector<std::string> lines;
  std::ifstream in(path, std::ios::binary);
  for (std::string line; std::getline(in, line);)
    lines.push_back(line);
  return lines;
}

// "" when `dockreeve audit verify` would accept the file, else LINE: PROBLEM.
inline std::string verdict(const std::string& path) {
  Verifier verifier;
  const auto report = verifier.check(path);
  if (!report) return report.error().text();
  return report->intact() ? "" : std::to_string(report->bad_line) + ": " + report->problem;
}

inline std::unique_ptr<Sink> open_or_die(const FileOptions& options) {
  auto sink = open_file_sink(options);
  if (!sink) {
    ADD_FAILURE() << sink.error().text();
    std::abort();
  }
  return *std::move(sink);
}

// A small sound record whose note carries `text`.
inline std::string note(const std::string& text) {
  return note_record(Host{"h", "0", "", ""}, "gateway", "test", text);
}

inline std::string detail_of(const std::string& line) {
  const auto json = nlohmann::json::parse(line, nullptr, false);
  return json.is_object() && json.contains("note") ? json["note"].value("detail", "") : "";
}

inline policy::Denied denied_with(int status) {
  policy::Denied denied;
  denied.status = status;
  return denied;
}

inline policy::Decision denied_decision() {
  policy::Decision decision;
  decision.findings.push_back({.rule = "no-privileged",
                               .effect = policy::Effect::Deny,
                               .severity = policy::Severity::Critical,
                               .mode = policy::Mode::Enforce,
                               .policy = "baseline@1",
                               .origin = "build.yaml:16",
                               .pointer = "/HostConfig/Privileged",
                               .value = "true",
                               .message = "Privileged mode is not allowed.",
                               .fix = "--cap-add",
                               .controls = {"cis-docker-1.6/5.5"}});
  decision.findings.push_back({.rule = "no-secrets-in-env",
                               .effect = policy::Effect::Warn,
                               .severity = policy::Severity::High,
                               .mode = policy::Mode::Warn,
                               .policy = "baseline@1",
                               .origin = "",
                               .pointer = "/Env/2",
                               .value = "\"DB_PASSWORD\"",
                               .message = "Variable DB_PASSWORD looks like a secret.",
                               .fix = "",
                               .controls = {}});
  decision.policies = {"shared-build-host", "baseline@1"};
  decision.bindings = {"everyone-build"};
  decision.canonical_body =
      R"({"Env":["MODE=prod","DB_PASSWORD=<redacted:9:7f31c0>"],"Image":"nginx"})";
  decision.redactions = {"/Env/1"};
  decision.outcome = denied_with(403);
  return decision;
}

inline certs::Caller tls_caller() {
  certs::Caller caller;
  caller.transport = certs::Transport::Tls;
  caller.listener = "teams";
  caller.ip = "10.8.1.14";
  caller.port = 51522;
  caller.certificate.version = "TLSv1.3";
  caller.certificate.cipher = "TLS_AES_128_GCM_SHA256";
  caller.certificate.subject = "CN=web-runner-7,OU=web,O=Example";
  caller.certificate.issuer = "CN=Build CA,O=Example";
  caller.certificate.serial = "5f1102";
  caller.certificate.fingerprint = std::string(64, '9');
  caller.certificate.san_uri = {"spiffe://corp.example/team/web/runner-7"};
  caller.certificate.not_after = "2027-01-31T00:00:00Z";
  return caller;
}

inline policy::Identity web_runner() {
  return {"web-runner-7", {"web"}, {}, "identities[0]"};
}

inline Host build_host() {
  return {"build-03", "0.1.0", "20.10.24", "f6c0d3"};
}

inline RequestFacts create_request() {
  RequestFacts facts;
  facts.id = "01KB7Z3M5QW8V2T4N6R9XCDEFG";
  facts.listener = "teams";
  facts.method = "POST";
  facts.path = "/v1.41/containers/create";
  facts.route = "container.create";
  facts.api_version = "1.41";
  facts.user_agent = "Docker-Client/28.2.2 (linux)";
  facts.body_bytes = 1843;
  facts.body_sha256 = std::string(64, '3');
  facts.forwarded_sha256 = std::string(64, '4');
  return facts;
}

inline const std::string& some_policy_set() {
  static const std::string kHash(64, 'c');
  return kHash;
}

}  // namespace dockreeve::audit::testing
