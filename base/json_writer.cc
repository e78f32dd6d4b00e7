// The writing half: strings, values, JSON pointers, and key folding.
#include <charconv>
#include <cstring>

#include "base/json.h"
#include "base/json_scan.h"

namespace dockreeve::json {

void append_string(std::string& out, std::string_view text) {
  static constexpr std::string_view kLetters = "\"\\nrt";
  static constexpr std::string_view kMeanings = "\"\\\n\r\t";
  static constexpr char kHex[] = "0123456789abcdef";
  const char* done = text.data();
  const char* const end = done + text.size();
  const char* const special = scan::skip_plain(done, end);
  if (special == end) {  // nearly every string
    const std::size_t at = out.size();
    out.resize(at + text.size() + 2);
    char* const to = out.data() + at;
    to[0] = '"';
    if (!text.empty()) std::memcpy(to + 1, done, text.size());
    to[text.size() + 1] = '"';
    return;
  }
  out += '"';
  for (const char* at = special; at != end; at = scan::skip_plain(at, end)) {
    const auto byte = static_cast<unsigned char>(*at++);
    if (byte >= 0x80) continue;
    out.append(done, at - 1);
    done = at;
    if (const std::size_t i = kMeanings.find(static_cast<char>(byte));
        i != std::string_view::npos) {
      out += '\\';
      out += kLetters[i];
    } else {
      out += "\\u00";
      out += kHex[byte >> 4U];
      out += kHex[byte & 0xfU];
    }
  }
  out.append(done, end);
  out += '"';
}

void Writer::separate() {
  if (need_comma_) out_ += ',';
  need_comma_ = true;
}

Writer& Writer::begin_object() {
  separate();
  out_ += '{';
  need_comma_ = false;
  return *this;
}

Writer& Writer::end_object() {
  out_ += '}';
  need_comma_ = true;
  return *this;
}

Writer& Writer::begin_array() {
  separate();
  out_ += '[';
  need_comma_ = false;
  return *this;
}

Writer& Writer::end_array() {
  out_ += ']';
  need_comma_ = true;
  return *this;
}

Writer& Writer::key(std::string_view name) {
  separate();
  append_string(out_, name);
  out_ += ':';
  need_comma_ = false;
  return *this;
}

Writer& Writer::plain_key(std::string_view name) {
  const bool comma = need_comma_;
  const std::size_t at = out_.size();
  out_.resize(at + name.size() + (comma ? 4 : 3));
  char* to = out_.data() + at;
  if (comma) *to++ = ',';
  *to++ = '"';
  std::memcpy(to, name.data(), name.size());
  to += name.size();
  *to++ = '"';
  *to = ':';
  need_comma_ = false;
  return *this;
}

Writer& Writer::value(std::string_view text) {
  separate();
  append_string(out_, text);
  return *this;
}

Writer& Writer::value(const std::string& text) {
  separate();
  const std::size_t at = out_.size();
  append_string(out_, text);
  if (trace_ != nullptr) {
    trace_->push_back({&text, static_cast<std::uint32_t>(at),
                       static_cast<std::uint32_t>(out_.size() - at)});
  }
  return *this;
}

Writer& Writer::value(bool flag) {
  return raw(flag ? "true" : "false");
}

Writer& Writer::value(std::int64_t number) {
  char digits[24];
  const auto [end, error] = std::to_chars(digits, digits + sizeof digits, number);
  return raw({digits, static_cast<std::size_t>(end - digits)});
}

Writer& Writer::null() {
  return raw("null");
}

Writer& Writer::raw(std::string_view json) {
  separate();
  out_ += json;
  return *this;
}

// Recurses as deep as the value, which Limits::max_depth bounded when it was parsed.
Writer& Writer::copy(Value v) {
  switch (v.kind()) {
    case Kind::Null:
      return null();
    case Kind::Bool:
      return value(v.boolean());
    case Kind::Integer:
    case Kind::Number:
      return raw(v.text());
    case Kind::String:
      return value(v.text());
    case Kind::Array:
      begin_array();
      for (auto element = v.first(); element; element = element->next())
        copy(*element);
      return end_array();
    case Kind::Object:
      begin_object();
      for (auto member = v.first(); member; member = member->next()) {
        key(member->key());
        copy(*member);
      }
      return end_object();
  }
  return *this;
}

std::string pointer_join(std::string_view parent, std::string_view token) {
  std::string pointer(parent);
  pointer.reserve(parent.size() + token.size() + 1);
  pointer += '/';
  for (const char c : token) {
    if (c == '~') {
      pointer += "~0";
    } else if (c == '/') {
      pointer += "~1";
    } else {
      pointer += c;
    }
  }
  return pointer;
}

std::string pointer_join(std::string_view parent, std::size_t index) {
  return pointer_join(parent, std::string_view(std::to_string(index)));
}

std::string fold_key(std::string_view key) {
  std::string folded;
  folded.reserve(key.size());
  for (std::size_t i = 0; i < key.size(); ++i) {
    const std::string_view rest = key.substr(i);
    if (rest.starts_with("\xc5\xbf")) {  // U+017F, long s
      folded += 's';
      i += 1;
    } else if (rest.starts_with("\xe2\x84\xaa")) {  // U+212A, Kelvin sign
      folded += 'k';
      i += 2;
    } else {
      const char c = key[i];
      folded += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
  }
  return folded;
}

}  // namespace dockreeve::json
