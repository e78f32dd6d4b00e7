// The only place that makes an Admitted. A request passes when every rule of its caller had its say
// and none of them denied; whatever is missing on the way there (a policy, an answer) denies.
#include "policy/evaluator.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/json.h"
#include "docker/image_names.h"
#include "policy/catalogue.h"
#include "policy/message.h"
#include "policy/ownership.h"
#include "policy/redact.h"
#include "policy/request_view.h"
#include "policy/rule.h"
#include "policy/rules/builds.h"
#include "policy/rules/support.h"
#include "policy/scope.h"
#include "policy/stand_in.h"

namespace dockreeve::policy {
namespace {

using docker::CreateContainer;
using docker::EffectiveMount;
using docker::MountKind;
using docker::Request;

// A request that asks more than this is refused, or it could keep the engine busy by itself.
constexpr std::size_t kMostLookups = 64;

constexpr std::string_view kOwnResources = "own-resources-only";
constexpr std::string_view kEndpointAllowlist = "endpoint-allowlist";
constexpr std::string_view kUninspectable = "uninspectable-stream";
constexpr const char* kClassicBuild = "DOCKER_BUILDKIT=0 docker build";
constexpr std::string_view kReservedLabels = "reserved-labels";
constexpr std::string_view kDeviceRequests = "device-requests-allowlist";
constexpr std::string_view kNetworkDrivers = "allowed-network-drivers";

bool has_rule(const Ruleset& rules, std::string_view id) {
  return std::any_of(rules.rules.begin(), rules.rules.end(),
                     [id](const CompiledRule& rule) { return rule.id == id; });
}

// The parameters of own-resources-only where it is enforced.
const Params* owner_params(const Ruleset& rules) {
  for (const CompiledRule& rule : rules.rules) {
    const bool holds = rule.mode == Mode::Enforce || rule.mode == Mode::Always;
    if (rule.id == kOwnResources && holds) return rule.params.get();
  }
  return nullptr;
}

std::vector<std::string> controls_of(const RuleEntry* rule) {
  std::vector<std::string> out;
  if (!rule) return out;
  for (const std::string& number : rule->cis)
    out.push_back("cis-docker-1.6/" + number);
  return out;
}

// A finding of the gateway itself: it has no mode to turn down.
Finding always(std::string_view id, std::string pointer, std::string message) {
  const RuleEntry* rule = find_rule(id);
  Finding out;
  out.rule = id;
  out.effect = Effect::Deny;
  out.severity = rule ? rule->severity : Severity::High;
  out.mode = Mode::Always;
  out.pointer = std::move(pointer);
  out.value = "null";
  out.message = std::move(message);
  out.controls = controls_of(rule);
  return out;
}

Finding ambiguous(const std::string& pointer, const std::string& detail) {
  const Vars vars{{"detail", detail}, {"pointer", pointer.empty() ? "the top level" : pointer}};
  const RuleEntry* rule = find_rule("ambiguous-request");
  return always("ambiguous-request", pointer,
                fill_message(rule ? rule->message : "{{detail}}", {&vars, nullptr, nullptr, rule}));
}

// reserved-labels protects every other decision about owners, so it holds without being asked for.
const CompiledRule& reserved_labels_rule() {
  static const CompiledRule rule = [] {
    CompiledRule out;
    const RuleEntry* entry = find_rule(kReservedLabels);
    Params params;
    params.set("prefixes", std::vector<std::string>{std::string(kLabelPrefix)});
    out.id = kReservedLabels;
    out.mode = Mode::Always;
    out.severity = entry ? entry->severity : Severity::High;
    out.message = entry ? entry->message : std::string();
    for (const RuleDef& def : rule_defs()) {
      // INVARIANT: one text prefix always compiles.
      if (def.id == kReservedLabels) out.check = def.compile(params).value();
    }
    out.params = std::make_shared<const Params>(std::move(params));
    return out;
  }();
  return rule;
}

bool enforced(Mode mode) {
  return mode == Mode::Enforce || mode == Mode::Always;
}

// Whether an administrator has named this very route to be opened: a glob such as `*` was written
// without a thought of it.
bool opts_in(const Ruleset& rules, const std::string& route) {
  return std::any_of(rules.rules.begin(), rules.rules.end(), [&route](const CompiledRule& rule) {
    return rule.id == kEndpointAllowlist && enforced(rule.mode) && rule.params &&
           rules::contains(rule.params->list("allow"), route);
  });
}

bool is_tunnel(const docker::Route& route) {
  return docker::upgrade_protocol(route) == "h2c";
}

Effect effect_of(Mode mode) {
  if (enforced(mode)) return Effect::Deny;
  return mode == Mode::Warn ? Effect::Warn : Effect::Audit;
}

// A failed look-up that does not deny is no more than a remark.
Effect effect_of_error(Mode mode, bool denies) {
  if (denies) return Effect::Error;
  return mode == Mode::Warn ? Effect::Warn : Effect::Audit;
}

// The bare text of a JSON string value, or the value as it is.
std::string plain_value(const std::string& value) {
  if (!value.starts_with('"')) return value == "null" ? "" : value;
  const auto document = json::Document::parse(value);
  return document ? std::string((*document)->root().text()) : value;
}

bool enforces(const Ruleset& rules, std::string_view id) {
  return std::any_of(rules.rules.begin(), rules.rules.end(), [id](const CompiledRule& rule) {
    return rule.id == id && enforced(rule.mode);
  });
}

// Runs the rules of one caller over one request and keeps what they say.
class Judgement {
 public:
  Judgement(const Request& request, const Identity& who, const Facts& facts)
      : request_(request), view_(request), input_{request, who, facts, view_} {
    stand_in_ = stand_in(request);
    if (stand_in_) stand_in_view_.emplace(*stand_in_);
  }

  Findings findings;
  bool denied = false;
  std::string plain;  // the answer for an object that must look absent

  void run(const Ruleset& rules, ClosedRoutes closed) {
    input_.device_requests_judged = has_rule(rules, kDeviceRequests);
    input_.owner_scoped = owner_params(rules) != nullptr;
    input_.new_networks_judged = enforces(rules, kNetworkDrivers);
    bool labels_checked = false;
    check_names(rules);
    check_mounts();
    for (const CompiledRule& rule : rules.rules) {
      labels_checked = labels_checked || rule.id == kReservedLabels;
      run(rule);
    }
    if (!labels_checked) run(reserved_labels_rule());
    // `docker inspect NAME` asks for every kind of object and goes on as long as each is absent.
    if (request_.route().name == "plugin.inspect") {
      plain = "plugin " + request_.target.id + " not found";
    }
    check_open(rules, closed);
    check_remote(rules);
    check_build_cgroup(rules);
    check_import();
  }

 private:
  void deny(Finding finding) {
    denied = true;
    findings.push_back(std::move(finding));
  }

  // A context that the engine fetches is opened by a policy, never by the lack of one; and rules
  // about the Dockerfile cannot be kept where nobody has read it.
  static bool is_enforced(const Ruleset& rules, std::string_view id) {
    return std::any_of(rules.rules.begin(), rules.rules.end(), [id](const CompiledRule& rule) {
      return rule.id == id && enforced(rule.mode);
    });
  }
  void check_remote(const Ruleset& rules) {
    if (denied || request_.route().name != "build" ||
        docker::param(request_.target.query, "remote").empty()) {
      return;
    }
    const auto holds = [&rules](std::string_view id) { return is_enforced(rules, id); };
    if (!holds("build-remote-context")) {
      deny(always("build-remote-context", "query/remote",
                  "Remote build contexts are not open to you. Clone it and run `docker build .`."));
    } else if (holds("trusted-registry") || holds("build-from-allowlist") ||
               holds("build-requires-user")) {
      deny(always("build-remote-context", "query/remote",
                  "The Dockerfile of a remote context cannot be judged. Clone it and run "
                  "`docker build .`."));
    }
  }

  // No limit is asked of the steps of a build: the engine's own cgroup is all that holds them, so that
  // another one is opened by the list of an enforced rule, not by its absence.
  void check_build_cgroup(const Ruleset& rules) {
    if (denied || request_.route().name != "build" ||
        docker::param(request_.target.query, "cgroupparent").empty() ||
        is_enforced(rules, "no-cgroup-parent")) {
      return;
    }
    deny(always("no-cgroup-parent", "query/cgroupparent",
                "A build runs in the engine's own cgroup. Remove `--cgroup-parent`."));
  }

  // With a URL the engine would fetch the image from its own network; beside a pull it is not clear
  // which of the two is meant.
  void check_import() {
    if (denied || request_.route().name != "image.create") return;
    const std::string_view source = docker::param(request_.target.query, "fromSrc");
    const bool pull = !docker::param(request_.target.query, "fromImage").empty();
    if (source.empty() || (source == "-" && !pull)) return;
    deny(always("unknown-endpoint", "query/fromSrc",
                "Images are imported from the client only. Download it and use `docker import FILE`."));
  }

  // Rows that the table does not open by itself. Nothing is added where a rule has denied already.
  void check_open(const Ruleset& rules, ClosedRoutes closed) {
    const docker::Route& route = request_.route();
    if (denied || judged_by_rules(closed)) return;
    const std::string name(route.name);
    if (route.access == docker::Access::Closed) {
      deny(always("unknown-endpoint", "path", "This gateway does not open " + name + "."));
    } else if (route.access == docker::Access::OptIn && !opts_in(rules, name)) {
      Finding finding = always("unknown-endpoint", "path",
                               name + " is closed unless a policy of yours opens it by name. An "
                                      "administrator can list it in `allow` of an enforced "
                                      "endpoint-allowlist; a glob does not open it.");
      finding.fix = "ask an administrator to open " + name;
      if (is_tunnel(route)) {
        finding.message += " For builds without it use `DOCKER_BUILDKIT=0 docker build`.";
        finding.fix = kClassicBuild;
      }
      deny(std::move(finding));
    } else if (is_tunnel(route)) {
      note_tunnel(name);
    }
  }

  // What goes through an open tunnel is not seen, so that it was opened must be.
  void note_tunnel(const std::string& name) {
    if (std::any_of(findings.begin(), findings.end(),
                    [](const Finding& finding) { return finding.rule == kUninspectable; })) {
      return;
    }
    Finding finding = always(kUninspectable, "path",
                             "The tunnel " + name + " was opened; nothing inspects what goes through.");
    finding.effect = Effect::Audit;
    finding.value = rules::quoted(name);
    findings.push_back(std::move(finding));
  }

  bool judged_by_rules(ClosedRoutes closed) const {
    return closed == ClosedRoutes::JudgedByRules &&
           request_.route().access == docker::Access::OptIn &&
           docker::has_json_body(request_.route().body);
  }

  // A container or an image named like the start of another one's id takes over that id.
  void check_names(const Ruleset& rules) {
    for (const rules::GivenName& given : rules::names_given(request_)) {
      if (!docker::looks_like_image_id(given.ref)) continue;
      deny(ambiguous(given.pointer, "a name that looks like an id shadows other images"));
    }
    if (!has_rule(rules, kOwnResources)) return;
    const std::string_view route = request_.route().name;
    if (const auto* network = request_.body_as<docker::NetworkCreate>()) {
      if (!looks_like_id(network->name)) return;
      deny(ambiguous("/Name", "a name that looks like an id shadows other networks"));
    } else if (const auto* service = request_.body_as<docker::ServiceSpec>()) {
      if (!looks_like_id(service->name)) return;
      deny(ambiguous("/Name", "a name that looks like an id shadows other services"));
    } else if (route == "container.create" || route == "container.rename") {
      if (!looks_like_id(docker::param(request_.target.query, "name"))) return;
      deny(ambiguous("query/name", "a name that looks like an id shadows other containers"));
    }
  }

  // An entry that cannot be read cannot be judged by any rule about mounts.
  void check_mounts() {
    const RequestView& view = stand_in_view_ ? *stand_in_view_ : view_;
    for (const EffectiveMount& mount : view.mounts()) {
      const bool judged = mount.kind == MountKind::Bind || mount.kind == MountKind::Volume;
      if (judged && !mount.invalid.empty()) deny(ambiguous(place_of(mount.pointer), mount.invalid));
    }
  }

  std::string place_of(const std::string& pointer) const {
    return stand_in_ ? stand_in_pointer(request_, pointer) : pointer;
  }

  void run(const CompiledRule& rule) {
    if (!rule.check.run || rule.mode == Mode::Disabled) return;
    Report report;
    rule.check.run(input_, report);
    if (report.items().empty() && !stand_in_) return;
    const RuleEntry* entry = find_rule(rule.id);
    for (const Report::Item& item : report.items())
      add(rule, entry, item);
    if (stand_in_ && judges_stand_in(rule.id, request_)) run_on_stand_in(rule, entry);
  }

  void run_on_stand_in(const CompiledRule& rule, const RuleEntry* entry) {
    Input input{*stand_in_, input_.who, input_.facts, *stand_in_view_};
    Report report;
    rule.check.run(input, report);
    for (Report::Item item : report.items()) {
      item.pointer = stand_in_pointer(request_, item.pointer);
      add(rule, entry, item);
    }
  }

  void add(const CompiledRule& rule, const RuleEntry* entry, const Report::Item& item) {
    const bool failed = !item.error.empty();
    const bool denies = item.missing || (enforced(rule.mode) && (!failed || rule.error_denies));
    // Nothing is foreign about an object that does not exist, unless the answer must not tell.
    if (!denies && item.vars.contains("absent")) return;
    Finding out;
    out.rule = rule.id;
    out.effect = failed ? effect_of_error(rule.mode, denies) : effect_of(rule.mode);
    out.severity = rule.severity;
    out.mode = rule.mode;
    out.policy = rule.policy;
    out.origin = rule.origin;
    out.pointer = item.pointer;
    out.value = item.value;
    out.message = failed ? error_text(item) : message_of(rule, entry, item, denies);
    out.fix = fix_of(rule, entry, item);
    out.controls = controls_of(entry);
    denied = denied || denies;
    findings.push_back(std::move(out));
  }

  std::string error_text(const Report::Item& item) const {
    if (item.missing && input_.facts.all().size() >= kMostLookups) {
      return "The request names more than " + std::to_string(kMostLookups) +
             " objects that would have to be looked up.";
    }
    const Vars vars{{"error", item.error}};
    return fill_message("This could not be checked: {{error}}.",
                        {&vars, nullptr, nullptr, nullptr});
  }

  std::string message_of(const CompiledRule& rule, const RuleEntry* entry, const Report::Item& item,
                         bool denies) {
    const auto say = [&](const std::string& text) {
      return fill_message(text, {nullptr, nullptr, nullptr, nullptr});
    };
    if (const auto it = item.vars.find("plain"); denies && it != item.vars.end()) {
      // The engine complains of the first thing it misses.
      if (plain.empty()) plain = say(it->second);
      return say(it->second);
    }
    const bool reworded = entry && rule.message != entry->message;
    const auto text = item.vars.find("text");
    if (text != item.vars.end() && !reworded) return say(text->second);
    const Vars context = context_of(item);
    return fill_message(rule.message, {&item.vars, &context, rule.params.get(), entry});
  }

  std::string fix_of(const CompiledRule& rule, const RuleEntry* entry, const Report::Item& item) {
    if (!item.fix.empty() || !entry || entry->fix.empty() || !item.error.empty()) {
      return fill_message(item.fix, {nullptr, nullptr, nullptr, nullptr});
    }
    const Vars context = context_of(item);
    return fill_message(entry->fix, {&item.vars, &context, rule.params.get(), entry});
  }

  Vars context_of(const Report::Item& item) const {
    const Identity& who = input_.who;
    const std::string team = who.teams.empty() ? "" : who.teams.front();
    const docker::Target& target = request_.target;
    return {{"value", plain_value(item.value)},
            {"pointer", item.pointer},
            {"identity", who.name},
            {"self", team.empty() ? who.name : team},
            {"team", team},
            {"role", who.roles.empty() ? "" : who.roles.front()},
            {"route", std::string(request_.route().name)},
            {"method", std::string(docker::name(request_.route().method))},
            {"path", docker::encode_target({target.route, {}, target.id, target.id2, {}}, {})},
            {"apiVersion", "1." + std::to_string(target.version.minor > 0 ? target.version.minor
                                                                          : docker::kNewestMinor)}};
  }

  const Request& request_;
  RequestView view_;
  Input input_;
  std::optional<Request> stand_in_;
  std::optional<RequestView> stand_in_view_;
};

// An explicit no-new-privileges=false that no rule objected to: it can do nothing but undo what the
// engine's administrator has switched on for every container, so it does not reach the engine.
void keep_engine_defaults(Request& request, Findings& findings) {
  auto* create = request.body_as<CreateContainer>();
  if (!create || !docker::drop_weaker_no_new_privileges(create->host_config.security_opt)) return;
  Finding finding = always("no-new-privileges", "/HostConfig/SecurityOpt",
                           "no-new-privileges=false was left out: the engine's own default holds.");
  finding.effect = Effect::Mutated;
  finding.value = "false";
  findings.push_back(std::move(finding));
}

// What was read of a spooled body, for the record.
std::string spooled_summary(const Request& request) {
  std::string out;
  if (!request.dockerfile && !request.images) return out;
  json::Writer writer(out);
  writer.begin_object();
  if (request.dockerfile) {
    writer.key("reads").begin_array();
    for (const docker::ImageUse& use : request.dockerfile->images) {
      // A build argument can make anything of a name; only a name is recorded.
      const bool readable = docker::parse_image_ref(use.name).has_value();
      writer.value(readable ? std::string_view(use.name) : std::string_view("<unreadable>"));
    }
    writer.end_array();
  }
  if (request.images) {
    writer.key("names").begin_array();
    for (const std::string& name : request.images->names)
      writer.value(name);
    writer.end_array();
  }
  writer.end_object();
  return out;
}

WireRequest wire_of(const Request& request, docker::ApiVersion fallback, std::string body) {
  const docker::Route& route = request.route();
  WireRequest out;
  out.method = route.method;
  out.target = docker::encode_target(request.target, fallback);
  out.body = std::move(body);
  out.has_body = !out.body.empty() || docker::has_json_body(route.body);
  // What was dropped on the way in is no body on the way out.
  const docker::Body kind = docker::body_of(request.target);
  const bool streamed = kind == docker::Body::Opaque || docker::is_spooled(kind);
  out.body_kind = out.has_body || streamed ? kind : docker::Body::None;
  out.stream = route.stream;
  out.registry_auth = request.registry_auth;
  out.registry_config = request.registry_config;
  out.upgrade_headers = request.upgrade_headers;
  out.upgrade = docker::upgrade_protocol(route);
  return out;
}

std::string capitalised(std::string text) {
  if (!text.empty() && text[0] >= 'a' && text[0] <= 'z') text[0] = static_cast<char>(text[0] - 32);
  return text;
}

// "/HostConfig/Binds" -> "Binds"
std::string last_token(const std::string& pointer) {
  return pointer.substr(pointer.rfind('/') + 1);
}

// Refusals whose template speaks of what only a decoded request has: what the decoder said, and
// the way out.
struct WayOut {
  std::string_view rule, text;
};
constexpr std::array<WayOut, 3> kWaysOut{{
    {"api-version-range", "Set DOCKER_API_VERSION, or upgrade or downgrade the client."},
    {"unknown-endpoint", "Ask an administrator if you need it."},
    {"body-too-large", "It was not forwarded."},
}};

std::string refusal_text(const docker::Refusal& refusal) {
  for (const WayOut& way : kWaysOut) {
    if (way.rule != refusal.rule) continue;
    const Vars vars{{"detail", capitalised(refusal.detail)}};
    return fill_message("{{detail}}. ", {&vars, nullptr, nullptr, nullptr}) + std::string(way.text);
  }
  const RuleEntry* rule = find_rule(refusal.rule);
  const Vars vars{{"detail", refusal.detail},
                  {"key", last_token(refusal.pointer)},
                  {"pointer", refusal.pointer.empty() ? "the top level" : refusal.pointer}};
  return fill_message(rule ? rule->message : "{{detail}}", {&vars, nullptr, nullptr, rule});
}

}  // namespace

Evaluator::Evaluator(std::shared_ptr<const PolicySet> set, ClosedRoutes closed)
    : set_(std::move(set)), closed_(closed) {}

std::vector<Lookup> Evaluator::needs(const Request& request, const Identity& who,
                                     const Facts& facts) const {
  std::vector<Lookup> out;
  if (request.route().access == docker::Access::Free) return out;
  const std::shared_ptr<const Ruleset> rules = set_->rules_for(who);
  if (!rules) return out;
  const RequestView view(request);
  const Input input{request, who, facts, view};
  for (const CompiledRule& rule : rules->rules) {
    if (rule.check.needs && rule.mode != Mode::Disabled) rule.check.needs(input, out);
  }
  if (const std::optional<Request> other = stand_in(request)) {
    const RequestView other_view(*other);
    const Input other_input{*other, who, facts, other_view};
    for (const CompiledRule& rule : rules->rules) {
      if (!rule.check.needs || rule.mode == Mode::Disabled) continue;
      if (judges_stand_in(rule.id, request)) rule.check.needs(other_input, out);
    }
  }
  if (out.empty()) return out;
  std::erase_if(out, [&facts](const Lookup& lookup) { return facts.has(lookup); });
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  // What is cut off here is missing later, and the rule that wanted it denies.
  const std::size_t asked = std::min(facts.all().size(), kMostLookups);
  if (out.size() > kMostLookups - asked) out.resize(kMostLookups - asked);
  return out;
}

Decision Evaluator::evaluate(Request request, const Identity& who, const Facts& facts,
                             const Stamp& stamp, docker::ApiVersion fallback) const {
  const std::shared_ptr<const Ruleset> rules = set_->rules_for(who);
  Decision out;
  if (rules) {
    out.policies = rules->policies;
    out.bindings = rules->bindings;
  }
  if (request.route().access == docker::Access::Free) {
    out.outcome = Admitted(wire_of(request, fallback, docker::encode_body(request)));
    return out;
  }
  Denied denied;
  bool admit = false;
  if (!rules) {
    const Vars vars{{"name", who.name}};
    out.findings.push_back(
        always("no-policy", "path",
               fill_message("No policy applies to {{name}}. Ask an administrator to bind one.",
                            {&vars, nullptr, nullptr, nullptr})));
  } else {
    Judgement judgement(request, who, facts);
    judgement.run(*rules, closed_);
    admit = !judgement.denied;
    if (!judgement.plain.empty()) denied = {404, std::move(judgement.plain)};
    out.findings = std::move(judgement.findings);
    if (std::string absent = admit ? absent_image(request, facts) : ""; !absent.empty()) {
      admit = false;
      out.findings.push_back(always("image-not-found", "/Image", absent + "; pull it first."));
      denied = {404, std::move(absent)};
    }
  }
  if (admit) {
    // In this order: facts are known by the names that were sent.
    stamp_labels(request, who, stamp.decision, facts);
    pin_references(request, facts);
    keep_engine_defaults(request, out.findings);
  }
  // Written once; the record gets the same bytes with the secrets cut out.
  std::vector<json::Written> trace;
  std::string bytes = docker::encode_body(request, &trace);
  if (!bytes.empty()) {
    RedactedBody recorded = redact_body(request, bytes, trace);
    out.canonical_body = std::move(recorded.body);
    out.redactions = std::move(recorded.pointers);
  } else {
    out.canonical_body = spooled_summary(request);
  }
  if (admit) {
    std::optional<AnswerScope> answer;
    bool hide_ids = false;
    if (const Params* params = owner_params(*rules)) {
      const OwnerScope scope = scope_of(*params, who);
      hide_ids = scope.reads;
      answer = narrow(request, scope);
    }
    WireRequest wire = wire_of(request, fallback, std::move(bytes));
    wire.hide_ids = hide_ids;
    wire.answer = std::move(answer);
    wire.image = judged_image(request, facts);
    out.outcome = Admitted(std::move(wire));
  } else {
    out.outcome = std::move(denied);
  }
  return out;
}

Decision Evaluator::refuse(const docker::Refusal& refusal) const {
  Decision out;
  out.findings.push_back(always(refusal.rule, refusal.pointer, refusal_text(refusal)));
  // The engine's own words for an exec that cannot exist.
  out.outcome = Denied{refusal.status, refusal.status == 404 ? capitalised(refusal.detail) : ""};
  return out;
}

}  // namespace dockreeve::policy
