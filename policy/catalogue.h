// The rule catalogue as data: policy/catalogue.json, compiled in.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "policy/finding.h"
#include "policy/params.h"

namespace dockreeve::policy {

enum class ParamType : std::uint8_t { Bool, Int, Bytes, Duration, Decimal, Text, Regex, TextList, TextMap };

// Whether {{team}}, {{role}} and {{identity}} may stand in a parameter, and what a value must be
// escaped for.
enum class Template : std::uint8_t { No, Glob, Path, Regex };

struct ParamDef {
  std::string name;
  ParamType type = ParamType::Text;
  ParamValue fallback;
  std::vector<std::string> one_of;       // Text, or elements of TextList, limited to these
  Template templates = Template::No;
  std::map<std::string, ParamValue> per_preset;  // "baseline" -> value, where presets differ
};

struct RuleEntry {
  std::string id, what, fields, message, notes, apis, group, pss;
  std::string fix;                       // docker flag that mends it: a template like `message`
  Severity severity = Severity::Medium;
  std::vector<std::string> cis;
  std::map<std::string, Mode> modes;     // "baseline" | "restricted" | "cis" -> mode
  std::vector<ParamDef> params;
  std::vector<std::string> lookups;      // "L2"
  bool can_inject = false;               // a later version may supply what is missing (`default:`)
  bool has_code = false;                 // a RuleDef exists in this build
};

// In catalogue order. Built once; thread-safe.
std::span<const RuleEntry> catalogue();
// The catalogue as it was compiled in.
std::string_view catalogue_text();

const RuleEntry* find_rule(std::string_view id);

std::optional<Mode> parse_mode(std::string_view text);          // "enforce"; never Mode::Always
std::optional<Severity> parse_severity(std::string_view text);  // "critical"

}  // namespace dockreeve::policy
