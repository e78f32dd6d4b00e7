// Reading what the user names on the command line.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "policy/policy_set.h"

namespace dockreeve::app {

// A whole file, or standard input for "-". The error's `where` is the path.
Result<std::string> read_input(const std::string& path);

// Prints each diagnostic with its source line to standard error; returns the number of errors.
int print_diagnostics(const std::vector<policy::Diagnostic>& diagnostics);

}  // namespace dockreeve::app
