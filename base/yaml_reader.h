// YAML for configuration that decides who may do what: a small subset, read with positions.
//
// Wraps yaml-cpp, whose node interface hides too much (duplicate keys, aliases, conversions that
// guess); here the parser's events are checked one by one before a tree exists.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dockreeve::yaml {

// 1-based; columns count bytes. Line 0: the text as a whole.
struct Position {
  int line = 0, column = 0;
  bool operator==(const Position&) const = default;
};

enum class Kind : std::uint8_t { Null, Scalar, Map, List };
std::string_view name(Kind kind);  // "a map"

struct Entry;

// One value. Scalars keep the text as it was written; what it means is for the reader to say.
struct Node {
  Kind kind = Kind::Null;
  std::string text;            // of a Scalar, unescaped
  bool quoted = false;         // quoted or block scalar: certainly text
  Position at;                 // of a Null, Map or List without brackets: of its key
  int width = 1;               // bytes to underline
  std::vector<Entry> entries;  // of a Map, in file order, keys unique
  std::vector<Node> items;     // of a List

  bool is_null() const { return kind == Kind::Null; }
  bool is_scalar() const { return kind == Kind::Scalar; }
  bool is_map() const { return kind == Kind::Map; }
  bool is_list() const { return kind == Kind::List; }
  // Null when this is no map or has no such key.
  const Entry* find(std::string_view key) const;
};

struct Entry {
  std::string key;
  Position at;    // of the key
  int width = 1;  // of the key
  Node value;
};

// Something that is not allowed in our subset, or is no YAML at all.
struct Problem {
  Position at;
  int width = 1;
  std::string code;     // "E005"
  std::string message;  // lower-case clause
  std::string hint;     // the way out, may be empty
};

struct Stream {
  std::vector<Node> documents;    // empty documents are left out
  std::vector<Problem> problems;  // not empty: documents may be incomplete
};

inline constexpr std::size_t kMaxBytes = std::size_t{1} << 20U;
inline constexpr int kMaxDepth = 32;

// Reads every document of a text. Refused: more than kMaxBytes, anything but UTF-8 without BOM and
// control characters (E001, E002), tabs as indentation (E003), malformed YAML (E004), duplicate
// keys (E005), anchors and aliases (E006), tags (E007), merge keys (E008), keys that are not plain
// text (E009), more than kMaxDepth levels (E010), directives (E011). Never throws.
Stream read(const std::string& text);

// Typed readings of a scalar; nothing when it is not a scalar of that type. Only an unquoted `true`
// or `false` is a boolean, only unquoted decimal digits with an optional minus and without leading
// zeros are an integer.
std::optional<bool> as_bool(const Node& node);
std::optional<std::int64_t> as_int(const Node& node);
// Any scalar but an unquoted boolean.
std::optional<std::string> as_text(const Node& node);

}  // namespace dockreeve::yaml
