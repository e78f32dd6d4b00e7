// Policy documents as they were written, with positions: what policy_file.cc reads and compile.cc
// puts together.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "policy/catalogue.h"
#include "policy/diagnostics.h"
#include "policy/identities.h"

namespace dockreeve::policy {

// What one document says about one rule; whatever is empty is left as it was.
struct Setting {
  const RuleEntry* rule = nullptr;  // never null
  Spot spot;
  std::optional<Mode> mode;
  std::optional<Severity> severity;
  std::optional<std::string> message;
  std::optional<bool> error_denies;
  bool locked = false;
  std::map<std::string, ParamValue> params;  // lists spliced, templates not yet filled
};

// A name that must be found elsewhere.
struct Ref {
  std::string name;
  Spot spot;
};

struct PolicyDocument {
  std::string name;
  Spot spot;  // of the name
  std::vector<Ref> extends;
  std::vector<Setting> rules;
};

struct Subjects {
  bool everyone = false;
  std::vector<Ref> teams, roles, identities;  // identities: globs
  std::shared_ptr<const Subjects> except;
};

struct BindingDocument {
  std::string name;
  Spot spot;
  Subjects subjects;
  std::vector<Ref> policies;
  std::vector<Setting> params;
  std::optional<Mode> cap;
};

struct Documents {
  std::optional<Identities> identities;
  std::vector<PolicyDocument> policies;
  std::vector<BindingDocument> bindings;
  // False when something could not be read at all: what seems missing may only be unreadable.
  bool complete = true;
};

// Reads every document of the texts (pairs of a display name and the content). All mistakes that
// can be seen without looking at another document are reported.
Documents read_documents(const std::vector<std::pair<std::string, std::string>>& files,
                         std::vector<Diagnostic>& diagnostics);

}  // namespace dockreeve::policy
