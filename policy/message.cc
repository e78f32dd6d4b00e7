#include "policy/message.h"

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "base/units.h"

namespace dockreeve::policy {
namespace {

ParamType type_of(const RuleEntry* rule, std::string_view name) {
  if (!rule) return ParamType::Text;
  const auto it = std::find_if(rule->params.begin(), rule->params.end(),
                               [name](const ParamDef& param) { return param.name == name; });
  return it == rule->params.end() ? ParamType::Text : it->type;
}

std::string spell(double value) {
  constexpr double kNano = 1e9;
  return format_cpus(static_cast<std::int64_t>(std::llround(value * kNano)));
}

std::string spell_map(const std::map<std::string, std::string>& map) {
  std::string out;
  for (const auto& [key, value] : map) {
    if (!out.empty()) out += ", ";
    out += key;
  }
  return out;
}

std::string spell(const ParamValue& value, ParamType type) {
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "";
  if (const auto* number = std::get_if<std::int64_t>(&value)) {
    if (type == ParamType::Bytes) return format_bytes(*number);
    if (type == ParamType::Duration) return format_duration(*number);
    return std::to_string(*number);
  }
  if (const auto* decimal = std::get_if<double>(&value)) return spell(*decimal);
  if (const auto* list = std::get_if<std::vector<std::string>>(&value)) {
    return list->empty() ? "none" : text::join(*list, ", ");
  }
  if (const auto* map = std::get_if<std::map<std::string, std::string>>(&value)) {
    return map->empty() ? "none" : spell_map(*map);
  }
  return std::get<std::string>(value);
}

std::string look_up(std::string_view name, const MessageSource& source) {
  constexpr std::string_view kParam = "param.";
  const bool param = name.starts_with(kParam);
  if (param) name.remove_prefix(kParam.size());
  if (!param) {
    for (const Vars* vars : {source.vars, source.context}) {
      if (!vars) continue;
      if (const auto it = vars->find(name); it != vars->end()) return it->second;
    }
  }
  if (!source.params) return {};
  const auto it = source.params->all().find(name);
  return it == source.params->all().end() ? "" : spell(it->second, type_of(source.rule, name));
}

}  // namespace

std::string fill_message(std::string_view text, const MessageSource& source) {
  std::string out;
  bool hidden = false;  // inside a section that is left out
  while (!text.empty()) {
    const std::size_t open = text.find("{{");
    const std::size_t close = open == std::string_view::npos ? open : text.find("}}", open);
    if (!hidden) out += text.substr(0, close == std::string_view::npos ? text.size() : open);
    if (close == std::string_view::npos) break;
    const std::string_view name = text.substr(open + 2, close - open - 2);
    text.remove_prefix(close + 2);
    if (name == "/") {
      hidden = false;
    } else if (name.starts_with('#')) {
      hidden = look_up(name.substr(1), source).empty();
    } else if (!hidden) {
      out += look_up(name, source);
    }
  }
  // A value from the request must not be able to fake another line of a denial.
  std::replace_if(
      out.begin(), out.end(),
      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, ' ');
  return out;
}

}  // namespace dockreeve::policy
