// Reads the compiled-in catalogue. Everything here is our own data: a mistake in it is a bug, found
// by the first test that asks for the catalogue.
#include "policy/catalogue.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "base/units.h"
#include "policy/rule.h"

#if defined(__clang__)
// A string literal longer than the standard's minimum; every compiler we build with takes it.
#pragma clang diagnostic ignored "-Woverlength-strings"
#endif
#include "policy/catalogue_data.h"

namespace dockreeve::policy {
namespace {

using Json = nlohmann::json;

[[noreturn]] void broken(const std::string& what) {
  throw std::logic_error("catalogue.json: " + what);
}

template <class T>
T checked(Result<T> result) {
  if (!result) broken(result.error().text());
  return *std::move(result);
}

struct TypeName {
  std::string_view name;
  ParamType type;
};

constexpr TypeName kTypes[] = {
    {"bool", ParamType::Bool},
    {"int", ParamType::Int},
    {"bytes", ParamType::Bytes},
    {"duration", ParamType::Duration},
    {"decimal", ParamType::Decimal},
    {"string", ParamType::Text},
    {"portrange", ParamType::Text},
    {"regex", ParamType::Regex},
    {"list<string>", ParamType::TextList},
    {"list<path>", ParamType::TextList},
    {"list<cidr>", ParamType::TextList},
    {"list<capability>", ParamType::TextList},
    {"list<regex>", ParamType::TextList},
    {"list<map>", ParamType::TextList},
    {"map<string,string>", ParamType::TextMap},
    {"map<string,int>", ParamType::TextMap},
};

std::vector<std::string> split_words(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(','), text.size());
    words.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

// "enum(team,identity)" and "list<enum(pid,ipc)>" carry their values in the name.
void read_type(std::string_view name, ParamDef& param) {
  const std::size_t open = name.find("enum(");
  if (open != std::string_view::npos) {
    const std::size_t start = open + 5;
    param.type = open == 0 ? ParamType::Text : ParamType::TextList;
    param.one_of = split_words(name.substr(start, name.find(')') - start));
    return;
  }
  const auto* const known = std::ranges::find(kTypes, name, &TypeName::name);
  if (known == std::end(kTypes)) broken("unknown type " + std::string(name));
  param.type = known->type;
}

ParamValue read_value(ParamType type, const Json& json) {
  switch (type) {
    case ParamType::Bool:
      return json.get<bool>();
    case ParamType::Int:
      return json.get<std::int64_t>();
    case ParamType::Bytes:
      return checked(parse_bytes(json.get<std::string>()));
    case ParamType::Duration:
      return checked(parse_duration(json.get<std::string>()));
    case ParamType::Decimal:
      return json.get<double>();
    case ParamType::Text:
    case ParamType::Regex:
      return json.get<std::string>();
    case ParamType::TextList:
      return json.get<std::vector<std::string>>();
    case ParamType::TextMap: {
      std::map<std::string, std::string> map;
      for (const auto& [key, value] : json.items()) {
        map[key] = value.is_string() ? value.get<std::string>() : value.dump();
      }
      return map;
    }
  }
  broken("unknown type");
}

Template read_template(const std::string& name) {
  if (name.empty()) return Template::No;
  if (name == "glob") return Template::Glob;
  if (name == "path") return Template::Path;
  if (name == "regex") return Template::Regex;
  broken("unknown template kind " + name);
}

ParamDef read_param(const std::string& name, const Json& json) {
  ParamDef param;
  param.name = name;
  read_type(json.at("type").get<std::string>(), param);
  param.fallback = read_value(param.type, json.at("default"));
  param.templates = read_template(json.value("templatable", ""));
  if (json.contains("presets")) {
    for (const auto& [preset, value] : json.at("presets").items()) {
      param.per_preset.emplace(preset, read_value(param.type, value));
    }
  }
  return param;
}

Mode read_mode(const std::string& text) {
  if (text == name(Mode::Always)) return Mode::Always;
  const auto mode = parse_mode(text);
  if (!mode) broken("unknown mode " + text);
  return *mode;
}

RuleEntry read_rule(const Json& json) {
  RuleEntry rule;
  rule.id = json.at("id").get<std::string>();
  rule.what = json.at("what").get<std::string>();
  rule.fields = json.at("fields").get<std::string>();
  rule.message = json.at("message").get<std::string>();
  rule.fix = json.value("fix", "");
  rule.notes = json.at("notes").get<std::string>();
  rule.apis = json.at("apis").get<std::string>();
  rule.group = json.at("group").get<std::string>();
  rule.pss = json.at("pss").get<std::string>();
  const auto severity = parse_severity(json.at("severity").get<std::string>());
  if (!severity) broken("unknown severity in " + rule.id);
  rule.severity = *severity;
  rule.cis = json.at("cis").get<std::vector<std::string>>();
  rule.lookups = json.at("lookups").get<std::vector<std::string>>();
  for (const auto& [preset, mode] : json.at("modes").items()) {
    rule.modes[preset] = read_mode(mode.get<std::string>());
  }
  for (const auto& [name, param] : json.at("parameters").items()) {
    rule.params.push_back(read_param(name, param));
  }
  rule.can_inject = json.at("canInject").is_string();
  rule.has_code = std::ranges::find(rule_defs(), rule.id, &RuleDef::id) != rule_defs().end();
  return rule;
}

std::vector<RuleEntry> read_catalogue() {
  const Json json = Json::parse(std::string_view(kCatalogueJson));
  std::vector<RuleEntry> rules;
  for (const Json& rule : json.at("rules"))
    rules.push_back(read_rule(rule));
  return rules;
}

}  // namespace

std::span<const RuleEntry> catalogue() {
  static const std::vector<RuleEntry> rules = read_catalogue();
  return rules;
}

std::string_view catalogue_text() {
  return kCatalogueJson;
}

const RuleEntry* find_rule(std::string_view id) {
  static const auto index = [] {
    std::map<std::string_view, const RuleEntry*> by_id;
    for (const RuleEntry& rule : catalogue())
      by_id.emplace(rule.id, &rule);
    return by_id;
  }();
  const auto it = index.find(id);
  return it == index.end() ? nullptr : it->second;
}

std::optional<Mode> parse_mode(std::string_view text) {
  for (const Mode mode : {Mode::Disabled, Mode::Audit, Mode::Warn, Mode::Enforce}) {
    if (text == name(mode)) return mode;
  }
  return std::nullopt;
}

std::optional<Severity> parse_severity(std::string_view text) {
  for (const Severity severity :
       {Severity::Low, Severity::Medium, Severity::High, Severity::Critical}) {
    if (text == name(severity)) return severity;
  }
  return std::nullopt;
}

}  // namespace dockreeve::policy
