#include "config/gateway_config.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <sstream>

namespace dockreeve::config {
namespace {

using namespace std::chrono_literals;

std::string source(const std::string& path) {
  return std::string(DOCKREEVE_SOURCE_DIR) + '/' + path;
}

std::string slurp(const std::string& path) {
  std::ifstream input(path);
  EXPECT_TRUE(input.good()) << path;
  std::ostringstream text;
  text << input.rdbuf();
  return text.str();
}

std::optional<Gateway> load(const std::string& text) {
  std::vector<policy::Diagnostic> diagnostics;
  auto gateway = load_gateway_text("gateway.yaml", text, "/etc/dockreeve", diagnostics);
  for (const auto& diagnostic : diagnostics)
    ADD_FAILURE() << render(diagnostic, text);
  return gateway;
}

const std::string kSmallest =
    "apiVersion: dockreeve/v1\n"
    "kind: Gateway\n"
    "listeners: [{ name: local, address: \"unix:///run/d.sock\" }]\n"
    "upstream: { address: \"unix:///var/run/docker.sock\" }\n"
    "policies: [policies, /srv/extra.yaml]\n"
    "audit: { file: ../log/audit.jsonl }\n";

TEST(GatewayFile, TheDocumentedExampleLoads) {
  std::vector<policy::Diagnostic> diagnostics;
  const std::string file = source("config/dockreeve.example.yaml");
  const auto gateway = load_gateway(file, diagnostics);
  ASSERT_TRUE(gateway);
  EXPECT_TRUE(diagnostics.empty());
  EXPECT_EQ(gateway->file, file);
  ASSERT_EQ(gateway->listeners.size(), 2U);
  const Listener& teams = gateway->listeners[0];
  EXPECT_EQ(teams.name, "teams");
  EXPECT_FALSE(teams.is_unix);
  EXPECT_EQ(teams.host, "0.0.0.0");
  EXPECT_EQ(teams.port, 2376);
  EXPECT_EQ(teams.tls.certificate, source("config/certs/server/cert.pem"));
  EXPECT_EQ(teams.tls.client_ca, source("config/certs/ca.pem"));
  EXPECT_EQ(teams.tls.crl, "");
  EXPECT_FALSE(teams.tls.min_tls13);
  const Listener& local = gateway->listeners[1];
  EXPECT_TRUE(local.is_unix);
  EXPECT_EQ(local.path, "/run/dockreeve/docker.sock");
  EXPECT_EQ(local.mode, 0660U);
  EXPECT_EQ(local.group, "docker-users");
  EXPECT_EQ(gateway->upstream_path, "/var/run/docker.sock");
  EXPECT_THAT(gateway->policies, ::testing::ElementsAre(source("config/policies.example")));
  EXPECT_EQ(gateway->audit.file, "/var/log/dockreeve/audit.jsonl");
}

// The example says that it shows the defaults.
TEST(GatewayFile, TheExampleShowsTheDefaults) {
  std::vector<policy::Diagnostic> diagnostics;
  const auto shown = load_gateway(source("config/dockreeve.example.yaml"), diagnostics);
  ASSERT_TRUE(shown);
  const Limits defaults;
  EXPECT_EQ(shown->limits.max_connections, defaults.max_connections);
  EXPECT_EQ(shown->limits.max_header_bytes, defaults.max_header_bytes);
  EXPECT_EQ(shown->limits.max_body_bytes, defaults.max_body_bytes);
  EXPECT_EQ(shown->limits.header_timeout, defaults.header_timeout);
  EXPECT_EQ(shown->limits.body_timeout, defaults.body_timeout);
  EXPECT_EQ(shown->limits.idle_timeout, defaults.idle_timeout);
  EXPECT_EQ(shown->limits.stream_idle_timeout, defaults.stream_idle_timeout);
  EXPECT_EQ(shown->limits.lookup_timeout, defaults.lookup_timeout);
  EXPECT_EQ(shown->limits.upstream_connect_timeout, defaults.upstream_connect_timeout);
  EXPECT_EQ(shown->limits.upstream_timeout, defaults.upstream_timeout);
  EXPECT_EQ(shown->limits.drain_timeout, defaults.drain_timeout);
  EXPECT_EQ(shown->audit.sync, Audit().sync);
  EXPECT_EQ(shown->audit.fail_closed, Audit().fail_closed);
}

TEST(GatewayFile, PathsAreRelativeToItsFolder) {
  const auto gateway = load(kSmallest);
  ASSERT_TRUE(gateway);
  EXPECT_THAT(gateway->policies,
              ::testing::ElementsAre("/etc/dockreeve/policies", "/srv/extra.yaml"));
  EXPECT_EQ(gateway->audit.file, "/etc/log/audit.jsonl");
  EXPECT_EQ(gateway->file, "/etc/dockreeve/gateway.yaml");
}

TEST(GatewayFile, EveryLimitIsRead) {
  const auto gateway = load(kSmallest +
                            "limits:\n"
                            "  maxConnections: 7\n"
                            "  maxHeaderBytes: 8KiB\n"
                            "  maxBodyBytes: 1m\n"
                            "  headerTimeout: 1s\n"
                            "  bodyTimeout: 2s\n"
                            "  idleTimeout: 3m\n"
                            "  streamIdleTimeout: 4h\n"
                            "  lookupTimeout: 5s\n"
                            "  upstreamConnectTimeout: 6s\n"
                            "  upstreamTimeout: 7s\n"
                            "  drainTimeout: 8s\n"
                            "threads: 3\n");
  ASSERT_TRUE(gateway);
  const Limits& limits = gateway->limits;
  EXPECT_EQ(limits.max_connections, 7);
  EXPECT_EQ(limits.max_header_bytes, 8192);
  EXPECT_EQ(limits.max_body_bytes, 1 << 20);
  EXPECT_EQ(limits.header_timeout, 1s);
  EXPECT_EQ(limits.body_timeout, 2s);
  EXPECT_EQ(limits.idle_timeout, 3min);
  EXPECT_EQ(limits.stream_idle_timeout, 4h);
  EXPECT_EQ(limits.lookup_timeout, 5s);
  EXPECT_EQ(limits.upstream_connect_timeout, 6s);
  EXPECT_EQ(limits.upstream_timeout, 7s);
  EXPECT_EQ(limits.drain_timeout, 8s);
  EXPECT_EQ(gateway->threads, 3);
}

TEST(GatewayFile, TakesIpv6AndTls13AndACrl) {
  const auto gateway = load(
      "apiVersion: dockreeve/v1\nkind: Gateway\n"
      "listeners:\n"
      "  - name: six\n"
      "    address: \"[::1]:2376\"\n"
      "    tls: { certificate: c.pem, key: k.pem, clientCA: ca.pem, crl: ca.crl, minVersion: "
      "\"1.3\" }\n"
      "upstream: { address: \"unix:///var/run/docker.sock\" }\n"
      "policies: [p]\n"
      "audit: { file: a.jsonl, sync: os, failClosed: false }\n");
  ASSERT_TRUE(gateway);
  EXPECT_EQ(gateway->listeners[0].host, "::1");
  EXPECT_TRUE(gateway->listeners[0].tls.min_tls13);
  EXPECT_EQ(gateway->listeners[0].tls.crl, "/etc/dockreeve/ca.crl");
  EXPECT_EQ(gateway->audit.sync, "os");
  EXPECT_FALSE(gateway->audit.fail_closed);
}

TEST(GatewayFile, AFileThatIsNotThereIsAnError) {
  std::vector<policy::Diagnostic> diagnostics;
  EXPECT_FALSE(load_gateway("/nonexistent/gateway.yaml", diagnostics));
  ASSERT_EQ(diagnostics.size(), 1U);
  EXPECT_EQ(diagnostics[0].code, "E012");
}

TEST(GatewayFile, AnEmptyFileIsAnError) {
  std::vector<policy::Diagnostic> diagnostics;
  EXPECT_FALSE(load_gateway_text("g.yaml", "", "/etc", diagnostics));
  ASSERT_EQ(diagnostics.size(), 1U);
  EXPECT_EQ(diagnostics[0].code, "E118");
}

std::vector<std::string> broken_files() {
  std::vector<std::string> names;
  for (const auto& entry :
       std::filesystem::directory_iterator(source("tests/golden/gateway/broken"))) {
    if (entry.path().extension() == ".yaml") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

class BrokenGateway : public ::testing::TestWithParam<std::string> {};

// Every file in broken/ with exactly the diagnostics, as printed, in the .txt beside it.
TEST_P(BrokenGateway, IsReportedAsWritten) {
  const std::string path = source("tests/golden/gateway/broken/" + GetParam());
  const std::string text = slurp(path + ".yaml");
  std::vector<policy::Diagnostic> diagnostics;
  const auto gateway = load_gateway_text(GetParam() + ".yaml", text, "/etc/dockreeve", diagnostics);
  std::string printed;
  for (const auto& diagnostic : diagnostics)
    printed += render(diagnostic, text) + '\n';
  printed += gateway ? "loaded\n" : "refused\n";
  EXPECT_EQ(printed, slurp(path + ".txt"));
  EXPECT_FALSE(gateway);
}

INSTANTIATE_TEST_SUITE_P(Golden, BrokenGateway, ::testing::ValuesIn(broken_files()),
                         [](const auto& param_info) {
                           std::string name = param_info.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace dockreeve::config
