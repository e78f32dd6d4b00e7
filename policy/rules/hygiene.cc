// Metadata and operations hygiene.
//
// required-labels          Config.Labels, volume Labels: every label of `labels`, matching its
// pattern container-name-pattern   name query of create and rename matches `pattern`
// require-healthcheck      Config.Healthcheck, or else the image's, is there and not NONE;
//                          CIS Docker 5.27
// restart-policy-limited   create, update: RestartPolicy.Name in `allowed`; on-failure needs a
// count of
//                          1..maxRetries, 0 is endless; CIS Docker 5.15
// log-driver-allowlist     LogConfig.Type (or the engine's default) not in `deny`, in `allow`
// unless
//                          that is empty; CIS Docker 2.13
// log-rotation-required    LogConfig.Config max-size set and at most `maxSize`
// no-sshd                  Entrypoint and Cmd, also of exec, do not match `pattern`; CIS Docker 5.7
// stop-timeout-max         StopTimeout at most `max`, and not endless
#include "base/json.h"
#include "base/text.h"
#include "base/units.h"
#include "policy/rules/rules.h"
#include "policy/rules/support.h"

namespace dockreeve::policy::rules {
namespace {

using docker::CreateContainer;
using docker::ExecCreate;
using docker::UpdateContainer;
using docker::VolumeCreate;

void check_labels(const PatternMap& wanted, const docker::Map<std::string>& labels, Report& out) {
  for (const auto& [key, pattern] : wanted) {
    const auto label = labels.find(key);
    if (label != labels.end() && pattern.matches(label->second)) continue;
    out.add(json::pointer_join("/Labels", key),
            label == labels.end() ? "null" : quoted(label->second), {{"key", key}},
            "--label " + key + "=VALUE");
  }
}

void check_name(const Pattern& pattern, const Input& in, Report& out) {
  if (!is_route(in, "container.create") && !is_route(in, "container.rename")) return;
  std::string_view name = docker::param(in.request.target.query, "name");
  if (name.starts_with('/')) name.remove_prefix(1);
  if (pattern.matches(name)) return;
  out.add("query/name", quoted(name), {{"value", std::string(name)}}, "--name NAME");
}

bool inherits_health(const CreateContainer& create) {
  return !create.healthcheck || !create.healthcheck->test || create.healthcheck->test->empty();
}

void check_health(const CreateContainer& create, const Input& in, Report& out) {
  if (inherits_health(create)) {
    const auto* image = fact<ImageFact>(in, {LookupKind::Image, create.image}, "/Healthcheck", out);
    if (!image || !image->found || image->healthcheck) return;
  } else if (create.healthcheck->test->front() != "NONE") {
    return;
  }
  out.add("/Healthcheck", create.healthcheck ? quoted("NONE") : "null", {}, "--health-cmd COMMAND");
}

struct Restart {
  std::vector<std::string> allowed;
  std::int64_t max_retries = 5;

  void check(const docker::RestartPolicy& policy, std::string pointer, Report& out) const {
    const std::string name = policy.name.empty() ? "no" : policy.name;
    const std::int64_t count = policy.maximum_retry_count;
    const bool bounded = name != "on-failure" || (count >= 1 && count <= max_retries);
    if (contains(allowed, name) && bounded) return;
    out.add(std::move(pointer), quoted(name + (count != 0 ? ":" + number(count) : "")),
            {{"value", name}}, "--restart on-failure:" + number(max_retries));
  }
  void run(const Input& in, Report& out) const {
    if (const auto* create = in.request.body_as<CreateContainer>()) {
      check(create->host_config.restart_policy, "/HostConfig/RestartPolicy", out);
    } else if (const auto* update = in.request.body_as<UpdateContainer>()) {
      // An empty name means unchanged.
      if (!update->restart_policy.name.empty()) {
        check(update->restart_policy, "/RestartPolicy", out);
      }
    }
  }
};

const Lookup kEngine{LookupKind::Engine, ""};

struct LogDriver {
  std::vector<std::string> deny, allow;

  void run(const CreateContainer& create, const Input& in, Report& out) const {
    std::string driver = create.host_config.log_config.type;
    if (driver.empty()) {
      const auto* engine = fact<EngineFact>(in, kEngine, "/HostConfig/LogConfig/Type", out);
      if (!engine) return;
      driver = engine->logging_driver;
    }
    const bool allowed = allow.empty() || contains(allow, driver);
    if (allowed && !contains(deny, driver)) return;
    out.add("/HostConfig/LogConfig/Type", quoted(create.host_config.log_config.type),
            {{"value", driver}}, "remove --log-driver " + driver);
  }
};

void check_rotation(std::int64_t max, const CreateContainer& create, Report& out) {
  const docker::LogConfig& log = create.host_config.log_config;
  // Drivers other than these keep nothing on the engine's disk.
  if (!log.type.empty() && log.type != "json-file" && log.type != "local") return;
  const auto size = log.config.find("max-size");
  if (size != log.config.end()) {
    const Result<std::int64_t> bytes = parse_bytes(text::to_lower(size->second));
    if (bytes && *bytes > 0 && *bytes <= max) return;
  }
  out.add("/HostConfig/LogConfig/Config/max-size",
          size == log.config.end() ? "null" : quoted(size->second), {},
          "--log-opt max-size=10m --log-opt max-file=3");
}

void append_words(std::string& line, const docker::StringList& words) {
  if (!words) return;
  for (const std::string& word : *words) {
    if (!line.empty()) line += ' ';
    line += word;
  }
}

void check_sshd(const Pattern& pattern, const docker::StringList* entrypoint,
                const docker::StringList& command, Report& out) {
  std::string line;
  if (entrypoint) append_words(line, *entrypoint);
  append_words(line, command);
  if (line.empty() || !pattern.matches(line)) return;
  out.add("/Cmd", quoted("sshd"), {}, "docker exec");
}

void check_stop_timeout(std::int64_t max, const CreateContainer& create, Report& out) {
  if (!create.stop_timeout || (*create.stop_timeout >= 0 && *create.stop_timeout <= max)) return;
  out.add("/StopTimeout", number(*create.stop_timeout), {}, "--stop-timeout " + number(max));
}

}  // namespace

Result<Check> required_labels(const Params& params) {
  Result<PatternMap> labels = compile_map(params, "labels");
  if (!labels) return tl::unexpected(labels.error());
  return pure([labels = *std::move(labels)](const Input& in, Report& out) {
    if (const auto* create = in.request.body_as<CreateContainer>()) {
      check_labels(labels, create->labels, out);
    } else if (const auto* volume = in.request.body_as<VolumeCreate>()) {
      check_labels(labels, volume->labels, out);
    } else if (const auto* network = in.request.body_as<docker::NetworkCreate>()) {
      check_labels(labels, network->labels, out);
    }
  });
}

Result<Check> container_name_pattern(const Params& params) {
  const std::string& text = params.text("pattern");
  if (text.empty()) return pure([](const Input&, Report&) {});
  Result<Pattern> pattern = Pattern::compile("pattern", text);
  if (!pattern) return tl::unexpected(pattern.error());
  return pure([pattern = *std::move(pattern)](const Input& in, Report& out) {
    check_name(pattern, in, out);
  });
}

Result<Check> require_healthcheck(const Params&) {
  return with_needs(on_create(check_health), on_create([](const CreateContainer& create,
                                                          const Input&, std::vector<Lookup>& out) {
                      if (inherits_health(create)) out.push_back({LookupKind::Image, create.image});
                    }));
}

Result<Check> restart_policy_limited(const Params& params) {
  return pure([rule = Restart{params.list("allowed"), params.integer("maxRetries")}](
                  const Input& in, Report& out) { rule.run(in, out); });
}

Result<Check> log_driver_allowlist(const Params& params) {
  return with_needs(
      on_create([rule = LogDriver{params.list("deny"), params.list("allow")}](
                    const CreateContainer& create, const Input& in, Report& out) {
        rule.run(create, in, out);
      }),
      on_create([](const CreateContainer& create, const Input&, std::vector<Lookup>& out) {
        if (create.host_config.log_config.type.empty()) out.push_back(kEngine);
      }));
}

Result<Check> log_rotation_required(const Params& params) {
  return pure(on_create(
      [max = params.integer("maxSize")](const CreateContainer& create, const Input&, Report& out) {
        check_rotation(max, create, out);
      }));
}

Result<Check> no_sshd(const Params& params) {
  Result<Pattern> pattern = Pattern::compile("pattern", params.text("pattern"));
  if (!pattern) return tl::unexpected(pattern.error());
  return pure([pattern = *std::move(pattern)](const Input& in, Report& out) {
    if (const auto* create = in.request.body_as<CreateContainer>()) {
      check_sshd(pattern, &create->entrypoint, create->cmd, out);
    } else if (const auto* exec = in.request.body_as<ExecCreate>()) {
      check_sshd(pattern, nullptr, exec->cmd, out);
    }
  });
}

Result<Check> stop_timeout_max(const Params& params) {
  return pure(on_create(
      [max = params.integer("max")](const CreateContainer& create, const Input&, Report& out) {
        check_stop_timeout(max, create, out);
      }));
}

}  // namespace dockreeve::policy::rules
