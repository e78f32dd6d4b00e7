// Strict JSON for hostile input, and a writer for canonical output.
//
// nlohmann_json is used where speed and strictness do not matter; this reader exists because the
// engine's own decoder (Go encoding/json) merges duplicate keys and folds their case, so a request
// is only safe to judge when every ambiguity has been refused first. See ARCHITECTURE.md.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace dockreeve::json {

enum class Kind : std::uint8_t { Null, Bool, Integer, Number, String, Array, Object };

struct Limits {
  std::size_t max_depth = 32;        // nesting of arrays and objects
  std::size_t max_members = 65536;   // elements in one array
  std::size_t max_keys = 2048;       // members in one object
  std::size_t max_values = 1 << 20;  // values in the whole text, so that memory stays bounded
};

class Document;

// A value inside a Document: two words, cheap to copy, valid as long as its Document lives.
class Value {
 public:
  Kind kind() const;
  bool is_null() const { return kind() == Kind::Null; }
  bool is_object() const { return kind() == Kind::Object; }
  bool is_array() const { return kind() == Kind::Array; }
  bool is_string() const { return kind() == Kind::String; }
  // The text of a String (unescaped UTF-8) or the spelling of a number; empty for other kinds.
  std::string_view text() const;
  bool boolean() const;          // false unless Kind::Bool and true
  std::int64_t integer() const;  // 0 unless Kind::Integer (fits int64 exactly, no '.', no exponent)
  std::size_t size() const;      // elements of an Array, members of an Object, else 0

  // Iteration: `for (auto v = a.first(); v; v = v->next())` over array elements, or over object
  // members, where key() is the member's name.
  std::optional<Value> first() const;
  std::optional<Value> next() const;
  std::string_view key() const;  // empty for array elements

  // The member of that exact name, if this is an object that has it. Linear.
  std::optional<Value> find(std::string_view key) const;

 private:
  friend class Document;
  Value(const Document* document, std::uint32_t index) : document_(document), index_(index) {}
  const Document* document_;
  std::uint32_t index_;
};

// One parsed JSON text. Refuses, with a JSON pointer: anything but UTF-8 without BOM, lone
// surrogates, control characters in keys, duplicate keys (exact, after unescaping), depth or size
// beyond `limits`, anything but white space after the value, and whatever RFC 8259 does not allow.
// Immutable and movable; Values point into it.
class Document {
 public:
  static Result<std::unique_ptr<Document>> parse(std::string text, const Limits& limits = {});
  Value root() const { return Value(this, 0); }

  ~Document();
  Document(const Document&) = delete;
  Document& operator=(const Document&) = delete;

 private:
  friend class Value;
  friend class Parser;
  Document() = default;
  struct Node {
    Kind kind = Kind::Null;
    bool flag = false;         // the value of a Bool
    bool last = true;          // no sibling follows
    std::uint32_t key_at = 0;  // the member's name: offset and length in text_
    std::uint32_t key_size = 0;
    std::uint32_t at = 0;    // String and numbers: offset in text_
    std::uint32_t size = 0;  // String and numbers: length; containers: children
    std::uint32_t end = 0;   // index one past this value and all below it
  };
  std::string text_;  // strings are unescaped in place
  std::vector<Node> nodes_;
};

inline Kind Value::kind() const {
  return document_->nodes_[index_].kind;
}

inline bool Value::boolean() const {
  return document_->nodes_[index_].flag;
}

inline std::string_view Value::text() const {
  const Document::Node& node = document_->nodes_[index_];
  if (node.kind < Kind::Integer || node.kind > Kind::String) return {};
  return {document_->text_.data() + node.at, node.size};
}

inline std::size_t Value::size() const {
  const Document::Node& node = document_->nodes_[index_];
  return node.kind >= Kind::Array ? node.size : 0;
}

inline std::string_view Value::key() const {
  const Document::Node& node = document_->nodes_[index_];
  return {document_->text_.data() + node.key_at, node.key_size};
}

inline std::optional<Value> Value::first() const {
  if (size() == 0) return std::nullopt;
  return Value(document_, index_ + 1);
}

inline std::optional<Value> Value::next() const {
  const Document::Node& node = document_->nodes_[index_];
  if (node.last) return std::nullopt;
  return Value(document_, node.end);
}

// Appends `text` as a JSON string with quotes: control characters, quote, backslash and DEL are
// escaped, other UTF-8 is kept.
void append_string(std::string& out, std::string_view text);

// Where in the output a string value landed, quotes included.
struct Written {
  const std::string* source = nullptr;
  std::uint32_t at = 0, size = 0;
};

// Builds one JSON text front to back; commas are put in by it. The caller keeps begin/end balanced.
class Writer {
 public:
  // `trace`, if any, gets one entry for every std::string value, in the order of the output.
  explicit Writer(std::string& out, std::vector<Written>* trace = nullptr)
      : out_(out), trace_(trace) {}
  Writer& begin_object();
  Writer& end_object();
  Writer& begin_array();
  Writer& end_array();
  Writer& key(std::string_view name);
  Writer& plain_key(std::string_view name);  // a name that needs no escapes, trusted
  Writer& value(std::string_view text);
  Writer& value(const char* text) { return value(std::string_view(text)); }
  Writer& value(const std::string& text);
  Writer& value(bool flag);
  Writer& value(std::int64_t number);
  Writer& value(int number) { return value(static_cast<std::int64_t>(number)); }
  Writer& null();
  Writer& raw(std::string_view json);  // a complete JSON value, trusted
  Writer& copy(Value v);               // a parsed value, written again

 private:
  void separate();
  std::string& out_;
  std::vector<Written>* trace_ = nullptr;
  bool need_comma_ = false;
};

// "/HostConfig" + "a/b" -> "/HostConfig/a~1b" (RFC 6901).
std::string pointer_join(std::string_view parent, std::string_view token);
std::string pointer_join(std::string_view parent, std::size_t index);

// The key as Go's encoding/json compares it: U+017F becomes s, U+212A becomes k, ASCII is lowered.
// Source: Go encoding/json fold.go (foldFunc, foldName).
std::string fold_key(std::string_view key);

}  // namespace dockreeve::json
