// `dockreeve check`: are these policies (or this gateway file and all it names) sound?
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "app/commands.h"
#include "app/exit_code.h"
#include "app/files.h"
#include "config/gateway_config.h"
#include "policy/policy_set.h"
#include "proxy/snapshot.h"

namespace dockreeve::app {
namespace {

struct CheckOptions {
  std::vector<std::string> paths;
  std::string config;
  std::string format = "text";
  bool strict = false;
};

void print_json(const std::vector<policy::Diagnostic>& diagnostics, const std::vector<std::string>& problems) {
  nlohmann::json out = {{"schemaVersion", 1}, {"diagnostics", nlohmann::json::array()}};
  for (const policy::Diagnostic& d : diagnostics) {
    out["diagnostics"].push_back({{"level", d.error ? "error" : "warning"},
                                  {"file", d.file},
                                  {"line", d.line},
                                  {"column", d.column},
                                  {"code", d.code},
                                  {"message", d.message},
                                  {"hint", d.hint}});
  }
  if (!problems.empty()) out["problems"] = problems;
  std::cout << out.dump(2) << "\n";
}

int check(const CheckOptions& options) {
  std::vector<policy::Diagnostic> diagnostics;
  std::vector<std::string> problems;
  std::vector<std::string> paths = options.paths;
  bool good = true;
  if (!options.config.empty()) {
    const auto gateway = config::load_gateway(options.config, diagnostics);
    good = gateway.has_value();
    if (gateway) {
      paths.insert(paths.end(), gateway->policies.begin(), gateway->policies.end());
      good = proxy::load_certificates(*gateway, problems).has_value();
    }
  }
  if (!paths.empty()) good = policy::load_policies(paths, diagnostics) != nullptr && good;

  int errors = 0;
  int warnings = 0;
  for (const policy::Diagnostic& d : diagnostics) (d.error ? errors : warnings) += 1;
  if (options.format == "json") {
    print_json(diagnostics, problems);
  } else {
    print_diagnostics(diagnostics);
    for (const std::string& problem : problems) std::cerr << problem << "\n";
    std::cout << errors << (errors == 1 ? " error, " : " errors, ") << warnings
              << (warnings == 1 ? " warning" : " warnings");
    if (!problems.empty()) std::cout << ", " << problems.size() << " about certificates";
    std::cout << "\n";
  }
  if (!good || errors > 0) return kFindings;
  return warnings > 0 && options.strict ? kWarnings : kClean;
}

}  // namespace

void add_check_command(CLI::App& app, int* exit_code) {
  CLI::App* command = app.add_subcommand("check", "Check policy files, or a gateway file and all it names");
  auto options = std::make_shared<CheckOptions>();
  command->add_option("PATH", options->paths, "policy files or folders");
  command->add_option("-c,--config", options->config, "gateway file: check it, its certificates and its policies");
  command->add_flag("--strict", options->strict, "exit with 2 when there are warnings");
  command->add_option("-o,--output", options->format, "text or json")->check(CLI::IsMember({"text", "json"}));
  command->footer("Exit codes: 0 sound, 1 errors, 2 warnings with --strict, 64 wrong usage.");
  command->callback([options, exit_code] {
    if (options->paths.empty() && options->config.empty()) {
      throw CLI::RequiredError("PATH or --config");
    }
    *exit_code = check(*options);
  });
}

}  // namespace dockreeve::app
