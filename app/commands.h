// Subcommands. Each add_* function registers one below `app`; when it runs it sets `exit_code`
// (app/exit_code.h). Both arguments outlive the parsing.
#pragma once

#include <CLI/CLI.hpp>

#include "app/cmd_audit.h"
#include "app/cmd_certs.h"

namespace dockreeve::app {

void add_serve_command(CLI::App& app, int* exit_code);
void add_check_command(CLI::App& app, int* exit_code);
void add_eval_command(CLI::App& app, int* exit_code);
void add_rules_command(CLI::App& app, int* exit_code);
void add_version_command(CLI::App& app, int* exit_code);

}  // namespace dockreeve::app
