// A throw-away folder, and TLS handshakes in one process over a socket pair.
#pragma once

#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include "certs/openssl_ptr.h"
#include "certs/pki.h"
#include "certs/tls_context.h"

namespace dockreeve::certs {

using SslPtr = std::unique_ptr<SSL, OpensslFree<SSL_free>>;
using SessionPtr = std::unique_ptr<SSL_SESSION, OpensslFree<SSL_SESSION_free>>;

// A folder that goes away with the test.
class TempDir {
 public:
  TempDir() {
    std::string name = (std::filesystem::temp_directory_path() / "dockreeve-certs-XXXXXX").string();
    path_ = ::mkdtemp(name.data()) == nullptr ? "" : name;
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  ~TempDir() { std::filesystem::remove_all(path_); }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

inline std::string slurp(const std::string& path) {
  const std::ifstream in(path);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

inline void spill(const std::string& path, const std::string& content) {
  std::ofstream(path) << content;
}

// Standard output and error of a shell command, and its exit status as a last line.
inline std::string shell(const std::string& command) {
  const std::string line = "( " + command + " ) 2>&1; echo status=$?";
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> pipe(::popen(line.c_str(), "r"), ::pclose);
  std::string out;
  std::array<char, 4096> buffer{};
  while (pipe != nullptr && std::fgets(buffer.data(), buffer.size(), pipe.get()) != nullptr) {
    out += buffer.data();
  }
  return out;
}

// A PKI in DIR with the server certificate for "localhost".
inline void make_pki(const std::string& dir, const std::string& ca_name = "test CA") {
  const Result<void> made =
      init({.dir = dir, .hosts = {"localhost", "127.0.0.1"}, .ca_name = ca_name});
  ASSERT_TRUE(made) << made.error().text();
}

inline Issued issue_or_die(const IssueOptions& options) {
  Result<Issued> issued = issue(options);
  if (!issued) {
    ADD_FAILURE() << issued.error().text();
    return {};
  }
  return *issued;
}

inline TlsOptions server_options(const std::string& dir) {
  return {.certificate = dir + "/server/cert.pem",
          .key = dir + "/server/key.pem",
          .client_ca = dir + "/ca.pem",
          .crl = dir + "/ca.crl"};
}

inline std::shared_ptr<const TlsContext> load_or_die(const TlsOptions& options) {
  Result<std::shared_ptr<const TlsContext>> context = TlsContext::load(options);
  if (!context) {
    ADD_FAILURE() << context.error().text();
    return nullptr;
  }
  return *context;
}

// A client that trusts the CA of DIR and shows the certificate in `folder`, or none if empty.
inline SslCtxPtr make_client(const std::string& dir, const std::string& folder, int version) {
  SslCtxPtr context(SSL_CTX_new(TLS_client_method()));
  EXPECT_EQ(SSL_CTX_set_min_proto_version(context.get(), version), 1);
  EXPECT_EQ(SSL_CTX_set_max_proto_version(context.get(), version), 1);
  EXPECT_EQ(SSL_CTX_load_verify_file(context.get(), (dir + "/ca.pem").c_str()), 1);
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  if (folder.empty()) return context;
  const std::string certificate = folder + "/cert.pem";
  const std::string key = folder + "/key.pem";
  EXPECT_EQ(SSL_CTX_use_certificate_chain_file(context.get(), certificate.c_str()), 1);
  EXPECT_EQ(SSL_CTX_use_PrivateKey_file(context.get(), key.c_str(), SSL_FILETYPE_PEM), 1);
  return context;
}

// Both ends of one connection, after the handshake succeeded or failed.
struct Connection {
  std::array<int, 2> fds{-1, -1};
  SslPtr server, client;
  bool established = false;   // as the server sees it: what counts
  std::string server_reason;  // why not

  Connection() = default;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() {
    client.reset();
    server.reset();
    for (const int fd : fds)
      ::close(fd);
  }
};

// One step of a non-blocking handshake. False once it failed.
inline bool advance(SSL* ssl, bool& finished) {
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl);
  finished = result == 1;
  if (finished) return true;
  const int error = SSL_get_error(ssl, result);
  return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
}

inline std::unique_ptr<Connection> connect(SSL_CTX* server, SSL_CTX* client,
                                           SSL_SESSION* resume = nullptr,
                                           const std::vector<unsigned char>& alpn = {}) {
  auto connection = std::make_unique<Connection>();
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, connection->fds.data()), 0);
  connection->server.reset(SSL_new(server));
  connection->client.reset(SSL_new(client));
  SSL_set_fd(connection->server.get(), connection->fds[0]);
  SSL_set_fd(connection->client.get(), connection->fds[1]);
  SSL_set_accept_state(connection->server.get());
  SSL_set_connect_state(connection->client.get());
  SSL_set1_host(connection->client.get(), "localhost");
  if (resume != nullptr) SSL_set_session(connection->client.get(), resume);
  if (!alpn.empty()) {
    SSL_set_alpn_protos(connection->client.get(), alpn.data(), static_cast<unsigned>(alpn.size()));
  }
  bool server_done = false;
  bool client_done = false;
  for (int round = 0; round < 100 && !(server_done && client_done); ++round) {
    // A client that failed has sent its alert; the server must still read it.
    if (!client_done) (void)advance(connection->client.get(), client_done);
    if (!server_done && !advance(connection->server.get(), server_done)) {
      const char* reason = ERR_reason_error_string(ERR_peek_error());
      connection->server_reason = reason == nullptr ? "" : reason;
      const long verdict = SSL_get_verify_result(connection->server.get());
      connection->server_reason += std::string("; ") + X509_verify_cert_error_string(verdict);
      break;
    }
  }
  ERR_clear_error();
  connection->established = server_done && client_done;
  return connection;
}

// Sends one byte from the server and lets the client read it, and with it any session ticket.
inline bool server_says_hello(Connection& connection) {
  if (SSL_write(connection.server.get(), "x", 1) != 1) return false;
  char byte = 0;
  return SSL_read(connection.client.get(), &byte, 1) == 1 && byte == 'x';
}

}  // namespace dockreeve::certs
