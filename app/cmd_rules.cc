// `dockreeve rules`: the catalogue, for people who write policies.
#include <algorithm>
#include <iostream>
#include <memory>
#include <string>

#include <nlohmann/json.hpp>

#include "app/commands.h"
#include "app/exit_code.h"
#include "base/text.h"
#include "policy/catalogue.h"

namespace dockreeve::app {
namespace {

struct ListOptions {
  std::string preset, cis, format = "text";
};

std::string mode_in(const policy::RuleEntry& rule, const std::string& preset) {
  const auto it = rule.modes.find(preset);
  return it == rule.modes.end() ? "disabled" : std::string(policy::name(it->second));
}

bool selected(const policy::RuleEntry& rule, const ListOptions& options) {
  if (!options.preset.empty() && mode_in(rule, options.preset) == "disabled") return false;
  if (!options.cis.empty() && std::find(rule.cis.begin(), rule.cis.end(), options.cis) == rule.cis.end()) return false;
  return true;
}

int list(const ListOptions& options) {
  nlohmann::json rows = nlohmann::json::array();
  for (const policy::RuleEntry& rule : policy::catalogue()) {
    if (!selected(rule, options)) continue;
    if (options.format == "json") {
      rows.push_back({{"id", rule.id},
                      {"severity", policy::name(rule.severity)},
                      {"what", rule.what},
                      {"cis", rule.cis},
                      {"pss", rule.pss},
                      {"modes", {{"baseline@1", mode_in(rule, "baseline")}, {"restricted@1", mode_in(rule, "restricted")}, {"cis@1", mode_in(rule, "cis")}}},
                      {"available", rule.has_code || mode_in(rule, "baseline") == "always"}});
      continue;
    }
    std::cout << rule.id << std::string(rule.id.size() < 32 ? 32 - rule.id.size() : 1, ' ') << rule.what << "\n";
  }
  if (options.format == "json") {
    const nlohmann::json out = {{"schemaVersion", 1}, {"rules", rows}};
    std::cout << out.dump(2) << "\n";
  }
  return kClean;
}

int show(const std::string& id) {
  const policy::RuleEntry* rule = policy::find_rule(id);
  if (!rule) {
    std::vector<std::string> known;
    for (const policy::RuleEntry& entry : policy::catalogue()) known.push_back(entry.id);
    std::cerr << "dockreeve: there is no rule `" << id << "`; " << text::did_you_mean(id, known) << "\n";
    return kBadInput;
  }
  std::cout << rule->id << "  (" << policy::name(rule->severity) << ")\n  " << rule->what << "\n\n"
            << "  reads     " << rule->fields << "\n  applies   " << rule->apis << "\n  message   " << rule->message << "\n";
  for (const char* preset : {"baseline", "restricted", "cis"}) {
    std::cout << "  " << preset << "@1" << std::string(11 - std::string(preset).size(), ' ') << mode_in(*rule, preset) << "\n";
  }
  if (!rule->cis.empty()) std::cout << "  CIS       " << text::join(rule->cis, ", ") << "\n";
  if (!rule->pss.empty()) std::cout << "  PSS       " << rule->pss << "\n";
  for (const policy::ParamDef& param : rule->params) std::cout << "  parameter " << param.name << "\n";
  if (!rule->notes.empty()) std::cout << "\n  " << rule->notes << "\n";
  return kClean;
}

}  // namespace

void add_rules_command(CLI::App& app, int* exit_code) {
  CLI::App* command = app.add_subcommand("rules", "Show the rule catalogue");
  command->require_subcommand(1);

  CLI::App* list_command = command->add_subcommand("list", "One line a rule");
  auto options = std::make_shared<ListOptions>();
  list_command->add_option("--preset", options->preset, "only rules that are on in it")->check(CLI::IsMember({"baseline", "restricted", "cis"}));
  list_command->add_option("--cis", options->cis, "only rules of that CIS Docker Benchmark 1.6.0 item, e.g. 5.4");
  list_command->add_option("-o,--output", options->format, "text or json")->check(CLI::IsMember({"text", "json"}));
  list_command->callback([options, exit_code] { *exit_code = list(*options); });

  CLI::App* show_command = command->add_subcommand("show", "Everything about one rule");
  auto id = std::make_shared<std::string>();
  show_command->add_option("ID", *id, "rule id")->required();
  show_command->callback([id, exit_code] { *exit_code = show(*id); });
}

}  // namespace dockreeve::app
