#include "config/gateway_config.h"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <charconv>
#include <filesystem>
#include <limits>
#include <netinet/in.h>

#include "base/text.h"
#include "base/units.h"
#include "base/yaml_reader.h"
#include "policy/diagnostics.h"

namespace dockreeve::config {
namespace {

using policy::Fields;
using policy::Reporter;

constexpr std::string_view kApiVersion = "dockreeve/v1";
constexpr std::string_view kUnixScheme = "unix://";
constexpr std::size_t kMaxSocketPath = 107;  // sockaddr_un, without the final NUL
constexpr std::array<std::string_view, 3> kSyncs = {"always", "interval", "os"};
constexpr std::array<std::string_view, 2> kTlsVersions = {"1.2", "1.3"};
constexpr std::int64_t kMaxThreads = 256;

struct CountLimit {
  std::string_view key;
  std::int64_t Limits::*value;
  bool bytes;
};
constexpr CountLimit kCounts[] = {
    {"maxConnections", &Limits::max_connections, false},
    {"maxHeaderBytes", &Limits::max_header_bytes, true},
    {"maxBodyBytes", &Limits::max_body_bytes, true},
    {"maxSpoolBytes", &Limits::max_spool_bytes, true},
};

struct TimeLimit {
  std::string_view key;
  std::chrono::milliseconds Limits::*value;
  bool may_be_off;  // 0s switches it off; elsewhere zero would mean "at once"
};
constexpr TimeLimit kTimes[] = {
    {"headerTimeout", &Limits::header_timeout, false},
    {"bodyTimeout", &Limits::body_timeout, false},
    {"idleTimeout", &Limits::idle_timeout, false},
    {"streamIdleTimeout", &Limits::stream_idle_timeout, true},
    {"lookupTimeout", &Limits::lookup_timeout, false},
    {"upstreamConnectTimeout", &Limits::upstream_connect_timeout, false},
    {"upstreamTimeout", &Limits::upstream_timeout, true},
    {"drainTimeout", &Limits::drain_timeout, false},
};

std::optional<int> parse_port(std::string_view text) {
  int port = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), port);
  const bool whole = failure == std::errc() && end == text.data() + text.size();
  if (!whole || port < 1 || port > 65535 || text.front() == '0') return std::nullopt;
  return port;
}

bool is_literal_address(int family, const std::string& host) {
  std::array<unsigned char, sizeof(in6_addr)> parsed{};
  return inet_pton(family, host.c_str(), parsed.data()) == 1;
}

// Three or four octal digits: permissions, nothing above them.
std::optional<std::uint32_t> parse_mode(std::string_view text) {
  std::uint32_t mode = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), mode, 8);
  const bool whole = failure == std::errc() && end == text.data() + text.size();
  if (!whole || text.size() < 3 || text.size() > 4 || mode > 0777) return std::nullopt;
  return mode;
}

class GatewayReader {
 public:
  GatewayReader(std::string folder, Reporter& reporter)
      : folder_(std::move(folder)), reporter_(reporter) {}

  Gateway read(const yaml::Node& document) {
    Gateway gateway;
    const Fields fields(document, reporter_.spot(document), "the gateway file", reporter_,
                        {"apiVersion", "kind", "listeners", "upstream", "policies", "audit",
                         "admin", "limits", "threads"});
    read_word_key(fields, "apiVersion", kApiVersion, "E100");
    read_word_key(fields, "kind", "Gateway", "E101");
    if (const auto* listeners = fields.require("listeners")) {
      read_listeners(*listeners, gateway.listeners);
    }
    if (const auto* upstream = fields.require("upstream")) read_upstream(*upstream, gateway);
    if (const auto* policies = fields.require("policies")) read_policies(*policies, gateway);
    if (const auto* audit = fields.require("audit")) read_audit(*audit, gateway.audit);
    if (const auto* admin = fields.get("admin")) {
      reporter_.error(reporter_.spot(*admin), "E111", "admin is not available in this version",
                      "remove the section");
    }
    if (const auto* limits = fields.get("limits")) read_limits(*limits, gateway.limits);
    if (const auto* threads = fields.get("threads")) {
      gateway.threads = static_cast<int>(read_number(*threads, 0, kMaxThreads).value_or(0));
    }
    return gateway;
  }

 private:
  void read_word_key(const Fields& fields, std::string_view key, std::string_view expected,
                     const std::string& code) {
    const yaml::Entry* const entry = fields.require(key);
    if (entry == nullptr) return;
    const auto text = policy::read_text(*entry, reporter_);
    if (!text || *text == expected) return;
    reporter_.error(reporter_.spot(entry->value), code,
                    text::quoted(key) + " cannot be " + text::quoted(*text),
                    "a gateway file has " + std::string(key) + ": " + std::string(expected));
  }

  std::string absolute(const std::string& path) const {
    return (std::filesystem::path(folder_) / path).lexically_normal().string();
  }

  std::optional<std::string> read_path(const yaml::Entry& entry) {
    const auto text = policy::read_text(entry, reporter_);
    if (!text) return std::nullopt;
    if (text->empty() || !text::is_printable(*text)) {
      reporter_.error(reporter_.spot(entry.value), "E106",
                      text::quoted(entry.key) + " must be a path");
      return std::nullopt;
    }
    return absolute(*text);
  }

  std::optional<std::int64_t> read_number(const yaml::Entry& entry, std::int64_t least,
                                          std::int64_t most) {
    const auto value = yaml::as_int(entry.value);
    if (value && *value >= least && *value <= most) return value;
    reporter_.error(reporter_.spot(entry.value), "E109",
                    text::quoted(entry.key) + " must be a whole number from " +
                        std::to_string(least) + " to " + std::to_string(most));
    return std::nullopt;
  }

  void read_listeners(const yaml::Entry& entry, std::vector<Listener>& listeners) {
    if (!policy::expect_list(entry, reporter_)) return;
    if (entry.value.items.empty()) {
      reporter_.error(reporter_.spot(entry), "E103", "\"listeners\" is empty",
                      "without a listener nobody can connect");
    }
    for (const yaml::Node& item : entry.value.items) {
      listeners.push_back(read_listener(item, listeners));
    }
  }

  Listener read_listener(const yaml::Node& node, const std::vector<Listener>& others) {
    Listener listener;
    const Fields fields(node, reporter_.spot(node), "a listener", reporter_,
                        {"name", "address", "tls", "mode", "group"});
    if (const auto* name = fields.require("name")) read_name(*name, others, listener);
    const yaml::Entry* const address = fields.require("address");
    if (address == nullptr || !read_address(*address, listener)) return listener;
    const auto same = std::ranges::find_if(others, [&](const Listener& other) {
      return other.is_unix == listener.is_unix && other.path == listener.path &&
             other.host == listener.host && other.port == listener.port;
    });
    if (same != others.end()) {
      reporter_.error(reporter_.spot(address->value), "E116",
                      "listener " + text::quoted(same->name) + " has this address already");
    }
    if (listener.is_unix) {
      read_unix(fields, listener);
    } else {
      read_tcp(fields, *address, listener);
    }
    return listener;
  }

  void read_name(const yaml::Entry& entry, const std::vector<Listener>& others,
                 Listener& listener) {
    const auto name = policy::read_text(entry, reporter_);
    if (!name) return;
    listener.name = *name;
    if (name->empty() || name->size() > 63 || !text::is_printable(*name)) {
      reporter_.error(reporter_.spot(entry.value), "E108",
                      text::quoted(*name) + " is no name for a listener",
                      "printable, at most 63 bytes");
    } else if (std::ranges::find(others, *name, &Listener::name) != others.end()) {
      reporter_.error(reporter_.spot(entry.value), "E116",
                      "a second listener named " + text::quoted(*name));
    }
  }

  bool read_address(const yaml::Entry& entry, Listener& listener) {
    const auto address = policy::read_text(entry, reporter_);
    if (!address) return false;
    if (address->starts_with(kUnixScheme)) {
      listener.is_unix = true;
      const auto path = read_socket_path(entry, *address);
      listener.path = path.value_or(std::string());
      return path.has_value();
    }
    if (read_host_and_port(*address, listener)) return true;
    reporter_.error(reporter_.spot(entry.value), "E121",
                    "no address to listen on: " + text::quoted(*address),
                    "write IPv4:PORT, [IPv6]:PORT or unix:///path");
    return false;
  }

  static bool read_host_and_port(const std::string& address, Listener& listener) {
    const std::size_t colon = address.rfind(':');
    if (colon == std::string::npos || colon + 1 == address.size()) return false;
    const auto port = parse_port(std::string_view(address).substr(colon + 1));
    if (!port) return false;
    std::string host = address.substr(0, colon);
    int family = AF_INET;
    if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
      host = host.substr(1, host.size() - 2);
      family = AF_INET6;
    }
    if (!is_literal_address(family, host)) return false;
    listener.host = host;
    listener.port = *port;
    return true;
  }

  std::optional<std::string> read_socket_path(const yaml::Entry& entry,
                                              const std::string& address) {
    const std::string path = address.substr(kUnixScheme.size());
    const bool good = path.starts_with('/') && path.size() > 1 && !path.ends_with('/') &&
                      path.size() <= kMaxSocketPath && text::is_printable(path);
    if (good) return std::filesystem::path(path).lexically_normal().string();
    reporter_.error(reporter_.spot(entry.value), "E121",
                    "no path of a socket: " + text::quoted(address),
                    "write unix:// and an absolute path of at most " +
                        std::to_string(kMaxSocketPath) + " bytes, e.g. unix:///run/x.sock");
    return std::nullopt;
  }

  void read_unix(const Fields& fields, Listener& listener) {
    if (const auto* tls = fields.get("tls")) {
      reporter_.error(reporter_.spot(*tls), "E120", "a unix listener has no TLS",
                      "callers are known by their user id; remove tls");
    }
    if (const auto* group = fields.get("group")) {
      listener.group = policy::read_text(*group, reporter_).value_or(std::string());
    }
    const yaml::Entry* const mode = fields.get("mode");
    if (mode == nullptr) return;
    // Unquoted, 0660 is a decimal number to some editors and octal to others.
    const auto bits =
        mode->value.is_scalar() && mode->value.quoted ? parse_mode(mode->value.text) : std::nullopt;
    if (!bits) {
      reporter_.error(reporter_.spot(mode->value), "E109",
                      "\"mode\" must be octal digits in quotes", "e.g. \"0660\"");
    }
    listener.mode = bits.value_or(listener.mode);
  }

  void read_tcp(const Fields& fields, const yaml::Entry& address, Listener& listener) {
    for (const std::string_view key : {"mode", "group"}) {
      if (const auto* entry = fields.get(key)) {
        reporter_.error(reporter_.spot(*entry), "E120",
                        text::quoted(key) + " is for unix listeners only");
      }
    }
    if (const auto* tls = fields.get("tls")) {
      read_tls(*tls, listener.tls);
      return;
    }
    reporter_.error(reporter_.spot(address), "E120",
                    "a TCP listener without TLS would serve anybody who can reach it",
                    "add tls: with certificate, key and clientCA, or listen on unix:///path");
  }

  void read_tls(const yaml::Entry& entry, TlsFiles& tls) {
    const Fields fields(entry.value, reporter_.spot(entry), "tls", reporter_,
                        {"certificate", "key", "clientCA", "crl", "minVersion"});
    const auto path = [&](const yaml::Entry* file) {
      return file ? read_path(*file).value_or(std::string()) : std::string();
    };
    tls.certificate = path(fields.require("certificate"));
    tls.key = path(fields.require("key"));
    tls.client_ca = path(fields.get("clientCA"));
    if (fields.is_map() && fields.get("clientCA") == nullptr) {
      reporter_.error(reporter_.spot(entry), "E120",
                      "without clientCA this listener could not tell who is calling",
                      "add clientCA: the CA of your users' certificates");
    }
    tls.crl = path(fields.get("crl"));
    if (const auto* version = fields.get("minVersion")) {
      tls.min_tls13 = policy::read_word(*version, reporter_, kTlsVersions) == kTlsVersions[1];
    }
  }

  void read_upstream(const yaml::Entry& entry, Gateway& gateway) {
    const Fields fields(entry.value, reporter_.spot(entry), "upstream", reporter_, {"address"});
    const yaml::Entry* const address = fields.require("address");
    const auto text = address ? policy::read_text(*address, reporter_) : std::nullopt;
    if (!text) return;
    if (!text->starts_with(kUnixScheme)) {
      reporter_.error(reporter_.spot(address->value), "E121",
                      "the engine is reached by its unix socket only: " + text::quoted(*text),
                      "e.g. unix:///var/run/docker.sock");
      return;
    }
    gateway.upstream_path = read_socket_path(*address, *text).value_or(std::string());
    const auto own = std::ranges::find(gateway.listeners, gateway.upstream_path, &Listener::path);
    if (!gateway.upstream_path.empty() && own != gateway.listeners.end()) {
      reporter_.error(reporter_.spot(address->value), "E121",
                      "listener " + text::quoted(own->name) + " and the engine have one address",
                      "the gateway would call itself");
    }
  }

  void read_policies(const yaml::Entry& entry, Gateway& gateway) {
    if (!policy::expect_list(entry, reporter_)) return;
    if (entry.value.items.empty()) {
      reporter_.error(reporter_.spot(entry), "E103", "\"policies\" is empty",
                      "name the files or folders to load");
    }
    for (const yaml::Node& item : entry.value.items) {
      const yaml::Entry file{entry.key, entry.at, entry.width, item};
      if (const auto path = read_path(file)) gateway.policies.push_back(*path);
    }
  }

  void read_audit(const yaml::Entry& entry, Audit& audit) {
    const Fields fields(entry.value, reporter_.spot(entry), "audit", reporter_,
                        {"file", "sync", "failClosed"});
    if (const auto* file = fields.require("file")) {
      audit.file = read_path(*file).value_or(std::string());
    }
    if (const auto* sync = fields.get("sync")) {
      audit.sync = policy::read_word(*sync, reporter_, kSyncs).value_or(audit.sync);
    }
    if (const auto* closed = fields.get("failClosed")) {
      audit.fail_closed = policy::read_bool(*closed, reporter_).value_or(true);
    }
  }

  void read_limits(const yaml::Entry& entry, Limits& limits) {
    std::vector<std::string_view> keys;
    for (const CountLimit& limit : kCounts)
      keys.push_back(limit.key);
    for (const TimeLimit& limit : kTimes)
      keys.push_back(limit.key);
    keys.emplace_back("spoolDirectory");
    const Fields fields(entry.value, reporter_.spot(entry), "limits", reporter_,
                        std::span<const std::string_view>(keys));
    if (const auto* folder = fields.get("spoolDirectory")) {
      limits.spool_directory = read_path(*folder).value_or(limits.spool_directory);
    }
    for (const CountLimit& limit : kCounts) {
      const auto* value = fields.get(limit.key);
      if (value != nullptr) read_count(*value, limit, limits);
    }
    for (const TimeLimit& limit : kTimes) {
      const auto* value = fields.get(limit.key);
      if (value != nullptr) read_time(*value, limit, limits);
    }
  }

  void refuse_zero(const yaml::Entry& entry) {
    reporter_.error(reporter_.spot(entry.value), "E122",
                    text::quoted(entry.key) + " cannot be zero", "zero never means unlimited");
  }

  void read_count(const yaml::Entry& entry, const CountLimit& limit, Limits& limits) {
    const auto text = policy::read_text(entry, reporter_);
    if (!text) return;
    if (!limit.bytes) {
      if (*text == "0") return refuse_zero(entry);
      limits.*limit.value = read_number(entry, 1, 1'000'000).value_or(limits.*limit.value);
      return;
    }
    const auto bytes = parse_bytes(*text);
    if (!bytes) {
      reporter_.error(reporter_.spot(entry.value), "E109",
                      text::quoted(entry.key) + ": " + bytes.error().message, "e.g. 4MiB");
    } else if (*bytes == 0) {
      refuse_zero(entry);
    } else {
      limits.*limit.value = *bytes;
    }
  }

  void read_time(const yaml::Entry& entry, const TimeLimit& limit, Limits& limits) {
    constexpr std::int64_t kLongest = std::int64_t{365} * 24 * 3600;
    const auto text = policy::read_text(entry, reporter_);
    if (!text) return;
    const auto seconds = parse_duration(*text);
    if (!seconds) {
      reporter_.error(reporter_.spot(entry.value), "E109",
                      text::quoted(entry.key) + ": " + seconds.error().message, "e.g. 30s");
    } else if (*seconds == 0 && !limit.may_be_off) {
      refuse_zero(entry);
    } else if (*seconds > kLongest) {
      reporter_.error(reporter_.spot(entry.value), "E109",
                      text::quoted(entry.key) + " is longer than a year");
    } else {
      limits.*limit.value = std::chrono::seconds(*seconds);
    }
  }

  std::string folder_;
  Reporter& reporter_;
};

}  // namespace

std::optional<Gateway> load_gateway_text(const std::string& display_name, const std::string& text,
                                         const std::string& folder,
                                         std::vector<policy::Diagnostic>& diagnostics) {
  std::vector<policy::Diagnostic> found;
  Reporter reporter(display_name, found);
  const yaml::Stream stream = yaml::read(text);
  reporter.add(stream.problems);
  std::optional<Gateway> gateway;
  if (stream.problems.empty()) {
    if (stream.documents.size() == 1) {
      gateway = GatewayReader(folder, reporter).read(stream.documents.front());
    } else {
      reporter.error(
          reporter.whole_file(), "E118",
          stream.documents.empty() ? "the file is empty" : "a gateway file has one document",
          "see config/dockreeve.example.yaml");
    }
  }
  const bool failed = std::ranges::any_of(found, &policy::Diagnostic::error);
  std::ranges::move(found, std::back_inserter(diagnostics));
  if (failed) return std::nullopt;
  gateway->file = (std::filesystem::path(folder) / std::filesystem::path(display_name).filename())
                      .lexically_normal()
                      .string();
  return gateway;
}

std::optional<Gateway> load_gateway(const std::string& path,
                                    std::vector<policy::Diagnostic>& diagnostics) {
  auto text = policy::read_file(path);
  if (!text) {
    Reporter reporter(path, diagnostics);
    reporter.error(reporter.whole_file(), "E012", text.error().message);
    return std::nullopt;
  }
  std::error_code failure;
  const std::filesystem::path absolute = std::filesystem::absolute(path, failure);
  if (failure) {
    Reporter reporter(path, diagnostics);
    reporter.error(reporter.whole_file(), "E012", failure.message());
    return std::nullopt;
  }
  return load_gateway_text(path, *text, absolute.parent_path().string(), diagnostics);
}

}  // namespace dockreeve::config
