// `dockreeve audit`: the log read back.
#pragma once

namespace CLI {
class App;
}

namespace dockreeve::app {

// Adds `audit verify FILE…` and `audit show ID --file F`. The chosen one runs while `app` parses
// and leaves the exit code in `*exit_code`: 0 in order, 1 broken or no such record, 65 unreadable,
// 66 no such file. Both arguments must outlive the parsing.
void add_audit_command(CLI::App& app, int* exit_code);

}  // namespace dockreeve::app
