#include "policy/layers.h"

#include <algorithm>
#include <array>
#include <utility>

#include "policy/setting_reader.h"

namespace dockreeve::policy {
namespace {

constexpr std::array<std::string_view, 3> kPresets = {"baseline", "restricted", "cis"};
constexpr std::string_view kVersion = "@1";

bool is_always(const RuleEntry& rule) {
  return rule.modes.at("baseline") == Mode::Always;
}

void merge(Partial& base, const Partial& over) {
  if (over.mode) {
    base.mode = over.mode;
    if (over.mode != Mode::Disabled) base.policy = over.policy;
  }
  if (over.severity) base.severity = over.severity;
  if (over.message) base.message = over.message;
  if (over.error_denies) base.error_denies = over.error_denies;
  for (const auto& [name, value] : over.params)
    base.params.insert_or_assign(name, value);
  if (over.locked) base.locked = over.locked;
  base.origin = over.origin;
  base.written = base.written || over.written;
}

// Stands in for a rule that could not be made: it objects to everything, and says why.
Check refusing_check(Error why) {
  Check check;
  check.run = [why = std::move(why)](const Input&, Report& report) {
    report.lookup_failed("", why);
  };
  return check;
}

CompiledRule compile_rule(const RuleEntry& rule, const Partial& partial, const Identity& who) {
  CompiledRule compiled;
  compiled.id = rule.id;
  compiled.mode = is_always(rule) ? Mode::Always : partial.mode.value_or(Mode::Disabled);
  compiled.severity = partial.severity.value_or(rule.severity);
  compiled.policy = is_always(rule) ? "built-in" : partial.policy;
  compiled.origin = partial.origin;
  compiled.message = partial.message.value_or(rule.message);
  compiled.error_denies = partial.error_denies.value_or(true);
  auto params = std::make_shared<const Params>(complete_params(rule, partial.params, who));
  auto check = find_compile(rule)(*params);
  if (!check) compiled.error_denies = true;
  compiled.check = check ? *std::move(check) : refusing_check(check.error());
  compiled.params = std::move(params);
  return compiled;
}

}  // namespace

std::size_t rule_index(const RuleEntry& rule) {
  return static_cast<std::size_t>(&rule - catalogue().data());
}

Partial to_partial(const Setting& setting, const std::string& policy) {
  Partial partial;
  partial.mode = setting.mode;
  partial.severity = setting.severity;
  partial.message = setting.message;
  partial.error_denies = setting.error_denies;
  partial.params = setting.params;
  partial.policy = policy;
  partial.origin = short_origin(setting.spot);
  if (setting.locked) partial.locked = setting.spot;
  partial.written = true;
  return partial;
}

bool changes(const Partial& base, const Partial& over) {
  const auto differs = [](const auto& was, const auto& becomes) {
    return becomes.has_value() && was != becomes;
  };
  if (differs(base.mode, over.mode) || differs(base.severity, over.severity) ||
      differs(base.message, over.message) || differs(base.error_denies, over.error_denies)) {
    return true;
  }
  return std::ranges::any_of(over.params, [&](const auto& param) {
    const auto it = base.params.find(param.first);
    return it == base.params.end() || it->second != param.second;
  });
}

void fold(Layer& base, const Layer& over,
          const std::function<void(std::size_t, const Spot& lock)>& refused) {
  for (const auto& [index, partial] : over) {
    const auto it = base.find(index);
    if (it == base.end()) {
      base.emplace(index, partial);
    } else if (!it->second.locked) {
      merge(it->second, partial);
    } else if (refused && partial.written && changes(it->second, partial)) {
      refused(index, *it->second.locked);
    }
  }
}

std::vector<std::string> preset_names() {
  std::vector<std::string> names;
  for (const std::string_view preset : kPresets) {
    names.push_back(std::string(preset).append(kVersion));
  }
  return names;
}

std::optional<Layer> preset_layer(std::string_view preset, std::string& missing) {
  const std::string base(preset.substr(0, preset.find('@')));
  Layer layer;
  for (const RuleEntry& rule : catalogue()) {
    const Mode mode = rule.modes.at(base);
    if (mode == Mode::Always || mode == Mode::Disabled) continue;
    if (!rule.has_code) {
      // The floor must be whole; elsewhere a missing warning weakens nothing.
      if (mode != Mode::Enforce && base != kPresets[0]) continue;
      missing = rule.id;
      return std::nullopt;
    }
    Partial& partial = layer[rule_index(rule)];
    partial.mode = mode;
    partial.policy = preset;
    for (const ParamDef& param : rule.params) {
      const auto special = param.per_preset.find(base);
      if (special != param.per_preset.end()) partial.params[param.name] = special->second;
    }
  }
  return layer;
}

std::vector<CompiledRule> compile_rules(const Layer& layer, const Identity& who) {
  static const Partial kNothingSaid;
  std::vector<CompiledRule> rules;
  for (const RuleEntry& rule : catalogue()) {
    if (!rule.has_code) continue;
    const auto it = layer.find(rule_index(rule));
    const Partial& partial = it == layer.end() ? kNothingSaid : it->second;
    const bool on = partial.mode && partial.mode != Mode::Disabled;
    if (on || is_always(rule)) rules.push_back(compile_rule(rule, partial, who));
  }
  return rules;
}

}  // namespace dockreeve::policy
