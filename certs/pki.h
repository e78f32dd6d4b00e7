// The small PKI behind `dockreeve certs`: a folder with a CA, a server certificate, client
// certificates and a CRL.
//
//   DIR/ca.pem ca.key ca.crl index.json  server/{cert.pem,key.pem,ca.pem}  clients/NAME/{...}
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace dockreeve::certs {

struct InitOptions {
  std::string dir;
  std::vector<std::string> hosts;   // SANs of the server certificate: names and addresses
  std::string ca_name = "dockreeve CA";
  int ca_days = 3650, server_days = 825;
};
struct IssueOptions {
  std::string dir, name;            // CN
  std::vector<std::string> teams;   // OUs
  std::string uri;                  // SAN URI, may be empty
  int days = 365;
};
struct Issued {
  std::string name, serial, subject, not_after, folder;
  bool revoked = false, server = false;
  std::vector<std::string> teams;
};

// Each writes files atomically, keys 0600 and folders 0700; nothing existing is overwritten.
Result<void> init(const InitOptions& options);
Result<Issued> issue(const IssueOptions& options);
Result<Issued> revoke(const std::string& dir, const std::string& name_or_serial);  // renews ca.crl
Result<std::vector<Issued>> list(const std::string& dir);

}  // namespace dockreeve::certs
