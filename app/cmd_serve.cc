// `dockreeve serve`: the gateway itself. Signals are taken by this thread alone.
#include <cerrno>
#include <csignal>
#include <ctime>
#include <iostream>
#include <memory>
#include <optional>
#include <string>

#include <sys/prctl.h>

#include "app/commands.h"
#include "app/exit_code.h"
#include "app/files.h"
#include "app/watch.h"
#include "config/gateway_config.h"
#include "proxy/server.h"

namespace dockreeve::app {
namespace {

constexpr timespec kPoll{1, 0};

void log_line(const std::string& text) {
  std::cerr << text << (text.ends_with('\n') ? "" : "\n") << std::flush;
}

sigset_t handled_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGHUP, SIGTERM, SIGINT}) sigaddset(&set, signal);
  return set;
}

// A second SIGTERM or SIGINT while draining.
bool asked_again() {
  sigset_t set = handled_signals();
  const timespec none{};
  const int signal = sigtimedwait(&set, nullptr, &none);
  return signal == SIGTERM || signal == SIGINT;
}

int serve(const std::string& file) {
  std::vector<policy::Diagnostic> diagnostics;
  std::optional<config::Gateway> gateway = config::load_gateway(file, diagnostics);
  print_diagnostics(diagnostics);
  if (!gateway) {
    std::cerr << "dockreeve: " << file << " does not load\n";
    return kBadPolicy;
  }
  // Before any thread exists, so that all of them inherit the mask.
  sigset_t set = handled_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  // Keys and redacted values stay out of core files and away from ptrace.
  prctl(PR_SET_DUMPABLE, 0);

  proxy::Server server(*gateway, log_line);
  if (auto started = server.start(); !started) {
    std::cerr << "dockreeve: " << started.error().text() << "\n";
    return started.error().where.empty() ? kBadPolicy : kUnavailable;
  }
  for (const config::Listener& listener : gateway->listeners) {
    log_line("dockreeve " DOCKREEVE_VERSION ": listener " + listener.name + " on " +
             (listener.is_unix ? "unix://" + listener.path : listener.host + ":" + std::to_string(listener.port)));
  }
  log_line("dockreeve: ready, engine at unix://" + gateway->upstream_path);

  Watch watch(fingerprint(*gateway));
  for (;;) {
    const int signal = sigtimedwait(&set, nullptr, &kPoll);
    if (signal == SIGTERM || signal == SIGINT) break;
    if (signal == SIGHUP) {
      watch.loaded(fingerprint(*gateway));
      server.reload();
      server.reopen_audit();
    } else if (watch.changed(fingerprint(*gateway))) {
      server.reload();
    }
  }
  log_line("dockreeve: draining");
  server.stop(asked_again);
  log_line("dockreeve: stopped");
  return kClean;
}

}  // namespace

void add_serve_command(CLI::App& app, int* exit_code) {
  CLI::App* command = app.add_subcommand("serve", "Run the gateway");
  auto file = std::make_shared<std::string>();
  command->add_option("-c,--config", *file, "gateway file (kind: Gateway)")->required();
  command->footer("SIGHUP loads policies, certificates and CRL again and reopens the audit file; a change of one of\n"
                  "those files is noticed by itself. SIGTERM drains: requests finish, streams get limits.drainTimeout.\n"
                  "A second SIGTERM ends at once.");
  command->callback([file, exit_code] { *exit_code = serve(*file); });
}

void add_version_command(CLI::App& app, int* exit_code) {
  CLI::App* command = app.add_subcommand("version", "Print the version");
  command->callback([exit_code] {
    std::cout << "dockreeve " DOCKREEVE_VERSION "\n";
    *exit_code = kClean;
  });
}

}  // namespace dockreeve::app
