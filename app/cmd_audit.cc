// See cmd_audit.h. Results go to stdout, complaints to stderr.

#include "app/cmd_audit.h"

#include <nlohmann/json.hpp>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "app/exit_code.h"
#include "audit/verify.h"

namespace dockreeve::app {
namespace {

struct AuditOptions {
  std::vector<std::string> files;
  std::string id;
  std::string format = "text";
  bool json() const { return format == "json"; }
};

int exit_code_of(const Error& error) {
  return error.message == "not found" ? kNoFile : kBadInput;
}

void print_report(const audit::FileReport& report) {
  if (!report.intact()) {
    std::cout << report.file << ":" << report.bad_line << ": " << report.problem << "\n";
    return;
  }
  std::cout << report.file << ": ";
  if (report.records == 0) {
    std::cout << "empty\n";
    return;
  }
  std::cout << report.records << (report.records == 1 ? " record" : " records") << ", seq "
            << report.first_seq << " to " << report.last_seq << ", chain whole";
  if (report.torn_lines > 0) std::cout << ", " << report.torn_lines << " torn by crashes";
  if (report.lost > 0) std::cout << ", " << report.lost << " reported as not written";
  std::cout << "\n  head " << report.head << "\n";
}

nlohmann::json to_json(const audit::FileReport& report) {
  nlohmann::json out = {{"file", report.file},
                        {"intact", report.intact()},
                        {"records", report.records},
                        {"tornLines", report.torn_lines},
                        {"recordsLost", report.lost}};
  if (report.records > 0) {
    out["firstSeq"] = report.first_seq;
    out["lastSeq"] = report.last_seq;
  }
  if (!report.head.empty()) out["head"] = report.head;
  if (!report.intact()) {
    out["line"] = report.bad_line;
    out["problem"] = report.problem;
  }
  return out;
}

int verify(const AuditOptions& options) {
  audit::Verifier verifier;
  nlohmann::json files = nlohmann::json::array();
  int code = kClean;
  for (const std::string& file : options.files) {
    const Result<audit::FileReport> report = verifier.check(file);
    if (!report) {
      std::cerr << report.error().text() << "\n";
      code = std::max(code, exit_code_of(report.error()));
      continue;
    }
    if (!report->intact()) code = std::max<int>(code, kFindings);
    if (options.json()) {
      files.push_back(to_json(*report));
    } else {
      print_report(*report);
    }
  }
  if (options.json()) {
    // File names are bytes, not necessarily UTF-8.
    const nlohmann::json out = {{"schemaVersion", 1}, {"intact", code == kClean}, {"files", files}};
    std::cout << out.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
  }
  return code;
}

int show(const AuditOptions& options) {
  nlohmann::json records = nlohmann::json::array();
  int code = kClean;
  bool any = false;
  for (const std::string& file : options.files) {
    const Result<std::vector<std::string>> found = audit::find_records(file, options.id);
    if (!found) {
      std::cerr << found.error().text() << "\n";
      code = std::max(code, exit_code_of(found.error()));
      continue;
    }
    for (const std::string& line : *found) {
      if (options.json()) {
        records.push_back(nlohmann::json::parse(line, nullptr, false));
      } else if (const Result<std::string> words = audit::describe_record(line)) {
        std::cout << (any ? "\n" : "") << *words;
      } else {
        std::cerr << file << ": " << words.error().text() << "\n";
        code = std::max<int>(code, kBadInput);
      }
      any = true;
    }
  }
  if (options.json()) {
    const nlohmann::json out = {{"schemaVersion", 1}, {"records", records}};
    std::cout << out.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
  }
  if (!any && code == kClean) {
    std::cerr << "no record with id " << options.id << "\n";
    code = kFindings;
  }
  return code;
}

void add_format(CLI::App& command, AuditOptions& options) {
  command.add_option("-o,--output", options.format, "text or json")
      ->check(CLI::IsMember({"text", "json"}));
}

}  // namespace

void add_audit_command(CLI::App& app, int* exit_code) {
  const auto options = std::make_shared<AuditOptions>();
  CLI::App* audit = app.add_subcommand("audit", "Check the audit log, look up decisions in it");
  audit->require_subcommand(1);

  CLI::App* check = audit->add_subcommand(
      "verify", "Check that log files are whole, in order and unchanged (oldest first)");
  check->add_option("files", options->files, "log files, in the order of rotation")->required();
  add_format(*check, *options);
  check->callback([options, exit_code] { *exit_code = verify(*options); });

  CLI::App* display = audit->add_subcommand("show", "Explain one decision in words");
  display->add_option("id", options->id, "decision id, as in the denial text")->required();
  display->add_option("--file", options->files, "log file to look in; can be repeated")->required();
  add_format(*display, *options);
  display->callback([options, exit_code] { *exit_code = show(*options); });
}

}  // namespace dockreeve::app
