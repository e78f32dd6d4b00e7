#include "base/yaml_reader.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <charconv>
#include <exception>
#include <sstream>
#include <unordered_map>
#include <utility>

#include "base/text.h"

namespace dockreeve::yaml {
namespace {

constexpr std::string_view kBom = "\xEF\xBB\xBF";
constexpr std::size_t kMaxProblems = 50;
constexpr std::string_view kPlain = "?";   // yaml-cpp's tag of anything untagged and unquoted
constexpr std::string_view kQuoted = "!";  // and of quoted and block scalars

Position position(const YAML::Mark& mark) {
  return mark.is_null() ? Position{} : Position{mark.line + 1, mark.column + 1};
}

// Text that escapes such as "\0" have not made unprintable; lines of a block scalar are fine.
bool is_readable(std::string_view value) {
  while (!value.empty()) {
    const std::size_t length = std::min(value.find_first_of("\n\t"), value.size());
    if (!text::is_printable(value.substr(0, length))) return false;
    value.remove_prefix(std::min(length + 1, value.size()));
  }
  return true;
}

// Ends the parse at a point from which nothing sensible can follow; never leaves read().
struct Abandon {};

// Turns the parser's events into our tree and keeps a list of everything it does not like.
class Builder final : public YAML::EventHandler {
 public:
  Builder(Stream& stream, std::string_view text)
      : stream_(stream), separators_(find_separators(text)) {}

  void OnDocumentStart(const YAML::Mark& mark) override {
    const int line = position(mark).line;
    // The parser begins a second document wherever the first cannot go on.
    const auto next = std::ranges::upper_bound(separators_, last_line_);
    const bool separated = next != separators_.end() && *next <= line;
    if (last_line_ > 0 && !separated) {
      report(position(mark), 1, "E004", "invalid YAML: this does not belong to what is above it",
             "check the indentation, or begin a new document with ---");
      throw Abandon{};
    }
    last_line_ = line;
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t /*anchor*/) override {
    Node node;
    node.at = position(mark);
    add(std::move(node));
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t /*anchor*/) override {
    report(position(mark), 1, "E006", "aliases are not allowed", "write the value out");
    Node node;
    node.at = position(mark);
    add(std::move(node));
  }

  void OnAnchor(const YAML::Mark& mark, const std::string& anchor) override {
    if (anchor.empty()) return;
    report(position(mark), static_cast<int>(anchor.size()) + 1, "E006", "anchors are not allowed",
           "write the value out where it is needed");
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t /*anchor*/,
                const std::string& value) override {
    last_line_ = position(mark).line;
    check_tag(mark, tag, true);
    if (!is_readable(value)) {
      report(position(mark), 1, "E001", "control characters are not allowed", {});
    }
    Node node;
    node.kind = Kind::Scalar;
    node.text = value;
    node.quoted = tag != kPlain;
    node.at = position(mark);
    const int quotes = node.quoted ? 2 : 0;
    node.width = static_cast<int>(std::min<std::size_t>(value.size(), kMaxBytes)) + quotes;
    if (node.width == 0) node.width = 1;
    add(std::move(node));
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t /*anchor*/,
                       YAML::EmitterStyle::value /*style*/) override {
    begin(mark, tag, Kind::List);
  }
  void OnSequenceEnd() override { end(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t /*anchor*/,
                  YAML::EmitterStyle::value /*style*/) override {
    begin(mark, tag, Kind::Map);
  }
  void OnMapEnd() override { end(); }

  void report(Position at, int width, std::string code, std::string message, std::string hint) {
    stream_.problems.push_back({at, width, std::move(code), std::move(message), std::move(hint)});
    if (stream_.problems.size() >= kMaxProblems) throw Abandon{};
  }

 private:
  // A container whose end has not come yet, and the key that waits for its value.
  struct Open {
    Node node;
    Entry key;
    std::unordered_map<std::string, int> lines;  // of the keys so far
    bool has_key = false;                        // the next value belongs to `key`
    bool drop_value = false;                     // ... but the key was refused
  };

  void check_tag(const YAML::Mark& mark, const std::string& tag, bool scalar) {
    if (tag.empty() || tag == kPlain || (scalar && tag == kQuoted)) return;
    report(position(mark), 1, "E007", "tags are not allowed", "write the value without the tag");
  }

  void begin(const YAML::Mark& mark, const std::string& tag, Kind kind) {
    last_line_ = position(mark).line;
    check_tag(mark, tag, false);
    if (open_.size() >= static_cast<std::size_t>(kMaxDepth)) {
      report(position(mark), 1, "E010",
             "more than " + std::to_string(kMaxDepth) + " levels of nesting", {});
      throw Abandon{};
    }
    Open open;
    open.node.kind = kind;
    open.node.at = position(mark);
    open_.push_back(std::move(open));
  }

  void end() {
    Node node = std::move(open_.back().node);
    open_.pop_back();
    add(std::move(node));
  }

  void add(Node node) {
    if (open_.empty()) {
      if (!node.is_null()) stream_.documents.push_back(std::move(node));
      return;
    }
    Open& parent = open_.back();
    if (parent.node.is_list()) {
      parent.node.items.push_back(std::move(node));
    } else if (parent.has_key) {
      add_value(parent, std::move(node));
    } else {
      add_key(parent, node);
    }
  }

  static std::vector<int> find_separators(std::string_view text) {
    std::vector<int> lines;
    for (int line = 1; !text.empty(); ++line) {
      if (text.starts_with("---")) lines.push_back(line);
      text.remove_prefix(std::min(text.find('\n'), text.size() - 1) + 1);
    }
    return lines;
  }

  void add_key(Open& parent, const Node& node) {
    parent.has_key = true;
    parent.drop_value = true;
    if (!node.is_scalar()) {
      report(node.at, 1, "E009", node.is_null() ? "a key is missing" : "a key must be plain text",
             {});
      return;
    }
    if (node.text == "<<" && !node.quoted) {
      report(node.at, 2, "E008", "merge keys are not allowed", "write the keys out");
      return;
    }
    const auto [first, fresh] = parent.lines.try_emplace(node.text, node.at.line);
    if (!fresh) {
      report(node.at, node.width, "E005", "duplicate key " + text::quoted(node.text),
             "first on line " + std::to_string(first->second));
      return;
    }
    parent.drop_value = false;
    parent.key = {node.text, node.at, node.width, {}};
  }

  static void add_value(Open& parent, Node node) {
    parent.has_key = false;
    if (parent.drop_value) return;
    // The parser places an empty value at whatever follows it, and a container at its first child:
    // the key is where a person would look.
    if (!node.is_scalar()) {
      node.at = parent.key.at;
      node.width = parent.key.width;
    }
    parent.key.value = std::move(node);
    parent.node.entries.push_back(std::move(parent.key));
  }

  Stream& stream_;
  std::vector<Open> open_;
  std::vector<int> separators_;  // lines that begin a document
  int last_line_ = 0;            // of the last event that had one
};

// What can be said about the bytes before a parser sees them. Stops at the first: after it nothing
// else is worth reading.
std::optional<Problem> check_bytes(std::string_view text) {
  if (text.size() > kMaxBytes) {
    return Problem{{}, 1, "E002", "the file is larger than 1 MiB", {}};
  }
  if (text.starts_with(kBom)) {
    return Problem{{1, 1},
                   1,
                   "E001",
                   "the file starts with a byte order mark",
                   "save it as UTF-8 without BOM"};
  }
  int line = 1;
  while (!text.empty()) {
    const std::size_t length = std::min(text.find('\n'), text.size());
    const std::string_view content = text.substr(0, length);
    if (!text::is_utf8(content)) return Problem{{line, 1}, 1, "E001", "not UTF-8", {}};
    for (std::size_t i = 0; i < content.size(); ++i) {
      const auto c = static_cast<unsigned char>(content[i]);
      const bool line_end = c == '\r' && i + 1 == content.size() && length < text.size();
      if ((c < 0x20 && c != '\t' && !line_end) || c == 0x7F) {
        return Problem{
            {line, static_cast<int>(i) + 1}, 1, "E001", "control characters are not allowed", {}};
      }
    }
    const std::size_t first = content.find_first_not_of(" \t\r");
    const std::size_t tab = content.find('\t');
    if (first != std::string_view::npos && tab < first) {
      return Problem{{line, static_cast<int>(tab) + 1},
                     1,
                     "E003",
                     "tabs are not allowed as indentation",
                     "use spaces"};
    }
    if (content.starts_with('%')) {
      return Problem{{line, 1},
                     static_cast<int>(content.find_last_not_of(" \t\r")) + 1,
                     "E011",
                     "directives are not allowed",
                     {}};
    }
    text.remove_prefix(std::min(length + 1, text.size()));
    ++line;
  }
  return std::nullopt;
}

// yaml-cpp's complaint in our words.
Problem explain(const YAML::Exception& error, std::string_view text) {
  Problem problem{position(error.mark), 1, "E004", "invalid YAML: " + error.msg, {}};
  const bool about_alias =
      error.msg.find("alias") != std::string::npos || error.msg.find("anchor") != std::string::npos;
  if (about_alias) {
    problem.code = "E006";
    problem.message = "anchors and aliases are not allowed";
    problem.hint = "quote a value that begins with * or &";
    return problem;
  }
  if (error.msg.find("tag") != std::string::npos) {
    problem.code = "E007";
    problem.message = "tags are not allowed";
    problem.hint = "quote a value that begins with !";
    return problem;
  }
  // A nesting far beyond our limit ends inside the parser, with a mark that says nothing.
  if (error.msg == YAML::ErrorMsg::BAD_FILE && !text.empty()) {
    problem.at = {};
    problem.code = "E010";
    problem.message = "more than " + std::to_string(kMaxDepth) + " levels of nesting";
  }
  return problem;
}

}  // namespace

std::string_view name(Kind kind) {
  switch (kind) {
    case Kind::Null:
      return "nothing";
    case Kind::Scalar:
      return "a single value";
    case Kind::Map:
      return "a map";
    case Kind::List:
      return "a list";
  }
  return "nothing";
}

const Entry* Node::find(std::string_view key) const {
  const auto it = std::ranges::find(entries, key, &Entry::key);
  return it == entries.end() ? nullptr : &*it;
}

Stream read(const std::string& text) {
  Stream stream;
  if (auto problem = check_bytes(text)) {
    stream.problems.push_back(*std::move(problem));
    return stream;
  }
  Builder builder(stream, text);
  try {
    // Without the white space at the end: with it the parser takes a quote that is never closed for
    // one that is.
    std::istringstream input(text.substr(0, text.find_last_not_of(" \t\r\n") + 1));
    YAML::Parser parser(input);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const Abandon&) {
    return stream;  // reported where it was thrown
  } catch (const YAML::Exception& error) {
    stream.problems.push_back(explain(error, text));
  } catch (const std::exception& error) {
    stream.problems.push_back({{}, 1, "E004", std::string("invalid YAML: ") + error.what(), {}});
  }
  return stream;
}

std::optional<bool> as_bool(const Node& node) {
  if (!node.is_scalar() || node.quoted) return std::nullopt;
  if (node.text == "true") return true;
  if (node.text == "false") return false;
  return std::nullopt;
}

std::optional<std::int64_t> as_int(const Node& node) {
  if (!node.is_scalar() || node.quoted) return std::nullopt;
  const std::string_view digits =
      std::string_view(node.text).substr(node.text.starts_with('-') ? 1 : 0);
  if (digits.empty() || (digits.size() > 1 && digits.front() == '0') || node.text == "-0") {
    return std::nullopt;
  }
  std::int64_t value = 0;
  const char* const end = node.text.data() + node.text.size();
  const auto [rest, failure] = std::from_chars(node.text.data(), end, value);
  if (failure != std::errc() || rest != end) return std::nullopt;
  return value;
}

std::optional<std::string> as_text(const Node& node) {
  if (!node.is_scalar() || as_bool(node)) return std::nullopt;
  return node.text;
}

}  // namespace dockreeve::yaml
