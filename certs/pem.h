// Certificates, CRLs and keys from and to PEM files.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "certs/openssl_ptr.h"

namespace dockreeve::certs {

// Every certificate (CRL) of a file, in its order; other PEM blocks are passed over. Fails when
// there is none or one is broken.
Result<std::vector<X509Ptr>> load_certificates(const std::string& path);
Result<std::vector<CrlPtr>> load_crls(const std::string& path);

// The private key of a file that only its owner may touch. Encrypted keys are refused: there is
// nobody to ask for the passphrase.
Result<PkeyPtr> load_private_key(const std::string& path);

// PEM text; keys as unencrypted PKCS #8.
Result<std::string> to_pem(X509* certificate);
Result<std::string> to_pem(X509_CRL* crl);
Result<std::string> to_pem(EVP_PKEY* key);

}  // namespace dockreeve::certs
