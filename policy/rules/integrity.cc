// Integrity rules that a policy can tune. The others (one meaning, known routes, version window,
// body size) are decided while a request is decoded and cannot be switched off.
//
// uninspectable-stream     no session and grpc tunnels, except routes in `allow`
// unknown-field            keys that the schema does not know, and SecurityOpt names; `allow`: JSON
//                          pointers. Unknown keys never reach the engine, whatever the mode
// reserved-labels          no label below one of `prefixes` in a create body, a volume, the volume
//                          options of a mount, the labels of a build or the LABEL lines of a
//                          Dockerfile or an import
#include <algorithm>

#include "base/json.h"
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

void check_reserved(const std::vector<std::string>& prefixes, const Input& in, Report& out) {
  check_written(prefixes, in.request.dockerfile, "Dockerfile", out);
  check_written(prefixes, in.request.changes, "query/changes", out);
  if (const auto* volume = in.request.body_as<VolumeCreate>()) {
    check_labels(prefixes, volume->labels, "/Labels", out);
  }
  check_labels(prefixes, build_labels(in, out), "query/labels", out);
  const auto* create = in.request.body_as<CreateContainer>();
  if (!create) return;
  check_labels(prefixes, create->labels, "/Labels", out);
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
  return pure([prefixes = params.list("prefixes")](const Input& in, Report& out) {
    check_reserved(prefixes, in, out);
  });
}

}  // namespace dockreeve::policy::rules
