// The PKI folder: what is written, with which permissions, and what is refused.
#include "certs/pki.h"

#include <algorithm>
#include <cctype>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <thread>

#include "certs/files.h"
#include "certs/pki_index.h"
#include "test_support.h"

namespace dockreeve::certs {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

mode_t mode_of(const std::string& path) {
  struct stat facts {};
  EXPECT_EQ(::stat(path.c_str(), &facts), 0) << path;
  return facts.st_mode & 07777U;
}

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), ::toupper);
  return text;
}

class Pki : public ::testing::Test {
 protected:
  void SetUp() override { make_pki(dir_); }
  std::string crl_text() { return shell("openssl crl -noout -text -in " + dir_ + "/ca.crl"); }
  std::string verify(const std::string& certificate, const std::string& options) {
    return shell("openssl verify -x509_strict -CAfile " + dir_ + "/ca.pem " + options + " " +
                 certificate);
  }
  IssueOptions alice() { return {.dir = dir_, .name = "alice", .teams = {"web", "ops"}}; }

  TempDir temp_;
  std::string dir_ = temp_ / "deep/pki";
};

TEST_F(Pki, InitMakesWhatOpensslAccepts) {
  EXPECT_THAT(verify(dir_ + "/ca.pem", ""), HasSubstr("status=0"));
  EXPECT_THAT(verify(dir_ + "/server/cert.pem", "-purpose sslserver -verify_hostname localhost"),
              HasSubstr("status=0"));
  EXPECT_THAT(verify(dir_ + "/server/cert.pem", "-purpose sslserver -verify_ip 127.0.0.1"),
              HasSubstr("status=0"));
  EXPECT_THAT(verify(dir_ + "/server/cert.pem", "-purpose sslclient"), Not(HasSubstr("status=0")));
  const std::string ca = shell("openssl x509 -noout -text -in " + dir_ + "/ca.pem");
  EXPECT_THAT(
      ca, AllOf(HasSubstr("X509v3 Basic Constraints: critical\n                CA:TRUE, pathlen:0"),
                HasSubstr("X509v3 Key Usage: critical\n                Certificate Sign, CRL Sign"),
                HasSubstr("prime256v1"), HasSubstr("X509v3 Subject Key Identifier"),
                HasSubstr("X509v3 Authority Key Identifier")));
  EXPECT_THAT(crl_text(), AllOf(HasSubstr("No Revoked Certificates"),
                                HasSubstr("X509v3 CRL Number: \n                1\n")));
}

TEST_F(Pki, IssueWritesADockerCertPath) {
  const Issued issued = issue_or_die(alice());
  EXPECT_EQ(issued.folder, dir_ + "/clients/alice");
  EXPECT_EQ(issued.subject, "CN=alice,OU=ops,OU=web");
  EXPECT_EQ(issued.serial.size(), 32U);
  EXPECT_EQ(slurp(issued.folder + "/ca.pem"), slurp(dir_ + "/ca.pem"));
  EXPECT_THAT(slurp(issued.folder + "/key.pem"), HasSubstr("-----BEGIN PRIVATE KEY-----"));
  const std::string crl = "-crl_check -CRLfile " + dir_ + "/ca.crl";
  EXPECT_THAT(verify(issued.folder + "/cert.pem", "-purpose sslclient " + crl),
              HasSubstr("status=0"));
  EXPECT_THAT(verify(issued.folder + "/cert.pem", "-purpose sslserver"),
              Not(HasSubstr("status=0")));
  EXPECT_THAT(shell("openssl x509 -noout -ext keyUsage,extendedKeyUsage -in " + issued.folder +
                    "/cert.pem"),
              AllOf(HasSubstr("Digital Signature"), HasSubstr("TLS Web Client Authentication")));
}

TEST_F(Pki, KeysAndFoldersAreTheOwnersOnly) {
  const Issued issued = issue_or_die(alice());
  for (const std::string& key :
       {dir_ + "/ca.key", dir_ + "/server/key.pem", issued.folder + "/key.pem"}) {
    EXPECT_EQ(mode_of(key), 0600U) << key;
  }
  for (const std::string& folder : {dir_, dir_ + "/server", dir_ + "/clients", issued.folder}) {
    EXPECT_EQ(mode_of(folder), 0700U) << folder;
  }
  EXPECT_EQ(mode_of(dir_ + "/ca.crl"), 0644U);
  for (const auto& file : std::filesystem::recursive_directory_iterator(dir_)) {
    EXPECT_THAT(file.path().extension().string(),
                ::testing::AnyOf(".pem", ".key", ".crl", ".json", "", ".lock"))
        << file.path() << " is left over";
  }
}

TEST_F(Pki, InitTouchesNothingThatExists) {
  const std::string before = slurp(dir_ + "/ca.key");
  const Result<void> again = init({.dir = dir_, .hosts = {"localhost"}});
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().text(),
            dir_ + "/index.json exists already; a PKI is only made in a folder without one");
  EXPECT_EQ(slurp(dir_ + "/ca.key"), before);

  std::filesystem::remove(dir_ + "/index.json");
  EXPECT_FALSE(init({.dir = dir_, .hosts = {"localhost"}}));
  EXPECT_EQ(slurp(dir_ + "/ca.key"), before);
}

TEST_F(Pki, InitTakesAnEmptyFolderAndATrailingSlash) {
  const std::string dir = temp_ / "new/";
  const Result<void> made = init({.dir = dir, .hosts = {"::1"}});
  EXPECT_TRUE(made) << made.error().text();
  EXPECT_EQ(mode_of(dir), 0700U);
}

TEST_F(Pki, AnActiveNameIsNotIssuedTwice) {
  const Issued first = issue_or_die(alice());
  const Result<Issued> second = issue(alice());
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().text(), HasSubstr("revoke it first, or use --replace"));
  EXPECT_EQ(second.error().where, "");

  IssueOptions replacing = alice();
  replacing.replace = true;
  const Issued third = issue_or_die(replacing);
  EXPECT_NE(third.serial, first.serial);
  EXPECT_THAT(crl_text(), HasSubstr("Serial Number: " + upper(first.serial)));
  EXPECT_THAT(crl_text(), Not(HasSubstr(upper(third.serial))));

  ASSERT_TRUE(revoke(dir_, "alice"));
  EXPECT_NE(issue_or_die(alice()).serial, "");
}

TEST_F(Pki, AnExpiredNameIsIssuedAgain) {
  IssueOptions expired = alice();
  expired.days = -1;
  EXPECT_TRUE(issue_or_die(expired).expired);
  EXPECT_FALSE(issue_or_die(alice()).expired);
}

TEST_F(Pki, RevokeRenewsTheCrl) {
  const Issued issued = issue_or_die(alice());
  const Result<Issued> revoked = revoke(dir_, "alice");
  ASSERT_TRUE(revoked) << revoked.error().text();
  EXPECT_EQ(revoked->serial, issued.serial);
  EXPECT_TRUE(revoked->revoked);
  EXPECT_THAT(crl_text(), AllOf(HasSubstr("Serial Number: " + upper(issued.serial)),
                                HasSubstr("X509v3 CRL Number: \n                2\n"),
                                HasSubstr("X509v3 Authority Key Identifier")));
  EXPECT_THAT(verify(issued.folder + "/cert.pem", "-crl_check -CRLfile " + dir_ + "/ca.crl"),
              HasSubstr("certificate revoked"));

  const Result<Issued> again = revoke(dir_, "alice");
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().text(), "alice was revoked already, on " + revoked->revoked_at);
}

TEST_F(Pki, RevokeTakesASerialAsPeoplePasteIt) {
  const Issued issued = issue_or_die(alice());
  std::string pasted;
  for (std::size_t i = 0; i < issued.serial.size(); i += 2) {
    pasted += (i == 0 ? "" : ":") + upper(issued.serial.substr(i, 2));
  }
  const Result<Issued> revoked = revoke(dir_, pasted);
  ASSERT_TRUE(revoked) << revoked.error().text();
  EXPECT_EQ(revoked->name, "alice");
  EXPECT_FALSE(revoke(dir_, issued.serial));
}

TEST_F(Pki, RevokeFinishesWhatAStoppedRunLeft) {
  const std::string empty_crl = slurp(dir_ + "/ca.crl");
  const Issued issued = issue_or_die(alice());
  ASSERT_TRUE(revoke(dir_, "alice"));
  spill(dir_ + "/ca.crl", empty_crl);
  ASSERT_TRUE(revoke(dir_, "alice")) << "the CRL does not have it yet";
  EXPECT_THAT(crl_text(), HasSubstr(upper(issued.serial)));
  EXPECT_FALSE(revoke(dir_, "alice"));
}

TEST_F(Pki, RevokeRefusesWhatItDoesNotKnow) {
  for (const char* unknown : {"nobody", "", "00", "localhost"}) {
    const Result<Issued> revoked = revoke(dir_, unknown);
    ASSERT_FALSE(revoked) << unknown;
    EXPECT_THAT(revoked.error().text(), HasSubstr("no certificate with the name or serial"));
  }
  const auto all = list(dir_);
  ASSERT_TRUE(all);
  const Result<Issued> server = revoke(dir_, all->front().serial);
  ASSERT_FALSE(server);
  EXPECT_THAT(server.error().text(), HasSubstr("that is a server certificate"));
}

TEST_F(Pki, ListTellsWhatWasIssued) {
  issue_or_die({.dir = dir_, .name = "bob", .uri = "spiffe://x/bob"});
  issue_or_die(alice());
  ASSERT_TRUE(revoke(dir_, "bob"));
  const auto all = list(dir_);
  ASSERT_TRUE(all) << all.error().text();
  ASSERT_EQ(all->size(), 3U);
  EXPECT_TRUE((*all)[0].server);
  EXPECT_THAT((*all)[0].hosts, ElementsAre("localhost", "127.0.0.1"));
  EXPECT_TRUE((*all)[1].revoked);
  EXPECT_EQ((*all)[1].uri, "spiffe://x/bob");
  EXPECT_FALSE((*all)[2].revoked);
  EXPECT_THAT((*all)[2].teams, ElementsAre("web", "ops"));
}

TEST_F(Pki, IssueServerRenewsWithTheSameHostsAndANewKey) {
  const std::string key = slurp(dir_ + "/server/key.pem");
  const Result<Issued> renewed = issue_server({.dir = dir_, .hosts = {}});
  ASSERT_TRUE(renewed) << renewed.error().text();
  EXPECT_THAT(renewed->hosts, ElementsAre("localhost", "127.0.0.1"));
  EXPECT_NE(slurp(dir_ + "/server/key.pem"), key);
  EXPECT_NE(load_or_die(server_options(dir_)), nullptr);

  const Result<Issued> moved = issue_server({.dir = dir_, .hosts = {"::1", "*.example.org"}});
  ASSERT_TRUE(moved) << moved.error().text();
  EXPECT_THAT(verify(dir_ + "/server/cert.pem", "-verify_ip ::1"), HasSubstr("status=0"));
  EXPECT_THAT(verify(dir_ + "/server/cert.pem", "-verify_hostname a.example.org"),
              HasSubstr("status=0"));
}

TEST_F(Pki, NothingOutlivesTheCa) {
  IssueOptions options = alice();
  options.days = 3651;
  const Result<Issued> issued = issue(options);
  ASSERT_FALSE(issued);
  EXPECT_THAT(issued.error().text(), HasSubstr("the CA itself expires on 20"));
  EXPECT_EQ(list(dir_)->size(), 1U);
}

TEST_F(Pki, RunsAtTheSameTimeDoNotLoseEachOther) {
  std::vector<std::thread> runs;
  for (int i = 0; i < 6; ++i) {
    runs.emplace_back([this, i] {
      const std::string name = "client" + std::to_string(i);
      EXPECT_TRUE(issue({.dir = dir_, .name = name}));
      if (i % 2 == 0) {
        EXPECT_TRUE(revoke(dir_, name));
      }
    });
  }
  for (std::thread& run : runs)
    run.join();
  const auto all = list(dir_);
  ASSERT_TRUE(all);
  EXPECT_EQ(all->size(), 7U);
  EXPECT_EQ(std::count_if(all->begin(), all->end(), [](const Issued& i) { return i.revoked; }), 3);
  for (const Issued& one : *all) {
    EXPECT_EQ(crl_text().find(upper(one.serial)) != std::string::npos, one.revoked) << one.name;
  }
}

TEST_F(Pki, ADamagedIndexStopsEverything) {
  const std::string path = dir_ + "/index.json";
  const std::string good = slurp(path);
  const std::vector<std::string> damaged = {
      "",
      "[]",
      "{}",
      good.substr(0, good.size() / 2),
      R"({"schemaVersion":2,"crlNumber":1,"certificates":[]})",
      R"({"schemaVersion":1,"crlNumber":-1,"certificates":[]})",
      R"({"schemaVersion":1,"crlNumber":1,"certificates":[{"name":"alice"}]})"};
  for (const std::string& text : damaged) {
    spill(path, text);
    for (const Result<Issued>& done : {issue(alice()), revoke(dir_, "alice")}) {
      ASSERT_FALSE(done) << text;
      EXPECT_EQ(done.error().where, path);
    }
    EXPECT_FALSE(list(dir_)) << text;
    EXPECT_EQ(slurp(path), text);
  }
}

TEST_F(Pki, ACaKeyThatOthersCanReadIsNotUsed) {
  ASSERT_EQ(::chmod((dir_ + "/ca.key").c_str(), 0644), 0);
  const Result<Issued> issued = issue(alice());
  ASSERT_FALSE(issued);
  EXPECT_THAT(issued.error().text(), HasSubstr("chmod 600"));
}

TEST_F(Pki, NamesCannotLeaveTheFolderOrTheGrammar) {
  for (const std::string& name : {std::string(), std::string("../x"), std::string(".hidden"),
                                  std::string("a/b"), std::string("-rf"), std::string("a b"),
                                  std::string("é"), std::string("a\0b", 3), std::string(65, 'a')}) {
    EXPECT_FALSE(check(IssueOptions{.dir = dir_, .name = name})) << name;
    EXPECT_FALSE(issue({.dir = dir_, .name = name})) << name;
  }
  EXPECT_TRUE(check(IssueOptions{.dir = dir_, .name = std::string(64, 'a')}));
  EXPECT_TRUE(check(IssueOptions{.dir = dir_, .name = "0_.@-"}));
}

TEST(PkiCheck, RefusesBadTeamsUrisHostsAndDays) {
  const auto issue_with = [](const std::string& team, const std::string& uri, int days) {
    return check(IssueOptions{.dir = "d", .name = "a", .teams = {team}, .uri = uri, .days = days});
  };
  EXPECT_TRUE(issue_with("Bücher Töne", "spiffe://example.org/a", 1));
  for (const std::string& team : {std::string(), std::string("a\nb"), std::string(65, 'a')}) {
    EXPECT_FALSE(issue_with(team, "", 1)) << team;
  }
  for (const char* uri : {"nothing", ":x", "x:", "a b:c", "http://a b", "http://\xc3\xa9"}) {
    EXPECT_FALSE(issue_with("t", uri, 1)) << uri;
  }
  for (const int days : {0, -1, 36501})
    EXPECT_FALSE(issue_with("t", "", days)) << days;

  for (const char* host : {"a.example.org", "*.example.org", "10.0.0.1", "fd00::1", "build_1"}) {
    EXPECT_TRUE(check(ServerOptions{.dir = "d", .hosts = {host}})) << host;
  }
  for (const char* host :
       {"", "*", "a b", "-a", "a..b", "DNS:evil,IP:1.2.3.4", "*.*.org", "[::1]"}) {
    EXPECT_FALSE(check(ServerOptions{.dir = "d", .hosts = {host}})) << host;
  }
  EXPECT_FALSE(check(InitOptions{.dir = "d", .hosts = {}}));
  EXPECT_FALSE(check(InitOptions{.dir = "d", .hosts = {"a"}, .ca_name = ""}));
}

TEST(PkiAbsent, IsSaidSo) {
  const TempDir temp;
  const std::string dir = temp / "none";
  EXPECT_THAT(list(dir).error().text(), HasSubstr("there is no PKI in " + dir));
  EXPECT_THAT(issue({.dir = dir, .name = "a"}).error().text(),
              HasSubstr("there is no PKI in " + dir));
  EXPECT_FALSE(path_exists(dir));
}

}  // namespace
}  // namespace dockreeve::certs
