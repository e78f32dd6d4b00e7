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
  std::string dir{};
  std::vector<std::string> hosts{};  // SANs of the server certificate: names and addresses
  std::string ca_name = "dockreeve CA";
  int ca_days = 3650, server_days = 825;
};
// Days below zero make a certificate that has already expired; only check() refuses them.
struct IssueOptions {
  std::string dir{}, name{};         // CN
  std::vector<std::string> teams{};  // OUs
  std::string uri{};                 // SAN URI, may be empty
  int days = 365;
  bool replace = false;              // revoke the active certificate of that name, if there is one
};
struct ServerOptions {
  std::string dir{};
  std::vector<std::string> hosts{};  // empty: those of the last server certificate
  int days = 825;
};
struct Issued {
  std::string name{}, serial{}, subject{}, not_after{}, folder{};
  bool revoked = false, server = false;
  std::vector<std::string> teams{};
  bool expired = false;
  std::string uri{}, revoked_at{};   // revoked_at: RFC 3339, empty unless revoked
  std::vector<std::string> hosts{};  // of a server certificate
};

// An Error with an empty `where` is a refusal that the message explains; one with a path (or
// "OpenSSL") is the fault of that file, of the disk or of the library.

// What is wrong with the options themselves, whatever the folder holds.
Result<void> check(const InitOptions& options);
Result<void> check(const IssueOptions& options);
Result<void> check(const ServerOptions& options);

// Each writes files atomically, keys 0600 and folders 0700; nothing existing is overwritten, but
// for what is named here. Runs in other processes on the same folder wait for each other.
Result<void> init(const InitOptions& options);
// Refuses a name that has an active certificate unless told to replace it; the folder of an
// expired, revoked or replaced one is written anew.
Result<Issued> issue(const IssueOptions& options);
// Writes DIR/server anew, with a new key.
Result<Issued> issue_server(const ServerOptions& options);
// Renews ca.crl. By name, every certificate of that name that is not revoked yet; the newest is
// returned. Refuses what is revoked already.
Result<Issued> revoke(const std::string& dir, const std::string& name_or_serial);
Result<std::vector<Issued>> list(const std::string& dir);

}  // namespace dockreeve::certs
