// Users: who the container's process is.
//
// run-as-non-root
//   reads    Config.User; the image's USER when that is empty
//   allows   a numeric uid other than 0 (Go's Atoi, so 00, +0 and -0 are root). ":1000" is root and
//            does not fall back to the image. Any user if the engine remaps users. An image that
//            the engine does not have yet is not judged: the engine refuses to create from it
//   params   requireNumeric: names cannot be verified; allowUserns
//   maps to  CIS Docker 4.1, Pod Security Standards "restricted"
//
// no-root-group
//   reads    group part of Config.User, HostConfig.GroupAdd
//   allows   groups other than 0 and root; anything for a user who is root anyway
//   maps to  -
//
// exec-not-root
//   reads    exec User; the container's User when that is empty
//   allows   any user but root
//   params   requireNumeric
//   maps to  CIS Docker 5.24
#include "base/json.h"
#include "policy/rules/rules.h"
#include "policy/rules/support.h"

namespace dockreeve::policy::rules {
namespace {

using docker::CreateContainer;
using docker::ExecCreate;

std::string_view user_part(std::string_view user) {
  return user.substr(0, user.find(':'));
}

std::string_view group_part(std::string_view user) {
  const std::size_t colon = user.find(':');
  return colon == std::string_view::npos ? std::string_view() : user.substr(colon + 1);
}

// Whether the user is, or cannot be shown not to be, root.
bool may_be_root(std::string_view user, bool require_numeric) {
  const std::string_view name = user_part(user);
  if (name.empty() || name == "root") return true;
  if (const auto uid = atoi(name)) return *uid <= 0;
  return require_numeric;
}

bool is_root_group(std::string_view group) {
  return group == "root" || atoi(group) == 0;
}

const Lookup kEngine{LookupKind::Engine, ""};

struct NonRoot {
  bool require_numeric = true;
  bool allow_userns = true;

  bool suspicious(const CreateContainer& create) const {
    return create.user.empty() || may_be_root(create.user, require_numeric);
  }
  bool asks_engine(const CreateContainer& create) const {
    return allow_userns && create.host_config.userns_mode != "host";
  }

  void needs(const CreateContainer& create, std::vector<Lookup>& out) const {
    if (!suspicious(create)) return;
    if (asks_engine(create)) out.push_back(kEngine);
    if (create.user.empty()) out.push_back({LookupKind::Image, create.image});
  }

  void run(const CreateContainer& create, const Input& in, Report& out) const {
    if (!suspicious(create)) return;
    if (asks_engine(create)) {
      const auto* engine = fact<EngineFact>(in, kEngine, "/User", out);
      if (!engine || engine->userns_remap) return;
    }
    std::string user = create.user;
    if (user.empty()) {
      const auto* image = fact<ImageFact>(in, {LookupKind::Image, create.image}, "/User", out);
      if (!image || !image->found || !may_be_root(image->user, require_numeric)) return;
      user = image->user;
    }
    const std::string shown = user.empty() ? "no user is set" : user;
    out.add("/User", quoted(create.user), {{"value", shown}}, "--user 1000:1000");
  }
};

void check_groups(const CreateContainer& create, Report& out) {
  const std::string_view user = user_part(create.user);
  if (user == "root" || (!user.empty() && atoi(user) == 0)) return;
  const std::string uid = user.empty() ? "1000" : std::string(user);
  if (!user.empty() && is_root_group(group_part(create.user))) {
    out.add("/User", quoted(create.user), {{"uid", uid}}, "--user " + uid + ":" + uid);
  }
  const docker::StringList& added = create.host_config.group_add;
  if (!added) return;
  for (std::size_t i = 0; i < added->size(); ++i) {
    const std::string& group = (*added)[i];
    if (!is_root_group(group)) continue;
    out.add(json::pointer_join("/HostConfig/GroupAdd", i), quoted(group), {{"uid", uid}},
            "remove --group-add " + group);
  }
}

void check_exec(bool require_numeric, const ExecCreate& exec, const Input& in, Report& out) {
  std::string user = exec.user;
  if (user.empty()) {
    const auto* container =
        fact<ContainerFact>(in, {LookupKind::Container, in.request.target.id}, "/User", out);
    if (!container || !container->found) return;
    user = container->user;
  }
  if (may_be_root(user, require_numeric)) {
    out.add("/User", quoted(exec.user), {{"value", user}}, "--user 1000");
  }
}

}  // namespace

Result<Check> run_as_non_root(const Params& params) {
  const NonRoot rule{params.flag("requireNumeric"), params.flag("allowUserns")};
  return with_needs(on_create([rule](const CreateContainer& create, const Input& in, Report& out) {
                      rule.run(create, in, out);
                    }),
                    on_create([rule](const CreateContainer& create, const Input&,
                                     std::vector<Lookup>& out) { rule.needs(create, out); }));
}

Result<Check> no_root_group(const Params&) {
  return pure(on_create(
      [](const CreateContainer& create, const Input&, Report& out) { check_groups(create, out); }));
}

Result<Check> exec_not_root(const Params& params) {
  const bool numeric = params.flag("requireNumeric");
  return with_needs(
      on<ExecCreate>([numeric](const ExecCreate& exec, const Input& in, Report& out) {
        check_exec(numeric, exec, in, out);
      }),
      on<ExecCreate>([](const ExecCreate& exec, const Input& in, std::vector<Lookup>& out) {
        if (exec.user.empty()) out.push_back({LookupKind::Container, in.request.target.id});
      }));
}

}  // namespace dockreeve::policy::rules
