// Secrets where everybody can read them, and build contexts from afar.
//
// no-secrets-in-env
//   reads    Config.Env, exec Env
//   allows   variables whose name does not look like a secret's and whose value does not look like
//            one. A name without value is unset, a value in ignoreValues is no secret, a name that
//            ends in one of ignoreSuffixes is a path
//   params   namePattern; valuePatterns; ignoreSuffixes; ignoreValues
//   maps to  CIS Docker 4.10
//
// no-secrets-in-build-args
//   reads    buildargs of a build
//   allows   arguments that look like no secret; one without value is taken from the image
//   params   namePattern; valuePatterns
//   maps to  CIS Docker 4.10
//
// build-remote-context
//   reads    remote of a build
//   allows   none, or a URL that matches a glob in `allowed`
//   params   allowed: [glob]
//   maps to  CIS Docker 4.2
#include <algorithm>

#include "base/json.h"
#include "base/text.h"
#include "policy/rules/rules.h"
#include "policy/rules/support.h"

namespace dockreeve::policy::rules {
namespace {

using docker::CreateContainer;
using docker::ExecCreate;

struct SecretPatterns {
  Pattern name;
  PatternSet value;

  static Result<SecretPatterns> compile(const Params& params) {
    Result<Pattern> name = Pattern::compile("namePattern", params.text("namePattern"));
    if (!name) return tl::unexpected(name.error());
    Result<PatternSet> values = PatternSet::compile("valuePatterns", params.list("valuePatterns"));
    if (!values) return tl::unexpected(values.error());
    return SecretPatterns{*std::move(name), *std::move(values)};
  }
};

struct SecretEnv {
  SecretPatterns patterns;
  std::vector<std::string> ignore_suffixes;
  std::vector<std::string> ignore_values;

  bool is_path(std::string_view name) const {
    return std::any_of(ignore_suffixes.begin(), ignore_suffixes.end(),
                       [name](const std::string& suffix) { return name.ends_with(suffix); });
  }
  bool is_secret(std::string_view name, std::string_view value) const {
    if (contains(ignore_values, value)) return false;
    return (!is_path(name) && patterns.name.matches(name)) || patterns.value.matches(value);
  }

  void check(const docker::StringList& env, Report& out) const {
    if (!env) return;
    for (std::size_t i = 0; i < env->size(); ++i) {
      const std::string_view entry = (*env)[i];
      const std::size_t equals = entry.find('=');
      if (equals == std::string_view::npos) continue;
      const std::string_view name = entry.substr(0, equals);
      if (!is_secret(name, entry.substr(equals + 1))) continue;
      out.add(json::pointer_join("/Env", i), quoted(name), {{"key", std::string(name)}},
              "remove -e " + std::string(name));
    }
  }
};

void check_build_args(const SecretPatterns& patterns, const Input& in, Report& out) {
  const std::string_view text = build_query(in, "buildargs");
  if (text.empty()) return;
  const auto document = json::Document::parse(std::string(text));
  if (!document) return out.lookup_failed("query/buildargs", document.error());
  for (auto argument = (*document)->root().first(); argument; argument = argument->next()) {
    const std::string_view name = argument->key();
    const std::string_view value = argument->text();
    if (value.empty() || (!patterns.name.matches(name) && !patterns.value.matches(value))) continue;
    out.add("query/buildargs", quoted(name), {{"key", std::string(name)}},
            "remove --build-arg " + std::string(name));
  }
}

}  // namespace

Result<Check> no_secrets_in_env(const Params& params) {
  Result<SecretPatterns> patterns = SecretPatterns::compile(params);
  if (!patterns) return tl::unexpected(patterns.error());
  auto rule = std::make_shared<const SecretEnv>(
      SecretEnv{*std::move(patterns), params.list("ignoreSuffixes"), params.list("ignoreValues")});
  return pure([rule](const Input& in, Report& out) {
    if (const auto* create = in.request.body_as<CreateContainer>()) rule->check(create->env, out);
    if (const auto* exec = in.request.body_as<ExecCreate>()) rule->check(exec->env, out);
  });
}

Result<Check> no_secrets_in_build_args(const Params& params) {
  Result<SecretPatterns> patterns = SecretPatterns::compile(params);
  if (!patterns) return tl::unexpected(patterns.error());
  return pure([patterns = *std::move(patterns)](const Input& in, Report& out) {
    check_build_args(patterns, in, out);
  });
}

Result<Check> build_remote_context(const Params& params) {
  return pure([allowed = params.list("allowed")](const Input& in, Report& out) {
    const std::string_view remote = build_query(in, "remote");
    const bool listed = std::any_of(allowed.begin(), allowed.end(), [&](const std::string& glob) {
      return text::glob_match(glob, remote);
    });
    if (remote.empty() || listed) return;
    // The URL may hold credentials.
    out.add("query/remote", quoted(remote.substr(0, remote.find(':'))), {}, "docker build .");
  });
}

}  // namespace dockreeve::policy::rules
