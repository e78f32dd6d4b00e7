// Certificates, CRLs and keys from and to PEM files.
#include "certs/pem.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include "certs/files.h"
#include "certs/x509_text.h"

namespace dockreeve::certs {
namespace {

// Instead of OpenSSL's default, which asks on the terminal.
int no_passphrase(char* /*buffer*/, int /*size*/, int /*writing*/, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

template <class Ptr, class Read>
Result<std::vector<Ptr>> load_all(const std::string& path, const std::string& kind, Read read) {
  const Result<std::string> text = read_file(path);
  if (!text) return tl::unexpected(text.error());
  const BioPtr in(BIO_new_mem_buf(text->data(), static_cast<int>(text->size())));
  if (in == nullptr) return openssl_failure(path, "cannot read");
  ERR_clear_error();
  std::vector<Ptr> all;
  bool asked = false;
  while (Ptr one{read(in.get(), nullptr, no_passphrase, &asked)})
    all.push_back(std::move(one));
  if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE) {
    return openssl_failure(path, "holds a broken " + kind);
  }
  ERR_clear_error();
  if (all.empty()) return fail(path, "holds no " + kind + " in PEM form");
  return all;
}

template <class Write>
Result<std::string> written(Write write) {
  const BioPtr out(BIO_new(BIO_s_mem()));
  if (out == nullptr || write(out.get()) != 1)
    return openssl_failure("OpenSSL", "cannot write PEM");
  char* bytes = nullptr;
  const long length = BIO_get_mem_data(out.get(), &bytes);
  return std::string(bytes, static_cast<std::size_t>(length));
}

}  // namespace

Result<std::vector<X509Ptr>> load_certificates(const std::string& path) {
  return load_all<X509Ptr>(path, "certificate", PEM_read_bio_X509);
}

Result<std::vector<CrlPtr>> load_crls(const std::string& path) {
  return load_all<CrlPtr>(path, "CRL", PEM_read_bio_X509_CRL);
}

Result<PkeyPtr> load_private_key(const std::string& path) {
  Result<std::string> text = read_private_file(path);
  if (!text) return tl::unexpected(text.error());
  char* const bytes = text->data();
  const BioPtr in(BIO_new_mem_buf(bytes, static_cast<int>(text->size())));
  if (in == nullptr) return openssl_failure(path, "cannot read");
  ERR_clear_error();
  bool asked = false;
  PkeyPtr key(PEM_read_bio_PrivateKey(in.get(), nullptr, no_passphrase, &asked));
  OPENSSL_cleanse(bytes, text->size());
  if (asked) {
    ERR_clear_error();
    return fail(path, "is encrypted with a passphrase; store the key without one");
  }
  if (key == nullptr) return openssl_failure(path, "holds no private key in PEM form");
  return key;
}

Result<std::string> to_pem(X509* certificate) {
  return written([&](BIO* out) { return PEM_write_bio_X509(out, certificate); });
}

Result<std::string> to_pem(X509_CRL* crl) {
  return written([&](BIO* out) { return PEM_write_bio_X509_CRL(out, crl); });
}

Result<std::string> to_pem(EVP_PKEY* key) {
  return written([&](BIO* out) {
    return PEM_write_bio_PKCS8PrivateKey(out, key, nullptr, nullptr, 0, nullptr, nullptr);
  });
}

}  // namespace dockreeve::certs
