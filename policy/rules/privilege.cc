// Privilege: what the container's process may do.
//
// no-privileged
//   reads    HostConfig.Privileged
//   allows   false or absent
//   maps to  CIS Docker 5.5, Pod Security Standards "baseline"
//
// cap-add-allowlist
//   reads    HostConfig.CapAdd
//   allows   names in `allowed`, in any spelling the engine takes; ALL never. What CapDrop says
//   does
//            not matter, because the engine lets an addition win
//   params   allowed: [capability]
//   maps to  CIS Docker 5.4, Pod Security Standards "baseline" and "restricted"
//
// cap-drop-required
//   reads    HostConfig.CapDrop
//   allows   every name in `required` dropped; ALL drops everything
//   params   required: [capability]; acceptEquivalent: the fourteen defaults one by one count as
//   ALL maps to  CIS Docker 5.4, Pod Security Standards "restricted"
//
// no-new-privileges
//   reads    HostConfig.SecurityOpt, the last no-new-privileges wins
//   allows   on; nothing said, if the engine's own default is on
//   params   honourDaemonDefault
//   maps to  CIS Docker 5.26, Pod Security Standards "restricted"
//
// no-exec-privileged
//   reads    exec Privileged
//   allows   false or absent
//   maps to  CIS Docker 5.23
#include <algorithm>

#include "base/json.h"
#include "base/text.h"
#include "docker/capability.h"
#include "policy/rules/rules.h"
#include "policy/rules/support.h"

namespace dockreeve::policy::rules {
namespace {

using docker::CreateContainer;
using docker::ExecCreate;

// The canonical name, or the text itself when the engine would not know it.
std::string canonical(const std::string& text) {
  const Result<std::string_view> name = docker::normalise_capability(text);
  return name ? std::string(*name) : text;
}

std::vector<std::string> canonical_list(std::vector<std::string> names) {
  for (std::string& name : names)
    name = canonical(name);
  return names;
}

void check_added(const std::vector<std::string>& allowed, const CreateContainer& create,
                 Report& out) {
  const docker::StringList& added = create.host_config.cap_add;
  if (!added) return;
  std::vector<std::string> refused;
  for (const std::string& text : *added) {
    const Result<std::string_view> name = docker::normalise_capability(text);
    if (name && *name != docker::kAllCapabilities && contains(allowed, *name)) continue;
    refused.push_back(name ? std::string(*name) : text);
  }
  if (refused.empty()) return;
  const std::string list = text::join(refused, ", ");
  out.add("/HostConfig/CapAdd", quoted(list), {{"list", list}, {"first", refused.front()}},
          "remove --cap-add " + refused.front());
}

bool drops_defaults(const std::vector<std::string>& dropped) {
  const auto defaults = docker::default_capabilities();
  return std::all_of(defaults.begin(), defaults.end(),
                     [&](std::string_view name) { return contains(dropped, name); });
}

void check_dropped(const std::vector<std::string>& required, bool accept_equivalent,
                   const CreateContainer& create, Report& out) {
  const docker::StringList& list = create.host_config.cap_drop;
  const std::vector<std::string> dropped =
      list ? canonical_list(*list) : std::vector<std::string>();
  if (contains(dropped, docker::kAllCapabilities)) return;
  std::vector<std::string> missing;
  for (const std::string& name : required) {
    const bool met = name == docker::kAllCapabilities ? accept_equivalent && drops_defaults(dropped)
                                                      : contains(dropped, name);
    if (!met) missing.push_back(name);
  }
  if (missing.empty()) return;
  const std::string flags = text::join(missing, " --cap-drop ");
  out.add("/HostConfig/CapDrop", list ? quoted(text::join(*list, ", ")) : "null",
          {{"missing", flags}}, "--cap-drop " + flags);
}

const Lookup kEngine{LookupKind::Engine, ""};

void check_no_new_privileges(bool honour_default, const Input& in, Report& out) {
  const docker::SecurityOptions& options = in.view.security();
  if (options.no_new_privileges) return;
  if (!options.no_new_privileges_index && honour_default) {
    const auto* engine = fact<EngineFact>(in, kEngine, "/HostConfig/SecurityOpt", out);
    if (!engine || engine->no_new_privileges_default) return;
  }
  const std::string pointer =
      options.no_new_privileges_index
          ? json::pointer_join("/HostConfig/SecurityOpt", *options.no_new_privileges_index)
          : "/HostConfig/SecurityOpt";
  out.add(pointer, options.no_new_privileges_index ? "false" : "null", {},
          "--security-opt no-new-privileges");
}

}  // namespace

Result<Check> no_privileged(const Params&) {
  return pure(on_create([](const CreateContainer& create, const Input&, Report& out) {
    if (!create.host_config.privileged) return;
    out.add("/HostConfig/Privileged", "true", {}, "remove --privileged");
  }));
}

Result<Check> cap_add_allowlist(const Params& params) {
  return pure(on_create([allowed = canonical_list(params.list("allowed"))](
                            const CreateContainer& create, const Input&, Report& out) {
    check_added(allowed, create, out);
  }));
}

Result<Check> cap_drop_required(const Params& params) {
  return pure(on_create([required = canonical_list(params.list("required")),
                         equivalent = params.flag("acceptEquivalent")](
                            const CreateContainer& create, const Input&, Report& out) {
    check_dropped(required, equivalent, create, out);
  }));
}

Result<Check> no_new_privileges(const Params& params) {
  const bool honour = params.flag("honourDaemonDefault");
  return with_needs(
      on_create([honour](const CreateContainer&, const Input& in, Report& out) {
        check_no_new_privileges(honour, in, out);
      }),
      on_create([honour](const CreateContainer&, const Input& in, std::vector<Lookup>& out) {
        const bool said = in.view.security().no_new_privileges_index.has_value();
        if (honour && !said) out.push_back(kEngine);
      }));
}

Result<Check> no_exec_privileged(const Params&) {
  return pure(on<ExecCreate>([](const ExecCreate& exec, const Input&, Report& out) {
    if (exec.privileged) out.add("/Privileged", "true", {}, "remove --privileged");
  }));
}

}  // namespace dockreeve::policy::rules
