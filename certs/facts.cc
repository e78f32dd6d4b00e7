// What a verified client certificate says about the caller, as text that is safe to match and log.
#include <openssl/evp.h>

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "certs/openssl_ptr.h"
#include "certs/tls_context.h"
#include "certs/x509_text.h"

namespace dockreeve::certs {
namespace {

constexpr std::size_t kMaxNameBytes = 1024;
constexpr std::string_view kHexDigits = "0123456789abcdef";

// A name that every reader reads alike, or an error. NUL and other control characters are how a
// certificate for one name is made to look like another.
Result<std::string> plain(std::string_view bytes, const char* what) {
  if (bytes.size() > kMaxNameBytes) {
    return fail("", std::string("client certificate: ") + what + " is longer than 1024 bytes");
  }
  if (!printable_utf8(bytes)) {
    return fail("", std::string("client certificate: ") + what +
                        " holds control characters or is not UTF-8");
  }
  return std::string(bytes);
}

Result<std::string> utf8(const ASN1_STRING* value, const char* what) {
  unsigned char* raw = nullptr;
  const int length = ASN1_STRING_to_UTF8(&raw, value);
  const BytesPtr bytes(raw);
  if (length < 0) {
    return openssl_failure("", std::string("client certificate: ") + what + " is not readable");
  }
  return plain(std::string_view(reinterpret_cast<const char*>(bytes.get()),
                                static_cast<std::size_t>(length)),
               what);
}

// Checks every part of a name and collects the ones that identities match on.
Result<void> read_name(const X509_NAME* name, const char* what, std::vector<std::string>* cns,
                       CertificateFacts* facts) {
  for (int i = 0; i < X509_NAME_entry_count(name); ++i) {
    const X509_NAME_ENTRY* entry = X509_NAME_get_entry(name, i);
    Result<std::string> value = utf8(X509_NAME_ENTRY_get_data(entry), what);
    if (!value) return tl::unexpected(value.error());
    if (facts == nullptr) continue;
    const int nid = OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry));
    std::vector<std::string>* into = nullptr;
    if (nid == NID_commonName) into = cns;
    if (nid == NID_organizationalUnitName) into = &facts->organizational_units;
    if (nid == NID_organizationName) into = &facts->organizations;
    if (into != nullptr) into->push_back(*std::move(value));
  }
  return {};
}

Result<void> read_alternative_names(const X509* certificate, CertificateFacts& facts) {
  int status = 0;
  const GeneralNamesPtr names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, &status, nullptr)));
  if (names == nullptr) {
    if (status == -1) return {};  // has none; -2 is "more than one", anything else is broken
    return fail("", "client certificate: the subject alternative name is not readable");
  }
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    std::vector<std::string>* into = nullptr;
    if (name->type == GEN_URI) into = &facts.san_uri;
    if (name->type == GEN_DNS) into = &facts.san_dns;
    if (name->type == GEN_EMAIL) into = &facts.san_email;
    if (into == nullptr) continue;
    const ASN1_IA5STRING* text = name->d.ia5;
    Result<std::string> value =
        plain(std::string_view(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                               static_cast<std::size_t>(ASN1_STRING_length(text))),
              "a subject alternative name");
    if (!value) return tl::unexpected(value.error());
    into->push_back(*std::move(value));
  }
  return {};
}

Result<std::string> sha256_hex(const X509* certificate) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  if (X509_digest(certificate, EVP_sha256(), digest.data(), &length) != 1) {
    return openssl_failure("", "client certificate: cannot compute its fingerprint");
  }
  std::string text;
  for (unsigned i = 0; i < length; ++i) {
    text += kHexDigits[digest[i] >> 4U];
    text += kHexDigits[digest[i] & 0xFU];
  }
  return text;
}

}  // namespace

Result<CertificateFacts> certificate_facts(SSL* ssl) {
  const X509Ptr certificate(SSL_get1_peer_certificate(ssl));
  if (certificate == nullptr) return fail("", "the client sent no certificate");
  if (const long verdict = SSL_get_verify_result(ssl); verdict != X509_V_OK) {
    return fail("", std::string("the client certificate was not verified: ") +
                        X509_verify_cert_error_string(verdict));
  }

  CertificateFacts facts;
  facts.version = SSL_get_version(ssl);
  facts.cipher = SSL_get_cipher_name(ssl);

  const X509_NAME* subject = X509_get_subject_name(certificate.get());
  const X509_NAME* issuer = X509_get_issuer_name(certificate.get());
  std::vector<std::string> common_names;
  Result<void> read = read_name(subject, "the subject", &common_names, &facts);
  if (read) read = read_name(issuer, "the issuer", nullptr, nullptr);
  if (read) read = read_alternative_names(certificate.get(), facts);
  if (!read) return tl::unexpected(read.error());
  if (common_names.size() == 1) facts.common_name = std::move(common_names.front());
  facts.subject = name_text(subject);
  facts.issuer = name_text(issuer);

  Result<std::string> fingerprint = sha256_hex(certificate.get());
  if (!fingerprint) return tl::unexpected(fingerprint.error());
  facts.fingerprint = *std::move(fingerprint);
  facts.serial = serial_hex(X509_get0_serialNumber(certificate.get()));
  facts.not_after = rfc3339(X509_get0_notAfter(certificate.get()));
  return facts;
}

}  // namespace dockreeve::certs
