// Server-side TLS from files: versions, client verification, CRL, no resumption.
#pragma once

#include <memory>
#include <string>

#include <openssl/ssl.h>

#include "base/result.h"
#include "certs/peer.h"

namespace dockreeve::certs {

struct TlsOptions {
  std::string certificate, key, client_ca, crl;  // crl empty: no revocation check
  bool min_tls13 = false;
};

// Owns an SSL_CTX; immutable after load, shared by all threads and by every connection made from
// it. Requires a client certificate that chains to client_ca, fits TLS client use and is not
// revoked. Session tickets, session ids and renegotiation are off: a resumed session would skip the
// CRL. ALPN: http/1.1 only.
class TlsContext {
 public:
  // Fails with the file at fault. A key that is group- or world-readable by others is refused; a
  // configured CRL must exist, and be signed by the CA; an expired one loads (every client is then
  // refused) and warning() says so.
  static Result<std::shared_ptr<const TlsContext>> load(const TlsOptions& options);
  virtual ~TlsContext() = default;
  virtual SSL_CTX* native() const = 0;
  virtual const std::string& warning() const = 0;
  // Checks the certificate of an established connection again, against this context's CA and CRL.
  // For connections that outlive a reload. Empty error text on success.
  virtual Result<void> verify_again(SSL* ssl) const = 0;
};

// Facts of the verified peer certificate of an established connection. Fails when there is none or
// a name in it holds control characters or NUL.
Result<CertificateFacts> certificate_facts(SSL* ssl);

// SO_PEERCRED of a connected unix socket, with user and group names looked up.
Result<UnixPeer> unix_peer(int fd);

}  // namespace dockreeve::certs
