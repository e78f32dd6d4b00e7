// Form decoding and the canonical spelling of every kind of parameter.
#include "docker/query.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "base/json.h"
#include "base/text.h"

namespace dockreeve::docker {
namespace {

// A filter is an object of arrays of strings: nothing deeper exists.
constexpr json::Limits kFilterLimits{.max_depth = 3, .max_members = 1024, .max_keys = 256};

using OptionalText = std::optional<std::string>;

Refusal refuse_parameter(std::string_view key, std::string detail) {
  return Refusal::ambiguous("query/" + std::string(key), std::move(detail));
}

std::optional<unsigned> hex_digit(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A' + 10);
  return std::nullopt;
}

// One form component: '+' is a space, %XX a byte. nullopt for a bad escape.
std::optional<std::string> decode_component(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+') {
      out += ' ';
    } else if (text[i] != '%') {
      out += text[i];
    } else {
      if (i + 2 >= text.size()) return std::nullopt;
      const auto high = hex_digit(text[i + 1]);
      const auto low = hex_digit(text[i + 2]);
      if (!high || !low) return std::nullopt;
      out += static_cast<char>(*high * 16 + *low);
      i += 2;
    }
  }
  return out;
}

std::string_view trim_spaces(std::string_view text) {
  const std::size_t first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

// The engine's table: five words are false, every other text is true.
std::string canonical_bool(std::string_view text) {
  constexpr std::array<std::string_view, 5> kFalse{"", "0", "no", "false", "none"};
  const std::string lower = text::to_lower(trim_spaces(text));
  return std::find(kFalse.begin(), kFalse.end(), lower) == kFalse.end() ? "1" : "0";
}

Result<std::string> canonical_integer(std::string_view text) {
  std::int64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || rest != end) return fail("", "must be an integer");
  return std::to_string(value);
}

// The value in its one spelling; nullopt when it says nothing.
Result<OptionalText> canonical_value(ParamType type, std::string value) {
  // The JSON reader looks at filters itself, and white space in them is not content.
  if (type != ParamType::Filters && !text::is_printable(value)) {
    return fail("", "must be UTF-8 without control characters");
  }
  switch (type) {
    case ParamType::Bool:
      return OptionalText(canonical_bool(value));
    case ParamType::TextList:
      return OptionalText(std::move(value));
    case ParamType::Text:
    case ParamType::Integer:
    case ParamType::Filters:
    case ParamType::Refused:
      break;
  }
  if (value.empty()) return OptionalText();
  if (type == ParamType::Text) return OptionalText(std::move(value));
  if (type == ParamType::Refused) return fail("", "is not let through by this gateway");
  Result<std::string> canonical =
      type == ParamType::Integer ? canonical_integer(value) : canonical_filters(value);
  if (!canonical) return tl::unexpected(std::move(canonical).error());
  return canonical->empty() ? OptionalText() : OptionalText(*std::move(canonical));
}

// Collects the values of known keys, by their place in the row.
class Reader {
 public:
  explicit Reader(const Route& route)
      : route_(route), specs_(param_specs(route)), seen_(specs_.size(), false) {}

  std::optional<Refusal> add(std::string_view piece) {
    const std::size_t equals = piece.find('=');
    const auto key = decode_component(piece.substr(0, equals));
    auto value = equals == std::string_view::npos ? OptionalText(std::string())
                                                  : decode_component(piece.substr(equals + 1));
    if (!key || !value) return Refusal::ambiguous("query", "the query has a bad percent escape");
    const auto spec = std::find_if(specs_.begin(), specs_.end(),
                                   [&](const ParamSpec& known) { return known.name == *key; });
    if (spec == specs_.end()) return unknown(*key);
    const auto place = static_cast<std::size_t>(spec - specs_.begin());
    if (seen_[place] && spec->type != ParamType::TextList) {
      return refuse_parameter(*key, "is given more than once");
    }
    seen_[place] = true;
    Result<OptionalText> canonical = canonical_value(spec->type, *std::move(value));
    if (!canonical) return refuse_parameter(*key, canonical.error().text());
    if (*canonical) found_.emplace_back(place, *std::move(*canonical));
    return std::nullopt;
  }

  Query take() {
    std::stable_sort(found_.begin(), found_.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    Query out;
    out.reserve(found_.size());
    for (auto& [place, value] : found_)
      out.emplace_back(specs_[place].name, std::move(value));
    return out;
  }

 private:
  // On prune a filter under a mistyped key would be no filter, and everything would be pruned.
  std::optional<Refusal> unknown(const std::string& key) const {
    if (!route_.strict_query) return std::nullopt;
    return Refusal::ambiguous("query", "parameter " + text::quoted(key) + " is not known here");
  }

  const Route& route_;
  std::span<const ParamSpec> specs_;
  std::vector<bool> seen_;
  std::vector<std::pair<std::size_t, std::string>> found_;
};

std::optional<Refusal> check_characters(std::string_view raw) {
  for (const char c : raw) {
    if (c <= ' ' || c >= 0x7f || c == ';' || c == '#') {
      return Refusal::ambiguous("query", "the query has a character that must be percent-encoded");
    }
  }
  return std::nullopt;
}

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

void append_component(std::string& out, std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  for (const char c : text) {
    if (is_unreserved(c)) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += '%';
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    }
  }
}

// ["v", ...]
bool write_array(json::Writer& out, json::Value values) {
  for (auto value = values.first(); value; value = value->next()) {
    if (!value->is_string()) return false;
    out.value(value->text());
  }
  return true;
}

// {"v": true, ...}; a false still counts for the engine.
bool write_flags(json::Writer& out, json::Value values) {
  for (auto value = values.first(); value; value = value->next()) {
    if (value->kind() != json::Kind::Bool) return false;
    out.value(value->key());
  }
  return true;
}

}  // namespace

Result<std::string> canonical_filters(std::string_view input) {
  if (input.empty()) return std::string();
  const auto document = json::Document::parse(std::string(input), kFilterLimits);
  if (!document) return fail("", "is no JSON object of filters: " + document.error().text());
  const json::Value root = (*document)->root();
  if (root.is_null()) return std::string();
  if (!root.is_object()) return fail("", "must be a JSON object of filters");
  const std::optional<json::Value> head = root.first();
  if (!head) return std::string();
  std::string text;
  json::Writer out(text);
  out.begin_object();
  for (auto member = head; member; member = member->next()) {
    // The engine decodes the whole text in one form or the other, never half and half.
    if (member->kind() != head->kind()) return fail("", "mixes two forms of filters");
    out.key(member->key()).begin_array();
    const bool written = (member->is_array() && write_array(out, *member)) ||
                         (member->is_object() && write_flags(out, *member));
    if (!written) return fail("", "must map each filter to a list of texts");
    out.end_array();
  }
  out.end_object();
  return text;
}

FilterList parse_filters(std::string_view canonical) {
  FilterList out;
  if (canonical.empty()) return out;
  // INVARIANT: our own spelling can be read.
  const auto document = json::Document::parse(std::string(canonical), kFilterLimits).value();
  for (auto member = document->root().first(); member; member = member->next()) {
    std::vector<std::string> values;
    for (auto value = member->first(); value; value = value->next())
      values.emplace_back(value->text());
    out.emplace_back(member->key(), std::move(values));
  }
  return out;
}

std::string write_filters(const FilterList& filters) {
  std::string text;
  json::Writer out(text);
  out.begin_object();
  for (const auto& [key, values] : filters) {
    out.key(key).begin_array();
    for (const std::string& value : values)
      out.value(value);
    out.end_array();
  }
  out.end_object();
  return text;
}

Parsed<Query> read_query(const Route& route, std::string_view raw) {
  if (auto refusal = check_characters(raw)) return tl::unexpected(*std::move(refusal));
  Reader reader(route);
  while (!raw.empty()) {
    const std::size_t end = std::min(raw.find('&'), raw.size());
    if (end > 0) {
      if (auto refusal = reader.add(raw.substr(0, end))) return tl::unexpected(*std::move(refusal));
    }
    raw.remove_prefix(std::min(end + 1, raw.size()));
  }
  return reader.take();
}

void append_query(std::string& out, const Query& query) {
  bool first = true;
  for (const auto& [key, value] : query) {
    if (!std::exchange(first, false)) out += '&';
    append_component(out, key);
    out += '=';
    append_component(out, value);
  }
}

std::string_view param(const Query& query, std::string_view name) {
  for (const auto& [key, value] : query) {
    if (key == name) return value;
  }
  return {};
}

}  // namespace dockreeve::docker
