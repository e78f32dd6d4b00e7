#include "proxy/head.h"

#include <algorithm>
#include <array>

#include "docker/upgrade.h"

namespace dockreeve::proxy {
namespace {

constexpr std::size_t kMaxHeaders = 100;

constexpr std::array<bool, 256> kToken = [] {
  std::array<bool, 256> table{};
  for (unsigned c = '0'; c <= '9'; ++c) table[c] = true;
  for (unsigned c = 'a'; c <= 'z'; ++c) table[c] = true;
  for (unsigned c = 'A'; c <= 'Z'; ++c) table[c] = true;
  for (const char c : {'!', '#', '$', '%', '&', '\'', '*', '+', '-', '.', '^', '_', '`', '|', '~'}) {
    table[static_cast<unsigned char>(c)] = true;
  }
  return table;
}();

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return kToken[static_cast<unsigned char>(c)];
  });
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same(std::string_view a, std::string_view lower_b) {
  return a.size() == lower_b.size() &&
         std::equal(a.begin(), a.end(), lower_b.begin(), [](char x, char y) { return lower(x) == y; });
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

tl::unexpected<HeadError> bad(std::string where, std::string detail, int status = 400) {
  return tl::unexpected<HeadError>(HeadError{status, std::move(where), std::move(detail)});
}

// Cuts one CRLF line off `rest`. False when a bare CR, bare LF, NUL or other control character
// (HTAB excepted) stands in it.
bool take_line(std::string_view& rest, std::string_view& line) {
  for (std::size_t i = 0; i < rest.size(); ++i) {
    const auto c = static_cast<unsigned char>(rest[i]);
    if (c == '\r') {
      if (i + 1 >= rest.size() || rest[i + 1] != '\n') return false;
      line = rest.substr(0, i);
      rest.remove_prefix(i + 2);
      return true;
    }
    if ((c < 0x20 && c != '\t') || c == 0x7f) return false;
  }
  return false;
}

bool parse_length(std::string_view text, std::optional<std::uint64_t>& out) {
  if (text.empty() || text.size() > 18 || (text.size() > 1 && text[0] == '0')) return false;
  std::uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
    value = value * 10 + static_cast<std::uint64_t>(c - '0');
  }
  out = value;
  return true;
}

// Calls `each` with every element of a comma list.
template <class F>
void each_element(std::string_view list, F each) {
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    each(trim(list.substr(0, comma)));
    if (comma == std::string_view::npos) return;
    list.remove_prefix(comma + 1);
  }
}

// One header line, split. Error text or empty.
const char* split_header(std::string_view line, Header& header) {
  if (line[0] == ' ' || line[0] == '\t') return "a folded header line";
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return "a header line without a colon";
  header.name = line.substr(0, colon);
  header.value = trim(line.substr(colon + 1));
  if (!is_token(header.name)) return "a header name with forbidden characters";
  return nullptr;
}

struct Seen {
  bool host = false, length = false, encoding = false, type = false, expect = false, auth = false,
       config = false, upgrade = false, id = false;
};

bool once(bool& seen) { return !std::exchange(seen, true); }

std::optional<HeadError> read_request_header(const Header& header, RequestHead& head, Seen& seen) {
  const auto refuse = [&](std::string_view name, std::string detail, int status = 400) {
    return HeadError{status, "header/" + std::string(name), std::move(detail)};
  };
  const std::string_view name = header.name;
  const std::string_view value = header.value;
  switch (lower(name[0])) {
    case 'c':
      if (same(name, "content-length")) {
        if (!once(seen.length)) return refuse("content-length", "it is there twice");
        if (!parse_length(value, head.content_length)) {
          return refuse("content-length", "it must be plain digits without leading zeros");
        }
      } else if (same(name, "content-type")) {
        if (!once(seen.type)) return refuse("content-type", "it is there twice");
        head.has_content_type = true;
        head.content_type = value;
      } else if (same(name, "connection")) {
        each_element(value, [&](std::string_view token) {
          if (same(token, "close")) head.keep_alive = false;
        });
      } else if (same(name, "content-encoding") && !same(value, "identity")) {
        return refuse("content-encoding", "encoded request bodies are not accepted", 415);
      }
      break;
    case 't':
      if (same(name, "transfer-encoding")) {
        if (!once(seen.encoding)) return refuse("transfer-encoding", "it is there twice");
        if (!same(value, "chunked")) {
          return refuse("transfer-encoding", "only the single coding chunked is accepted");
        }
        head.chunked = true;
      }
      break;
    case 'h':
      if (same(name, "host")) {
        if (!once(seen.host)) return refuse("host", "it is there twice");
        if (value.find_first_of(" \t,/@") != std::string_view::npos) {
          return refuse("host", "it is malformed");
        }
      }
      break;
    case 'e':
      if (same(name, "expect")) {
        if (!once(seen.expect)) return refuse("expect", "it is there twice");
        if (!same(value, "100-continue")) return refuse("expect", "only 100-continue is known", 417);
        head.expect_continue = true;
      }
      break;
    case 'u':
      if (same(name, "upgrade")) {
        if (!once(seen.upgrade)) return refuse("upgrade", "it is there twice");
        head.has_upgrade = true;
        head.upgrade = value;
      } else if (same(name, "user-agent")) {
        head.user_agent = value;
      }
      break;
    case 'x':
      if (same(name, "x-registry-auth")) {
        if (!once(seen.auth)) return refuse("x-registry-auth", "it is there twice");
        head.registry_auth = value;
      } else if (same(name, "x-registry-config")) {
        if (!once(seen.config)) return refuse("x-registry-config", "it is there twice");
        head.registry_config = value;
      } else if (same(name, "x-request-id")) {
        if (!once(seen.id)) return refuse("x-request-id", "it is there twice");
        head.request_id = value;
      } else if (docker::is_upgrade_header(name)) {
        head.upgrade_headers.emplace_back(name, value);
      }
      break;
    case 's':
      if (docker::is_upgrade_header(name)) head.upgrade_headers.emplace_back(name, value);
      break;
    case 'o':
      if (same(name, "origin")) head.has_origin = true;
      break;
    default:
      break;
  }
  return std::nullopt;
}

}  // namespace

std::size_t find_head_end(std::string_view data, std::size_t from) {
  const std::size_t start = from > 3 ? from - 3 : 0;
  const std::size_t at = data.find("\r\n\r\n", start);
  return at == std::string_view::npos ? at : at + 4;
}

tl::expected<RequestHead, HeadError> parse_request_head(std::string_view block) {
  RequestHead head;
  std::string_view rest = block;
  std::string_view line;
  if (!take_line(rest, line)) return bad("request line", "a control character or a bare line end");
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last ||
      line.find(' ', first + 1) != last || line.find('\t') != std::string_view::npos) {
    return bad("request line", "it must be METHOD SP target SP HTTP/1.1");
  }
  head.method = line.substr(0, first);
  head.target = line.substr(first + 1, last - first - 1);
  const std::string_view version = line.substr(last + 1);
  if (!is_token(head.method)) return bad("request line", "the method is not a token");
  if (version == "HTTP/1.0") {
    head.http10 = true;
    head.keep_alive = false;
  } else if (version != "HTTP/1.1") {
    return bad("request line", "only HTTP/1.1 and HTTP/1.0 are spoken here", 505);
  }
  if (head.target.empty() || head.target[0] != '/') {
    return bad("request line", "the target must be a path (origin-form)");
  }

  Seen seen;
  for (std::size_t count = 0;; ++count) {
    if (!take_line(rest, line)) return bad("header", "a control character or a bare line end");
    if (line.empty()) break;
    if (count >= kMaxHeaders) return bad("header", "more than 100 header lines", 431);
    Header header;
    if (const char* problem = split_header(line, header)) return bad("header", problem);
    if (auto error = read_request_header(header, head, seen)) {
      return tl::unexpected<HeadError>(*std::move(error));
    }
  }
  if (!rest.empty()) return bad("header", "bytes after the end of the head");
  if (!seen.host && !head.http10) return bad("header/host", "it is missing");
  if (seen.encoding && seen.length) {
    return bad("header/transfer-encoding", "it stands beside content-length");
  }
  if (seen.encoding && head.http10) {
    return bad("header/transfer-encoding", "HTTP/1.0 does not have it");
  }
  return head;
}

bool ResponseHead::hijacks() const {
  if (status == 101) return true;
  return status == 200 && !chunked && !content_length &&
         (content_type == "application/vnd.docker.raw-stream" ||
          content_type == "application/vnd.docker.multiplexed-stream");
}

tl::expected<ResponseHead, HeadError> parse_response_head(std::string_view block) {
  ResponseHead head;
  std::string_view rest = block;
  std::string_view line;
  if (!take_line(rest, line)) return bad("status line", "a control character or a bare line end");
  const bool http10 = line.starts_with("HTTP/1.0 ");
  if (!http10 && !line.starts_with("HTTP/1.1 ")) return bad("status line", "not HTTP/1.x");
  head.status_text = line.substr(9);
  if (head.status_text.size() < 3 || (head.status_text.size() > 3 && head.status_text[3] != ' ')) {
    return bad("status line", "no status code");
  }
  for (std::size_t i = 0; i < 3; ++i) {
    const char c = head.status_text[i];
    if (c < '0' || c > '9') return bad("status line", "no status code");
    head.status = head.status * 10 + (c - '0');
  }
  if (head.status < 100 || head.status > 599) return bad("status line", "status out of range");
  head.close = http10;
  bool length = false;
  bool encoding = false;
  head.headers.reserve(12);
  for (std::size_t count = 0;; ++count) {
    if (!take_line(rest, line)) return bad("header", "a control character or a bare line end");
    if (line.empty()) break;
    if (count >= kMaxHeaders) return bad("header", "more than 100 header lines");
    Header header;
    if (const char* problem = split_header(line, header)) return bad("header", problem);
    if (same(header.name, "content-length")) {
      if (!once(length) || !parse_length(header.value, head.content_length)) {
        return bad("header/content-length", "it is malformed or there twice");
      }
    } else if (same(header.name, "transfer-encoding")) {
      if (!once(encoding) || !same(header.value, "chunked")) {
        return bad("header/transfer-encoding", "only chunked is known");
      }
      head.chunked = true;
    } else if (same(header.name, "connection")) {
      each_element(header.value, [&](std::string_view token) {
        if (same(token, "close")) head.close = true;
      });
    } else if (same(header.name, "upgrade")) {
      head.upgrade = header.value;
    } else if (same(header.name, "keep-alive") || same(header.name, "trailer")) {
      continue;
    } else {
      if (same(header.name, "content-type")) head.content_type = header.value;
      if (same(header.name, "api-version")) head.api_version = header.value;
      head.headers.push_back(header);
    }
  }
  if (head.chunked && head.content_length) {
    return bad("header/transfer-encoding", "it stands beside content-length");
  }
  return head;
}

std::string_view ChunkReader::next(std::string_view& input) {
  while (!input.empty() && state_ == State::More) {
    const char c = input[0];
    if (part_ == Part::Data) {
      const std::size_t size = std::min<std::uint64_t>(left_, input.size());
      const std::string_view piece = input.substr(0, size);
      input.remove_prefix(size);
      left_ -= size;
      if (left_ == 0) part_ = Part::DataCr;
      return piece;
    }
    input.remove_prefix(1);
    switch (part_) {
      case Part::Size: {
        const char l = lower(c);
        const bool digit = c >= '0' && c <= '9';
        if (digit || (l >= 'a' && l <= 'f')) {
          left_ = left_ * 16 + static_cast<std::uint64_t>(digit ? c - '0' : l - 'a' + 10);
          if (++digits_ > 8) state_ = State::Bad;
        } else if (c == '\r' && digits_ > 0) {
          part_ = Part::SizeLf;
        } else {
          state_ = State::Bad;
        }
        break;
      }
      case Part::SizeLf:
        if (c != '\n') state_ = State::Bad;
        part_ = left_ == 0 ? Part::EndCr : Part::Data;
        break;
      case Part::DataCr:
        if (c != '\r') state_ = State::Bad;
        part_ = Part::DataLf;
        break;
      case Part::DataLf:
        if (c != '\n') state_ = State::Bad;
        part_ = Part::Size;
        digits_ = 0;
        break;
      case Part::EndCr:
        if (c != '\r') state_ = State::Bad;
        part_ = Part::EndLf;
        break;
      case Part::EndLf:
        state_ = c == '\n' ? State::Done : State::Bad;
        break;
      case Part::Data:
        break;
    }
  }
  return {};
}

}  // namespace dockreeve::proxy
