// Making keys, certificates and CRLs in memory.
#include "certs/pki_ca.h"

#include <openssl/err.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <memory>

#include "certs/x509_text.h"

namespace dockreeve::certs {
namespace {

constexpr long kBackdateSeconds = -300;
constexpr int kX509v3 = 2;  // the encoded value of version 3
constexpr int kCrlV2 = 1;

tl::unexpected<Error> failed(const std::string& what) {
  return openssl_failure("OpenSSL", what);
}

// 126 random bits between two fixed ones: positive, always sixteen bytes, never guessed or
// repeated.
Asn1IntegerPtr random_serial() {
  std::array<unsigned char, 16> bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) return nullptr;
  bytes[0] = static_cast<unsigned char>((bytes[0] & 0x7FU) | 0x40U);
  const BignumPtr number(BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr));
  return Asn1IntegerPtr(number == nullptr ? nullptr : BN_to_ASN1_INTEGER(number.get(), nullptr));
}

Asn1IntegerPtr serial_from_hex(const std::string& hex) {
  BIGNUM* raw = nullptr;
  if (BN_hex2bn(&raw, hex.c_str()) == 0) return nullptr;
  const BignumPtr number(raw);
  return Asn1IntegerPtr(BN_to_ASN1_INTEGER(number.get(), nullptr));
}

// "2030-01-02T03:04:05Z" as UTCTime or GeneralizedTime, whichever RFC 5280 wants for that year.
Asn1TimePtr time_from_rfc3339(std::string text) {
  std::erase_if(text, [](char c) { return c == '-' || c == ':' || c == 'T'; });
  Asn1TimePtr time(ASN1_TIME_new());
  if (time == nullptr || ASN1_TIME_set_string_X509(time.get(), text.c_str()) != 1) return nullptr;
  return time;
}

PkeyPtr new_key() {
  return PkeyPtr(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
}

bool add_name_part(X509_NAME* name, int nid, const std::string& value) {
  return X509_NAME_add_entry_by_NID(name, nid, MBSTRING_UTF8,
                                    reinterpret_cast<const unsigned char*>(value.data()),
                                    static_cast<int>(value.size()), -1, 0) == 1;
}

// `value` is always one of the constants below, never input: OpenSSL's extension language is not
// safe to put foreign text into.
bool add_extension(X509* certificate, X509V3_CTX* context, int nid, const char* value) {
  const ExtensionPtr extension(X509V3_EXT_conf_nid(nullptr, context, nid, value));
  return extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool add_text_name(GENERAL_NAMES* names, int type, const std::string& text) {
  ASN1_IA5STRING* value = ASN1_IA5STRING_new();
  GeneralNamePtr name(GENERAL_NAME_new());
  if (value == nullptr || name == nullptr ||
      ASN1_STRING_set(value, text.data(), static_cast<int>(text.size())) != 1) {
    ASN1_IA5STRING_free(value);
    return false;
  }
  GENERAL_NAME_set0_value(name.get(), type, value);
  if (sk_GENERAL_NAME_push(names, name.get()) <= 0) return false;
  (void)name.release();
  return true;
}

bool add_address(GENERAL_NAMES* names, const std::string& text) {
  ASN1_OCTET_STRING* value = a2i_IPADDRESS(text.c_str());
  GeneralNamePtr name(GENERAL_NAME_new());
  if (value == nullptr || name == nullptr) {
    ASN1_OCTET_STRING_free(value);
    return false;
  }
  GENERAL_NAME_set0_value(name.get(), GEN_IPADD, value);
  if (sk_GENERAL_NAME_push(names, name.get()) <= 0) return false;
  (void)name.release();
  return true;
}

bool add_alternative_names(X509* certificate, const CertificateSpec& spec) {
  if (spec.hosts.empty() && spec.uri.empty()) return true;
  const GeneralNamesPtr names(GENERAL_NAMES_new());
  if (names == nullptr) return false;
  for (const std::string& host : spec.hosts) {
    const bool added = is_ip_address(host) ? add_address(names.get(), host)
                                           : add_text_name(names.get(), GEN_DNS, host);
    if (!added) return false;
  }
  if (!spec.uri.empty() && !add_text_name(names.get(), GEN_URI, spec.uri)) return false;
  return X509_add1_ext_i2d(certificate, NID_subject_alt_name, names.get(), 0, 0) == 1;
}

// Version, serial number and validity: what every certificate here has in common.
X509Ptr blank_certificate(int days) {
  X509Ptr certificate(X509_new());
  const Asn1IntegerPtr serial = random_serial();
  if (certificate == nullptr || serial == nullptr) return nullptr;
  X509* x = certificate.get();
  // One that has expired must still have begun before it ended.
  const int first_day = days < 0 ? days - 1 : 0;
  const bool set =
      X509_set_version(x, kX509v3) == 1 && X509_set_serialNumber(x, serial.get()) == 1 &&
      X509_time_adj_ex(X509_getm_notBefore(x), first_day, kBackdateSeconds, nullptr) != nullptr &&
      X509_time_adj_ex(X509_getm_notAfter(x), days, 0, nullptr) != nullptr;
  if (!set) return nullptr;
  return certificate;
}

}  // namespace

Result<Credential> make_authority(const std::string& name, int days) {
  ERR_clear_error();
  Credential authority{.certificate = blank_certificate(days), .key = new_key()};
  if (authority.certificate == nullptr || authority.key == nullptr) {
    return failed("cannot make the CA");
  }
  X509* x = authority.certificate.get();
  X509_NAME* subject = X509_get_subject_name(x);
  X509V3_CTX context;
  X509V3_set_ctx(&context, x, x, nullptr, nullptr, 0);
  // The key identifiers come after the key: they are computed from it.
  const bool made =
      add_name_part(subject, NID_commonName, name) && X509_set_issuer_name(x, subject) == 1 &&
      X509_set_pubkey(x, authority.key.get()) == 1 &&
      add_extension(x, &context, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
      add_extension(x, &context, NID_key_usage, "critical,keyCertSign,cRLSign") &&
      add_extension(x, &context, NID_subject_key_identifier, "hash") &&
      add_extension(x, &context, NID_authority_key_identifier, "keyid:always") &&
      X509_sign(x, authority.key.get(), EVP_sha256()) > 0;
  if (!made) return failed("cannot make the CA");
  return authority;
}

Result<Credential> make_certificate(const Credential& authority, const CertificateSpec& spec) {
  ERR_clear_error();
  Credential made{.certificate = blank_certificate(spec.days), .key = new_key()};
  if (made.certificate == nullptr || made.key == nullptr) {
    return failed("cannot make a certificate");
  }
  X509* x = made.certificate.get();
  X509_NAME* subject = X509_get_subject_name(x);
  for (const std::string& unit : spec.units) {
    if (!add_name_part(subject, NID_organizationalUnitName, unit)) {
      return failed("cannot put the team into a certificate");
    }
  }
  X509V3_CTX context;
  X509V3_set_ctx(&context, authority.certificate.get(), x, nullptr, nullptr, 0);
  const char* usage = spec.purpose == Purpose::Server ? "serverAuth" : "clientAuth";
  const bool made_and_signed =
      add_name_part(subject, NID_commonName, spec.common_name) &&
      X509_set_issuer_name(x, X509_get_subject_name(authority.certificate.get())) == 1 &&
      X509_set_pubkey(x, made.key.get()) == 1 &&
      add_extension(x, &context, NID_basic_constraints, "critical,CA:FALSE") &&
      add_extension(x, &context, NID_key_usage, "critical,digitalSignature") &&
      add_extension(x, &context, NID_ext_key_usage, usage) &&
      add_extension(x, &context, NID_subject_key_identifier, "hash") &&
      add_extension(x, &context, NID_authority_key_identifier, "keyid:always") &&
      add_alternative_names(x, spec) && X509_sign(x, authority.key.get(), EVP_sha256()) > 0;
  if (!made_and_signed) return failed("cannot make a certificate");
  return made;
}

Result<CrlPtr> make_crl(const Credential& authority, std::int64_t number,
                        const std::vector<Revocation>& revoked, int days) {
  ERR_clear_error();
  CrlPtr crl(X509_CRL_new());
  const Asn1TimePtr last(
      X509_time_adj_ex(nullptr, days < 0 ? days - 1 : 0, kBackdateSeconds, nullptr));
  const Asn1TimePtr next(X509_time_adj_ex(nullptr, days, 0, nullptr));
  if (crl == nullptr || last == nullptr || next == nullptr ||
      X509_CRL_set_version(crl.get(), kCrlV2) != 1 ||
      X509_CRL_set_issuer_name(crl.get(), X509_get_subject_name(authority.certificate.get())) !=
          1 ||
      X509_CRL_set1_lastUpdate(crl.get(), last.get()) != 1 ||
      X509_CRL_set1_nextUpdate(crl.get(), next.get()) != 1) {
    return failed("cannot make a CRL");
  }
  for (const Revocation& entry : revoked) {
    const Asn1IntegerPtr serial = serial_from_hex(entry.serial);
    const Asn1TimePtr when = time_from_rfc3339(entry.revoked_at);
    RevokedPtr item(X509_REVOKED_new());
    if (serial == nullptr || when == nullptr || item == nullptr ||
        X509_REVOKED_set_serialNumber(item.get(), serial.get()) != 1 ||
        X509_REVOKED_set_revocationDate(item.get(), when.get()) != 1 ||
        X509_CRL_add0_revoked(crl.get(), item.get()) != 1) {
      return failed("cannot put serial " + entry.serial + " into a CRL");
    }
    (void)item.release();
  }
  X509V3_CTX context;
  X509V3_set_ctx(&context, authority.certificate.get(), nullptr, nullptr, crl.get(), 0);
  const ExtensionPtr key_id(
      X509V3_EXT_conf_nid(nullptr, &context, NID_authority_key_identifier, "keyid:always"));
  const Asn1IntegerPtr crl_number(ASN1_INTEGER_new());
  const bool made = key_id != nullptr && crl_number != nullptr &&
                    X509_CRL_add_ext(crl.get(), key_id.get(), -1) == 1 &&
                    ASN1_INTEGER_set_int64(crl_number.get(), number) == 1 &&
                    X509_CRL_add1_ext_i2d(crl.get(), NID_crl_number, crl_number.get(), 0, 0) == 1 &&
                    X509_CRL_sort(crl.get()) == 1 &&
                    X509_CRL_sign(crl.get(), authority.key.get(), EVP_sha256()) > 0;
  if (!made) return failed("cannot make a CRL");
  return crl;
}

bool crl_lists(X509_CRL* crl, const std::string& serial) {
  const Asn1IntegerPtr number = serial_from_hex(serial);
  X509_REVOKED* entry = nullptr;
  return number != nullptr && X509_CRL_get0_by_serial(crl, &entry, number.get()) == 1;
}

bool is_ip_address(const std::string& host) {
  ASN1_OCTET_STRING* address = a2i_IPADDRESS(host.c_str());
  ASN1_OCTET_STRING_free(address);
  ERR_clear_error();
  return address != nullptr;
}

}  // namespace dockreeve::certs
