// Wiring only: the list of subcommands, and how a wrong command line is answered.
#include <exception>
#include <iostream>
#include <string>
#include <vector>

#include "app/commands.h"
#include "app/exit_code.h"
#include "base/text.h"

namespace {

using namespace dockreeve;

// What could have been meant where `app` stopped understanding.
std::vector<std::string> candidates(const CLI::App& app, bool options) {
  std::vector<std::string> out;
  if (options) {
    for (const CLI::Option* option : app.get_options()) {
      for (const std::string& name : option->get_lnames()) out.push_back("--" + name);
    }
  } else {
    for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; })) {
      out.push_back(sub->get_name());
    }
  }
  return out;
}

int usage_error(const CLI::App& root, const CLI::ParseError& error, int argc, char** argv) {
  // The subcommand that was reached.
  const CLI::App* reached = &root;
  for (std::vector<CLI::App*> next = reached->get_subcommands(); !next.empty();
       next = reached->get_subcommands()) {
    reached = next.front();
  }
  std::cerr << "dockreeve: " << error.what() << "\n";
  const std::vector<std::string> options = candidates(*reached, true);
  const std::vector<std::string> commands = candidates(*reached, false);
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const std::string bare = word.substr(0, word.find('='));
    const bool option = bare.starts_with("--");
    const std::vector<std::string>& known = option ? options : commands;
    bool exact = false;
    for (const std::string& name : known) exact = exact || name == bare;
    if (exact) continue;
    if (const std::string hint = text::did_you_mean(bare, known); !hint.empty()) {
      std::cerr << "  " << bare << ": " << hint << "\n";
    }
  }
  std::cerr << "Try `" << (reached == &root ? "dockreeve" : "dockreeve " + reached->get_name()) << " --help`.\n";
  return app::kUsage;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App root("An admission gateway for the Docker Engine API: it knows who calls, judges each request by\n"
                "policy, and forwards what it rebuilt itself or refuses with every reason.",
                "dockreeve");
  root.require_subcommand(1);
  root.failure_message(CLI::FailureMessage::simple);
  int exit_code = app::kClean;
  app::add_serve_command(root, &exit_code);
  app::add_check_command(root, &exit_code);
  app::add_eval_command(root, &exit_code);
  app::add_rules_command(root, &exit_code);
  app::add_certs_command(root, &exit_code);
  app::add_audit_command(root, &exit_code);
  app::add_version_command(root, &exit_code);
  try {
    root.parse(argc, argv);
    return exit_code;
  } catch (const CLI::CallForHelp& help) {
    return root.exit(help);
  } catch (const CLI::CallForAllHelp& help) {
    return root.exit(help);
  } catch (const CLI::ParseError& error) {
    return usage_error(root, error, argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "dockreeve: internal error: " << error.what() << "\n";
    return app::kInternal;
  }
}
