// Making keys, certificates and CRLs in memory; pki.cc decides what is made and where it is kept.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "certs/openssl_ptr.h"

namespace dockreeve::certs {

// A certificate and its private key. ECDSA P-256 throughout.
struct Credential {
  X509Ptr certificate;
  PkeyPtr key;
};

enum class Purpose : std::uint8_t { Server, Client };

struct CertificateSpec {
  Purpose purpose = Purpose::Client;
  std::string common_name;
  std::vector<std::string> units;  // OUs
  std::vector<std::string> hosts;  // SAN DNS names and IP addresses
  std::string uri;                 // SAN URI, may be empty
  int days = 0;                    // from now; below zero: expired that long ago
};

struct Revocation {
  std::string serial;      // lower-case hex
  std::string revoked_at;  // RFC 3339, UTC
};

// A self-signed CA that may sign end-entity certificates and CRLs only.
Result<Credential> make_authority(const std::string& name, int days);

// A new key with a certificate from `authority`, valid from five minutes ago (clocks differ).
Result<Credential> make_certificate(const Credential& authority, const CertificateSpec& spec);

// A complete CRL with that number, due for renewal in `days`.
Result<CrlPtr> make_crl(const Credential& authority, std::int64_t number,
                        const std::vector<Revocation>& revoked, int days);

// Whether `crl` has an entry for the serial number (hex).
bool crl_lists(X509_CRL* crl, const std::string& serial);

// Whether OpenSSL reads `host` as an IPv4 or IPv6 address.
bool is_ip_address(const std::string& host);

}  // namespace dockreeve::certs
