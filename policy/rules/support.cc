#include "policy/rules/support.h"

#include <algorithm>
#include <charconv>

#include "base/json.h"

namespace dockreeve::policy::rules {
namespace {

constexpr std::size_t kLongestValue = 200;

RE2::Options options() {
  RE2::Options out;
  out.set_log_errors(false);
  out.set_max_mem(8 << 20);
  return out;
}

// A pattern without `^` and `$` of its own must match the whole text.
std::string anchored(const std::string& text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '$' || (text[i] == '^' && (i == 0 || text[i - 1] != '['))) {
      return text;
    }
  }
  return "^(?:" + text + ")$";
}

}  // namespace

bool is_route(const Input& in, std::string_view name) {
  return in.request.route().name == name;
}

std::string_view build_query(const Input& in, std::string_view name) {
  return is_route(in, "build") ? docker::param(in.request.target.query, name) : std::string_view();
}

std::string quoted(std::string_view text) {
  std::string out;
  if (text.size() <= kLongestValue) {
    json::append_string(out, text);
    return out;
  }
  // A cut inside a UTF-8 sequence would not be JSON any more.
  std::size_t end = kLongestValue;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U)
    --end;
  json::append_string(out, std::string(text.substr(0, end)) + "…");
  return out;
}

std::string number(std::int64_t value) {
  return std::to_string(value);
}

bool contains(std::span<const std::string> items, std::string_view item) {
  return std::find(items.begin(), items.end(), item) != items.end();
}

std::string joined_container(std::string_view mode) {
  constexpr std::string_view kPrefix = "container:";
  if (!mode.starts_with(kPrefix)) return {};
  mode.remove_prefix(kPrefix.size());
  if (mode.starts_with('/')) mode.remove_prefix(1);
  return std::string(mode);
}

Pattern::Compiled::Compiled(const std::string& text)
    : re(text, options()), filter(std::span(&text, 1), options()) {}

Result<Pattern> Pattern::compile(std::string_view parameter, const std::string& text) {
  auto compiled = std::make_shared<const Compiled>(anchored(text));
  if (!compiled->re.ok()) {
    return fail(std::string(parameter), "is not a valid pattern: " + compiled->re.error());
  }
  return Pattern(std::move(compiled));
}

PatternSet::Compiled::Compiled(std::span<const std::string> anchored_texts)
    : set(options(), RE2::UNANCHORED), filter(anchored_texts, options()) {}

Result<PatternSet> PatternSet::compile(std::string_view parameter,
                                       std::span<const std::string> texts) {
  if (texts.empty()) return PatternSet(nullptr);
  std::vector<std::string> patterns;
  for (const std::string& text : texts)
    patterns.push_back(anchored(text));
  auto compiled = std::make_shared<Compiled>(patterns);
  for (const std::string& pattern : patterns) {
    std::string error;
    if (compiled->set.Add(pattern, &error) < 0) {
      return fail(std::string(parameter), "is not a valid pattern: " + error);
    }
  }
  if (!compiled->set.Compile()) return fail(std::string(parameter), "has too many patterns");
  return PatternSet(std::move(compiled));
}

bool PatternSet::matches(std::string_view text) const {
  if (!compiled_ || !compiled_->filter.may_match(text)) return false;
  RE2::Set::ErrorInfo error{};
  return compiled_->set.Match(re2::StringPiece(text.data(), text.size()), nullptr, &error) ||
         error.kind != RE2::Set::kNoError;
}

Result<PatternMap> compile_map(const Params& params, std::string_view parameter) {
  PatternMap out;
  for (const auto& [name, text] : params.map(parameter)) {
    Result<Pattern> pattern = Pattern::compile(std::string(parameter) + "." + name, text);
    if (!pattern) return tl::unexpected(pattern.error());
    out.emplace(name, *std::move(pattern));
  }
  return out;
}

std::optional<std::int64_t> atoi(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (text.empty() || text.front() < '0' || text.front() > '9') return std::nullopt;
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return negative ? -value : value;
}

}  // namespace dockreeve::policy::rules
