// Operations: what a caller may do at all, told by the route and its query.
//
// no-plugin-install        no plugin pull, create, upgrade, set, enable; `allow`: references that
// may no-swarm-management      no swarm init, join, leave, update, unlock; no node update; CIS
// Docker 5.1 no-debug-endpoints       nothing below /debug no-prune                 no prune;
// requireOwnerFilter lets one with the caller's owner filter pass no-container-commit      no
// commit no-image-import          no image load (unless allowLoad), no import through images/create
// no-archive-write         no upload into containers, except below allowPaths
// push-registry-allowlist  image push only to a pattern in `registries`
// endpoint-allowlist       only routes that match a glob in `allow`: "container.*", "image.list".
// Enforced, it is also what opens the rows that are docker::Access::OptIn, when it names them
// literally (policy/evaluator.cc)
#include <algorithm>
#include <array>

#include "base/json.h"
#include "base/text.h"
#include "docker/host_mount.h"
#include "docker/image_ref.h"
#include "policy/ownership.h"
#include "policy/rules/rules.h"
#include "policy/rules/support.h"

namespace dockreeve::policy::rules {
namespace {

using docker::ImagePattern;

template <std::size_t N>
bool is_one_of(const Input& in, const std::array<std::string_view, N>& routes) {
  return std::find(routes.begin(), routes.end(), in.request.route().name) != routes.end();
}

std::string query(const Input& in, std::string_view name) {
  return std::string(docker::param(in.request.target.query, name));
}

constexpr std::array<std::string_view, 5> kPluginInstall{
    "plugin.pull", "plugin.create", "plugin.upgrade", "plugin.set", "plugin.enable"};
constexpr std::array<std::string_view, 6> kSwarmManagement{
    "swarm.init", "swarm.join", "swarm.leave", "swarm.update", "swarm.unlock", "node.update"};

// What is installed: the remote reference, not the name it is given.
std::string plugin_of(const Input& in) {
  if (std::string remote = query(in, "remote"); !remote.empty()) return remote;
  return in.request.target.id.empty() ? query(in, "name") : in.request.target.id;
}

void check_plugin(const std::vector<std::string>& allow, const Input& in, Report& out) {
  if (!is_one_of(in, kPluginInstall)) return;
  const std::string plugin = plugin_of(in);
  if (!plugin.empty() && contains(allow, plugin)) return;
  out.add("path", quoted(plugin), {{"value", plugin.empty() ? "it" : plugin}});
}

// Whether the filters keep the prune to objects of the caller: a label filter that can match
// nothing else. Canonical filters are {"label":{"key=value":true}}; several labels must all match.
bool filters_owner(const Input& in) {
  const auto document = json::Document::parse(query(in, "filters"));
  if (!document) return false;
  const std::optional<json::Value> labels = (*document)->root().find("label");
  if (!labels) return false;
  const std::string owner = std::string(kOwnerLabel) + "=" + in.who.name;
  if (labels->is_object()) return labels->find(owner).has_value();
  for (auto label = labels->first(); label; label = label->next()) {
    if (label->is_string() && label->text() == owner) return true;
  }
  return false;
}

void check_prune(bool owner_filter_suffices, const Input& in, Report& out) {
  constexpr std::string_view kSuffix = ".prune";
  const std::string_view route = in.request.route().name;
  if (!route.ends_with(kSuffix)) return;
  if (owner_filter_suffices && (in.owner_scoped || filters_owner(in))) return;
  const std::string kind(route.substr(0, route.size() - kSuffix.size()));
  const std::string flag = "--filter label=" + std::string(kOwnerLabel) + "=" + in.who.name;
  out.add("path", quoted(route), {{"kind", kind}, {"self", in.who.name}}, flag);
}

void check_import(bool allow_load, const Input& in, Report& out) {
  if (is_route(in, "image.load")) {
    if (!allow_load) out.add("path", quoted("image.load"), {{"op", "load"}}, "docker pull");
    return;
  }
  if (!is_route(in, "image.create")) return;
  const std::string source = query(in, "fromSrc");
  if (source.empty() && !query(in, "fromImage").empty()) return;
  out.add("query/fromSrc", quoted(source), {{"op", "import"}}, "docker pull");
}

void check_archive(const std::vector<std::string>& allow, const Input& in, Report& out) {
  if (!is_route(in, "container.archive_put")) return;
  const std::string sent = query(in, "path");
  const std::string path = docker::clean_path(sent);
  for (const std::string& parent : allow) {
    if (docker::path_within(path, parent)) return;
  }
  out.add("query/path", quoted(sent), {{"value", path}});
}

void check_push(const std::vector<ImagePattern>& registries, const Input& in, Report& out) {
  if (!is_route(in, "image.push")) return;
  const std::string& name = in.request.target.id;
  const Result<docker::ImageRef> ref = docker::parse_pull_ref(name, query(in, "tag"));
  // Without a tag the engine pushes every tag of the repository.
  const bool all_tags = ref && ref->tag.empty();
  if (ref && std::any_of(registries.begin(), registries.end(), [&](const ImagePattern& pattern) {
        return all_tags ? pattern.matches_all_tags(*ref) : pattern.matches(*ref);
      })) {
    return;
  }
  const std::string shown = !ref ? name : all_tags ? ref->repository() : ref->canonical();
  out.add("path", quoted(name), {{"value", shown}});
}

void check_endpoint(const std::vector<std::string>& allow, const Input& in, Report& out) {
  const std::string_view route = in.request.route().name;
  for (const std::string& glob : allow) {
    if (text::glob_match(glob, route)) return;
  }
  out.add("path", quoted(route),
          {{"role", in.who.roles.empty() ? "none" : in.who.roles.front()},
           {"route", std::string(route)}});
}

}  // namespace

Result<Check> no_plugin_install(const Params& params) {
  return pure([allow = params.list("allow")](const Input& in, Report& out) {
    check_plugin(allow, in, out);
  });
}

Result<Check> no_swarm_management(const Params&) {
  return pure([](const Input& in, Report& out) {
    if (is_one_of(in, kSwarmManagement)) out.add("path", quoted(in.request.route().name));
  });
}

Result<Check> no_debug_endpoints(const Params&) {
  return pure([](const Input& in, Report& out) {
    if (is_route(in, "debug")) out.add("path", quoted(in.request.target.id));
  });
}

Result<Check> no_prune(const Params& params) {
  return pure([suffices = params.flag("requireOwnerFilter")](const Input& in, Report& out) {
    check_prune(suffices, in, out);
  });
}

Result<Check> no_container_commit(const Params&) {
  return pure([](const Input& in, Report& out) {
    if (is_route(in, "commit")) out.add("path", quoted("commit"), {}, "docker build");
  });
}

Result<Check> no_image_import(const Params& params) {
  return pure([allow_load = params.flag("allowLoad")](const Input& in, Report& out) {
    check_import(allow_load, in, out);
  });
}

Result<Check> no_archive_write(const Params& params) {
  std::vector<std::string> allow = params.list("allowPaths");
  for (std::string& path : allow)
    path = docker::clean_path(path);
  return pure(
      [allow = std::move(allow)](const Input& in, Report& out) { check_archive(allow, in, out); });
}

Result<Check> push_registry_allowlist(const Params& params) {
  std::vector<ImagePattern> registries;
  for (const std::string& text : params.list("registries")) {
    Result<ImagePattern> pattern = ImagePattern::parse(text);
    if (!pattern) return fail("registries", text::quoted(text) + ": " + pattern.error().message);
    registries.push_back(*std::move(pattern));
  }
  return pure([registries = std::move(registries)](const Input& in, Report& out) {
    check_push(registries, in, out);
  });
}

Result<Check> endpoint_allowlist(const Params& params) {
  return pure([allow = params.list("allow")](const Input& in, Report& out) {
    check_endpoint(allow, in, out);
  });
}

}  // namespace dockreeve::policy::rules
