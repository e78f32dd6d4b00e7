// Transport facts about a caller, before any configuration gives them a name.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace dockreeve::certs {

struct CertificateFacts {
  std::string version, cipher;    // of the connection: "TLSv1.3", "TLS_AES_128_GCM_SHA256"
  std::string subject, issuer;    // RFC 2253 order as `openssl x509 -nameopt RFC2253` prints it
  std::string common_name;        // the single CN, empty when absent or repeated
  std::vector<std::string> organizational_units, organizations;
  std::string serial;             // lower-case hex, no separators
  std::string fingerprint;        // SHA-256 of the DER form, lower-case hex
  std::vector<std::string> san_uri, san_dns, san_email;
  std::string not_after;          // RFC 3339, UTC
};

struct UnixPeer {
  std::int64_t pid = 0, uid = -1, gid = -1;
  std::string user;                     // name of uid, empty when it has none
  std::vector<std::int64_t> gids;       // primary and supplementary
  std::vector<std::string> groups;      // names of gids, where they have one
};

enum class Transport : std::uint8_t { Tls, Unix };

// Filled once per connection. Exactly one of `certificate` (Tls) and `peer` (Unix) is meaningful.
struct Caller {
  Transport transport = Transport::Tls;
  std::string listener;   // its name in the gateway file
  std::string ip;         // of a TLS client
  int port = 0;
  CertificateFacts certificate;
  UnixPeer peer;
};

}  // namespace dockreeve::certs
