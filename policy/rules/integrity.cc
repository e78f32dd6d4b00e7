// Integrity rules that a policy can tune. The others (one meaning, known routes, version window,
// body size) are decided while a request is decoded and cannot be switched off.
//
// uninspectable-stream     no session and grpc tunnels, except routes in `allow`
// unknown-field            keys that the schema does not know, and SecurityOpt names; `allow`: JSON
//                          pointers. Unknown keys never reach the engine, whatever the mode
// reserved-labels          no label below one of `prefixes` in a create body, a volume, a network, a
//                          service, the volume options of a mount, the labels of a build, the body
//                          and the changes of a commit, or the LABEL lines of a Dockerfile or an
//                          import. An update of a service may send what the service already has
#include <algorithm>

#include "base/json.h"
#include "base/text.h"
#include "policy/rules/rules.h"
#include "policy/rules/support.h"

namespace dockreeve::policy::rules {
namespace {

using docker::CreateContainer;
using docker::VolumeCreate;

void add_unknown(const std::vector<std::string>& allow, const std::string& pointer,
                 std::string value, Report& out) {
  if (contains(allow, pointer)) return;
  out.add(pointer, std::move(value), {{"pointer", pointer}});
}

void check_unknown(const std::vector<std::string>& allow, const Input& in, Report& out) {
  for (const std::string& pointer : in.request.unknown)
    add_unknown(allow, pointer, "null", out);
  for (const docker::SecurityOptions::Entry& option : in.view.security().unknown) {
    add_unknown(allow, json::pointer_join("/HostConfig/SecurityOpt", option.index),
                quoted(option.value), out);
  }
}

void check_labels(const std::vector<std::string>& prefixes, const docker::Map<std::string>& labels,
                  const std::string& pointer, Report& out) {
  for (const auto& [key, value] : labels) {
    for (const std::string& prefix : prefixes) {
      if (!key.starts_with(prefix)) continue;
      out.add(json::pointer_join(pointer, key), quoted(value), {{"value", key}},
              "remove --label " + key);
      break;
    }
  }
}

// The labels of a build are a JSON object in the query.
docker::Map<std::string> build_labels(const Input& in, Report& out) {
  docker::Map<std::string> labels;
  const std::string_view text = build_query(in, "labels");
  if (text.empty()) return labels;
  const auto document = json::Document::parse(std::string(text));
  if (!document) {
    out.lookup_failed("query/labels", document.error());
    return labels;
  }
  for (auto label = (*document)->root().first(); label; label = label->next()) {
    labels.emplace(std::string(label->key()), std::string(label->text()));
  }
  return labels;
}

// Keys of LABEL; what variables would make of one is overruled by the labels that the gateway adds.
void check_written(const std::vector<std::string>& prefixes,
                   const std::optional<docker::Dockerfile>& file, const std::string& pointer,
                   Report& out) {
  if (!file) return;
  for (const std::string& key : file->labels) {
    const bool reserved =
        std::any_of(prefixes.begin(), prefixes.end(),
                    [&key](const std::string& prefix) { return key.starts_with(prefix); });
    if (reserved) out.add(pointer, quoted(key), {{"value", key}}, "remove LABEL " + key);
  }
}

// A Dockerfile line without what its parser takes away inside a word.
std::string unquoted(const std::string& line) {
  std::string out;
  for (const char c : line) {
    if (std::string_view("\"'\\`").find(c) == std::string_view::npos) out += c;
  }
  return out;
}

// Whether a line sets labels, at once or in the builds from the image.
bool sets_labels(const docker::Change& change) {
  if (change.instruction == "LABEL") return true;
  return change.instruction == "ONBUILD" &&
         text::to_lower(change.arguments).find("label") != std::string::npos;
}

void check_changes(const std::vector<std::string>& prefixes, const docker::Query& query,
                   Report& out) {
  const auto changes = docker::read_changes(query);
  if (!changes) return out.not_looked_up(changes.error().pointer);
  for (std::size_t i = 0; i < changes->size(); ++i) {
    const docker::Change& change = (*changes)[i];
    if (!sets_labels(change)) continue;
    const std::string pointer = json::pointer_join("query/changes", i);
    const std::string line = unquoted(change.arguments);
    if (line.find('$') != std::string::npos) {
      out.add(pointer, quoted(change.arguments),
              {{"text",
                "A label of a commit may not be made of variables: it could be one that is "
                "reserved for the gateway."}});
    }
    for (const std::string& prefix : prefixes) {
      if (line.find(prefix) == std::string::npos) continue;
      out.add(pointer, quoted(change.arguments), {{"value", prefix + "*"}},
              "remove --change 'LABEL " + prefix + "...'");
      break;
    }
  }
}

// The labels without those that the service under change has already.
docker::Map<std::string> new_labels(docker::Map<std::string> labels, const Input& in) {
  const auto* service = known<ServiceFact>(in, {LookupKind::Service, in.request.target.id});
  if (!service || !service->found) return labels;
  std::erase_if(labels, [service](const auto& label) {
    const auto old = service->labels.find(label.first);
    return old != service->labels.end() && old->second == label.second;
  });
  return labels;
}

void check_reserved(const std::vector<std::string>& prefixes, const Input& in, Report& out) {
  check_written(prefixes, in.request.dockerfile, "Dockerfile", out);
  check_written(prefixes, in.request.changes, "query/changes", out);
  if (const auto* volume = in.request.body_as<VolumeCreate>()) {
    check_labels(prefixes, volume->labels, "/Labels", out);
  }
  if (const auto* network = in.request.body_as<docker::NetworkCreate>()) {
    check_labels(prefixes, network->labels, "/Labels", out);
  }
  if (const auto* commit = in.request.body_as<docker::Commit>()) {
    check_labels(prefixes, commit->config.labels, "/Labels", out);
    check_changes(prefixes, in.request.target.query, out);
  }
  check_labels(prefixes, build_labels(in, out), "query/labels", out);
  const auto* create = in.request.body_as<CreateContainer>();
  if (!create) return;
  if (is_route(in, "service.update")) {
    check_labels(prefixes, new_labels(create->labels, in), "/Labels", out);
  } else {
    check_labels(prefixes, create->labels, "/Labels", out);
  }
  if (!create->host_config.mounts) return;
  const auto& mounts = *create->host_config.mounts;
  for (std::size_t i = 0; i < mounts.size(); ++i) {
    if (!mounts[i].volume_options) continue;
    check_labels(prefixes, mounts[i].volume_options->labels,
                 json::pointer_join("/HostConfig/Mounts", i) + "/VolumeOptions/Labels", out);
  }
}

}  // namespace

Result<Check> uninspectable_stream(const Params& params) {
  return pure([allow = params.list("allow")](const Input& in, Report& out) {
    const std::string_view route = in.request.route().name;
    if ((route != "session" && route != "grpc") || contains(allow, route)) return;
    out.add("path", quoted(route), {{"path", "/" + std::string(route)}},
            "DOCKER_BUILDKIT=0 docker build");
  });
}

Result<Check> unknown_field(const Params& params) {
  return pure([allow = params.list("allow")](const Input& in, Report& out) {
    check_unknown(allow, in, out);
  });
}

Result<Check> reserved_labels(const Params& params) {
  return with_needs([prefixes = params.list("prefixes")](
                        const Input& in, Report& out) { check_reserved(prefixes, in, out); },
                    [](const Input& in, std::vector<Lookup>& out) {
                      if (is_route(in, "service.update")) {
                        out.push_back({LookupKind::Service, in.request.target.id});
                      }
                    });
}

}  // namespace dockreeve::policy::rules
