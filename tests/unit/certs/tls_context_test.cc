// Who gets through the handshake, on both protocol versions, and which files are refused.
#include "certs/tls_context.h"

#include <openssl/pem.h>

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "certs/files.h"
#include "certs/pem.h"
#include "certs/pki_ca.h"
#include "test_support.h"

namespace dockreeve::certs {
namespace {

using ::testing::HasSubstr;

class Handshake : public ::testing::TestWithParam<int> {
 protected:
  void SetUp() override {
    make_pki(dir_);
    good_ = issue_or_die({.dir = dir_, .name = "alice", .teams = {"web"}});
    server_ = load_or_die(server_options(dir_));
    ASSERT_NE(server_, nullptr);
  }

  std::unique_ptr<Connection> connect_as(const std::string& folder) {
    const SslCtxPtr client = make_client(dir_, folder, GetParam());
    return connect(server_->native(), client.get());
  }

  TempDir temp_;
  std::string dir_ = temp_ / "pki";
  Issued good_;
  std::shared_ptr<const TlsContext> server_;
};

TEST_P(Handshake, AcceptsAClientOfItsCa) {
  const auto connection = connect_as(good_.folder);
  EXPECT_TRUE(connection->established) << connection->server_reason;
  EXPECT_EQ(SSL_version(connection->server.get()), GetParam());
  EXPECT_TRUE(server_says_hello(*connection));
  EXPECT_EQ(server_->warning(), "");
}

TEST_P(Handshake, RefusesAClientWithoutCertificate) {
  const auto connection = connect_as("");
  EXPECT_FALSE(connection->established);
  EXPECT_THAT(connection->server_reason, HasSubstr("did not return a certificate"));
}

TEST_P(Handshake, RefusesAClientOfAnotherCaWithTheSameName) {
  const std::string other = temp_ / "other";
  make_pki(other);
  const Issued stranger = issue_or_die({.dir = other, .name = "alice", .teams = {"web"}});
  const auto connection = connect_as(stranger.folder);
  EXPECT_FALSE(connection->established);
  EXPECT_THAT(connection->server_reason, HasSubstr("certificate verify failed"));
}

TEST_P(Handshake, RefusesAnExpiredClient) {
  const Issued expired = issue_or_die({.dir = dir_, .name = "late", .days = -1});
  const auto connection = connect_as(expired.folder);
  EXPECT_FALSE(connection->established);
  EXPECT_THAT(connection->server_reason, HasSubstr("certificate has expired"));
}

TEST_P(Handshake, RefusesAServerCertificateAsClient) {
  const auto connection = connect_as(dir_ + "/server");
  EXPECT_FALSE(connection->established);
  EXPECT_THAT(connection->server_reason, HasSubstr("purpose"));
}

TEST_P(Handshake, RefusesARevokedClientAfterAReload) {
  ASSERT_TRUE(revoke(dir_, "alice"));
  EXPECT_TRUE(connect_as(good_.folder)->established) << "the old snapshot has the old CRL";
  server_ = load_or_die(server_options(dir_));
  const auto connection = connect_as(good_.folder);
  EXPECT_FALSE(connection->established);
  EXPECT_THAT(connection->server_reason, HasSubstr("certificate revoked"));
}

TEST_P(Handshake, VerifiesAnOpenConnectionAgainAgainstANewCrl) {
  const auto connection = connect_as(good_.folder);
  ASSERT_TRUE(connection->established);
  EXPECT_TRUE(server_->verify_again(connection->server.get()));
  ASSERT_TRUE(revoke(dir_, "alice"));
  const auto reloaded = load_or_die(server_options(dir_));
  const Result<void> again = reloaded->verify_again(connection->server.get());
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().text(), "client certificate: certificate revoked");
}

TEST_P(Handshake, VerifiesAnOpenConnectionAgainAgainstANewCa) {
  const auto connection = connect_as(good_.folder);
  ASSERT_TRUE(connection->established);
  const std::string other = temp_ / "other";
  make_pki(other);
  const auto reloaded = load_or_die(server_options(other));
  EXPECT_FALSE(reloaded->verify_again(connection->server.get()));
}

// The same steps resume a session with a server that allows it, so they would show it here.
TEST_P(Handshake, DoesNotResumeASession) {
  const SslCtxPtr willing(SSL_CTX_new(TLS_server_method()));
  const std::string certificate = dir_ + "/server/cert.pem";
  const std::string key = dir_ + "/server/key.pem";
  ASSERT_EQ(SSL_CTX_use_certificate_chain_file(willing.get(), certificate.c_str()), 1);
  ASSERT_EQ(SSL_CTX_use_PrivateKey_file(willing.get(), key.c_str(), SSL_FILETYPE_PEM), 1);

  const SslCtxPtr client = make_client(dir_, good_.folder, GetParam());
  SSL_CTX_set_session_cache_mode(client.get(), SSL_SESS_CACHE_CLIENT);
  for (const auto& [server, resumes] :
       {std::pair{willing.get(), true}, std::pair{server_->native(), false}}) {
    const auto first = connect(server, client.get());
    ASSERT_TRUE(first->established) << first->server_reason;
    ASSERT_TRUE(server_says_hello(*first));
    const SessionPtr session(SSL_get1_session(first->client.get()));
    EXPECT_EQ(SSL_SESSION_is_resumable(session.get()) == 1, resumes);
    SSL_shutdown(first->client.get());
    const auto second = connect(server, client.get(), session.get());
    ASSERT_TRUE(second->established) << second->server_reason;
    EXPECT_EQ(SSL_session_reused(second->server.get()) == 1, resumes);
    EXPECT_EQ(SSL_session_reused(second->client.get()) == 1, resumes);
  }
}

class Renegotiation : public Handshake {};  // TLS 1.3 has none

TEST_P(Renegotiation, IsRefused) {
  const auto connection = connect_as(good_.folder);
  ASSERT_TRUE(connection->established);
  ASSERT_EQ(SSL_renegotiate(connection->client.get()), 1);
  (void)SSL_do_handshake(connection->client.get());
  char byte = 0;
  EXPECT_LE(SSL_read(connection->server.get(), &byte, 1), 0);
  ERR_clear_error();
  EXPECT_LE(SSL_do_handshake(connection->client.get()), 0);
  EXPECT_EQ(ERR_GET_REASON(ERR_peek_error()), SSL_R_NO_RENEGOTIATION);
  ERR_clear_error();
}

TEST_P(Handshake, NegotiatesHttp11AndNothingElse) {
  const SslCtxPtr client = make_client(dir_, good_.folder, GetParam());
  const std::vector<unsigned char> h2 = {2, 'h', '2'};
  std::vector<unsigned char> both = h2;
  for (const char c : std::string("\x08http/1.1"))
    both.push_back(static_cast<unsigned char>(c));

  const auto chosen = connect(server_->native(), client.get(), nullptr, both);
  ASSERT_TRUE(chosen->established) << chosen->server_reason;
  const unsigned char* protocol = nullptr;
  unsigned length = 0;
  SSL_get0_alpn_selected(chosen->client.get(), &protocol, &length);
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(protocol), length), "http/1.1");

  const auto refused = connect(server_->native(), client.get(), nullptr, h2);
  EXPECT_FALSE(refused->established);
  EXPECT_THAT(refused->server_reason, HasSubstr("no application protocol"));
}

TEST_P(Handshake, RefusesEveryoneOnceTheCrlExpired) {
  Result<std::vector<X509Ptr>> ca = load_certificates(dir_ + "/ca.pem");
  Result<PkeyPtr> key = load_private_key(dir_ + "/ca.key");
  const Credential authority{.certificate = std::move(ca->front()), .key = *std::move(key)};
  const Result<CrlPtr> crl = make_crl(authority, 7, {}, -1);
  ASSERT_TRUE(crl) << crl.error().text();
  spill(dir_ + "/ca.crl", *to_pem(crl->get()));
  server_ = load_or_die(server_options(dir_));
  EXPECT_THAT(server_->warning(), HasSubstr("expired on"));
  const auto connection = connect_as(good_.folder);
  EXPECT_FALSE(connection->established);
  EXPECT_THAT(connection->server_reason, HasSubstr("CRL has expired"));
}

TEST_P(Handshake, WantsACrlFromTheCaThatIssuedTheClient) {
  const std::string other = temp_ / "other";
  make_pki(other, "second CA");
  const Issued second = issue_or_die({.dir = other, .name = "bob"});
  TlsOptions options = server_options(dir_);
  options.client_ca = temp_ / "both.pem";
  spill(options.client_ca, slurp(dir_ + "/ca.pem") + slurp(other + "/ca.pem"));

  server_ = load_or_die(options);
  EXPECT_TRUE(connect_as(good_.folder)->established);
  const auto unknown = connect_as(second.folder);
  EXPECT_FALSE(unknown->established);
  EXPECT_THAT(unknown->server_reason, HasSubstr("unable to get certificate CRL"));

  options.crl = temp_ / "both.crl";
  spill(options.crl, slurp(dir_ + "/ca.crl") + slurp(other + "/ca.crl"));
  server_ = load_or_die(options);
  EXPECT_TRUE(connect_as(good_.folder)->established);
  EXPECT_TRUE(connect_as(second.folder)->established);
}

TEST_P(Handshake, WithoutCrlChecksEverythingElse) {
  ASSERT_TRUE(revoke(dir_, "alice"));
  TlsOptions options = server_options(dir_);
  options.crl.clear();
  server_ = load_or_die(options);
  EXPECT_TRUE(connect_as(good_.folder)->established);
  EXPECT_FALSE(connect_as("")->established);
}

INSTANTIATE_TEST_SUITE_P(Versions, Handshake, ::testing::Values(TLS1_2_VERSION, TLS1_3_VERSION),
                         [](const auto& version) {
                           return version.param == TLS1_2_VERSION ? "Tls12" : "Tls13";
                         });

INSTANTIATE_TEST_SUITE_P(Tls12, Renegotiation, ::testing::Values(TLS1_2_VERSION));

class Load : public ::testing::Test {
 protected:
  void SetUp() override {
    make_pki(dir_);
    options_ = server_options(dir_);
  }
  std::string error() {
    const auto context = TlsContext::load(options_);
    return context ? "loaded" : context.error().text();
  }
  // The PEM file again, encrypted or otherwise altered by the openssl command.
  std::string openssl(const std::string& command) { return shell("openssl " + command); }

  TempDir temp_;
  std::string dir_ = temp_ / "pki";
  TlsOptions options_;
};

TEST_F(Load, MinimumVersion13RefusesTls12) {
  options_.min_tls13 = true;
  const auto server = load_or_die(options_);
  const Issued alice = issue_or_die({.dir = dir_, .name = "alice"});
  const SslCtxPtr old = make_client(dir_, alice.folder, TLS1_2_VERSION);
  const SslCtxPtr fresh = make_client(dir_, alice.folder, TLS1_3_VERSION);
  EXPECT_FALSE(connect(server->native(), old.get())->established);
  EXPECT_TRUE(connect(server->native(), fresh.get())->established);
}

TEST_F(Load, NamesTheFileThatIsMissing) {
  for (std::string TlsOptions::*file :
       {&TlsOptions::certificate, &TlsOptions::key, &TlsOptions::client_ca, &TlsOptions::crl}) {
    options_ = server_options(dir_);
    options_.*file += ".absent";
    EXPECT_EQ(error(), options_.*file + ": cannot open: No such file or directory");
  }
}

TEST_F(Load, RefusesAKeyThatOthersCanRead) {
  for (const mode_t mode : {0640U, 0604U, 0620U}) {
    ASSERT_EQ(::chmod(options_.key.c_str(), mode), 0);
    EXPECT_THAT(error(), HasSubstr("run: chmod 600 " + options_.key));
  }
  ASSERT_EQ(::chmod(options_.key.c_str(), 0400), 0);
  EXPECT_EQ(error(), "loaded");
}

TEST_F(Load, RefusesAKeyOfAnotherCertificate) {
  options_.key = dir_ + "/ca.key";
  EXPECT_EQ(error(),
            options_.key + ": is not the key of the certificate in " + options_.certificate);
}

TEST_F(Load, RefusesAnEncryptedKeyWithoutAsking) {
  const std::string locked = temp_ / "locked.pem";
  ASSERT_THAT(openssl("pkey -aes256 -passout pass:secret -in " + options_.key + " -out " + locked),
              HasSubstr("status=0"));
  ASSERT_EQ(::chmod(locked.c_str(), 0600), 0);
  options_.key = locked;
  EXPECT_THAT(error(), HasSubstr("encrypted with a passphrase"));
}

TEST_F(Load, RefusesAClientCertificateAsItsOwn) {
  const Issued alice = issue_or_die({.dir = dir_, .name = "alice"});
  options_.certificate = alice.folder + "/cert.pem";
  options_.key = alice.folder + "/key.pem";
  EXPECT_EQ(error(), options_.certificate + ": is not a certificate for a TLS server");
}

TEST_F(Load, RefusesAClientCaThatIsNone) {
  options_.client_ca = options_.certificate;
  EXPECT_THAT(error(), HasSubstr("not a CA: CN=localhost"));
}

TEST_F(Load, RefusesACrlOfAnotherCaEvenWithItsName) {
  const std::string other = temp_ / "other";
  make_pki(other);
  options_.crl = other + "/ca.crl";
  EXPECT_THAT(error(), HasSubstr("no CA of clientCA signed"));
}

TEST_F(Load, RefusesFilesWithoutPemOrWithBrokenPem) {
  options_.crl = options_.client_ca;
  EXPECT_EQ(error(), options_.crl + ": holds no CRL in PEM form");
  options_ = server_options(dir_);
  options_.client_ca = temp_ / "broken.pem";
  std::string pem = slurp(dir_ + "/ca.pem");
  spill(options_.client_ca, pem + pem.replace(60, 4, "!!!!"));
  EXPECT_THAT(error(), HasSubstr("holds a broken certificate"));
}

TEST_F(Load, WarnsOfAnExpiredServerCertificate) {
  ASSERT_TRUE(issue_server({.dir = dir_, .days = -2}));
  EXPECT_THAT(load_or_die(options_)->warning(), HasSubstr(options_.certificate + " expired on 20"));
  ASSERT_TRUE(issue_server({.dir = dir_, .days = 3}));
  EXPECT_THAT(load_or_die(options_)->warning(), HasSubstr(options_.certificate + " expires on 20"));
}

TEST_F(Load, SendsTheChainOfTheCertificateFileAndNoMore) {
  const Issued alice = issue_or_die({.dir = dir_, .name = "alice"});
  const SslCtxPtr client = make_client(dir_, alice.folder, TLS1_3_VERSION);
  const auto chain_length = [&] {
    const auto server = load_or_die(options_);
    const auto connection = connect(server->native(), client.get());
    EXPECT_TRUE(connection->established) << connection->server_reason;
    return sk_X509_num(SSL_get_peer_cert_chain(connection->client.get()));
  };
  EXPECT_EQ(chain_length(), 1);
  const std::string chain = temp_ / "chain.pem";
  spill(chain, slurp(options_.certificate) + slurp(dir_ + "/ca.pem"));
  options_.certificate = chain;
  EXPECT_EQ(chain_length(), 2);
}

}  // namespace
}  // namespace dockreeve::certs
