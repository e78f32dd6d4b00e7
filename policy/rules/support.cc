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

Result<Pattern> Pattern::compile(std::string_view parameter, const std::string& text) {
  auto re = std::make_shared<const RE2>(anchored(text), options());
  if (!re->ok()) return fail(std::string(parameter), "is not a valid pattern: " + re->error());
  return Pattern(std::move(re));
}

Result<PatternSet> PatternSet::compile(std::string_view parameter,
                                       std::span<const std::string> texts) {
  if (texts.empty()) return PatternSet(nullptr);
  auto set = std::make_shared<RE2::Set>(options(), RE2::UNANCHORED);
  for (const std::string& text : texts) {
    std::string error;
    if (set->Add(anchored(text), &error) < 0) {
      return fail(std::string(parameter), "is not a valid pattern: " + error);
    }
  }
  if (!set->Compile()) return fail(std::string(parameter), "has too many patterns");
  return PatternSet(std::move(set));
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
