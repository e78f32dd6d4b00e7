// The strict reader: one pass, an explicit stack, strings unescaped where they stand.
#include "base/json.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <limits>

#include "base/json_scan.h"

namespace dockreeve::json {
namespace {

bool is_space(char c) {
  return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Length of the well-formed UTF-8 sequence of two to four bytes at `at`, or 0. No overlong forms,
// no surrogates, nothing above U+10FFFF.
std::size_t utf8_length(const char* at, const char* end) {
  const auto byte = [&](std::ptrdiff_t i) { return static_cast<unsigned char>(at[i]); };
  const auto tail = [&](std::ptrdiff_t i) { return i < end - at && (byte(i) & 0xc0U) == 0x80U; };
  const unsigned lead = byte(0);
  if (lead < 0xc2 || lead > 0xf4 || !tail(1)) return 0;
  if (lead < 0xe0) return 2;
  const unsigned second = byte(1);
  if (lead < 0xf0) {
    if (!tail(2) || (lead == 0xe0 && second < 0xa0) || (lead == 0xed && second > 0x9f)) return 0;
    return 3;
  }
  if (!tail(2) || !tail(3)) return 0;
  if ((lead == 0xf0 && second < 0x90) || (lead == 0xf4 && second > 0x8f)) return 0;
  return 4;
}

char* put_utf8(char* out, std::uint32_t code) {
  const auto put = [&out](std::uint32_t byte) { *out++ = static_cast<char>(byte); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xc0U | code >> 6U);
    put(0x80U | (code & 0x3fU));
  } else if (code < 0x10000) {
    put(0xe0U | code >> 12U);
    put(0x80U | (code >> 6U & 0x3fU));
    put(0x80U | (code & 0x3fU));
  } else {
    put(0xf0U | code >> 18U);
    put(0x80U | (code >> 12U & 0x3fU));
    put(0x80U | (code >> 6U & 0x3fU));
    put(0x80U | (code & 0x3fU));
  }
  return out;
}

// Spreads keys over a table; it may be attacked, so users of it bound their probes.
std::uint64_t hash(std::string_view key) {
  std::uint64_t head = 0;
  std::uint64_t tail = 0;
  if (key.size() >= 8) {
    std::memcpy(&head, key.data(), 8);
    std::memcpy(&tail, key.data() + key.size() - 8, 8);
  } else {
    for (const char c : key)
      head = head << 8U | static_cast<unsigned char>(c);
  }
  std::uint64_t mixed = (head ^ key.size()) * 0x9e3779b97f4a7c15U;
  mixed = (mixed ^ mixed >> 29U ^ tail) * 0xbf58476d1ce4e5b9U;
  return mixed ^ mixed >> 32U;
}

}  // namespace

class Parser {
 public:
  Parser(Document& document, const Limits& limits)
      : document_(document),
        nodes_(document.nodes_),
        limits_(limits),
        begin_(document.text_.data()),
        at_(begin_),
        end_(begin_ + document.text_.size()) {}

  bool run();
  Error take_error() { return std::move(error_); }

 private:
  struct Frame {
    std::uint32_t node;
    std::uint32_t child = 0;  // the child read last
    bool inside = false;      // that child is the place where we are
  };
  struct Piece {
    std::uint32_t at = 0, size = 0;
  };

  bool fail_at(std::string pointer, std::string message);
  bool fail(std::string message);
  bool fail_in_container(std::string message);
  std::string place(std::size_t frames) const;

  std::string_view key_of(std::uint32_t index) const {
    return {begin_ + nodes_[index].key_at, nodes_[index].key_size};
  }
  std::uint32_t offset(const char* at) const { return static_cast<std::uint32_t>(at - begin_); }
  void skip_space() {
    while (at_ < end_ && is_space(*at_))
      ++at_;
  }

  bool read_value();
  bool read_container(Kind kind);
  bool read_key();
  bool read_string(Piece& piece, bool is_key);
  bool read_escape(char*& out, bool is_key);
  bool read_hex4(std::uint32_t& code);
  bool read_number();
  bool read_word(std::string_view word, Kind kind, bool flag);
  bool push(Kind kind, Piece text, bool flag);
  bool after_value();
  bool close();
  bool check_keys(const Frame& frame);
  bool check_keys_sorted();
  bool duplicate(std::string_view key);

  Document& document_;
  std::vector<Document::Node>& nodes_;
  const Limits& limits_;
  char* const begin_;
  char* at_;
  char* const end_;
  std::vector<Frame> frames_;
  Piece key_;                           // name of the member whose value comes next
  bool value_next_ = true;              // a value must come, else a separator or the end
  std::vector<std::string_view> keys_;  // scratch of check_keys
  std::vector<std::uint32_t> slots_;    // scratch of check_keys
  Error error_;
};

std::string Parser::place(std::size_t frames) const {
  std::string pointer;
  for (std::size_t i = 0; i < frames && frames_[i].inside; ++i) {
    const Document::Node& node = nodes_[frames_[i].node];
    pointer = node.kind == Kind::Object ? pointer_join(pointer, key_of(frames_[i].child))
                                        : pointer_join(pointer, std::size_t{node.size} - 1);
  }
  return pointer;
}

bool Parser::fail_at(std::string pointer, std::string message) {
  error_ = {std::move(pointer), std::move(message) + " at byte " + std::to_string(at_ - begin_)};
  return false;
}

bool Parser::fail(std::string message) {
  std::string pointer = place(frames_.size());
  if (!frames_.empty() && !frames_.back().inside) {  // the value was not pushed yet
    const Document::Node& node = nodes_[frames_.back().node];
    pointer = node.kind == Kind::Object
                  ? pointer_join(pointer, std::string_view(begin_ + key_.at, key_.size))
                  : pointer_join(pointer, std::size_t{node.size});
  }
  return fail_at(std::move(pointer), std::move(message));
}

// For faults of a key: it names no place yet.
bool Parser::fail_in_container(std::string message) {
  if (!frames_.empty()) frames_.back().inside = false;
  return fail_at(place(frames_.size()), std::move(message));
}

bool Parser::run() {
  if (document_.text_.size() >= std::numeric_limits<std::uint32_t>::max()) {
    return fail("text too long");
  }
  nodes_.reserve(std::min<std::size_t>(document_.text_.size() / 16 + 16, 65536));
  frames_.reserve(16);
  skip_space();
  if (at_ == end_) return fail("no JSON value");
  do {
    if (!(value_next_ ? read_value() : after_value())) return false;
    skip_space();
  } while (value_next_ || !frames_.empty());
  if (at_ != end_) return fail("something follows the JSON value");
  return true;
}

bool Parser::read_value() {
  value_next_ = false;
  if (at_ == end_) return fail("text ends where a value is expected");
  switch (*at_) {
    case '"': {
      Piece text;
      ++at_;
      return read_string(text, false) && push(Kind::String, text, false);
    }
    case '{':
      return read_container(Kind::Object);
    case '[':
      return read_container(Kind::Array);
    case 't':
      return read_word("true", Kind::Bool, true);
    case 'f':
      return read_word("false", Kind::Bool, false);
    case 'n':
      return read_word("null", Kind::Null, false);
    default:
      return read_number();
  }
}

bool Parser::push(Kind kind, Piece text, bool flag) {
  if (nodes_.size() >= limits_.max_values) return fail("too many values");
  const auto index = static_cast<std::uint32_t>(nodes_.size());
  if (!frames_.empty()) {
    Frame& frame = frames_.back();
    Document::Node& parent = nodes_[frame.node];
    if (parent.size >= (parent.kind == Kind::Object ? limits_.max_keys : limits_.max_members)) {
      return fail_in_container(parent.kind == Kind::Object ? "too many keys in one object"
                                                           : "too many elements in one array");
    }
    ++parent.size;
    if (parent.size > 1) nodes_[frame.child].last = false;
    frame.child = index;
    frame.inside = true;
  }
  Document::Node& node = nodes_.emplace_back();
  node.kind = kind;
  node.flag = flag;
  node.key_at = key_.at;
  node.key_size = key_.size;
  node.at = text.at;
  node.size = text.size;
  node.end = index + 1;
  key_ = {};
  return true;
}

bool Parser::read_container(Kind kind) {
  if (frames_.size() >= limits_.max_depth) return fail("nested too deeply");
  if (!push(kind, {}, false)) return false;
  frames_.push_back({static_cast<std::uint32_t>(nodes_.size() - 1)});
  ++at_;
  skip_space();
  const char closing = kind == Kind::Object ? '}' : ']';
  if (at_ < end_ && *at_ == closing) {
    ++at_;
    return close();
  }
  value_next_ = true;
  return kind == Kind::Array || read_key();
}

// What stands behind a value inside a container: a comma and the next child, or the end of it.
bool Parser::after_value() {
  Frame& frame = frames_.back();
  const bool object = nodes_[frame.node].kind == Kind::Object;
  if (at_ == end_) return fail(object ? "object is not closed" : "array is not closed");
  if (*at_ == ',') {
    ++at_;
    frame.inside = false;
    value_next_ = true;
    skip_space();
    return !object || read_key();
  }
  if (*at_ != (object ? '}' : ']')) {
    return fail(object ? "expected a comma or a closing brace"
                       : "expected a comma or a closing bracket");
  }
  ++at_;
  return close();
}

bool Parser::close() {
  Document::Node& node = nodes_[frames_.back().node];
  node.end = static_cast<std::uint32_t>(nodes_.size());
  if (node.kind == Kind::Object && !check_keys(frames_.back())) return false;
  frames_.pop_back();
  return true;
}

bool Parser::read_key() {
  if (at_ == end_ || *at_ != '"') return fail_in_container("expected a key in double quotes");
  ++at_;
  if (!read_string(key_, true)) return false;
  skip_space();
  if (at_ == end_ || *at_ != ':') return fail_in_container("expected a colon behind the key");
  ++at_;
  skip_space();
  return true;
}

bool Parser::read_string(Piece& piece, bool is_key) {
  const auto refuse = [&](const char* why) { return is_key ? fail_in_container(why) : fail(why); };
  char* const start = at_;
  char* out = at_;
  const auto keep = [&](std::size_t size) {
    if (out != at_) std::memmove(out, at_, size);
    out += size;
    at_ += size;
  };
  for (;;) {
    keep(static_cast<std::size_t>(scan::skip_plain(at_, end_) - at_));
    if (at_ == end_) return refuse("string is not closed");
    const auto byte = static_cast<unsigned char>(*at_);
    if (byte == '"') break;
    if (byte == '\\') {
      ++at_;
      if (!read_escape(out, is_key)) return false;
    } else if (byte < 0x20) {
      return refuse("control character in a string");
    } else if (byte == 0x7f) {
      if (is_key) return refuse("control character in a key");
      keep(1);
    } else {
      const std::size_t length = utf8_length(at_, end_);
      if (length == 0) return refuse("invalid UTF-8");
      keep(length);
    }
  }
  ++at_;
  piece = {offset(start), static_cast<std::uint32_t>(out - start)};
  return true;
}

bool Parser::read_hex4(std::uint32_t& code) {
  if (end_ - at_ < 4) return false;
  const auto [stop, error] = std::from_chars(at_, at_ + 4, code, 16);
  if (error != std::errc() || stop != at_ + 4) return false;
  at_ += 4;
  return true;
}

bool Parser::read_escape(char*& out, bool is_key) {
  const auto refuse = [&](const char* why) { return is_key ? fail_in_container(why) : fail(why); };
  if (at_ == end_) return refuse("string is not closed");
  static constexpr std::string_view kLetters = "\"\\/bfnrt";
  static constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
  std::uint32_t code = 0;
  const char letter = *at_++;
  if (const std::size_t i = kLetters.find(letter); i != std::string_view::npos) {
    code = static_cast<unsigned char>(kMeanings[i]);
  } else if (letter != 'u') {
    return refuse("unknown escape");
  } else if (!read_hex4(code)) {
    return refuse("bad \\u escape");
  } else if (code >= 0xd800 && code < 0xe000) {
    std::uint32_t low = 0;
    const bool paired = code < 0xdc00 && end_ - at_ >= 6 && at_[0] == '\\' && at_[1] == 'u';
    if (paired) at_ += 2;
    if (!paired || !read_hex4(low) || low < 0xdc00 || low > 0xdfff) {
      return refuse("lone surrogate in a \\u escape");
    }
    code = 0x10000U + ((code - 0xd800U) << 10U) + (low - 0xdc00U);
  }
  if (is_key && (code < 0x20 || code == 0x7f)) return refuse("control character in a key");
  out = put_utf8(out, code);
  return true;
}

bool Parser::read_number() {
  const char* const start = at_;
  const auto digits = [&] {
    const char* const first = at_;
    while (at_ < end_ && is_digit(*at_))
      ++at_;
    return at_ != first;
  };
  if (at_ < end_ && *at_ == '-') ++at_;
  if (at_ < end_ && *at_ == '0') {
    ++at_;
  } else if (!digits()) {
    return fail(at_ == start ? "expected a value" : "number without digits");
  }
  bool integer = true;
  if (at_ < end_ && *at_ == '.') {
    ++at_;
    integer = false;
    if (!digits()) return fail("number without digits behind the point");
  }
  if (at_ < end_ && (*at_ == 'e' || *at_ == 'E')) {
    ++at_;
    integer = false;
    if (at_ < end_ && (*at_ == '+' || *at_ == '-')) ++at_;
    if (!digits()) return fail("number without digits in the exponent");
  }
  if (integer && at_ - start > 18) {
    std::int64_t value = 0;
    integer = std::from_chars(start, at_, value).ec == std::errc();
  }
  return push(integer ? Kind::Integer : Kind::Number,
              {offset(start), static_cast<std::uint32_t>(at_ - start)}, false);
}

bool Parser::read_word(std::string_view word, Kind kind, bool flag) {
  if (!std::string_view(at_, static_cast<std::size_t>(end_ - at_)).starts_with(word)) {
    return fail("expected a value");
  }
  at_ += word.size();
  return push(kind, {}, flag);
}

bool Parser::duplicate(std::string_view key) {
  error_ = {pointer_join(place(frames_.size() - 1), key), "key given twice"};
  return false;
}

bool Parser::check_keys(const Frame& frame) {
  const std::size_t count = nodes_[frame.node].size;
  if (count < 2) return true;
  keys_.clear();
  for (std::uint32_t i = frame.node + 1; i < nodes_.size(); i = nodes_[i].end) {
    keys_.push_back(key_of(i));
  }
  if (count <= 6) {
    for (std::size_t i = 1; i < count; ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        if (keys_[i] == keys_[j]) return duplicate(keys_[i]);
      }
    }
    return true;
  }
  // A table is four times as fast as sorting; keys made to collide use up `probes` and are sorted.
  const std::size_t mask = std::bit_ceil(count * 2) - 1;
  slots_.assign(mask + 1, 0);
  std::size_t probes = count * 4;
  for (std::size_t i = 0; i < count; ++i) {
    std::size_t slot = hash(keys_[i]) & mask;
    while (slots_[slot] != 0) {
      if (keys_[slots_[slot] - 1] == keys_[i]) return duplicate(keys_[i]);
      if (--probes == 0) return check_keys_sorted();
      slot = (slot + 1) & mask;
    }
    slots_[slot] = static_cast<std::uint32_t>(i + 1);
  }
  return true;
}

bool Parser::check_keys_sorted() {
  std::sort(keys_.begin(), keys_.end());
  const auto twin = std::adjacent_find(keys_.begin(), keys_.end());
  return twin == keys_.end() || duplicate(*twin);
}

namespace {

// The nodes of the last document of this thread: a body needs several pages of them, which the
// allocator would fetch and return for every request. Documents that outlive it keep their own.
template <class Node>
struct Spare {
  std::vector<Node> nodes;
  bool* alive;
  explicit Spare(bool* flag) : alive(flag) { *alive = true; }
  ~Spare() { *alive = false; }

  static Spare* here() {
    thread_local bool alive = false;
    thread_local bool made = false;
    if (made && !alive) return nullptr;  // the thread is on its way out
    made = true;
    thread_local Spare spare(&alive);
    return &spare;
  }
};
constexpr std::size_t kMostSpareNodes = 4096;

}  // namespace

Document::~Document() {
  if (nodes_.capacity() > kMostSpareNodes) return;
  Spare<Node>* spare = Spare<Node>::here();
  if (spare != nullptr && spare->nodes.capacity() < nodes_.capacity()) spare->nodes.swap(nodes_);
}

Result<std::unique_ptr<Document>> Document::parse(std::string text, const Limits& limits) {
  std::unique_ptr<Document> document(new Document());
  if (Spare<Node>* spare = Spare<Node>::here()) {
    document->nodes_.swap(spare->nodes);
    document->nodes_.clear();
  }
  document->text_ = std::move(text);
  Parser parser(*document, limits);
  if (!parser.run()) return tl::unexpected<Error>(parser.take_error());
  return document;
}

std::int64_t Value::integer() const {
  std::int64_t number = 0;
  if (kind() != Kind::Integer) return 0;
  const std::string_view spelling = text();
  std::from_chars(spelling.data(), spelling.data() + spelling.size(), number);
  return number;
}

std::optional<Value> Value::find(std::string_view key) const {
  if (!is_object()) return std::nullopt;
  for (auto member = first(); member; member = member->next()) {
    if (member->key() == key) return member;
  }
  return std::nullopt;
}

}  // namespace dockreeve::json
