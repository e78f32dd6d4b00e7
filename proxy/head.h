// HTTP/1.1 heads, read the strict way: every input that two parsers could frame differently is
// refused (docs/http-edge.md lists the rows). Pure functions, fuzzed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tl/expected.hpp>

namespace dockreeve::proxy {

struct HeadError {
  int status = 400;
  std::string where;   // "request line", "header/content-length"
  std::string detail;  // one lower-case clause
};

// Views point into the block that was parsed.
struct RequestHead {
  std::string_view method, target;
  bool http10 = false;
  bool keep_alive = true;
  std::optional<std::uint64_t> content_length;
  bool chunked = false;
  bool expect_continue = false;
  bool has_upgrade = false;
  std::string_view upgrade;
  bool has_content_type = false;
  std::string_view content_type;
  std::string_view user_agent, registry_auth, registry_config, request_id;
  bool has_origin = false;  // only browsers send it
  std::vector<std::pair<std::string_view, std::string_view>> upgrade_headers;  // docker/upgrade.h

  bool has_body() const { return chunked || (content_length && *content_length > 0); }
};

// `block` is everything up to and including the empty line.
tl::expected<RequestHead, HeadError> parse_request_head(std::string_view block);

struct Header {
  std::string_view name, value;
};

struct ResponseHead {
  int status = 0;
  std::string_view status_text;       // "200 OK" as sent
  std::vector<Header> headers;        // end-to-end ones, in order, framing headers left out
  std::optional<std::uint64_t> content_length;
  bool chunked = false;
  bool close = false;                 // the engine will close after this answer
  std::string_view content_type, upgrade, api_version;

  // 101, or 200 with one of Docker's raw stream types.
  bool hijacks() const;
  // No body whatever the headers say.
  bool bodiless(bool to_head_request) const {
    return to_head_request || status == 204 || status == 304 || (status >= 100 && status < 200);
  }
};

tl::expected<ResponseHead, HeadError> parse_response_head(std::string_view block);

// Position one past the empty line that ends a head, or npos. `from` is where to go on searching.
std::size_t find_head_end(std::string_view data, std::size_t from = 0);

// Follows chunked framing over data that arrives in pieces, strictly: sizes of 1 to 8 hex digits,
// no extensions, no trailers, CRLF only. `on_data` style is avoided: feed() tells how much of the
// input belongs to the message and hands out the payload pieces one by one.
class ChunkReader {
 public:
  enum class State : std::uint8_t { More, Done, Bad };
  // Consumes from the front of `input` (advancing it) until a piece of payload was found (returned,
  // not empty), the input is used up, or the message ended. Call again until it returns empty.
  std::string_view next(std::string_view& input);
  State state() const { return state_; }

 private:
  enum class Part : std::uint8_t { Size, SizeLf, Data, DataCr, DataLf, EndCr, EndLf };
  State state_ = State::More;
  Part part_ = Part::Size;
  std::uint64_t left_ = 0;
  int digits_ = 0;
};

}  // namespace dockreeve::proxy
