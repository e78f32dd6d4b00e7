// What is read from a client certificate, and which names are refused.
#include <openssl/x509.h>

#include <algorithm>
#include <cctype>
#include <functional>
#include <gmock/gmock.h>

#include "certs/files.h"
#include "certs/pem.h"
#include "certs/x509_text.h"
#include "test_support.h"

namespace dockreeve::certs {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Facts : public ::testing::Test {
 protected:
  void SetUp() override { make_pki(dir_); }

  // Facts as the server sees them of a client with the certificate in `folder`.
  Result<CertificateFacts> facts_of(const std::string& folder) {
    const auto server = load_or_die(server_options(dir_));
    const SslCtxPtr client = make_client(dir_, folder, TLS1_3_VERSION);
    const auto connection = connect(server->native(), client.get());
    EXPECT_TRUE(connection->established) << connection->server_reason;
    return certificate_facts(connection->server.get());
  }

  // Changes the certificate in `folder` and signs it again.
  void alter(const std::string& folder, const std::function<void(X509*)>& change) {
    Result<std::vector<X509Ptr>> certificates = load_certificates(folder + "/cert.pem");
    const Result<PkeyPtr> ca_key = load_private_key(dir_ + "/ca.key");
    ASSERT_TRUE(certificates && ca_key);
    X509* certificate = certificates->front().get();
    change(certificate);
    ASSERT_GT(X509_sign(certificate, ca_key->get(), EVP_sha256()), 0);
    ASSERT_TRUE(write_atomically(folder + "/cert.pem", *to_pem(certificate), 0644));
  }

  // Facts of a client whose subject has one more part.
  Result<CertificateFacts> facts_with(int nid, int type, const std::string& value) {
    const Issued issued = issue_or_die({.dir = dir_, .name = "alice", .days = 9, .replace = true});
    alter(issued.folder, [&](X509* certificate) {
      X509_NAME* subject = X509_get_subject_name(certificate);
      ASSERT_EQ(X509_NAME_add_entry_by_NID(subject, nid, type,
                                           reinterpret_cast<const unsigned char*>(value.data()),
                                           static_cast<int>(value.size()), -1, 0),
                1);
    });
    return facts_of(issued.folder);
  }

  TempDir temp_;
  std::string dir_ = temp_ / "pki";
};

TEST_F(Facts, AreThoseThatTheOpensslCommandShows) {
  const Issued issued = issue_or_die({.dir = dir_,
                                      .name = "ci@host-1",
                                      .teams = {"web", "Bücher, Töne"},
                                      .uri = "spiffe://example.org/ci/1"});
  const Result<CertificateFacts> facts = facts_of(issued.folder);
  ASSERT_TRUE(facts) << facts.error().text();
  EXPECT_EQ(facts->version, "TLSv1.3");
  EXPECT_EQ(facts->cipher, "TLS_AES_128_GCM_SHA256");
  EXPECT_EQ(facts->common_name, "ci@host-1");
  EXPECT_THAT(facts->organizational_units, ElementsAre("web", "Bücher, Töne"));
  EXPECT_THAT(facts->organizations, IsEmpty());
  EXPECT_THAT(facts->san_uri, ElementsAre("spiffe://example.org/ci/1"));
  EXPECT_THAT(facts->san_dns, IsEmpty());
  EXPECT_EQ(facts->issuer, "CN=test CA");
  EXPECT_EQ(facts->serial, issued.serial);
  EXPECT_EQ(facts->not_after, issued.not_after);

  std::string shown = shell("openssl x509 -noout -nameopt RFC2253 -subject -issuer -serial -in " +
                            issued.folder + "/cert.pem");
  EXPECT_THAT(shown, HasSubstr("subject=" + facts->subject + "\n"));
  EXPECT_THAT(shown, HasSubstr("issuer=" + facts->issuer + "\n"));
  std::string serial = facts->serial;
  std::transform(serial.begin(), serial.end(), serial.begin(), ::toupper);
  EXPECT_THAT(shown, HasSubstr("serial=" + serial + "\n"));
  shown = shell("openssl x509 -outform DER -in " + issued.folder + "/cert.pem | sha256sum");
  EXPECT_THAT(shown, HasSubstr(facts->fingerprint + " "));
}

TEST_F(Facts, ReadOrganizationsInAnyStringType) {
  const auto facts =
      facts_with(NID_organizationName, V_ASN1_BMPSTRING, std::string("\0E\0\xe9", 4));
  ASSERT_TRUE(facts) << facts.error().text();
  EXPECT_THAT(facts->organizations, ElementsAre("Eé"));
  EXPECT_EQ(facts->common_name, "alice");
}

TEST_F(Facts, LeaveARepeatedCommonNameEmpty) {
  const auto facts = facts_with(NID_commonName, V_ASN1_UTF8STRING, "root");
  ASSERT_TRUE(facts) << facts.error().text();
  EXPECT_EQ(facts->common_name, "");
  EXPECT_EQ(facts->subject, "CN=root,CN=alice");
}

TEST_F(Facts, RefuseNamesThatReadersCouldTakeForOthers) {
  const std::vector<std::string> names = {std::string("ops\0.web", 8),
                                          "ops\n",
                                          "ops\x1b[31m",
                                          "ops\x7f",
                                          "ops\xc2\x85",
                                          "ops\xe2\x80\xae"};
  for (const std::string& name : names) {
    const auto facts = facts_with(NID_organizationalUnitName, V_ASN1_UTF8STRING, name);
    ASSERT_FALSE(facts) << testing::PrintToString(name);
    EXPECT_THAT(facts.error().text(), HasSubstr("client certificate: the subject"));
  }
  // Also in a part that no identity matches on: the whole subject is logged.
  EXPECT_FALSE(facts_with(NID_localityName, V_ASN1_UTF8STRING, "a\rb"));
  EXPECT_FALSE(facts_with(NID_localityName, V_ASN1_PRINTABLESTRING, std::string("a\0b", 3)));
}

TEST_F(Facts, RefuseNamesOfAbsurdLength) {
  const auto longest = facts_with(NID_dnQualifier, V_ASN1_UTF8STRING, std::string(1024, 'a'));
  EXPECT_TRUE(longest);
  const auto longer = facts_with(NID_dnQualifier, V_ASN1_UTF8STRING, std::string(1025, 'a'));
  ASSERT_FALSE(longer);
  EXPECT_THAT(longer.error().text(), HasSubstr("longer than 1024 bytes"));
}

TEST_F(Facts, ReadAlternativeNamesAndRefuseNulInThem) {
  const auto with_names = [&](const std::string& dns) {
    const Issued issued = issue_or_die({.dir = dir_, .name = "bob", .days = 9, .replace = true});
    alter(issued.folder, [&](X509* certificate) {
      const GeneralNamesPtr names(GENERAL_NAMES_new());
      for (const auto& [type, text] :
           {std::pair{GEN_DNS, dns}, std::pair{GEN_EMAIL, std::string("bob@example.org")}}) {
        GENERAL_NAME* name = GENERAL_NAME_new();
        ASN1_IA5STRING* value = ASN1_IA5STRING_new();
        ASN1_STRING_set(value, text.data(), static_cast<int>(text.size()));
        GENERAL_NAME_set0_value(name, type, value);
        sk_GENERAL_NAME_push(names.get(), name);
      }
      ASSERT_EQ(X509_add1_ext_i2d(certificate, NID_subject_alt_name, names.get(), 0, 0), 1);
    });
    return facts_of(issued.folder);
  };
  const auto facts = with_names("ci.example.org");
  ASSERT_TRUE(facts) << facts.error().text();
  EXPECT_THAT(facts->san_dns, ElementsAre("ci.example.org"));
  EXPECT_THAT(facts->san_email, ElementsAre("bob@example.org"));
  EXPECT_THAT(facts->san_uri, IsEmpty());
  const auto refused = with_names(std::string("ci.example.org\0.evil.org", 24));
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().text(), HasSubstr("subject alternative name"));
}

TEST_F(Facts, NeedACertificate) {
  const SslCtxPtr context(SSL_CTX_new(TLS_server_method()));
  const SslPtr ssl(SSL_new(context.get()));
  const auto facts = certificate_facts(ssl.get());
  ASSERT_FALSE(facts);
  EXPECT_EQ(facts.error().text(), "the client sent no certificate");
}

TEST(PrintableUtf8, KeepsWhatIsShownAsItIs) {
  for (const char* text : {"", "web", "Bücher", "日本語", "🚀", "a b~", "\xf4\x8f\xbf\xbd"}) {
    EXPECT_TRUE(printable_utf8(text)) << text;
  }
  for (const char* text :
       {"\t", "\xf4\x90\x80\x80", "\xe0\x80\x80", "\xf0\x80\x80\x80", "\x80", "\xe2\x81\xa6",
        "\xef\xbb\xbf", "\xf5\x80\x80\x80", "a\xff", "\xc0\xaf", "\xed\xa0\x80", "a\xe2\x80"}) {
    EXPECT_FALSE(printable_utf8(text)) << testing::PrintToString(text);
  }
}

}  // namespace
}  // namespace dockreeve::certs
