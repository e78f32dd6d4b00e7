// The PKI folder: what each command writes, in an order in which a crash loses nothing that
// matters. The index is written before the files it tells of, so no certificate exists that
// `revoke` does not know.
#include "certs/pki.h"

#include <algorithm>
#include <cctype>
#include <string_view>
#include <utility>

#include "certs/files.h"
#include "certs/pem.h"
#include "certs/pki_ca.h"
#include "certs/pki_index.h"
#include "certs/x509_text.h"

namespace dockreeve::certs {
namespace {

constexpr int kCrlDays = 3650;
constexpr int kMaxDays = 36500;
constexpr std::size_t kMaxNameBytes = 64;  // of a CN or OU, RFC 5280
constexpr mode_t kPublicMode = 0644;
constexpr mode_t kKeyMode = 0600;
constexpr std::string_view kAlphanumeric =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

bool only(std::string_view text, const std::string& allowed) {
  return text.find_first_not_of(allowed) == std::string_view::npos;
}

bool alphanumeric(char c) {
  return kAlphanumeric.find(c) != std::string_view::npos;
}

// The grammar that docs/certificates.md states; also what makes a name safe as a folder.
bool valid_client_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxNameBytes && alphanumeric(name.front()) &&
         only(name, std::string(kAlphanumeric) + "_.@-");
}

bool valid_uri(std::string_view uri) {
  const std::size_t colon = uri.find(':');
  if (colon == 0 || colon == std::string_view::npos || colon + 1 == uri.size()) return false;
  const bool printable_ascii =
      std::all_of(uri.begin(), uri.end(), [](char c) { return c > 0x20 && c < 0x7F; });
  return printable_ascii && uri.size() <= 2048 && alphanumeric(uri.front()) &&
         only(uri.substr(0, colon), std::string(kAlphanumeric) + "+.-");
}

bool valid_host(const std::string& host) {
  if (is_ip_address(host)) return true;
  std::string_view name = host;
  if (name.starts_with("*.")) name.remove_prefix(2);
  return !name.empty() && host.size() <= 253 && alphanumeric(name.front()) &&
         name.find("..") == std::string_view::npos &&
         only(name, std::string(kAlphanumeric) + "_.-");
}

// Text that goes into a subject.
bool valid_subject_part(std::string_view text) {
  return !text.empty() && text.size() <= kMaxNameBytes && printable_utf8(text);
}

Result<void> check_days(int days, const std::string& what) {
  if (days >= 1 && days <= kMaxDays) return {};
  return fail("", what + " must be between 1 and " + std::to_string(kMaxDays));
}

Result<void> check_hosts(const std::vector<std::string>& hosts) {
  for (const std::string& host : hosts) {
    if (!valid_host(host)) return fail("", "`" + host + "` is not a host name or an IP address");
  }
  return {};
}

// The parts of check() that the commands themselves insist on, whoever calls them: a name becomes a
// folder, and text becomes part of a certificate.
Result<void> check_text(const InitOptions& options) {
  if (options.dir.empty()) return fail("", "the folder must be named");
  if (options.hosts.empty()) return fail("", "the server certificate needs a host");
  if (!valid_subject_part(options.ca_name)) {
    return fail("", "the name of the CA must be 1 to 64 bytes of printable text");
  }
  return check_hosts(options.hosts);
}

Result<void> check_text(const IssueOptions& options) {
  if (options.dir.empty()) return fail("", "the folder must be named");
  if (!valid_client_name(options.name)) {
    return fail("", "`" + options.name +
                        "` is not a name: 1 to 64 letters, digits and _ . @ -, the first a letter "
                        "or digit");
  }
  for (const std::string& team : options.teams) {
    if (!valid_subject_part(team)) {
      return fail("", "the name of a team must be 1 to 64 bytes of printable text");
    }
  }
  if (!options.uri.empty() && !valid_uri(options.uri)) {
    return fail("", "`" + options.uri + "` is not a URI like spiffe://example.org/ci");
  }
  return {};
}

Result<void> check_text(const ServerOptions& options) {
  if (options.dir.empty()) return fail("", "the folder must be named");
  return check_hosts(options.hosts);
}

std::string server_folder(const std::string& dir) {
  return dir + "/server";
}

std::string folder_of(const std::string& dir, const IndexEntry& entry) {
  return entry.server ? server_folder(dir) : dir + "/clients/" + entry.name;
}

// A folder that works as DOCKER_CERT_PATH. The key goes first: a reader that sees the new
// certificate finds its key.
Result<void> write_credential(const std::string& folder, const Credential& credential,
                              const X509Ptr& authority) {
  const Result<std::string> key = to_pem(credential.key.get());
  const Result<std::string> certificate = to_pem(credential.certificate.get());
  const Result<std::string> ca = to_pem(authority.get());
  if (!key) return tl::unexpected(key.error());
  if (!certificate) return tl::unexpected(certificate.error());
  if (!ca) return tl::unexpected(ca.error());
  Result<void> done = make_private_folder(folder);
  if (done) done = write_atomically(folder + "/key.pem", *key, kKeyMode);
  if (done) done = write_atomically(folder + "/cert.pem", *certificate, kPublicMode);
  if (done) done = write_atomically(folder + "/ca.pem", *ca, kPublicMode);
  return done;
}

Result<void> write_crl(const std::string& dir, const Credential& authority, const Index& index) {
  std::vector<Revocation> revoked;
  for (const IndexEntry& entry : index.certificates) {
    if (!entry.revoked_at.empty()) revoked.push_back({entry.serial, entry.revoked_at});
  }
  const Result<CrlPtr> crl = make_crl(authority, index.crl_number, revoked, kCrlDays);
  if (!crl) return tl::unexpected(crl.error());
  const Result<std::string> pem = to_pem(crl->get());
  if (!pem) return tl::unexpected(pem.error());
  return write_atomically(dir + "/ca.crl", *pem, kPublicMode);
}

Result<Credential> load_authority(const std::string& dir) {
  Result<std::vector<X509Ptr>> certificates = load_certificates(dir + "/ca.pem");
  if (!certificates) return tl::unexpected(certificates.error());
  Result<PkeyPtr> key = load_private_key(dir + "/ca.key");
  if (!key) return tl::unexpected(key.error());
  if (X509_check_private_key(certificates->front().get(), key->get()) != 1) {
    (void)openssl_reason();
    return fail(dir + "/ca.key", "is not the key of the certificate in ca.pem");
  }
  return Credential{.certificate = std::move(certificates->front()), .key = *std::move(key)};
}

IndexEntry describe(const Credential& made, const CertificateSpec& spec) {
  const X509* x = made.certificate.get();
  return {.name = spec.common_name,
          .serial = serial_hex(X509_get0_serialNumber(x)),
          .subject = name_text(X509_get_subject_name(x)),
          .not_after = rfc3339(X509_get0_notAfter(x)),
          .uri = spec.uri,
          .revoked_at = {},
          .server = spec.purpose == Purpose::Server,
          .teams = spec.units,
          .hosts = spec.hosts};
}

Issued as_issued(const std::string& dir, const IndexEntry& entry) {
  return {.name = entry.name,
          .serial = entry.serial,
          .subject = entry.subject,
          .not_after = entry.not_after,
          .folder = folder_of(dir, entry),
          .revoked = !entry.revoked_at.empty(),
          .server = entry.server,
          .teams = entry.teams,
          .expired = entry.not_after <= rfc3339_now(),  // this form sorts as text
          .uri = entry.uri,
          .revoked_at = entry.revoked_at,
          .hosts = entry.hosts};
}

// A certificate that outlives its CA would stop working before the date it shows.
Result<void> refuse_to_outlive(const Credential& authority, const Credential& made) {
  const ASN1_TIME* end = X509_get0_notAfter(authority.certificate.get());
  if (ASN1_TIME_compare(X509_get0_notAfter(made.certificate.get()), end) <= 0) return {};
  return fail("", "the CA itself expires on " + rfc3339(end) + "; ask for fewer days");
}

CertificateSpec server_spec(const std::vector<std::string>& hosts, int days) {
  const bool fits = hosts.front().size() <= kMaxNameBytes;
  return {.purpose = Purpose::Server,
          .common_name = fits ? hosts.front() : "dockreeve",
          .units = {},
          .hosts = hosts,
          .uri = {},
          .days = days};
}

Result<void> refuse_existing(const std::string& dir) {
  for (const char* name : {"/index.json", "/ca.pem", "/ca.key", "/ca.crl", "/server", "/clients"}) {
    if (path_exists(dir + name)) {
      return fail("", dir + name + " exists already; a PKI is only made in a folder without one");
    }
  }
  return {};
}

// An opened PKI folder, nobody else's until this goes away.
struct Session {
  FolderLock lock;
  Index index;
  Credential authority;
};

Result<Session> open_session(const std::string& dir) {
  if (!path_exists(index_path(dir))) {
    return fail("", "there is no PKI in " + dir + "; make one with `dockreeve certs init`");
  }
  Result<FolderLock> lock = FolderLock::take(dir);
  if (!lock) return tl::unexpected(lock.error());
  Result<Index> index = read_index(dir);
  if (!index) return tl::unexpected(index.error());
  Result<Credential> authority = load_authority(dir);
  if (!authority) return tl::unexpected(authority.error());
  return Session{
      .lock = *std::move(lock), .index = *std::move(index), .authority = *std::move(authority)};
}

// Makes the certificate, records it, renews the CRL if asked, writes its folder.
Result<Issued> make_and_store(const std::string& dir, Session& session, const CertificateSpec& spec,
                              bool renew_crl) {
  const Result<Credential> made = make_certificate(session.authority, spec);
  if (!made) return tl::unexpected(made.error());
  Result<void> done = refuse_to_outlive(session.authority, *made);
  if (!done) return tl::unexpected(done.error());
  const IndexEntry entry = describe(*made, spec);
  session.index.certificates.push_back(entry);
  if (renew_crl) ++session.index.crl_number;
  done = write_index(dir, session.index);
  if (done && renew_crl) done = write_crl(dir, session.authority, session.index);
  if (done && !entry.server) done = make_private_folder(dir + "/clients");
  if (done) {
    done = write_credential(folder_of(dir, entry), *made, session.authority.certificate);
  }
  if (!done) return tl::unexpected(done.error());
  return as_issued(dir, entry);
}

// "0A:1b" -> "0a1b"; as serials are written in the index.
std::string normal_serial(const std::string& text) {
  std::string serial;
  for (const char c : text) {
    if (c != ':') serial += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return serial;
}

// Every entry that `name_or_serial` means. Names win: they are what people type.
std::vector<IndexEntry*> find_entries(Index& index, const std::string& name_or_serial) {
  std::vector<IndexEntry*> found;
  for (IndexEntry& entry : index.certificates) {
    if (!entry.server && entry.name == name_or_serial) found.push_back(&entry);
  }
  if (!found.empty()) return found;
  const std::string serial = normal_serial(name_or_serial);
  for (IndexEntry& entry : index.certificates) {
    if (entry.serial == serial) found.push_back(&entry);
  }
  return found;
}

// Whether ca.crl is there and has every one of the entries. It may not, when the run that revoked
// them was stopped between the index and the CRL.
bool crl_is_current(const std::string& dir, const std::vector<IndexEntry*>& entries) {
  const Result<std::vector<CrlPtr>> crls = load_crls(dir + "/ca.crl");
  return crls && std::all_of(entries.begin(), entries.end(), [&](const IndexEntry* entry) {
           return crl_lists(crls->front().get(), entry->serial);
         });
}

}  // namespace

Result<void> check(const InitOptions& options) {
  Result<void> fine = check_text(options);
  if (fine) fine = check_days(options.ca_days, "the days of the CA");
  if (fine) fine = check_days(options.server_days, "the days of the server certificate");
  return fine;
}

Result<void> check(const IssueOptions& options) {
  Result<void> fine = check_text(options);
  if (fine) fine = check_days(options.days, "days");
  return fine;
}

Result<void> check(const ServerOptions& options) {
  Result<void> fine = check_text(options);
  if (fine) fine = check_days(options.days, "days");
  return fine;
}

Result<void> init(const InitOptions& options) {
  const std::string& dir = options.dir;
  Result<void> done = check_text(options);
  if (done) done = make_private_folder(dir);
  if (!done) return done;
  const Result<FolderLock> lock = FolderLock::take(dir);
  if (!lock) return tl::unexpected(lock.error());
  done = refuse_existing(dir);
  if (!done) return done;
  const Result<Credential> authority = make_authority(options.ca_name, options.ca_days);
  if (!authority) return tl::unexpected(authority.error());
  const CertificateSpec spec = server_spec(options.hosts, options.server_days);
  const Result<Credential> server = make_certificate(*authority, spec);
  if (!server) return tl::unexpected(server.error());
  done = refuse_to_outlive(*authority, *server);
  if (!done) return done;
  const Result<std::string> key = to_pem(authority->key.get());
  const Result<std::string> certificate = to_pem(authority->certificate.get());
  if (!key) return tl::unexpected(key.error());
  if (!certificate) return tl::unexpected(certificate.error());

  // The index last: it is what makes the folder a PKI.
  Index index{.crl_number = 1, .certificates = {describe(*server, spec)}};
  done = write_atomically(dir + "/ca.key", *key, kKeyMode);
  if (done) done = write_atomically(dir + "/ca.pem", *certificate, kPublicMode);
  if (done) done = make_private_folder(dir + "/clients");
  if (done) done = write_credential(server_folder(dir), *server, authority->certificate);
  if (done) done = write_crl(dir, *authority, index);
  if (done) done = write_index(dir, index);
  return done;
}

Result<Issued> issue(const IssueOptions& options) {
  if (Result<void> fine = check_text(options); !fine) return tl::unexpected(fine.error());
  Result<Session> session = open_session(options.dir);
  if (!session) return tl::unexpected(session.error());
  const std::string now = rfc3339_now();
  bool renew_crl = false;
  for (IndexEntry& entry : session->index.certificates) {
    const bool active = !entry.server && entry.revoked_at.empty() && entry.not_after > now;
    if (!active || entry.name != options.name) continue;
    if (!options.replace) {
      return fail("", options.name + " has a certificate until " + entry.not_after + " (serial " +
                          entry.serial + "); revoke it first, or use --replace");
    }
    entry.revoked_at = now;
    renew_crl = true;
  }
  const CertificateSpec spec{.purpose = Purpose::Client,
                             .common_name = options.name,
                             .units = options.teams,
                             .hosts = {},
                             .uri = options.uri,
                             .days = options.days};
  return make_and_store(options.dir, *session, spec, renew_crl);
}

Result<Issued> issue_server(const ServerOptions& options) {
  if (Result<void> fine = check_text(options); !fine) return tl::unexpected(fine.error());
  Result<Session> session = open_session(options.dir);
  if (!session) return tl::unexpected(session.error());
  std::vector<std::string> hosts = options.hosts;
  for (const IndexEntry& entry : session->index.certificates) {
    if (options.hosts.empty() && entry.server) hosts = entry.hosts;
  }
  if (hosts.empty()) return fail("", "the index names no earlier server certificate; give --host");
  return make_and_store(options.dir, *session, server_spec(hosts, options.days), false);
}

Result<Issued> revoke(const std::string& dir, const std::string& name_or_serial) {
  Result<Session> session = open_session(dir);
  if (!session) return tl::unexpected(session.error());
  const std::vector<IndexEntry*> found = find_entries(session->index, name_or_serial);
  if (found.empty()) {
    return fail("", "no certificate with the name or serial " + name_or_serial +
                        "; see `dockreeve certs list`");
  }
  IndexEntry& newest = *found.back();
  if (newest.server) {
    return fail("",
                "that is a server certificate, and clients do not read the CRL; if its key is "
                "lost, make a new PKI");
  }
  const auto is_revoked = [](const IndexEntry* entry) { return !entry->revoked_at.empty(); };
  if (std::all_of(found.begin(), found.end(), is_revoked) && crl_is_current(dir, found)) {
    return fail("", name_or_serial + " was revoked already, on " + newest.revoked_at);
  }
  for (IndexEntry* entry : found) {
    if (!is_revoked(entry)) entry->revoked_at = rfc3339_now();
  }
  ++session->index.crl_number;
  Result<void> done = write_index(dir, session->index);
  if (done) done = write_crl(dir, session->authority, session->index);
  if (!done) return tl::unexpected(done.error());
  return as_issued(dir, newest);
}

Result<std::vector<Issued>> list(const std::string& dir) {
  if (!path_exists(index_path(dir))) {
    return fail("", "there is no PKI in " + dir + "; make one with `dockreeve certs init`");
  }
  const Result<Index> index = read_index(dir);
  if (!index) return tl::unexpected(index.error());
  std::vector<Issued> all;
  all.reserve(index->certificates.size());
  for (const IndexEntry& entry : index->certificates)
    all.push_back(as_issued(dir, entry));
  return all;
}

}  // namespace dockreeve::certs
