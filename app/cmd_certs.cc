// `dockreeve certs`: reads options, calls certs/pki.h, and tells people what to do with the result.
#include "app/cmd_certs.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstddef>
#include <exception>
#include <filesystem>
#include <functional>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <unistd.h>
#include <vector>

#include "app/exit_code.h"
#include "base/json.h"
#include "certs/pki.h"

namespace dockreeve::app {
namespace {

constexpr std::string_view kPort = "2376";
constexpr std::string_view kPlainInShell =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./:=@%+,-";

// What the command line fills in; the callbacks share it, because CLI11 keeps them.
struct Options {
  std::string dir = "./certs";
  certs::InitOptions init;
  certs::IssueOptions issue;
  std::vector<std::string> server_hosts;
  bool server = false;
  int days = 0;  // 0: the default of what is issued
  std::string revoke;
  std::string format = "text";
};

int report(int code, const std::string& message) {
  std::cerr << "dockreeve: " << message << '\n';
  return code;
}

int report(const Error& error) {
  return report(error.where.empty() ? kFindings : kInternal, error.text());
}

std::string absolute(const std::string& path) {
  const std::filesystem::path full = std::filesystem::absolute(path).lexically_normal();
  return full.has_filename() ? full.string() : full.parent_path().string();
}

bool has_pki(const std::string& dir) {
  std::error_code unreadable;
  return std::filesystem::exists(dir + "/index.json", unreadable) || unreadable;
}

int no_pki(const std::string& dir) {
  return report(kNoFile, "there is no PKI in " + dir +
                             "; make one with `dockreeve certs init --dir " + dir + "`");
}

bool is_loopback(const std::string& host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

std::vector<std::string> default_hosts() {
  std::vector<std::string> hosts = {"localhost", "127.0.0.1", "::1"};
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return hosts;
  const std::string host = name.data();
  // A machine may be called something that no certificate can hold; it is only a default.
  if (!host.empty() && host != "localhost" &&
      certs::check(certs::ServerOptions{.dir = ".", .hosts = {host}})) {
    hosts.push_back(host);
  }
  return hosts;
}

// One word to a POSIX shell, whatever is in it.
std::string quoted(const std::string& text) {
  std::string word = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\' || c == '$' || c == '`') word += '\\';
    word += c;
  }
  return word + "\"";
}

// The same, without quotes where none are needed.
std::string shell_word(const std::string& text) {
  const bool plain = !text.empty() && text.find_first_not_of(kPlainInShell) == std::string::npos;
  return plain ? text : quoted(text);
}

// The address under which clients elsewhere would reach the gateway, as far as its certificate
// says.
std::string docker_host(const std::vector<certs::Issued>& issued) {
  std::string host = "localhost";
  for (const certs::Issued& one : issued) {
    if (!one.server || one.hosts.empty()) continue;
    const auto elsewhere = std::find_if_not(one.hosts.begin(), one.hosts.end(), [](const auto& h) {
      return is_loopback(h) || h.starts_with("*");
    });
    host = elsewhere == one.hosts.end() ? one.hosts.front() : *elsewhere;
  }
  if (host.find(':') != std::string::npos) host = "[" + host + "]";
  return "tcp://" + host + ":" + std::string(kPort);
}

// Docker's context names have no `@`, at least two characters, and one of them is taken.
std::string context_name(std::string name) {
  std::replace(name.begin(), name.end(), '@', '-');
  return name.size() < 2 || name == "default" ? "dockreeve-" + name : name;
}

void print_use(const certs::Issued& issued, const std::string& host) {
  const std::string& folder = issued.folder;
  std::cout << "\nuse it in this shell:\n"
            << "  export DOCKER_HOST=" << shell_word(host)
            << " DOCKER_TLS_VERIFY=1 DOCKER_CERT_PATH=" << shell_word(folder) << '\n'
            << "or as a docker context:\n"
            << "  docker context create " << context_name(issued.name) << " --docker "
            << quoted("host=" + host + ",ca=" + folder + "/ca.pem,cert=" + folder +
                      "/cert.pem,key=" + folder + "/key.pem")
            << '\n';
}

void print_files(const std::string& folder) {
  for (const char* name : {"ca.pem", "cert.pem", "key.pem"}) {
    std::cout << "wrote " << folder << '/' << name << '\n';
  }
}

int run_init(Options& options) {
  certs::InitOptions& init = options.init;
  init.dir = absolute(options.dir);
  if (init.hosts.empty()) init.hosts = default_hosts();
  // One --days for a short-lived PKI is enough; the server certificate never outlives its CA.
  init.server_days = std::min(init.server_days, init.ca_days);
  if (const Result<void> fine = certs::check(init); !fine) {
    return report(kUsage, fine.error().text());
  }
  if (const Result<void> made = certs::init(init); !made) return report(made.error());
  for (const char* name : {"ca.pem", "ca.key", "ca.crl", "index.json"}) {
    std::cout << "wrote " << init.dir << '/' << name << '\n';
  }
  print_files(init.dir + "/server");
  std::cout << "server certificate for:";
  for (const std::string& host : init.hosts)
    std::cout << ' ' << host;
  std::cout << "\n\nkeep ca.key secret: whoever has it can be any client. In the gateway file:\n"
            << "  tls:\n"
            << "    certificate: " << init.dir << "/server/cert.pem\n"
            << "    key: " << init.dir << "/server/key.pem\n"
            << "    clientCA: " << init.dir << "/ca.pem\n"
            << "    crl: " << init.dir << "/ca.crl\n"
            << "next: dockreeve certs issue NAME --team TEAM --dir " << shell_word(init.dir)
            << '\n';
  return kClean;
}

int run_issue_server(const Options& options) {
  if (!options.issue.name.empty() || !options.issue.teams.empty() || !options.issue.uri.empty()) {
    return report(kUsage, "--server goes with --host and --days only");
  }
  certs::ServerOptions server{.dir = absolute(options.dir), .hosts = options.server_hosts};
  if (options.days != 0) server.days = options.days;
  if (const Result<void> fine = certs::check(server); !fine) {
    return report(kUsage, fine.error().text());
  }
  if (!has_pki(server.dir)) return no_pki(server.dir);
  const Result<certs::Issued> issued = certs::issue_server(server);
  if (!issued) return report(issued.error());
  print_files(issued->folder);
  std::cout << "serial " << issued->serial << ", until " << issued->not_after
            << "; a running gateway reloads it\n";
  return kClean;
}

int run_issue_client(Options& options) {
  certs::IssueOptions& issue = options.issue;
  if (issue.name.empty()) return report(kUsage, "issue needs a NAME, or --server");
  issue.dir = absolute(options.dir);
  if (!options.server_hosts.empty()) return report(kUsage, "--host goes with --server only");
  if (options.days != 0) issue.days = options.days;
  if (const Result<void> fine = certs::check(issue); !fine) {
    return report(kUsage, fine.error().text());
  }
  if (!has_pki(issue.dir)) return no_pki(issue.dir);
  const Result<certs::Issued> issued = certs::issue(issue);
  if (!issued) return report(issued.error());
  const Result<std::vector<certs::Issued>> all = certs::list(issue.dir);
  if (!all) return report(all.error());
  print_files(issued->folder);
  std::cout << "subject " << issued->subject << ", serial " << issued->serial << ", until "
            << issued->not_after << '\n';
  print_use(*issued, docker_host(*all));
  return kClean;
}

int run_issue(Options& options) {
  return options.server ? run_issue_server(options) : run_issue_client(options);
}

int run_revoke(const Options& options) {
  const std::string dir = absolute(options.dir);
  if (!has_pki(dir)) return no_pki(dir);
  const Result<certs::Issued> revoked = certs::revoke(dir, options.revoke);
  if (!revoked) return report(revoked.error());
  std::cout << "revoked " << revoked->name << ", serial " << revoked->serial << '\n'
            << "wrote " << dir << "/ca.crl; a running gateway reloads it\n";
  return kClean;
}

// The status of one of `all`. Of the server certificates only the newest is in use.
std::string status_of(const certs::Issued& one, const std::vector<certs::Issued>& all) {
  if (one.revoked) return "revoked";
  const auto newest =
      std::find_if(all.rbegin(), all.rend(), [](const auto& i) { return i.server; });
  if (one.server && newest->serial != one.serial) return "replaced";
  return one.expired ? "expired" : "active";
}

void print_json(const std::vector<certs::Issued>& all) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().key("schemaVersion").value(1).key("certificates").begin_array();
  const auto texts = [&](const char* key, const std::vector<std::string>& values) {
    writer.key(key).begin_array();
    for (const std::string& value : values)
      writer.value(value);
    writer.end_array();
  };
  for (const certs::Issued& one : all) {
    writer.begin_object().key("name").value(one.name).key("serial").value(one.serial);
    writer.key("subject").value(one.subject).key("kind").value(one.server ? "server" : "client");
    texts("teams", one.teams);
    writer.key("uri").value(one.uri);
    texts("hosts", one.hosts);
    writer.key("notAfter").value(one.not_after).key("status").value(status_of(one, all));
    writer.key("revokedAt");
    if (one.revoked) {
      writer.value(one.revoked_at);
    } else {
      writer.null();
    }
    writer.key("folder").value(one.folder).end_object();
  }
  writer.end_array().end_object();
  std::cout << out << '\n';
}

std::string joined(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts)
    text += (text.empty() ? "" : ",") + part;
  return text.empty() ? "-" : text;
}

void print_table(const std::vector<certs::Issued>& all) {
  using Row = std::array<std::string, 6>;
  std::vector<Row> rows = {{"NAME", "KIND", "TEAMS", "STATUS", "NOT AFTER", "SERIAL"}};
  for (const certs::Issued& one : all) {
    rows.push_back({one.name, one.server ? "server" : "client", joined(one.teams),
                    status_of(one, all), one.not_after, one.serial});
  }
  std::array<std::size_t, 6> widths{};
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], row[i].size());
  }
  for (const Row& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      if (i + 1 < row.size()) line += std::string(widths[i] + 2 - row[i].size(), ' ');
    }
    std::cout << line << '\n';
  }
}

int run_list(const Options& options) {
  const std::string dir = absolute(options.dir);
  if (!has_pki(dir)) return no_pki(dir);
  const Result<std::vector<certs::Issued>> all = certs::list(dir);
  if (!all) return report(all.error());
  if (options.format == "json") {
    print_json(*all);
  } else {
    print_table(*all);
  }
  return kClean;
}

// Runs one command; what it throws (no memory, a file system that fails) is ours, not the user's.
template <class Run>
std::function<void()> guarded(std::shared_ptr<Options> options, int* exit_code, Run run) {
  return [options = std::move(options), exit_code, run] {
    try {
      *exit_code = run(*options);
      if (!std::cout.flush()) *exit_code = report(kInternal, "cannot write to standard output");
    } catch (const std::exception& problem) {
      *exit_code = report(kInternal, problem.what());
    }
  };
}

}  // namespace

void add_certs_command(CLI::App& app, int* exit_code) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("certs", "make and keep a small PKI for the gateway");
  command->require_subcommand(1);
  const auto add = [&](const char* name, const char* summary) {
    CLI::App* sub = command->add_subcommand(name, summary);
    sub->add_option("--dir", options->dir, "folder of the PKI")->capture_default_str();
    return sub;
  };

  CLI::App* init = add("init", "make a CA, a server certificate and an empty CRL");
  init->add_option("--host", options->init.hosts,
                   "name or address that clients use for the gateway; may be repeated "
                   "(default: localhost, 127.0.0.1, ::1 and this machine's name)");
  init->add_option("--ca-name", options->init.ca_name, "common name of the CA")
      ->capture_default_str();
  init->add_option("--days", options->init.ca_days, "days until the CA expires")
      ->capture_default_str();
  init->add_option("--server-days", options->init.server_days,
                   "days until the server certificate expires, at most --days")
      ->capture_default_str();
  init->callback(guarded(options, exit_code, run_init));

  CLI::App* issue = add("issue", "issue a client certificate, or renew the server's");
  issue->add_option("NAME", options->issue.name, "who it is for: the common name");
  issue->add_option("--team", options->issue.teams, "team (OU); may be repeated")
      ->allow_extra_args(false);
  issue->add_option("--uri", options->issue.uri, "URI as subject alternative name, e.g. SPIFFE");
  issue->add_option("--days", options->days, "days until it expires (default: 365, --server: 825)")
      ->check(CLI::Range(1, 36500));
  issue->add_flag("--replace", options->issue.replace, "revoke NAME's active certificate");
  issue->add_flag("--server", options->server, "renew the server certificate instead");
  issue
      ->add_option("--host", options->server_hosts,
                   "with --server: name or address; may be repeated (default: as before)")
      ->allow_extra_args(false);
  issue->callback(guarded(options, exit_code, run_issue));

  CLI::App* revoke = add("revoke", "revoke a client certificate and renew the CRL");
  revoke->add_option("NAME|SERIAL", options->revoke, "which")->required();
  revoke->callback(guarded(options, exit_code, run_revoke));

  CLI::App* list = add("list", "list what was issued");
  list->add_option("-o,--output", options->format, "text or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  list->callback(guarded(options, exit_code, run_list));
}

}  // namespace dockreeve::app
