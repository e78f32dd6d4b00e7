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

struct ParamDef {
  std::string name;
  ParamType type = ParamType::Text;
  ParamValue fallback;
  std::vector<std::string> one_of;       // Text limited to these, when not empty
  std::map<std::string, ParamValue> per_preset;  // "baseline" -> value, where presets differ
};

struct RuleEntry {
  std::string id, what, fields, message, notes, apis, group, pss;
  Severity severity = Severity::Medium;
  std::vector<std::string> cis;
  std::map<std::string, Mode> modes;     // "baseline" | "restricted" | "cis" -> mode
  std::vector<ParamDef> params;
  std::vector<std::string> lookups;      // "L2"
  bool has_code = false;                 // a RuleDef exists in this build
};

// In catalogue order. Built once; thread-safe.
std::span<const RuleEntry> catalogue();
const RuleEntry* find_rule(std::string_view id);

}  // namespace dockreeve::policy
