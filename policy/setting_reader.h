// The `rules:` and `params:` maps of policy documents: rule settings with typed parameters, and the
// lists that they splice in.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "policy/documents.h"

namespace dockreeve::policy {

// The `lists:` of one policy. An entry may be `$other`, which splices another list in. Points into
// the document, which must stay alive.
class Lists {
 public:
  Lists() = default;
  // Reads and splices; unknown names (E301) and lists that contain themselves (E306) are reported.
  Lists(const yaml::Entry& lists, Reporter& reporter);

  // The texts of a list in which `$name` may stand for a list; nothing after a report.
  std::optional<std::vector<std::string>> splice(const yaml::Entry& list, Reporter& reporter);
  // W201 for every list that nothing has asked for.
  void report_unused(Reporter& reporter) const;

 private:
  struct List {
    const yaml::Entry* source = nullptr;
    std::vector<std::string> values;
    bool used = false, done = false, open = false;
  };
  List* find(std::string_view reference, const yaml::Node& at, Reporter& reporter);
  void resolve(List& list, Reporter& reporter);
  bool append(const yaml::Entry& list, std::vector<std::string>& values, Reporter& reporter);

  std::map<std::string, List, std::less<>> lists_;
};

// Reads a map from rule id to setting. Settings that are wrong are left out or, when only a part is
// wrong, kept without that part; everything wrong is reported.
std::vector<Setting> read_settings(const yaml::Entry& rules, Lists& lists, Reporter& reporter);

std::optional<Mode> read_mode(const yaml::Entry& entry, Reporter& reporter);

// Every parameter of a rule for one caller: `given` where it has a value, the catalogue's default
// otherwise, templates filled.
Params complete_params(const RuleEntry& rule, const std::map<std::string, ParamValue>& given,
                       const Identity& who);

// The function that makes a rule's check; null when this build has no code for it.
Result<Check> (*find_compile(const RuleEntry& rule))(const Params&);

}  // namespace dockreeve::policy
