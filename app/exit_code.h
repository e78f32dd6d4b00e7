// Exit codes, the same for every subcommand.
#pragma once

namespace dockreeve::app {

enum ExitCode {
  kClean = 0,         // allow, no findings
  kFindings = 1,      // lint errors, evaluation says deny
  kWarnings = 2,      // only warnings, and --strict was given
  kUsage = 64,        // wrong command line
  kBadInput = 65,     // input unreadable or invalid
  kNoFile = 66,       // file not found
  kUnavailable = 69,  // engine or gateway not reachable
  kInternal = 70,     // internal error
  kBadPolicy = 78,    // policies invalid, so nothing could be evaluated
};

}  // namespace dockreeve::app
