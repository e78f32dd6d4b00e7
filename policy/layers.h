// Folding: what several documents say about the rules, one over the other.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "policy/documents.h"

namespace dockreeve::policy {

// What has been said about one rule so far. Keys are folded one by one: what a later document
// leaves out stays as it was.
struct Partial {
  std::optional<Mode> mode;
  std::optional<Severity> severity;
  std::optional<std::string> message;
  std::optional<bool> error_denies;
  std::map<std::string, ParamValue> params;
  std::string policy;          // where the rule was last switched on
  std::string origin;          // file:line of the last setting; empty for presets
  std::optional<Spot> locked;  // where
  bool written = false;        // somewhere in a document, not only by a preset
};

// By index in the catalogue.
using Layer = std::map<std::size_t, Partial>;

std::size_t rule_index(const RuleEntry& rule);
Partial to_partial(const Setting& setting, const std::string& policy);

// Whether `over` would alter what is locked in `base`.
bool changes(const Partial& base, const Partial& over);

// Lays `over` on top. A locked rule stays as it is; `refused` hears about every rule that documents
// tried to alter nevertheless.
void fold(Layer& base, const Layer& over,
          const std::function<void(std::size_t, const Spot& lock)>& refused = {});

// A preset such as "baseline@1" as a layer; only what it switches on. Nothing when this build lacks
// code for a rule that the preset enforces: `missing` gets its id.
std::optional<Layer> preset_layer(std::string_view preset, std::string& missing);

// Names of presets with their version.
std::vector<std::string> preset_names();

// The rules of one caller from the folded layers, compiled. A rule that cannot be compiled for this
// caller denies whatever it would have looked at.
std::vector<CompiledRule> compile_rules(const Layer& layer, const Identity& who);

}  // namespace dockreeve::policy
