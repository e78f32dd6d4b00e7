// Facts from moby builder/dockerfile (dispatchers.go, evaluator.go, buildargs.go) and its vendored
// instructions parser: variables in FROM come from the ARG lines in front of the first FROM, where
// a build argument of the client beats the default; a stage is known by name (any case) or number
// once it is complete; every other name is an image.
#include "docker/dockerfile.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "docker/dockerfile_lines.h"

namespace dockreeve::docker {
namespace {

bool is_name_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_variable(std::string_view name) {
  return !name.empty() && !is_digit(name[0]) && std::all_of(name.begin(), name.end(), is_name_char);
}
bool is_stage_name(std::string_view name) {
  return !name.empty() && name[0] >= 'a' && name[0] <= 'z' &&
         std::all_of(name.begin(), name.end(),
                     [](char c) { return is_name_char(c) || c == '-' || c == '.'; });
}
bool is_number(std::string_view name) {
  if (name.starts_with('+') || name.starts_with('-')) name.remove_prefix(1);
  return !name.empty() && std::all_of(name.begin(), name.end(), is_digit);
}

class Reader {
 public:
  explicit Reader(const BuildArgs& args) : args_(args) {}

  Result<Dockerfile> read(const Instructions& instructions) {
    for (const Instruction& one : instructions.list) {
      at_ = one.line;
      if (!instruction(one)) return failed();
    }
    if (out_.stages.empty()) return fail("", "the Dockerfile has no FROM");
    return std::move(out_);
  }

  Result<Dockerfile> read_changes(const std::vector<std::string>& changes) {
    for (const std::string& text : changes) {
      ++at_;
      const std::string_view line = trim_line(text);
      if (line.empty()) continue;
      if (line.starts_with('#') || line.ends_with('\\') || line.ends_with('`')) {
        return fail("change " + std::to_string(at_), "it reaches into the next one");
      }
      const Result<Instruction> one = split_instruction(line, at_);
      if (!one) return tl::unexpected(one.error());
      if (one->command == "FROM") return fail("change " + std::to_string(at_), "FROM is not one");
      if (!in_stage(*one)) return failed();
    }
    return std::move(out_);
  }

 private:
  tl::unexpected<Error> failed() { return fail("line " + std::to_string(at_), std::move(error_)); }
  bool refuse(std::string detail) {
    error_ = std::move(detail);
    return false;
  }

  bool instruction(const Instruction& one) {
    if (one.command == "FROM") return from(one);
    if (!out_.stages.empty()) return in_stage(one);
    return one.command == "ARG" ? meta_args(one.rest) : refuse("only ARG may come before FROM");
  }

  bool from(const Instruction& one) {
    std::string_view rest = one.rest;
    const std::string_view base = take_word(rest);
    const std::string_view as = take_word(rest);
    BuildStage stage;
    stage.name = text::to_lower(take_word(rest));
    if (!trim_line(rest).empty() || base.empty() || as.empty() != stage.name.empty()) {
      return refuse("FROM takes an image, or an image AS a name");
    }
    if (!as.empty() && (text::to_lower(as) != "as" || !is_stage_name(stage.name))) {
      return refuse("the name of the stage is malformed");
    }
    if (!stage.name.empty() && find_stage(stage.name)) return refuse("two stages have one name");
    if (!expand(base, stage.base)) return false;
    if (stage.base.empty()) return refuse("the image of FROM is empty");
    stage.base_stage = find_stage(text::to_lower(stage.base));
    if (!stage.base_stage && stage.base != "scratch") {
      out_.images.push_back({stage.base, "FROM", at_});
    }
    out_.stages.push_back(std::move(stage));
    return true;
  }

  bool in_stage(const Instruction& one, bool trigger = false) {
    if (one.command == "COPY" || one.command == "ADD") {
      for (const std::string& flag : one.flags) {
        constexpr std::string_view kFrom = "--from=";
        if (flag.starts_with(kFrom) && !source(flag.substr(kFrom.size()), "COPY --from", trigger)) {
          return false;
        }
      }
    } else if (one.command == "RUN") {
      for (const std::string& flag : one.flags)
        if (!run_flag(flag, trigger)) return false;
    } else if (one.command == "LABEL") {
      label_keys(one.rest);
    } else if (one.command == "USER" && !trigger && !out_.stages.empty()) {
      out_.stages.back().user = one.rest;
    } else if (one.command == "ONBUILD") {
      if (trigger) return refuse("ONBUILD cannot be chained");
      const Result<Instruction> inner = split_instruction(one.rest, at_);
      if (!inner) return refuse(inner.error().message);
      if (!one.flags.empty() || inner->command == "FROM") return refuse("a trigger is malformed");
      return in_stage(*inner, true);
    }
    return true;
  }

  bool run_flag(std::string_view flag, bool trigger) {
    constexpr std::string_view kMount = "--mount=";
    if (!flag.starts_with(kMount)) return true;
    flag.remove_prefix(kMount.size());
    while (!flag.empty()) {
      const std::size_t end = std::min(flag.find(','), flag.size());
      const std::string_view field = flag.substr(0, end);
      flag.remove_prefix(std::min(end + 1, flag.size()));
      const std::size_t equals = field.find('=');
      if (equals == std::string_view::npos || text::to_lower(field.substr(0, equals)) != "from") {
        continue;
      }
      if (!source(field.substr(equals + 1), "RUN --mount", trigger)) return false;
    }
    return true;
  }

  // What a stage reads from. A trigger runs in another build, whose stages are not known here.
  bool source(std::string_view name, std::string_view instruction, bool trigger) {
    if (name.empty()) return true;
    if (name.find('$') != std::string_view::npos) {
      return refuse("a variable cannot name the source of a copy");
    }
    if (is_number(name)) {
      const bool plain = is_digit(name[0]) && (name == "0" || name[0] != '0') && name.size() <= 4;
      if (!plain) return refuse("the number of a stage is malformed");
      const std::size_t done = out_.stages.empty() ? 0 : out_.stages.size() - 1;
      if (trigger || std::stoul(std::string(name)) < done) return true;
      return refuse("a copy names a stage that is not complete");
    }
    const auto stage = trigger ? std::nullopt : find_stage(text::to_lower(name));
    if (stage && *stage + 1 < out_.stages.size()) return true;
    out_.images.push_back({std::string(name), std::string(instruction), at_});
    return true;
  }

  std::optional<std::size_t> find_stage(std::string_view lower) const {
    for (std::size_t i = 0; i < out_.stages.size(); ++i)
      if (!out_.stages[i].name.empty() && out_.stages[i].name == lower) return i;
    return std::nullopt;
  }

  // --- variables ----------------------------------------------------------------------------

  bool meta_args(std::string_view rest) {
    std::vector<std::string_view> words;
    if (!split_words(rest, words)) return false;
    for (const std::string_view word : words) {
      const std::size_t equals = std::min(word.find('='), word.size());
      const std::string name(word.substr(0, equals));
      const std::string_view value = word.substr(std::min(equals + 1, word.size()));
      const bool known_chars = std::all_of(name.begin(), name.end(), [](char c) {
        return is_name_char(c) || c == '-' || c == '.';
      });
      if (name.empty() || !known_chars) return refuse("the name of a build argument is malformed");
      if (words.size() > 1 && value.find('$') != std::string_view::npos) {
        return refuse("give each ARG that uses another one a line of its own");
      }
      std::string expanded;
      if (!expand(value, expanded)) return false;
      const auto given = args_.find(name);
      if (given != args_.end() && given->second) expanded = *given->second;
      if (!meta_.emplace(name, std::move(expanded)).second) {
        return refuse("an ARG before FROM is there twice");
      }
    }
    return !words.empty() || refuse("ARG takes a name");
  }

  // At spaces that are not in quotes.
  bool split_words(std::string_view rest, std::vector<std::string_view>& out) {
    while (!(rest = trim_line(rest)).empty()) {
      char quote = 0;
      std::size_t at = 0;
      for (; at < rest.size(); ++at) {
        const char c = rest[at];
        if (quote == 0 && (c == ' ' || c == '\t' || c == '\v' || c == '\f')) break;
        if (quote != 0 && c == quote) {
          quote = 0;
        } else if (quote == 0 && (c == '"' || c == '\'')) {
          quote = c;
        }
      }
      if (quote != 0) return refuse("a quote is not closed");
      out.push_back(rest.substr(0, at));
      rest.remove_prefix(at);
    }
    return true;
  }

  // One word with quotes and variables. Escapes and the rarer forms of `${}` differ by version.
  bool expand(std::string_view word, std::string& out) {
    char quote = 0;
    for (std::size_t at = 0; at < word.size(); ++at) {
      const char c = word[at];
      if (c == '\\' || c == '`') return refuse("an escape in ARG or FROM is not accepted");
      if (quote != 0 && c == quote) {
        quote = 0;
      } else if (quote == 0 && (c == '"' || c == '\'')) {
        quote = c;
      } else if (c == '$' && quote != '\'') {
        if (!variable(word, at, out)) return false;
      } else {
        out += c;
      }
    }
    return quote == 0 || refuse("a quote is not closed");
  }

  // `at` stands on the dollar, and on the last character of the variable afterwards.
  bool variable(std::string_view word, std::size_t& at, std::string& out) {
    if (at + 1 < word.size() && word[at + 1] == '{') {
      const std::size_t end = word.find('}', at);
      if (end == std::string_view::npos) return refuse("`${` is not closed");
      const std::string_view inside = word.substr(at + 2, end - at - 2);
      at = end;
      const std::size_t colon = std::min(inside.find(':'), inside.size());
      const std::string_view name = inside.substr(0, colon);
      const std::string_view rest = inside.substr(colon);
      const std::string_view other = rest.substr(std::min<std::size_t>(2, rest.size()));
      const bool plain = other.find_first_of("${\"'") == std::string_view::npos;
      const bool form = rest.empty() || rest.starts_with(":-") || rest.starts_with(":+");
      if (!is_variable(name) || !form || !plain) return refuse("this form of `${` is not accepted");
      const std::string value = value_of(name);
      if (rest.starts_with(":+")) {
        if (!value.empty()) out += other;
      } else {
        out += value.empty() ? other : std::string_view(value);
      }
      return known(name);
    }
    std::size_t end = at + 1;
    while (end < word.size() && is_name_char(word[end])) ++end;
    const std::string_view name = word.substr(at + 1, end - at - 1);
    if (!is_variable(name)) return refuse("this form of `$` is not accepted");
    out += value_of(name);
    at = end - 1;
    return known(name);
  }
  std::string value_of(std::string_view name) const {
    const auto found = meta_.find(name);
    return found == meta_.end() ? std::string() : found->second;
  }
  // The engine may have values of its own for these.
  bool known(std::string_view name) {
    return !text::to_lower(name).ends_with("_proxy") || refuse("a proxy setting names an image");
  }

  // --- labels -------------------------------------------------------------------------------

  // LABEL key=value ..., or LABEL key value; keys without quotes and escapes.
  void label_keys(std::string_view rest) {
    std::string word;
    char quote = 0;
    bool in_value = false;
    bool pairs = false;
    const auto flush = [&] {
      if (!word.empty()) out_.labels.push_back(std::exchange(word, {}));
      in_value = false;
    };
    for (const char c : rest) {
      if (quote == 0 && (c == ' ' || c == '\t' || c == '\v' || c == '\f')) {
        flush();
        if (!pairs) return;
      } else if (quote != 0 && c == quote) {
        quote = 0;
      } else if (quote == 0 && (c == '"' || c == '\'')) {
        quote = c;
      } else if (c == '=' && !in_value) {
        in_value = pairs = true;
      } else if (!in_value && c != '\\' && c != '`') {
        word += c;
      }
    }
    flush();
  }

  const BuildArgs& args_;
  std::map<std::string, std::string, std::less<>> meta_;
  Dockerfile out_;
  std::string error_;
  std::size_t at_ = 0;
};

}  // namespace

Result<Dockerfile> parse_dockerfile(std::string_view text, const BuildArgs& args) {
  const Result<Instructions> instructions = split_instructions(text);
  if (!instructions) return tl::unexpected(instructions.error());
  return Reader(args).read(*instructions);
}

Result<Dockerfile> parse_changes(const std::vector<std::string>& changes) {
  const BuildArgs none;
  return Reader(none).read_changes(changes);
}

const BuildStage* final_stage(const Dockerfile& file, std::string_view target) {
  if (target.empty()) return file.stages.empty() ? nullptr : &file.stages.back();
  const std::string lower = text::to_lower(target);
  for (const BuildStage& stage : file.stages)
    if (!stage.name.empty() && stage.name == lower) return &stage;
  return nullptr;
}

}  // namespace dockreeve::docker
