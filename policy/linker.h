// Looks up what documents refer to and folds each policy and each binding into one layer.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "policy/layers.h"

namespace dockreeve::policy {

// A binding with its policies and parameters folded and its cap applied.
struct Bound {
  std::string name;
  Subjects subjects;
  std::vector<std::string> policies;
  Layer layer;
};

// Reports unknown names (E302-E304), cycles (E305), attempts on locked rules (E131), unused
// policies and whatever else only all documents together can show. In file order.
std::vector<Bound> link(const Documents& documents, std::vector<Diagnostic>& diagnostics);

}  // namespace dockreeve::policy
