// Server-side TLS from files. Everything that decides who gets in is set here, once, before the
// first connection; nothing in a connection can loosen it.
#include "certs/tls_context.h"

#include <openssl/err.h>

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "certs/openssl_ptr.h"
#include "certs/pem.h"
#include "certs/x509_text.h"

namespace dockreeve::certs {
namespace {

constexpr int kMaxChainDepth = 4;
constexpr int kSecurityLevel = 2;
constexpr int kWarnDays = 14;  // how long before the end of a certificate or CRL warning() says so
constexpr std::string_view kHttp11 = "http/1.1";
constexpr std::string_view kSessionContext = "dockreeve";

class LoadedContext final : public TlsContext {
 public:
  LoadedContext(SslCtxPtr context, std::string warning)
      : context_(std::move(context)), warning_(std::move(warning)) {}
  SSL_CTX* native() const override { return context_.get(); }
  const std::string& warning() const override { return warning_; }
  Result<void> verify_again(SSL* ssl) const override;

 private:
  SslCtxPtr context_;
  std::string warning_;
};

Result<void> LoadedContext::verify_again(SSL* ssl) const {
  const X509Ptr leaf(SSL_get1_peer_certificate(ssl));
  if (leaf == nullptr) return fail("", "the client sent no certificate");
  const StoreCtxPtr check(X509_STORE_CTX_new());
  X509_STORE* store = SSL_CTX_get_cert_store(context_.get());
  if (check == nullptr ||
      X509_STORE_CTX_init(check.get(), store, leaf.get(), SSL_get_peer_cert_chain(ssl)) != 1 ||
      X509_STORE_CTX_set_default(check.get(), "ssl_client") != 1) {
    return openssl_failure("", "cannot verify the client certificate");
  }
  X509_VERIFY_PARAM_set_auth_level(X509_STORE_CTX_get0_param(check.get()), kSecurityLevel);
  if (X509_verify_cert(check.get()) == 1) return {};
  const int verdict = X509_STORE_CTX_get_error(check.get());
  ERR_clear_error();
  return fail("", std::string("client certificate: ") + X509_verify_cert_error_string(verdict));
}

// Picks http/1.1 out of the client's list. A client that negotiates, but only for a protocol that
// nothing here speaks, is told so in the handshake.
int select_alpn(SSL* /*ssl*/, const unsigned char** out, unsigned char* out_length,
                const unsigned char* offered, unsigned offered_length, void* /*unused*/) {
  std::string_view list(reinterpret_cast<const char*>(offered), offered_length);
  while (!list.empty()) {
    const std::size_t length = static_cast<unsigned char>(list.front());
    const std::string_view protocol = list.substr(1, length);
    if (protocol == kHttp11) {
      *out = reinterpret_cast<const unsigned char*>(protocol.data());
      *out_length = static_cast<unsigned char>(length);
      return SSL_TLSEXT_ERR_OK;
    }
    list.remove_prefix(std::min(list.size(), 1 + length));
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

Result<void> set_protocol(SSL_CTX* context, bool min_tls13) {
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION |
                                   SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_NO_AUTO_CHAIN);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_read_ahead(context, 1);  // one read(2) takes the record header and its body
  SSL_CTX_set_security_level(context, kSecurityLevel);
  SSL_CTX_set_alpn_select_cb(context, select_alpn, nullptr);
  std::string groups = "X25519:P-256";  // writable, as OpenSSL's macro wants it
  const bool set =
      SSL_CTX_set_num_tickets(context, 0) == 1 &&
      SSL_CTX_set_min_proto_version(context, min_tls13 ? TLS1_3_VERSION : TLS1_2_VERSION) == 1 &&
      SSL_CTX_set_max_proto_version(context, 0) == 1 &&
      SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1 &&
      SSL_CTX_set_ciphersuites(context,
                               "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:"
                               "TLS_CHACHA20_POLY1305_SHA256") == 1 &&
      SSL_CTX_set1_groups_list(context, groups.data()) == 1 &&
      SSL_CTX_set_session_id_context(context,
                                     reinterpret_cast<const unsigned char*>(kSessionContext.data()),
                                     static_cast<unsigned>(kSessionContext.size())) == 1;
  if (!set) return openssl_failure("OpenSSL", "cannot set up TLS");
  return {};
}

// Adds a warning when the time is past or near.
void warn_about_end(const ASN1_TIME* end, const std::string& what, std::string& warning) {
  int days = 0;
  int seconds = 0;
  if (end == nullptr || ASN1_TIME_diff(&days, &seconds, nullptr, end) != 1) return;
  if (days > kWarnDays) return;
  if (!warning.empty()) warning += "; ";
  const bool past = days < 0 || seconds < 0;
  warning += what + (past ? " expired on " : " expires on ") + rfc3339(end);
}

Result<void> use_server_certificate(SSL_CTX* context, const TlsOptions& options,
                                    std::string& warning) {
  Result<std::vector<X509Ptr>> chain = load_certificates(options.certificate);
  if (!chain) return tl::unexpected(chain.error());
  const Result<PkeyPtr> key = load_private_key(options.key);
  if (!key) return tl::unexpected(key.error());
  X509* leaf = chain->front().get();
  if (X509_check_private_key(leaf, key->get()) != 1) {
    ERR_clear_error();
    return fail(options.key, "is not the key of the certificate in " + options.certificate);
  }
  if (X509_check_purpose(leaf, X509_PURPOSE_SSL_SERVER, 0) != 1) {
    return fail(options.certificate, "is not a certificate for a TLS server");
  }
  if (SSL_CTX_use_certificate(context, leaf) != 1) {
    return openssl_failure(options.certificate, "cannot be used");
  }
  if (SSL_CTX_use_PrivateKey(context, key->get()) != 1) {
    return openssl_failure(options.key, "cannot be used");
  }
  for (std::size_t i = 1; i < chain->size(); ++i) {
    if (SSL_CTX_add1_chain_cert(context, (*chain)[i].get()) != 1) {
      return openssl_failure(options.certificate, "has a chain that cannot be used");
    }
  }
  warn_about_end(X509_get0_notAfter(leaf), "certificate " + options.certificate, warning);
  return {};
}

Result<std::vector<X509Ptr>> use_client_ca(SSL_CTX* context, const std::string& path,
                                           std::string& warning) {
  Result<std::vector<X509Ptr>> authorities = load_certificates(path);
  if (!authorities) return authorities;
  X509_STORE* store = SSL_CTX_get_cert_store(context);
  for (const X509Ptr& authority : *authorities) {
    if (X509_check_ca(authority.get()) == 0) {
      return fail(path, "holds a certificate that is not a CA: " +
                            name_text(X509_get_subject_name(authority.get())));
    }
    if (X509_STORE_add_cert(store, authority.get()) != 1 ||
        SSL_CTX_add_client_CA(context, authority.get()) != 1) {
      return openssl_failure(path, "cannot be used");
    }
    warn_about_end(X509_get0_notAfter(authority.get()), "CA certificate in " + path, warning);
  }
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  SSL_CTX_set_verify_depth(context, kMaxChainDepth);
  X509_STORE_set_depth(store,
                       kMaxChainDepth);  // for verify_again, which has no SSL to inherit from
  return authorities;
}

// Whether `authority` signed `crl`. Names alone prove nothing: two CAs may share one.
bool signed_by(X509_CRL* crl, X509* authority) {
  if (X509_NAME_cmp(X509_CRL_get_issuer(crl), X509_get_subject_name(authority)) != 0) return false;
  const bool valid = X509_CRL_verify(crl, X509_get0_pubkey(authority)) == 1;
  ERR_clear_error();
  return valid;
}

Result<void> use_crls(SSL_CTX* context, const std::string& path,
                      const std::vector<X509Ptr>& authorities, std::string& warning) {
  const Result<std::vector<CrlPtr>> crls = load_crls(path);
  if (!crls) return tl::unexpected(crls.error());
  X509_STORE* store = SSL_CTX_get_cert_store(context);
  for (const CrlPtr& crl : *crls) {
    if (std::none_of(authorities.begin(), authorities.end(),
                     [&](const X509Ptr& ca) { return signed_by(crl.get(), ca.get()); })) {
      return fail(path, "holds a CRL that no CA of clientCA signed; its issuer is " +
                            name_text(X509_CRL_get_issuer(crl.get())));
    }
    if (X509_STORE_add_crl(store, crl.get()) != 1) return openssl_failure(path, "cannot be used");
    if (X509_cmp_current_time(X509_CRL_get0_lastUpdate(crl.get())) > 0) {
      if (!warning.empty()) warning += "; ";
      warning += "CRL " + path + " is not valid before " +
                 rfc3339(X509_CRL_get0_lastUpdate(crl.get())) + ", until then clients are refused";
    }
    warn_about_end(X509_CRL_get0_nextUpdate(crl.get()),
                   "CRL " + path + " (clients are refused once it is over)", warning);
  }
  // With a CRL of every CA the whole chain can be checked; with fewer, that would refuse everyone.
  const bool complete = std::all_of(authorities.begin(), authorities.end(), [&](const X509Ptr& ca) {
    return std::any_of(crls->begin(), crls->end(),
                       [&](const CrlPtr& crl) { return signed_by(crl.get(), ca.get()); });
  });
  X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | (complete ? X509_V_FLAG_CRL_CHECK_ALL : 0UL));
  return {};
}

}  // namespace

Result<std::shared_ptr<const TlsContext>> TlsContext::load(const TlsOptions& options) {
  ERR_clear_error();
  SslCtxPtr context(SSL_CTX_new(TLS_server_method()));
  if (context == nullptr) return openssl_failure("OpenSSL", "cannot set up TLS");
  std::string warning;
  Result<void> done = set_protocol(context.get(), options.min_tls13);
  if (done) done = use_server_certificate(context.get(), options, warning);
  if (!done) return tl::unexpected(done.error());
  const Result<std::vector<X509Ptr>> authorities =
      use_client_ca(context.get(), options.client_ca, warning);
  if (!authorities) return tl::unexpected(authorities.error());
  if (!options.crl.empty()) {
    done = use_crls(context.get(), options.crl, *authorities, warning);
    if (!done) return tl::unexpected(done.error());
  }
  return std::make_shared<const LoadedContext>(std::move(context), std::move(warning));
}

}  // namespace dockreeve::certs
