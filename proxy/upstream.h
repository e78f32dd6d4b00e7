// Connections to the engine: pooled where the framing of the last exchange is certain.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "policy/admitted.h"
#include "proxy/head.h"
#include "proxy/stream.h"

namespace dockreeve::proxy {

// What all threads know about the engine; learnt from the Api-Version header of its answers.
struct EngineState {
  std::atomic<int> api_minor{0};  // 0: not known yet
};

// One loop's connections. Not thread-safe.
class Upstream {
 public:
  Upstream(Reactor& reactor, std::string path, EngineState& engine)
      : reactor_(reactor), path_(std::move(path)), engine_(engine) {}

  struct Lease {
    std::unique_ptr<Stream> stream;  // null: the engine cannot be reached
    bool reused = false;
  };
  // An idle connection, or a new one when there is none or `fresh` is set.
  Task<Lease> lease(bool fresh, Millis deadline);
  // Takes back a connection whose last answer was read to its certain end.
  void give_back(std::unique_ptr<Stream> stream);
  // Closes idle connections.
  void drop_idle() { idle_.clear(); }

  // A whole GET exchange for a look-up: status and body (at most 4 MiB).
  struct Answer {
    int status = 0;
    std::string body;
  };
  Task<Result<Answer>> get(std::string target, Millis deadline);
  // Takes back a container that was just created on somebody's behalf, with its anonymous volumes.
  // `id` is the full id from the engine's answer.
  Task<Result<Answer>> remove_container(std::string id, Millis deadline);

  const std::string& path() const { return path_; }
  EngineState& engine() { return engine_; }
  Reactor& reactor() { return reactor_; }

 private:
  static constexpr std::size_t kMaxIdle = 64;
  Task<Result<Answer>> get_once(const std::string& request, bool fresh, bool& retry, Millis deadline);
  Reactor& reactor_;
  std::string path_;
  EngineState& engine_;
  std::vector<std::unique_ptr<Stream>> idle_;
};

// The request head the engine gets for an admitted request (body excluded). `chunked` and
// `length` say how an opaque body will be framed; they are ignored for other kinds. `upgrade`: the
// client asked for 101 on a route that hijacks.
std::string wire_head(const policy::WireRequest& wire, bool chunked, std::uint64_t length, bool upgrade);

// Reads until a final response head is complete: interim answers (1xx other than 101) are skipped.
// `buffer` holds what was read; `head_size` is where the body starts. Views of the head point into
// buffer.
struct HeadRead {
  Io status = Io::Ok;
  bool any_bytes = false;
  std::string problem;     // not empty: the engine's answer is malformed
  std::size_t head_size = 0;
  ResponseHead head;
};
// With `client` given, a client that goes away meanwhile ends the wait (Io::Cancelled); what it sends
// is kept in `client_input`.
Task<HeadRead> read_response_head(Stream& stream, std::string& buffer, Millis deadline,
                                  Stream* client = nullptr, std::string* client_input = nullptr);

// Notes the Api-Version of an answer.
void learn(EngineState& engine, const ResponseHead& head);

}  // namespace dockreeve::proxy
