// `dockreeve eval`: the gateway's own decision about one request, without an engine.
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "app/commands.h"
#include "app/exit_code.h"
#include "app/files.h"
#include "config/gateway_config.h"
#include "docker/request.h"
#include "policy/context_file.h"
#include "policy/evaluator.h"
#include "policy/policy_set.h"

namespace dockreeve::app {
namespace {

struct EvalOptions {
  std::string body, api, who, context, config, format = "text";
  std::vector<std::string> teams, policies;
  bool strict_context = false;
};

// Everything a session does between the request line and the decision.
std::optional<policy::Decision> decide(const policy::Evaluator& evaluator, const policy::ContextFile& context,
                                       const EvalOptions& options, std::string body) {
  const std::size_t space = options.api.find(' ');
  if (space == std::string::npos) {
    std::cerr << "dockreeve: --api must be METHOD and path, e.g. 'POST /v1.41/containers/create?name=x'\n";
    return std::nullopt;
  }
  const std::optional<docker::Method> method = docker::parse_method(options.api.substr(0, space));
  if (!method) {
    return evaluator.refuse({403, "unknown-endpoint", "path", "this method is not one of the Engine API"});
  }
  auto target = docker::classify(*method, std::string_view(options.api).substr(space + 1));
  if (!target) return evaluator.refuse(target.error());
  docker::Parsed<docker::Request> request;
  if (target->route->access == docker::Access::Closed) {
    request->target = *std::move(target);
  } else {
    request = docker::decode_request(*std::move(target), std::move(body));
  }
  if (!request) return evaluator.refuse(request.error());
  const policy::Identity who = evaluator.policies().named(options.who, options.teams);
  const policy::Facts facts = policy::answer_all(evaluator, *request, who, context, options.strict_context);
  policy::Stamp stamp;
  stamp.decision = "00000000000000000000000000";
  return evaluator.evaluate(*std::move(request), who, facts, stamp);
}

std::string_view word(const policy::Decision& decision) {
  if (decision.denied()) return "deny";
  for (const policy::Finding& finding : decision.findings) {
    if (finding.effect == policy::Effect::Warn) return "warn";
  }
  return "allow";
}

nlohmann::json value_of(const std::string& text) {
  nlohmann::json value = nlohmann::json::parse(text, nullptr, false);
  return value.is_discarded() ? nlohmann::json(text) : value;
}

void print_json(const policy::Decision& decision) {
  nlohmann::json out = {{"schemaVersion", 1}, {"decision", word(decision)}, {"findings", nlohmann::json::array()}};
  for (const policy::Finding& f : decision.findings) {
    out["findings"].push_back({{"rule", f.rule},
                               {"effect", policy::name(f.effect)},
                               {"severity", policy::name(f.severity)},
                               {"pointer", f.pointer},
                               {"value", f.value.empty() ? nlohmann::json() : value_of(f.value)},
                               {"message", f.message},
                               {"fix", f.fix}});
  }
  if (const auto* admitted = std::get_if<policy::Admitted>(&decision.outcome)) {
    out["request"] = {{"method", docker::name(admitted->wire().method)}, {"target", admitted->wire().target}};
    out["forwarded"] = admitted->wire().body.empty() ? nlohmann::json::object() : value_of(admitted->wire().body);
  }
  std::cout << out.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
}

void print_text(const policy::Decision& decision) {
  std::cout << word(decision) << "\n";
  for (const policy::Finding& f : decision.findings) {
    std::cout << "  " << policy::name(f.effect) << "  [" << f.rule << "]";
    if (!f.pointer.empty()) std::cout << "  " << f.pointer;
    std::cout << "\n        " << f.message << "\n";
    if (!f.fix.empty()) std::cout << "        fix: " << f.fix << "\n";
    if (!f.origin.empty() || !f.policy.empty()) std::cout << "        set by " << f.policy << (f.origin.empty() ? "" : " at " + f.origin) << "\n";
  }
}

int eval(const EvalOptions& options) {
  std::vector<policy::Diagnostic> diagnostics;
  std::vector<std::string> paths = options.policies;
  if (!options.config.empty()) {
    const auto gateway = config::load_gateway(options.config, diagnostics);
    if (gateway) paths.insert(paths.end(), gateway->policies.begin(), gateway->policies.end());
  }
  std::shared_ptr<const policy::PolicySet> set;
  if (!paths.empty()) set = policy::load_policies(paths, diagnostics);
  if (!set) {
    print_diagnostics(diagnostics);
    if (paths.empty()) std::cerr << "dockreeve: name the policies with --policies or --config\n";
    return kBadPolicy;
  }
  std::string body;
  if (!options.body.empty()) {
    auto read = read_input(options.body);
    if (!read) {
      std::cerr << "dockreeve: " << read.error().text() << "\n";
      return kNoFile;
    }
    body = *std::move(read);
  }
  policy::ContextFile context;
  if (!options.context.empty()) {
    auto text = read_input(options.context);
    if (!text) {
      std::cerr << "dockreeve: " << text.error().text() << "\n";
      return kNoFile;
    }
    auto parsed = policy::ContextFile::parse(*text);
    if (!parsed) {
      std::cerr << "dockreeve: " << options.context << ": " << parsed.error().text() << "\n";
      return kBadInput;
    }
    context = *std::move(parsed);
  }
  const policy::Evaluator evaluator(set, policy::ClosedRoutes::JudgedByRules);
  const std::optional<policy::Decision> decision = decide(evaluator, context, options, std::move(body));
  if (!decision) return kUsage;
  if (options.format == "json") {
    print_json(*decision);
  } else {
    print_text(*decision);
  }
  return decision->denied() ? kFindings : kClean;
}

}  // namespace

void add_eval_command(CLI::App& app, int* exit_code) {
  CLI::App* command = app.add_subcommand("eval", "Say what the gateway would decide about a request");
  auto options = std::make_shared<EvalOptions>();
  command->add_option("-f,--file", options->body, "request body, - for standard input; none for requests without one");
  command->add_option("--api", options->api, "method and path, e.g. 'POST /v1.41/containers/create?name=x'")->required();
  command->add_option("--as", options->who, "name of the caller")->required();
  command->add_option("--team", options->teams, "a team of the caller, beside those the Identities give; repeatable");
  command->add_option("--policies", options->policies, "policy files or folders");
  command->add_option("-c,--config", options->config, "gateway file: use its policies");
  command->add_option("--context", options->context, "JSON file with answers to look-ups");
  command->add_flag("--strict-context", options->strict_context, "a look-up without an answer fails, as one that the engine does not answer");
  command->add_option("-o,--output", options->format, "text or json")->check(CLI::IsMember({"text", "json"}));
  command->footer("Look-ups that the context does not answer get defaults: the image exists without USER, health check and age;\n"
                  "volumes do not exist; paths are no links; the engine has no user namespaces.\n"
                  "Services are judged by the rules, although serve keeps their routes closed until a policy names them.\n"
                  "Exit codes: 0 allowed (also with warnings), 1 denied, 64 wrong usage, 65 bad context, 66 file not found,\n"
                  "78 policies do not load.");
  command->callback([options, exit_code] { *exit_code = eval(*options); });
}

}  // namespace dockreeve::app
