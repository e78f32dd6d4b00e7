// See http_reply.h.
#include "bench/src/http_reply.h"

#include <algorithm>
#include <charconv>
#include <strings.h>

namespace bench {
namespace {

constexpr std::size_t kLongestHead = 64 * 1024;
constexpr std::size_t kLongestLine = 256;

// The value of a header when `line` is that header, else an empty view with null data.
std::string_view header_value(std::string_view line, std::string_view name) {
  if (line.size() <= name.size() || line[name.size()] != ':' ||
      strncasecmp(line.data(), name.data(), name.size()) != 0) {
    return {};
  }
  std::string_view value = line.substr(name.size() + 1);
  while (!value.empty() && value.front() == ' ') {
    value.remove_prefix(1);
  }
  return value;
}

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

bool parse_number(std::string_view text, int base, std::uint64_t& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

void HttpReply::reset(bool head_only) {
  state_ = State::Head;
  head_only_ = head_only;
  closes_ = false;
  line_complete_ = false;
  status_ = 0;
  left_ = 0;
  body_bytes_ = 0;
  line_.clear();
}

std::size_t HttpReply::take_line(std::string_view bytes) {
  if (line_complete_) {
    line_.clear();
    line_complete_ = false;
  }
  const std::size_t newline = bytes.find('\n');
  const std::size_t used = newline == std::string_view::npos ? bytes.size() : newline + 1;
  line_.append(bytes.substr(0, used));
  if (line_.size() > kLongestLine) {
    state_ = State::Bad;
  } else if (newline != std::string_view::npos) {
    line_complete_ = true;
    while (!line_.empty() && (line_.back() == '\n' || line_.back() == '\r')) {
      line_.pop_back();
    }
  }
  return used;
}

void HttpReply::read_head() {
  const std::string_view head(line_);
  std::uint64_t code = 0;
  if (head.size() < 12 || head.substr(0, 7) != "HTTP/1." ||
      !parse_number(head.substr(9, 3), 10, code)) {
    state_ = State::Bad;
    return;
  }
  status_ = static_cast<int>(code);
  bool chunked = false;
  bool has_length = false;
  for (std::size_t at = head.find("\r\n"); at != std::string_view::npos && at + 2 < head.size();) {
    const std::size_t end = head.find("\r\n", at + 2);
    const std::string_view line = head.substr(at + 2, end - at - 2);
    if (const auto length = header_value(line, "content-length"); length.data() != nullptr) {
      has_length = parse_number(length, 10, left_);
    } else if (const auto coding = header_value(line, "transfer-encoding");
               coding.data() != nullptr) {
      chunked = equals_ignoring_case(coding, "chunked");
    } else if (const auto connection = header_value(line, "connection");
               connection.data() != nullptr) {
      closes_ = equals_ignoring_case(connection, "close");
    }
    at = end;
  }
  line_.clear();
  if (status_ == 101) {
    state_ = State::Upgraded;
  } else if (head_only_ || status_ == 204 || status_ == 304) {
    state_ = State::Done;
  } else if (chunked) {
    state_ = State::ChunkSize;
  } else if (has_length) {
    state_ = left_ == 0 ? State::Done : State::Length;
  } else {
    state_ = State::Bad;  // ends with the connection: no proxy here may answer so
  }
}

std::size_t HttpReply::feed(std::string_view bytes) {
  std::size_t used = 0;
  while (used < bytes.size()) {
    const std::string_view rest = bytes.substr(used);
    switch (state_) {
      case State::Head: {
        const std::size_t before = line_.size();
        line_.append(rest.substr(0, kLongestHead));
        const std::size_t end = line_.find("\r\n\r\n", before > 3 ? before - 3 : 0);
        if (end == std::string::npos) {
          used += line_.size() - before;
          if (line_.size() > kLongestHead) {
            state_ = State::Bad;
          }
          break;
        }
        used += end + 4 - before;
        line_.resize(end + 2);
        read_head();
        break;
      }
      case State::Length:
      case State::ChunkData: {
        const auto part = static_cast<std::size_t>(std::min<std::uint64_t>(rest.size(), left_));
        used += part;
        left_ -= part;
        body_bytes_ += part;
        if (left_ == 0) {
          state_ = state_ == State::Length ? State::Done : State::ChunkEnd;
        }
        break;
      }
      case State::ChunkSize:
        used += take_line(rest);
        if (line_complete_) {
          if (!parse_number(line_, 16, left_)) {
            state_ = State::Bad;
          } else {
            state_ = left_ == 0 ? State::Trailer : State::ChunkData;
          }
        }
        break;
      case State::ChunkEnd:
        used += take_line(rest);
        if (line_complete_) {
          state_ = line_.empty() ? State::ChunkSize : State::Bad;
        }
        break;
      case State::Trailer:
        used += take_line(rest);
        if (line_complete_ && line_.empty()) {
          state_ = State::Done;
        }
        break;
      case State::Done:
      case State::Upgraded:
      case State::Bad:
        return used;
    }
  }
  return used;
}

}  // namespace bench
