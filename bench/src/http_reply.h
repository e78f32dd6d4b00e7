// Follows one HTTP/1.1 answer as its bytes arrive, so that the load client knows where it ends.
// It measures other people's proxies: an answer it cannot follow is an error, never a guess.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace bench {

class HttpReply {
 public:
  // Forgets the last answer. `head_only`: the request was HEAD, no body follows.
  void reset(bool head_only);
  // Takes bytes; returns how many belong to this answer. Fewer than given means done() or bad().
  std::size_t feed(std::string_view bytes);

  bool done() const { return state_ == State::Done; }
  bool upgraded() const { return state_ == State::Upgraded; }
  bool bad() const { return state_ == State::Bad; }
  // True when the server said that it closes the connection after this answer.
  bool closes() const { return closes_; }
  int status() const { return status_; }
  std::uint64_t body_bytes() const { return body_bytes_; }

 private:
  enum class State : std::uint8_t {
    Head,
    Length,
    ChunkSize,
    ChunkData,
    ChunkEnd,
    Trailer,
    Done,
    Upgraded,
    Bad
  };

  void read_head();
  std::size_t take_line(std::string_view bytes);

  State state_ = State::Head;
  bool head_only_ = false;
  bool closes_ = false;
  bool line_complete_ = false;
  int status_ = 0;
  std::uint64_t left_ = 0;        // bytes of the body or of the chunk still to come
  std::uint64_t body_bytes_ = 0;  // payload without framing
  std::string line_;              // the head, or one line of chunk framing
};

}  // namespace bench
