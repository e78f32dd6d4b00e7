#include "policy/identities.h"

#include <gtest/gtest.h>

#include "loader_fixture.h"

namespace dockreeve::policy {
namespace {

using testing::golden;
using testing::must_load;

certs::Caller tls_caller(std::string cn, std::vector<std::string> ous = {}) {
  certs::Caller caller;
  caller.listener = "teams";
  caller.certificate.common_name = std::move(cn);
  caller.certificate.organizational_units = std::move(ous);
  caller.certificate.issuer = "CN=Build CA,O=Example";
  return caller;
}

certs::Caller unix_caller(std::int64_t uid, std::vector<std::int64_t> gids) {
  certs::Caller caller;
  caller.transport = certs::Transport::Unix;
  caller.listener = "local-socket";
  caller.peer.uid = uid;
  caller.peer.gids = std::move(gids);
  return caller;
}

// Identities from the body of a document, which must be sound.
Identities read(const std::string& body) {
  const yaml::Stream stream = yaml::read(body);
  EXPECT_TRUE(stream.problems.empty());
  std::vector<Diagnostic> diagnostics;
  Reporter reporter("identities.yaml", diagnostics);
  Identities identities = Identities::read(stream.documents.at(0), reporter);
  EXPECT_EQ(testing::codes(diagnostics), "");
  return identities;
}

TEST(Identify, FirstMatchNamesTeamsAndRolesAddUp) {
  const auto set = must_load(golden("good/build-host.yaml"));
  ASSERT_NE(set, nullptr);
  auto caller = tls_caller("data-7", {"web"});
  caller.certificate.san_uri = {"spiffe://corp.example/host-admin/bob"};
  const auto who = set->identify(caller);
  ASSERT_TRUE(who);
  EXPECT_EQ(who->name, "data-7");
  EXPECT_EQ(who->teams, (std::vector<std::string>{"data", "web"}));
  EXPECT_EQ(who->roles, std::vector<std::string>{"admin"});
  EXPECT_EQ(who->matched_by, "identities[0]");
}

TEST(Identify, ConditionsAreAllNeeded) {
  const auto set = must_load(golden("good/build-host.yaml"));
  auto caller = tls_caller("alice", {"web"});
  caller.certificate.issuer = "CN=Other CA,O=Example";
  EXPECT_FALSE(set->identify(caller));
  EXPECT_FALSE(set->identify(tls_caller("alice")));  // no OU at all
}

TEST(Identify, UnixPeersByUidGidAndListener) {
  const auto set = must_load(golden("good/build-host.yaml"));
  const auto who = set->identify(unix_caller(1000, {100, 2002}));
  ASSERT_TRUE(who);
  EXPECT_EQ(who->name, "uid-1000");
  EXPECT_EQ(who->teams, std::vector<std::string>{"data"});
  EXPECT_EQ(set->identify(unix_caller(0, {0}))->roles, std::vector<std::string>{"admin"});
  auto elsewhere = unix_caller(0, {0});
  elsewhere.listener = "other";
  EXPECT_FALSE(set->identify(elsewhere));
}

TEST(Identify, PeerKeysNeverSeeTlsCallersNorTheOtherWay) {
  const Identities identities = read(
      "identities: [{ name: peer, match: { peerUID: '*' } }, { name: cert, match: { certCN: '*' } "
      "}]");
  auto tls = tls_caller("alice");
  tls.peer.uid = 0;
  EXPECT_EQ(identities.identify(tls)->name, "cert");
  auto peer = unix_caller(5, {});
  peer.certificate.common_name = "alice";
  EXPECT_EQ(identities.identify(peer)->name, "peer");
}

TEST(Identify, AnEntryWhoseTemplateIsEmptyDoesNotMatch) {
  const Identities identities = read(
      "identities:\n"
      "  - { name: '{{peer.user}}', match: { peerUID: '*' } }\n"
      "  - { name: 'uid-{{peer.uid}}', match: { peerUID: '*' } }");
  auto caller = unix_caller(7, {});
  EXPECT_EQ(identities.identify(caller)->name, "uid-7");
  EXPECT_EQ(identities.identify(caller)->matched_by, "identities[1]");
  caller.peer.user = "ci";
  EXPECT_EQ(identities.identify(caller)->name, "ci");
}

TEST(Identify, NamesAreBoundedAndPrintable) {
  const Identities identities =
      read("identities: [{ name: '{{cert.cn}}', match: { certOU: web } }]");
  EXPECT_TRUE(identities.identify(tls_caller(std::string(128, 'a'), {"web"})));
  EXPECT_FALSE(identities.identify(tls_caller(std::string(129, 'a'), {"web"})));
  EXPECT_FALSE(identities.identify(tls_caller("al\nice", {"web"})));
  EXPECT_FALSE(identities.identify(tls_caller("al\xFF", {"web"})));
  EXPECT_FALSE(identities.identify(tls_caller("", {"web"})));
}

TEST(Identify, ValuesThatAreNotPrintableMatchNothing) {
  const Identities identities = read("identities: [{ name: x, match: { certCN: '**' } }]");
  EXPECT_TRUE(identities.identify(tls_caller("alice")));
  EXPECT_FALSE(identities.identify(tls_caller("a\x1B[0m")));
  EXPECT_FALSE(identities.identify(tls_caller(std::string(kMaxMatchedBytes + 1, 'a'))));
}

TEST(Identify, SeveralSanUrisNeedAConditionThatPicksOne) {
  auto caller = tls_caller("alice");
  caller.certificate.san_uri = {"spiffe://a/x", "spiffe://b/y"};
  const Identities picking =
      read("identities: [{ name: '{{cert.sanURI}}', match: { sanURI: 'spiffe://b/*' } }]");
  EXPECT_EQ(picking.identify(caller)->name, "spiffe://b/y");
  const Identities vague =
      read("identities: [{ name: '{{cert.sanURI}}', match: { sanURI: '**' } }]");
  EXPECT_FALSE(vague.identify(caller));
}

TEST(Identify, ListsAreAlternativesAndHexIsNormalised) {
  const Identities identities =
      read("identities: [{ name: x, match: { certOU: [a, b], certFingerprint: 'AB:CD' } }]");
  auto caller = tls_caller("c", {"b"});
  caller.certificate.fingerprint = "abcd";
  EXPECT_TRUE(identities.identify(caller));
  caller.certificate.organizational_units = {"c"};
  EXPECT_FALSE(identities.identify(caller));
}

TEST(Identify, UnknownCallersAreRefusedOrGuests) {
  const Identities strict = read("identities: []");
  EXPECT_FALSE(strict.identify(tls_caller("alice")));
  const Identities open = read("unknown: guest\nidentities: []\nteams: { web: [{ certCN: '*' }] }");
  const auto who = open.identify(tls_caller("alice"));
  ASSERT_TRUE(who);
  EXPECT_EQ(*who, (Identity{"guest", {}, {"guest"}, "unknown"}));
}

TEST(Named, TakesTeamsFromTheCommonNameAndTheCaller) {
  const auto set = must_load(golden("good/build-host.yaml"));
  const Identity who = set->named("data-1", {"web", "data"});
  EXPECT_EQ(who.name, "data-1");
  EXPECT_EQ(who.teams, (std::vector<std::string>{"data", "web"}));
  EXPECT_TRUE(who.roles.empty());
}

TEST(Names, FollowTheGrammar) {
  EXPECT_TRUE(is_name("web"));
  EXPECT_TRUE(is_name("a.b-c9"));
  EXPECT_TRUE(is_name(std::string(63, 'a')));
  for (const std::string& bad : {std::string(), std::string("Web"), std::string("-a"),
                                 std::string("a."), std::string("a_b"), std::string(64, 'a')}) {
    EXPECT_FALSE(is_name(bad)) << bad;
  }
}

}  // namespace
}  // namespace dockreeve::policy
