// Facts from moby's vendored buildkit frontend/dockerfile/parser, 19.03 to today: white space and
// comment lines are dropped before a line is judged, also inside a continuation; a line goes on
// when it ends in the escape character (older versions: also when that is escaped itself); only
// the first line may change the escape character in all of them; flags are the leading words that
// start with two dashes; newer versions take the lines behind `<<WORD` for a here-document.
#include "docker/dockerfile_lines.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/text.h"

namespace dockreeve::docker {
namespace {

constexpr std::size_t kMaxLine = 65535;  // one byte less than the engine's scanner holds
constexpr std::string_view kSpace = " \t\v\f\r";
constexpr std::array<std::string_view, 18> kCommands{
    "ADD",        "ARG",     "CMD",        "COPY",    "ENTRYPOINT", "ENV",
    "EXPOSE",     "FROM",    "HEALTHCHECK", "LABEL",  "MAINTAINER", "ONBUILD",
    "RUN",        "SHELL",   "STOPSIGNAL", "USER",    "VOLUME",     "WORKDIR"};

tl::unexpected<Error> refuse(std::size_t line, std::string detail) {
  return fail("line " + std::to_string(line), std::move(detail));
}


std::string_view trim_left(std::string_view text) {
  return text.substr(std::min(text.find_first_not_of(kSpace), text.size()));
}

// White space beyond ASCII, which the engine drops where this reader would keep it.
bool starts_with_wide_space(std::string_view text) {
  for (const std::string_view space :
       {"\xc2\x85", "\xc2\xa0", "\xe1\x9a\x80", "\xe2\x80\xa8", "\xe2\x80\xa9", "\xe2\x80\xaf",
        "\xe2\x81\x9f", "\xe3\x80\x80"}) {
    if (text.starts_with(space)) return true;
  }
  return text.size() >= 3 && text.starts_with("\xe2\x80") &&
         static_cast<unsigned char>(text[2]) >= 0x80 && static_cast<unsigned char>(text[2]) <= 0x8a;
}

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
  return out;
}

// What a comment says about the escape character.
std::optional<std::string_view> escape_directive(std::string_view comment) {
  std::string_view rest = trim_left(comment.substr(1));
  constexpr std::string_view kWord = "ESCAPE";
  if (upper(rest.substr(0, kWord.size())) != kWord) return std::nullopt;
  rest = trim_left(rest.substr(kWord.size()));
  if (!rest.starts_with('=')) return std::nullopt;
  return trim_line(rest.substr(1));
}

// `<<WORD`, `3<<-WORD`: a word on which newer engines start a here-document.
bool has_here_document(std::string_view text) {
  while (!(text = trim_left(text)).empty()) {
    std::string_view word = take_word(text);
    word = word.substr(std::min(word.find_first_not_of("0123456789"), word.size()));
    if (!word.starts_with("<<")) continue;
    word.remove_prefix(2);
    if (word.starts_with('-')) word.remove_prefix(1);
    if (!word.empty() && word.find('<') == std::string_view::npos) return true;
  }
  return false;
}

// Reads lines and joins those that go on.
class Splitter {
 public:
  explicit Splitter(std::string_view text) : rest_(text) {
    if (rest_.starts_with("\xef\xbb\xbf")) rest_.remove_prefix(3);
  }

  Result<Instructions> run() {
    while (!rest_.empty()) {
      std::string_view line;
      if (!next(line)) return error();
      line = trim_left(line);
      if (line.starts_with('#')) {
        if (!comment(line)) return error();
        continue;
      }
      if (line.empty()) continue;
      const std::size_t number = number_;
      std::string joined;
      if (!join(line, joined)) return error();
      leading_ = false;
      if (trim_line(joined).empty()) continue;
      Result<Instruction> one = split_instruction(joined, number);
      if (!one) return tl::unexpected(one.error());
      out_.list.push_back(*std::move(one));
    }
    return std::move(out_);
  }

 private:
  tl::unexpected<Error> error() const { return refuse(number_, error_); }
  bool fail_here(std::string detail) {
    error_ = std::move(detail);
    return false;
  }

  bool next(std::string_view& line) {
    const std::size_t end = std::min(rest_.find('\n'), rest_.size());
    line = rest_.substr(0, end);
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    ++number_;
    if (line.size() >= kMaxLine) return fail_here("the line is too long");
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.find_first_of(std::string_view("\r\0", 2)) != std::string_view::npos) {
      return fail_here("the line has a control character");
    }
    if (starts_with_wide_space(trim_left(line))) return fail_here("the line starts with odd space");
    return true;
  }

  bool comment(std::string_view line) {
    if (!leading_) return true;
    const auto escape = escape_directive(line);
    if (!escape || *escape == "\\") return true;
    if (number_ != 1 || *escape != "`") {
      return fail_here("an escape directive must stand in the first line");
    }
    out_.escape = '`';
    return true;
  }

  // True: the line goes on, and its escape character is cut off.
  bool goes_on(std::string_view& line) const {
    const std::size_t end = line.find_last_not_of(" \t");
    if (end == std::string_view::npos || line[end] != out_.escape) return false;
    line = line.substr(0, end);
    return true;
  }

  bool join(std::string_view line, std::string& out) {
    for (;;) {
      const bool more = goes_on(line);
      if (more && line.ends_with(out_.escape)) {
        return fail_here("the line ends in an escaped escape character");
      }
      out += line;
      if (out.size() > (std::size_t{1} << 20)) return fail_here("the instruction is too long");
      if (!more) return true;
      do {
        if (rest_.empty()) return true;
        if (!next(line)) return false;
      } while (trim_left(line).empty() || trim_left(line).starts_with('#'));
    }
  }

  std::string_view rest_;
  Instructions out_;
  std::string error_;
  std::size_t number_ = 0;
  bool leading_ = true;  // nothing but comments and empty lines so far
};

}  // namespace

std::string_view trim_line(std::string_view text) {
  text = trim_left(text);
  return text.substr(0, text.find_last_not_of(kSpace) + 1);
}

std::string_view take_word(std::string_view& text) {
  text = trim_left(text);
  const std::size_t end = std::min(text.find_first_of(kSpace), text.size());
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(end);
  return word;
}

Result<Instruction> split_instruction(std::string_view line, std::size_t number) {
  Instruction out;
  out.line = number;
  std::string_view rest = trim_line(line);
  out.command = upper(take_word(rest));
  if (std::find(kCommands.begin(), kCommands.end(), out.command) == kCommands.end()) {
    return refuse(number, text::quoted(out.command) + " is no instruction");
  }
  for (rest = trim_left(rest); rest.starts_with("--"); rest = trim_left(rest)) {
    const std::string_view flag = take_word(rest);
    if (flag == "--") break;
    for (const char c : flag) {
      const auto byte = static_cast<unsigned char>(c);
      if (byte >= 0x80 || byte < 0x20 || c == '\'' || c == '"' || c == '\\' || c == '`') {
        return refuse(number, "a flag of " + out.command + " has a quote or an escape");
      }
    }
    out.flags.emplace_back(flag);
  }
  if (starts_with_wide_space(trim_left(rest))) return refuse(number, "odd space before a word");
  out.rest = trim_line(rest);
  const bool may_hold = out.command == "RUN" || out.command == "COPY" || out.command == "ADD";
  if (may_hold && has_here_document(line)) {
    return refuse(number, "here-documents are not known to the classic builder");
  }
  return out;
}

Result<Instructions> split_instructions(std::string_view text) {
  if (!text::is_utf8(text)) return fail("", "the Dockerfile is not UTF-8");
  return Splitter(text).run();
}

}  // namespace dockreeve::docker
