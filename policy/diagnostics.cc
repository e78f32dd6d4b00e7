#include "policy/diagnostics.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <utility>

#include "base/text.h"

namespace dockreeve::policy {
namespace {

constexpr std::size_t kMaxShown = 160;  // bytes of a source line

std::string_view line_of(std::string_view source, int number) {
  for (int line = 1; line < number; ++line) {
    const std::size_t end = source.find('\n');
    if (end == std::string_view::npos) return {};
    source.remove_prefix(end + 1);
  }
  std::string_view line = source.substr(0, source.find('\n'));
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

bool starts_character(char c) {
  return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
}

// Characters, as a terminal counts columns (near enough: wide ones count once).
std::size_t columns(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(text, starts_character));
}

// The line as it may be printed: nothing in it can move a terminal's cursor.
std::string harmless(std::string_view line) {
  if (line.size() > kMaxShown) {
    std::size_t end = kMaxShown;
    while (end > 0 && !starts_character(line[end]))
      --end;
    line = line.substr(0, end);
  }
  std::string out;
  for (const char c : line) {
    const auto byte = static_cast<unsigned char>(c);
    out += byte < 0x20 || byte == 0x7F ? ' ' : c;
  }
  if (text::is_printable(out)) return out;
  std::ranges::replace_if(
      out, [](char c) { return static_cast<unsigned char>(c) >= 0x80; }, '?');
  return out;
}

std::string base_name(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

Diagnostic make(bool error, const Spot& spot, std::string code, std::string message,
                std::string hint) {
  return {error,      spot.file,       spot.at.line,       spot.at.column,
          spot.width, std::move(code), std::move(message), std::move(hint)};
}

}  // namespace

std::string render(const Diagnostic& diagnostic, std::string_view source) {
  std::string out = diagnostic.file;
  if (diagnostic.line > 0) {
    out += ':' + std::to_string(diagnostic.line) + ':' + std::to_string(diagnostic.column);
  }
  out += diagnostic.error ? ": error[" : ": warning[";
  out += diagnostic.code + "]: " + diagnostic.message;
  const std::string_view line =
      diagnostic.line > 0 ? line_of(source, diagnostic.line) : std::string_view();
  if (line.empty()) {
    if (!diagnostic.hint.empty()) out += "; " + diagnostic.hint;
    return out;
  }
  const std::string shown = harmless(line);
  const std::size_t start =
      std::min(static_cast<std::size_t>(std::max(diagnostic.column - 1, 0)), shown.size());
  const auto width = static_cast<std::size_t>(std::max(diagnostic.width, 1));
  const std::size_t carets =
      std::max<std::size_t>(columns(std::string_view(shown).substr(start, width)), 1);
  std::string number = std::to_string(diagnostic.line);
  if (number.size() < 5) number.insert(0, 5 - number.size(), ' ');
  const std::string margin = std::string(number.size(), ' ') + " | ";
  out += '\n' + number + " | " + shown;
  out += '\n' + margin + std::string(columns(std::string_view(shown).substr(0, start)), ' ') +
         std::string(carets, '^');
  if (!diagnostic.hint.empty()) out += ' ' + diagnostic.hint;
  return out;
}

std::string short_origin(const Spot& spot) {
  return base_name(spot.file) + ':' + std::to_string(spot.at.line);
}

void Reporter::error(const Spot& spot, std::string code, std::string message, std::string hint) {
  out_.push_back(make(true, spot, std::move(code), std::move(message), std::move(hint)));
}

void Reporter::warning(const Spot& spot, std::string code, std::string message, std::string hint) {
  out_.push_back(make(false, spot, std::move(code), std::move(message), std::move(hint)));
}

void Reporter::add(const std::vector<yaml::Problem>& problems) {
  for (const yaml::Problem& problem : problems) {
    error({file_, problem.at, problem.width}, problem.code, problem.message, problem.hint);
  }
}

Fields::Fields(const yaml::Node& node, Spot owner, std::string what, Reporter& reporter,
               std::span<const std::string_view> known)
    : owner_(std::move(owner)), what_(std::move(what)), reporter_(reporter) {
  if (!node.is_map()) {
    reporter.error(owner_, "E106",
                   what_ + " must be a map, this is " + std::string(name(node.kind)));
    return;
  }
  map_ = &node;
  for (const yaml::Entry& entry : node.entries) {
    if (std::ranges::find(known, entry.key) != known.end()) continue;
    const std::string meant = text::suggest(entry.key, known);
    const std::string hint =
        meant.empty() ? std::string() : "did you mean " + text::quoted(meant) + "? ";
    meant_.push_back(meant);
    reporter.error(reporter.spot(entry), "E102",
                   "unknown key " + text::quoted(entry.key) + " in " + what_,
                   hint + "keys: " + listing(known));
  }
}

const yaml::Entry* Fields::require(std::string_view key) const {
  const yaml::Entry* entry = get(key);
  const bool misspelt = std::ranges::find(meant_, key) != meant_.end();
  if (entry == nullptr && map_ != nullptr && !misspelt) {
    reporter_.error(owner_, "E103", what_ + " has no " + text::quoted(key));
  }
  return entry;
}

void wrong_type(const yaml::Entry& entry, std::string_view expected, Reporter& reporter) {
  const bool boolean = yaml::as_bool(entry.value).has_value();
  const yaml::Node& value = entry.value;
  std::string found(name(value.kind));
  if (value.is_scalar()) found = value.quoted ? "quoted text" : text::quoted(value.text);
  std::string hint;
  if (boolean && expected.ends_with("text")) hint = "quote it";
  reporter.error(
      reporter.spot(entry.value), "E106",
      text::quoted(entry.key) + " must be " + std::string(expected) + ", this is " + found, hint);
}

std::optional<std::string> read_text(const yaml::Entry& entry, Reporter& reporter) {
  auto value = yaml::as_text(entry.value);
  if (!value) wrong_type(entry, "text", reporter);
  return value;
}

std::optional<bool> read_bool(const yaml::Entry& entry, Reporter& reporter) {
  const auto value = yaml::as_bool(entry.value);
  if (!value) wrong_type(entry, "true or false", reporter);
  return value;
}

std::optional<std::vector<std::string>> read_text_list(const yaml::Entry& entry,
                                                       Reporter& reporter) {
  if (!expect_list(entry, reporter)) return std::nullopt;
  std::vector<std::string> values;
  bool good = true;
  for (const yaml::Node& item : entry.value.items) {
    if (auto value = yaml::as_text(item)) {
      values.push_back(*std::move(value));
    } else {
      wrong_type({entry.key, entry.at, entry.width, item}, "a list of text", reporter);
      good = false;
    }
  }
  if (!good) return std::nullopt;
  return values;
}

std::optional<std::string> read_word(const yaml::Entry& entry, Reporter& reporter,
                                     std::span<const std::string_view> words) {
  const bool known =
      entry.value.is_scalar() && std::ranges::find(words, entry.value.text) != words.end();
  if (known) return entry.value.text;
  if (!entry.value.is_scalar()) {
    wrong_type(entry, "one of " + listing(words), reporter);
    return std::nullopt;
  }
  std::string hint = text::did_you_mean(entry.value.text, words);
  if (!hint.empty()) hint += ' ';
  reporter.error(reporter.spot(entry.value), "E107",
                 text::quoted(entry.key) + " cannot be " + text::quoted(entry.value.text),
                 hint + "one of: " + listing(words));
  return std::nullopt;
}

bool expect_list(const yaml::Entry& entry, Reporter& reporter) {
  if (!entry.value.is_list()) wrong_type(entry, "a list", reporter);
  return entry.value.is_list();
}

bool expect_map(const yaml::Entry& entry, Reporter& reporter) {
  if (!entry.value.is_map()) wrong_type(entry, "a map", reporter);
  return entry.value.is_map();
}

std::string listing(std::span<const std::string_view> words) {
  std::string out;
  for (const std::string_view word : words) {
    if (!out.empty()) out += ", ";
    out += word;
  }
  return out;
}

Result<std::string> read_file(const std::string& path) {
  std::error_code failure;
  if (std::filesystem::is_directory(path, failure)) return fail(path, "is a folder");
  std::ifstream input(path, std::ios::binary);
  if (!input) return fail(path, std::string("cannot be read: ") + std::strerror(errno));
  std::string content(yaml::kMaxBytes + 1, '\0');
  input.read(content.data(), static_cast<std::streamsize>(content.size()));
  if (input.bad()) return fail(path, "cannot be read");
  content.resize(static_cast<std::size_t>(input.gcount()));
  return content;
}

}  // namespace dockreeve::policy
