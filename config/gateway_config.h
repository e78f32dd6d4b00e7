// The gateway file (kind: Gateway), loaded whole or not at all.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "policy/policy_set.h"

namespace dockreeve::config {

struct TlsFiles {
  std::string certificate, key, client_ca;  // absolute paths
  std::string crl;                          // empty: none
  bool min_tls13 = false;                   // minVersion: "1.3"
};

struct Listener {
  std::string name;
  bool is_unix = false;
  std::string host;        // of TCP: literal address
  int port = 0;
  TlsFiles tls;
  std::string path;        // of unix
  std::uint32_t mode = 0660;
  std::string group;       // empty: unchanged
};

struct Limits {
  std::int64_t max_connections = 20000;
  std::int64_t max_header_bytes = 32 * 1024;
  std::int64_t max_body_bytes = 4 * 1024 * 1024;
  // Of all uploads that are judged before they are forwarded, together, on disk.
  std::int64_t max_spool_bytes = std::int64_t{16} << 30;
  std::string spool_directory;  // absolute; empty: $TMPDIR, or /var/tmp
  std::chrono::milliseconds header_timeout{10000};
  std::chrono::milliseconds body_timeout{60000};
  std::chrono::milliseconds idle_timeout{120000};
  std::chrono::milliseconds stream_idle_timeout{0};  // 0: off
  std::chrono::milliseconds lookup_timeout{5000};
  std::chrono::milliseconds upstream_connect_timeout{5000};
  std::chrono::milliseconds upstream_timeout{0};     // 0: off; answers of ordinary requests
  std::chrono::milliseconds drain_timeout{30000};
};

struct Audit {
  std::string file;
  std::string sync = "always";   // always | interval | os
  bool fail_closed = true;
};

struct Gateway {
  std::string file;                  // absolute path it came from
  std::vector<Listener> listeners;   // at least one
  std::string upstream_path;         // unix socket of the engine
  std::vector<std::string> policies; // absolute paths
  Audit audit;
  Limits limits;
  int threads = 0;                   // I/O threads; 0: one per core
};

// Relative paths in the file are relative to its folder. Unknown keys, wrong types, plain TCP
// without TLS, a TLS listener without clientCA: diagnostics with line and column; nullopt on error.
std::optional<Gateway> load_gateway(const std::string& path,
                                    std::vector<policy::Diagnostic>& diagnostics);
// The same from memory; `folder` is what relative paths are relative to.
std::optional<Gateway> load_gateway_text(const std::string& display_name, const std::string& text,
                                         const std::string& folder,
                                         std::vector<policy::Diagnostic>& diagnostics);

}  // namespace dockreeve::config
