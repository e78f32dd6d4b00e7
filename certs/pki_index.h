// index.json: which certificates a PKI folder has issued, and which of them are revoked. The CRL is
// made from it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace dockreeve::certs {

struct IndexEntry {
  std::string name, serial, subject, not_after, uri;
  std::string revoked_at;  // RFC 3339, empty unless revoked
  bool server = false;
  std::vector<std::string> teams, hosts;
};

struct Index {
  std::int64_t crl_number = 0;           // of the newest CRL
  std::vector<IndexEntry> certificates;  // oldest first
};

// Both answer with the path of the file as `where`. Reading refuses a file that is not exactly of
// this form: guessing about revocations is not an option.
Result<Index> read_index(const std::string& dir);
Result<void> write_index(const std::string& dir, const Index& index);

std::string index_path(const std::string& dir);

}  // namespace dockreeve::certs
