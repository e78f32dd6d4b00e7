// `dockreeve certs`: the small PKI from the command line.
#pragma once

namespace CLI {
class App;
}

namespace dockreeve::app {

// Adds `certs` with init, issue, revoke and list below `app`. When one of them runs it sets
// `exit_code`: 0 done, 1 refused (standard error says why), 64 wrong usage, 66 no PKI there,
// 70 a file or the disk failed. Both arguments must outlive the parsing.
void add_certs_command(CLI::App& app, int* exit_code);

}  // namespace dockreeve::app
