// Classic builds: what their Dockerfile says.
//
// build-from-allowlist
//   reads    FROM, COPY --from and RUN --mount=from in every stage and trigger
//   allows   earlier stages, scratch, and references that match a pattern in `registries`; image ids
//            and names that the engine resolves as an id match nothing
//   params   registries: [pattern]
//   maps to  CIS Docker 4.2
//
// build-requires-user
//   reads    the last USER of the stage that the build ends with, or of the stage it is built on
//   allows   a uid other than 0, or a name other than root, written without variables and quotes
//   maps to  CIS Docker 4.1
#include "policy/rules/builds.h"

#include <algorithm>

#include "base/text.h"
#include "docker/image_names.h"
#include "policy/rules/rules.h"
#include "policy/rules/support.h"

namespace dockreeve::policy::rules {
namespace {

using docker::BuildStage;
using docker::ImagePattern;
using docker::ImageRef;

std::string place(std::size_t line) {
  return "Dockerfile:" + std::to_string(line);
}

void add_images(const std::optional<docker::Dockerfile>& file, std::string_view parent,
                std::vector<ReadImage>& out) {
  if (!file) return;
  for (const docker::ImageUse& use : file->images) {
    out.push_back({use.name, use.instruction,
                   parent.empty() ? place(use.line) : std::string(parent)});
  }
}

void check_from(const std::vector<ImagePattern>& registries, const Input& in, Report& out) {
  for (const ReadImage& image : images_read(in.request)) {
    const Result<ImageRef> ref = docker::parse_image_ref(image.name);
    bool listed = ref && std::any_of(registries.begin(), registries.end(),
                                     [&](const ImagePattern& p) { return p.matches(*ref); });
    if (listed && ref->may_be_id) {
      const auto* found =
          fact<ImageFact>(in, {LookupKind::Image, image.name}, image.pointer, out);
      if (!found) continue;
      std::string_view id = found->id;
      if (id.starts_with("sha256:")) id.remove_prefix(7);
      listed = !found->found || !id.starts_with(image.name);
    }
    if (listed) continue;
    out.add(image.pointer, quoted(image.name), {{"value", image.name}});
  }
}

void from_needs(const Input& in, std::vector<Lookup>& out) {
  for (const ReadImage& image : images_read(in.request)) {
    const Result<ImageRef> ref = docker::parse_image_ref(image.name);
    if (ref && ref->may_be_id) out.push_back({LookupKind::Image, image.name});
  }
}

bool is_plain_user(std::string_view user) {
  const std::string_view name = user.substr(0, user.find(':'));
  if (name.empty() || name == "root") return false;
  const bool readable = std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '_' || c == '-' || c == '.' || c == '+';
  });
  if (!readable) return false;
  const auto uid = atoi(name);
  return !uid || *uid > 0;
}

void check_user(const Input& in, Report& out) {
  if (!in.request.dockerfile) return;
  const docker::Dockerfile& file = *in.request.dockerfile;
  const BuildStage* stage = docker::final_stage(file, build_query(in, "target"));
  while (stage && !stage->user && stage->base_stage) stage = &file.stages[*stage->base_stage];
  if (stage && stage->user && is_plain_user(*stage->user)) return;
  out.add("Dockerfile", stage && stage->user ? quoted(*stage->user) : "null", {}, "USER 1000");
}

}  // namespace

std::vector<ReadImage> images_read(const docker::Request& request) {
  std::vector<ReadImage> out;
  add_images(request.dockerfile, "", out);
  add_images(request.changes, "query/changes", out);
  return out;
}

std::vector<GivenName> names_given(const docker::Request& request) {
  std::vector<GivenName> out;
  const docker::Query& query = request.target.query;
  const auto add = [&out](Result<ImageRef> ref, std::string pointer) {
    if (!ref) return;
    if (ref->tag.empty() && ref->digest.empty()) ref->tag = "latest";
    out.push_back({*std::move(ref), std::move(pointer)});
  };
  if (request.route().name == "build") {
    for (const auto& [key, value] : query)
      if (key == "t") add(docker::parse_image_ref(value), "query/t");
  }
  if (request.images) {
    for (const std::string& name : request.images->names)
      add(docker::parse_image_ref(name), "body");
  }
  for (docker::NewName& name : docker::new_image_names(request.target))
    out.push_back({std::move(name.ref), std::move(name.pointer)});
  const bool import = docker::body_of(request.target) == docker::Body::ImportArchive;
  if (import && !docker::param(query, "repo").empty()) {
    add(docker::parse_pull_ref(docker::param(query, "repo"), docker::param(query, "tag")),
        "query/repo");
  }
  return out;
}

Result<Check> build_from_allowlist(const Params& params) {
  std::vector<ImagePattern> registries;
  for (const std::string& text : params.list("registries")) {
    Result<ImagePattern> pattern = ImagePattern::parse(text);
    if (!pattern) return fail("registries", text::quoted(text) + ": " + pattern.error().message);
    registries.push_back(*std::move(pattern));
  }
  return with_needs([registries = std::move(registries)](const Input& in, Report& out) {
    check_from(registries, in, out);
  }, from_needs);
}

Result<Check> build_requires_user(const Params&) {
  return pure(check_user);
}

}  // namespace dockreeve::policy::rules
