// The engine of the load client: many TLS connections on one epoll, each a small state machine.
// load.cc moves the connections, load_modes.cc decides what is measured.
#pragma once

#include <openssl/ssl.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <netinet/in.h>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "bench/src/http_reply.h"

namespace bench {

inline constexpr std::size_t kOpenAtOnce = 64;     // connections being opened in the holding modes
inline constexpr std::size_t kMostFailures = 200;  // then the run is called off

// Monotonic.
std::int64_t now_ns();

// The command line after the mode: --name value pairs.
class Options {
 public:
  Options(int argc, char** argv) {
    for (int i = 2; i + 1 < argc; i += 2) {
      values_[argv[i]] = argv[i + 1];
    }
  }
  std::string text(const std::string& name, const std::string& fallback = "") const {
    const auto found = values_.find(name);
    return found == values_.end() ? fallback : found->second;
  }
  double number(const std::string& name, double fallback) const {
    const auto found = values_.find(name);
    return found == values_.end() ? fallback : std::stod(found->second);
  }
  std::vector<int> pids() const {
    std::vector<int> list;
    std::istringstream text_list(text("--pids"));
    for (std::string one; std::getline(text_list, one, ',');) {
      list.push_back(std::stoi(one));
    }
    return list;
  }

 private:
  std::map<std::string, std::string> values_;
};

enum class Phase : std::uint8_t {
  Closed,
  Connecting,
  Handshaking,
  Sending,
  Receiving,
  Held,
  Echoing
};

struct Connection {
  int fd = -1;
  SSL* ssl = nullptr;
  Phase phase = Phase::Closed;
  bool watches_write = false;
  bool queued = false;
  bool is_side = false;
  std::size_t sent = 0;      // of what is being sent
  std::size_t block_at = 0;  // of the upload block
  std::uint64_t upload_left = 0;
  std::size_t echoed = 0;
  std::int64_t started = 0;
  HttpReply reply;
};

class Load {
 public:
  Load(std::string mode, const Options& options);
  ~Load();
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;
  int run();

 private:
  bool holds() const { return mode_ == "idle" || mode_ == "hijack"; }
  void open(Connection& c);
  void close(Connection& c);
  void fail(Connection& c, const char* why);
  void watch(Connection& c, bool write);
  void begin_request(Connection& c);
  void step(Connection& c);
  void wait_or_fail(Connection& c, int result, const char* what);
  std::string_view next_to_send(const Connection& c) const;
  void sent_some(Connection& c, std::size_t count);
  void received(Connection& c, std::string_view bytes);
  void on_reply(Connection& c);
  void turn(std::int64_t until);
  template <typename Condition>
  void turn_while(double seconds, Condition condition) {
    const std::int64_t until = now_ns() + static_cast<std::int64_t>(seconds * 1e9);
    while (now_ns() < until && condition()) {
      turn(until);
    }
  }
  int measure();
  int hold();
  void ping_aside(std::vector<float>& samples);
  std::size_t recheck();

  std::string mode_;
  Options options_;
  SSL_CTX* context_ = nullptr;
  int epoll_ = -1;
  sockaddr_in address_{};
  std::string request_, side_request_, block_;
  std::uint64_t upload_size_ = 0;
  int expected_status_ = 200;
  std::vector<Connection> connections_;  // the last one is the side connection
  std::vector<std::uint32_t> again_;     // used up their turn with bytes left inside OpenSSL
  std::vector<char> buffer_ = std::vector<char>(64 * 1024);

  bool measuring_ = false;
  bool over_ = false;  // the window is closed: begin nothing new
  int side_left_ = 0;
  std::vector<float>* side_samples_ = nullptr;
  std::vector<float> samples_;  // microseconds
  std::uint64_t bytes_ = 0;     // payload, the direction under test
  std::size_t failures_ = 0, wrong_status_ = 0, held_ = 0, next_to_open_ = 0, rechecked_ = 0;
  int last_status_ = 0;
  std::string first_failure_, tls_;
};

}  // namespace bench
