#include "policy/templates.h"

#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <optional>
#include <type_traits>

#include "base/text.h"

namespace dockreeve::policy {
namespace {

constexpr std::array<std::string_view, 3> kNames = {"team", "role", "identity"};
constexpr std::string_view kNever = "[^\\x00-\\x{10FFFF}]";  // a class without members

struct Placeholder {
  std::size_t start = 0, size = 0;
  std::string_view name;
};

bool is_word(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '_' || c == ' ';
  });
}

// The next "{{word}}"; other double braces ("\{{2}" in a regular expression) are text.
std::optional<Placeholder> find_placeholder(std::string_view text) {
  for (std::size_t start = text.find("{{"); start != std::string_view::npos;
       start = text.find("{{", start + 1)) {
    const std::size_t end = text.find("}}", start);
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view name = text.substr(start + 2, end - start - 2);
    if (is_word(name)) return Placeholder{start, end + 2 - start, name};
  }
  return std::nullopt;
}

template <class Visit>
void each_placeholder(std::string_view text, Visit visit) {
  while (const auto placeholder = find_placeholder(text)) {
    visit(placeholder->name);
    text.remove_prefix(placeholder->start + placeholder->size);
  }
}

Uses uses_of_text(std::string_view text) {
  Uses result;
  each_placeholder(text, [&](std::string_view name) {
    result.team = result.team || name == "team";
    result.role = result.role || name == "role";
    result.identity = result.identity || name == "identity";
  });
  return result;
}

// Letters, digits and a few marks that are no syntax in globs, paths or image references.
bool is_plain(std::string_view value) {
  const bool harmless = std::ranges::all_of(value, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  });
  return harmless && !value.starts_with('.') && value.find("..") == std::string_view::npos;
}

std::vector<std::string> values_for(std::string_view name, const Identity& who, Template target) {
  std::vector<std::string> values;
  if (name == "team") {
    values = who.teams;
  } else if (name == "role") {
    values = who.roles;
  } else {
    values = {who.name};
  }
  if (target == Template::Regex) {
    for (std::string& value : values)
      value = RE2::QuoteMeta(value);
  } else {
    std::erase_if(values, [](const std::string& value) { return !is_plain(value); });
  }
  return values;
}

std::string expand_regex(std::string_view text, const Identity& who) {
  std::string out;
  while (const auto placeholder = find_placeholder(text)) {
    const auto values = values_for(placeholder->name, who, Template::Regex);
    out += text.substr(0, placeholder->start);
    out += values.empty() ? std::string(kNever) : "(?:" + text::join(values, "|") + ")";
    text.remove_prefix(placeholder->start + placeholder->size);
  }
  return out.append(text);
}

// Every way to fill one kind of placeholder at a time, so that two {{team}} in an entry are the
// same team.
std::vector<std::string> expand_entry(const std::string& entry, Template target,
                                      const Identity& who) {
  std::vector<std::string> results = {entry};
  for (const std::string_view name : kNames) {
    const std::string placeholder = "{{" + std::string(name) + "}}";
    if (entry.find(placeholder) == std::string::npos) continue;
    std::vector<std::string> filled;
    for (const std::string& value : values_for(name, who, target)) {
      for (const std::string& result : results) {
        filled.push_back(text::replace_all(result, placeholder, value));
      }
    }
    results = std::move(filled);
  }
  return results;
}

std::vector<std::string> expand_list(const std::vector<std::string>& list, Template target,
                                     const Identity& who) {
  std::vector<std::string> result;
  for (const std::string& entry : list) {
    if (target == Template::Regex) {
      result.push_back(expand_regex(entry, who));
    } else {
      std::ranges::move(expand_entry(entry, target, who), std::back_inserter(result));
    }
  }
  return result;
}

}  // namespace

std::string bad_placeholder(std::string_view text, Template allowed) {
  std::string bad;
  each_placeholder(text, [&](std::string_view name) {
    const bool known = std::ranges::find(kNames, name) != kNames.end();
    if (bad.empty() && (!known || allowed == Template::No)) bad = name;
  });
  return bad;
}

Uses& Uses::operator|=(const Uses& other) {
  team = team || other.team;
  role = role || other.role;
  identity = identity || other.identity;
  return *this;
}

Uses uses(const ParamValue& value) {
  Uses result;
  if (const auto* text = std::get_if<std::string>(&value)) result |= uses_of_text(*text);
  if (const auto* list = std::get_if<std::vector<std::string>>(&value)) {
    for (const std::string& entry : *list)
      result |= uses_of_text(entry);
  }
  if (const auto* map = std::get_if<std::map<std::string, std::string>>(&value)) {
    for (const auto& [key, text] : *map)
      result |= uses_of_text(text);
  }
  return result;
}

ParamValue expand(const ParamValue& value, Template target, const Identity& who) {
  if (target == Template::No) return value;
  if (const auto* list = std::get_if<std::vector<std::string>>(&value)) {
    return expand_list(*list, target, who);
  }
  if (const auto* text = std::get_if<std::string>(&value)) return expand_regex(*text, who);
  if (const auto* map = std::get_if<std::map<std::string, std::string>>(&value)) {
    std::map<std::string, std::string> filled;
    for (const auto& [key, text] : *map)
      filled[key] = expand_regex(text, who);
    return filled;
  }
  return value;
}

}  // namespace dockreeve::policy
