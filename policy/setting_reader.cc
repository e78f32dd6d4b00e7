#include "policy/setting_reader.h"

#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/text.h"
#include "base/units.h"
#include "policy/templates.h"

namespace dockreeve::policy {
namespace {

constexpr std::array<std::string_view, 4> kModes = {"enforce", "warn", "audit", "disabled"};
constexpr std::array<std::string_view, 4> kSeverities = {"low", "medium", "high", "critical"};
constexpr std::array<std::string_view, 2> kOnError = {"deny", "allow"};
constexpr std::array<std::string_view, 6> kCommonKeys = {"mode",   "severity",   "message",
                                                         "locked", "exceptable", "onError"};
constexpr std::string_view kNotYet = " is not supported by this version";

// Stands for a caller when a setting is tried out before there is one.
Identity sample_caller() {
  return {"sample", {"sample"}, {"sample"}, {}};
}

std::optional<ParamValue> report_value(const yaml::Entry& entry, const Error& error,
                                       Reporter& reporter) {
  reporter.error(reporter.spot(entry.value), "E109",
                 text::quoted(entry.key) + ": " + error.message);
  return std::nullopt;
}

std::optional<double> parse_decimal(std::string_view text) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  const bool shaped = !text.empty() && text.size() <= 32 && is_digit(text.front()) &&
                      is_digit(text.back()) && std::ranges::count(text, '.') <= 1 &&
                      std::ranges::all_of(text, [&](char c) { return is_digit(c) || c == '.'; });
  if (!shaped) return std::nullopt;
  double value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Whether placeholders are fine and the value is one of those allowed; reports at `node`.
bool check_text(const ParamDef& param, std::string_view text, const yaml::Node& node,
                Reporter& reporter) {
  const std::string bad = bad_placeholder(text, param.templates);
  if (!bad.empty()) {
    const bool nowhere = param.templates == Template::No;
    reporter.error(reporter.spot(node), "E115",
                   nowhere ? "templates are not allowed in " + text::quoted(param.name)
                           : "unknown template " + text::quoted(bad),
                   nowhere ? std::string() : "templates: team, role, identity");
    return false;
  }
  if (!param.one_of.empty() && std::ranges::find(param.one_of, text) == param.one_of.end()) {
    std::string hint = text::did_you_mean(text, param.one_of);
    if (!hint.empty()) hint += ' ';
    reporter.error(reporter.spot(node), "E107",
                   text::quoted(param.name) + " cannot be " + text::quoted(text),
                   hint + "one of: " + text::join(param.one_of, ", "));
    return false;
  }
  return true;
}

std::optional<ParamValue> read_one_text(const yaml::Entry& entry, const ParamDef& param,
                                        Reporter& reporter) {
  const auto text = read_text(entry, reporter);
  if (!text || !check_text(param, *text, entry.value, reporter)) return std::nullopt;
  if (param.type != ParamType::Regex) return *text;
  const auto filled = expand(*text, param.templates, sample_caller());
  const RE2 pattern(std::get<std::string>(filled), RE2::Quiet);
  if (pattern.ok()) return *text;
  reporter.error(reporter.spot(entry.value), "E114",
                 "not a regular expression: " + pattern.error());
  return std::nullopt;
}

std::optional<ParamValue> read_list(const yaml::Entry& entry, const ParamDef& param, Lists& lists,
                                    Reporter& reporter) {
  auto values = lists.splice(entry, reporter);
  if (!values) return std::nullopt;
  // Positions of spliced values are lost; those written here are checked where they stand.
  bool good = true;
  const bool as_written = values->size() == entry.value.items.size();
  for (std::size_t i = 0; i < values->size(); ++i) {
    const yaml::Node& node = as_written ? entry.value.items[i] : entry.value;
    good = check_text(param, (*values)[i], node, reporter) && good;
  }
  if (!good) return std::nullopt;
  return *std::move(values);
}

std::optional<ParamValue> read_map(const yaml::Entry& entry, const ParamDef& param,
                                   Reporter& reporter) {
  if (!expect_map(entry, reporter)) return std::nullopt;
  std::map<std::string, std::string> map;
  bool good = true;
  for (const yaml::Entry& item : entry.value.entries) {
    const auto text = read_text(item, reporter);
    good = text && check_text(param, *text, item.value, reporter) && good;
    if (text) map[item.key] = *text;
  }
  if (!good) return std::nullopt;
  return map;
}

std::optional<ParamValue> read_quantity(const yaml::Entry& entry, ParamType type,
                                        Reporter& reporter) {
  const auto text = read_text(entry, reporter);
  if (!text) return std::nullopt;
  if (type == ParamType::Decimal) {
    const auto value = parse_decimal(*text);
    if (!value) return report_value(entry, {{}, "not a number: " + text::quoted(*text)}, reporter);
    return *value;
  }
  const auto value = type == ParamType::Bytes ? parse_bytes(*text) : parse_duration(*text);
  if (!value) return report_value(entry, value.error(), reporter);
  return *value;
}

std::optional<ParamValue> read_param(const yaml::Entry& entry, const ParamDef& param, Lists& lists,
                                     Reporter& reporter) {
  switch (param.type) {
    case ParamType::Bool:
      return read_bool(entry, reporter);
    case ParamType::Int: {
      const auto value = yaml::as_int(entry.value);
      if (!value) {
        wrong_type(entry, "a whole number", reporter);
        return std::nullopt;
      }
      return *value;
    }
    case ParamType::Bytes:
    case ParamType::Duration:
    case ParamType::Decimal:
      return read_quantity(entry, param.type, reporter);
    case ParamType::Text:
    case ParamType::Regex:
      return read_one_text(entry, param, reporter);
    case ParamType::TextList:
      return read_list(entry, param, lists, reporter);
    case ParamType::TextMap:
      return read_map(entry, param, reporter);
  }
  return std::nullopt;
}

void unknown_param(const yaml::Entry& entry, const RuleEntry& rule, Reporter& reporter) {
  std::vector<std::string> params, candidates(kCommonKeys.begin(), kCommonKeys.end());
  for (const ParamDef& param : rule.params)
    params.push_back(param.name);
  candidates.insert(candidates.end(), params.begin(), params.end());
  std::string hint = text::did_you_mean(entry.key, candidates);
  if (!hint.empty()) hint += ' ';
  hint += params.empty() ? "it takes none" : "parameters: " + text::join(params, ", ");
  reporter.error(reporter.spot(entry), "E105",
                 "rule " + text::quoted(rule.id) + " has no parameter " + text::quoted(entry.key),
                 hint);
}

// The keys that every rule takes. False when the key is not one of them.
bool read_common(const yaml::Entry& entry, Setting& setting, Reporter& reporter) {
  if (entry.key == "mode") {
    setting.mode = read_mode(entry, reporter);
  } else if (entry.key == "severity") {
    if (const auto word = read_word(entry, reporter, kSeverities)) {
      setting.severity = parse_severity(*word);
    }
  } else if (entry.key == "message") {
    setting.message = read_text(entry, reporter);
  } else if (entry.key == "locked") {
    setting.locked = read_bool(entry, reporter).value_or(false);
  } else if (entry.key == "exceptable") {
    read_bool(entry, reporter);  // there are no exceptions yet, so every rule is safe from them
  } else if (entry.key == "onError") {
    if (const auto word = read_word(entry, reporter, kOnError)) {
      setting.error_denies = *word == "deny";
    }
  } else if (entry.key == "default" && setting.rule->can_inject) {
    reporter.error(reporter.spot(entry), "E111", "injecting a default" + std::string(kNotYet));
  } else {
    return false;
  }
  return true;
}

// Asks the rule itself what it thinks of its parameters.
void try_params(const Setting& setting, const std::map<std::string, Spot>& spots,
                Reporter& reporter) {
  const auto compile = find_compile(*setting.rule);
  if (compile == nullptr || setting.params.empty()) return;
  const auto check = compile(complete_params(*setting.rule, setting.params, sample_caller()));
  if (check) return;
  const std::string complaint = check.error().text();
  Spot spot = spots.size() == 1 ? spots.begin()->second : setting.spot;
  for (const auto& [name, at] : spots) {
    if (complaint.find(name) != std::string::npos) spot = at;
  }
  reporter.error(spot, "E114",
                 "rule " + text::quoted(setting.rule->id) + " refuses this: " + complaint);
}

void read_map_setting(const yaml::Entry& entry, Setting& setting, Lists& lists,
                      Reporter& reporter) {
  std::map<std::string, Spot> spots;
  for (const yaml::Entry& key : entry.value.entries) {
    if (read_common(key, setting, reporter)) continue;
    const auto param = std::ranges::find(setting.rule->params, key.key, &ParamDef::name);
    if (param == setting.rule->params.end()) {
      unknown_param(key, *setting.rule, reporter);
      continue;
    }
    auto value = read_param(key, *param, lists, reporter);
    if (!value) continue;
    spots[param->name] = reporter.spot(key);
    setting.params.insert_or_assign(param->name, *std::move(value));
  }
  try_params(setting, spots, reporter);
}

bool is_always(const RuleEntry& rule) {
  return rule.modes.at("baseline") == Mode::Always;
}

// Only the scalar `disabled` says nothing about a rule that cannot run.
bool switches_off(const yaml::Node& node) {
  const yaml::Entry* const mode = node.find("mode");
  const yaml::Node& value = mode == nullptr ? node : mode->value;
  return value.is_scalar() && value.text == name(Mode::Disabled);
}

bool check_available(const yaml::Entry& entry, const RuleEntry& rule, Reporter& reporter) {
  if (rule.has_code) return true;
  if (is_always(rule)) {
    reporter.error(reporter.spot(entry), "E110",
                   "rule " + text::quoted(rule.id) + " is always on and cannot be changed");
    return false;
  }
  if (!switches_off(entry.value)) {
    reporter.error(reporter.spot(entry), "E112",
                   "rule " + text::quoted(rule.id) + " is not available in this version");
  }
  return false;
}

// A warning is shown only where the Docker API has a place for it.
void check_visible(const yaml::Entry& entry, const Setting& setting, Reporter& reporter) {
  if (setting.mode != Mode::Warn) return;
  const std::string& apis = setting.rule->apis;
  constexpr std::array<std::string_view, 4> kShown = {"create", "update", "services", "all"};
  const bool shown = std::ranges::any_of(
      kShown, [&](std::string_view api) { return apis.find(api) != std::string::npos; });
  if (shown) return;
  reporter.warning(reporter.spot(entry), "W203",
                   "a warning of " + text::quoted(entry.key) + " is recorded but never shown",
                   "docker shows none for: " + apis);
}

std::optional<Setting> read_setting(const yaml::Entry& entry, Lists& lists, Reporter& reporter) {
  const RuleEntry* const rule = find_rule(entry.key);
  if (rule == nullptr) {
    std::vector<std::string> ids;
    for (const RuleEntry& known : catalogue())
      ids.push_back(known.id);
    reporter.error(reporter.spot(entry), "E104", "unknown rule " + text::quoted(entry.key),
                   text::did_you_mean(entry.key, ids));
    return std::nullopt;
  }
  if (!check_available(entry, *rule, reporter)) return std::nullopt;
  Setting setting;
  setting.rule = rule;
  setting.spot = reporter.spot(entry);
  if (entry.value.is_map()) {
    read_map_setting(entry, setting, lists, reporter);
  } else if (entry.value.is_scalar()) {
    setting.mode = read_mode(entry, reporter);
  } else {
    wrong_type(entry, "a mode or a map", reporter);
    return std::nullopt;
  }
  if (is_always(*rule) && setting.mode && setting.mode != Mode::Enforce) {
    reporter.error(setting.spot, "E110",
                   "rule " + text::quoted(rule->id) + " is always on and cannot be disabled");
  }
  check_visible(entry, setting, reporter);
  return setting;
}

}  // namespace

std::optional<Mode> read_mode(const yaml::Entry& entry, Reporter& reporter) {
  // Words that other tools read as booleans: say which mode each would be.
  constexpr std::array<std::string_view, 3> kOff = {"off", "false", "no"};
  constexpr std::array<std::string_view, 3> kOn = {"on", "true", "yes"};
  const std::string& word_text = entry.value.text;
  const bool off = std::ranges::find(kOff, word_text) != kOff.end();
  if (off || std::ranges::find(kOn, word_text) != kOn.end()) {
    reporter.error(reporter.spot(entry.value), "E107",
                   text::quoted(entry.key) + " cannot be " + text::quoted(word_text),
                   std::string("did you mean ") + (off ? "\"disabled\"" : "\"enforce\"") +
                       "? one of: " + listing(kModes));
    return std::nullopt;
  }
  const auto word = read_word(entry, reporter, kModes);
  return word ? parse_mode(*word) : std::nullopt;
}

std::vector<Setting> read_settings(const yaml::Entry& rules, Lists& lists, Reporter& reporter) {
  std::vector<Setting> settings;
  if (!expect_map(rules, reporter)) return settings;
  for (const yaml::Entry& entry : rules.value.entries) {
    if (auto setting = read_setting(entry, lists, reporter)) {
      settings.push_back(*std::move(setting));
    }
  }
  return settings;
}

Params complete_params(const RuleEntry& rule, const std::map<std::string, ParamValue>& given,
                       const Identity& who) {
  Params params;
  for (const ParamDef& param : rule.params) {
    const auto it = given.find(param.name);
    params.set(param.name,
               expand(it == given.end() ? param.fallback : it->second, param.templates, who));
  }
  return params;
}

Result<Check> (*find_compile(const RuleEntry& rule))(const Params&) {
  const auto defs = rule_defs();
  const auto it = std::ranges::find(defs, rule.id, &RuleDef::id);
  return it == defs.end() ? nullptr : it->compile;
}

}  // namespace dockreeve::policy
