// Images: where they come from and how they are pinned.
//
// trusted-registry
//   reads    Config.Image, sources of image mounts, fromImage and tag of a pull
//   allows   references whose canonical name matches a pattern. Image ids and names that the engine
//            resolves as an id match nothing, unless allowImageIds and one of the image's own names
//            matches. A pull without tag or digest fetches every tag and is refused. The images
//            that a Dockerfile reads are judged the same way; a build, a load or an import may not
//            give its result a name that matches
//   params   registries: [pattern]; allowImageIds
//            Names of such a registry may not be given to other images by image.tag, commit or a
//            build: what carries them counts as pulled from there. Hosts that the engine would dial
//            (auth, image.search, distribution.inspect) are judged by the same patterns
//   maps to  CIS Docker 4.2
//
// no-latest-tag            Config.Image has a tag that is not `forbidden`, or a digest, or is an
// id;
//                          CIS Docker 5.28
// require-digest           Config.Image is pinned by a digest or is an id
// image-max-age            the image was made at most `max` ago
// image-required-labels    the image carries every label of `labels`, matching its pattern
//
// The rules that need the image say nothing about one that the engine does not have: it cannot be
// created from, and the client's next step is the pull.
#include <algorithm>

#include "base/text.h"
#include "base/units.h"
#include "docker/auth.h"
#include "docker/image_ref.h"
#include "policy/rules/builds.h"
#include "policy/rules/rules.h"
#include "policy/rules/support.h"

namespace dockreeve::policy::rules {
namespace {

using docker::CreateContainer;
using docker::ImagePattern;
using docker::ImageRef;
using docker::ImageRefKind;
using docker::MountKind;

Lookup image_lookup(const std::string& text) {
  return {LookupKind::Image, text};
}

bool is_id(const ImageRef& ref) {
  return ref.kind == ImageRefKind::IdLike;
}

bool id_starts_with(const ImageFact& image, std::string_view hex) {
  std::string_view id = image.id;
  if (id.starts_with("sha256:")) id.remove_prefix(7);
  return image.found && !id.empty() && id.starts_with(hex);
}

// What the engine makes of a reference. `image` is null unless it was needed.
struct Resolved {
  bool is_id = false;
  const ImageFact* image = nullptr;
};

// nullopt after reporting why it cannot be told.
std::optional<Resolved> resolve(const ImageRef& ref, const std::string& text, bool want_image,
                                const Input& in, std::string_view pointer, Report& out) {
  if (!ref.may_be_id && !(is_id(ref) && want_image)) return Resolved{is_id(ref), nullptr};
  const auto* image = fact<ImageFact>(in, image_lookup(text), pointer, out);
  if (!image) return std::nullopt;
  return Resolved{is_id(ref) || id_starts_with(*image, text), image};
}

bool is_listed(std::span<const ImagePattern> registries, const ImageRef& ref) {
  return std::any_of(registries.begin(), registries.end(),
                     [&ref](const ImagePattern& pattern) { return pattern.matches(ref); });
}

// The registry that a search term names; the rest is what is searched for.
std::string searched_registry(const std::string& term) {
  const std::size_t slash = term.find('/');
  const std::string first = term.substr(0, slash);
  const bool names_host = slash != std::string::npos &&
                          (first.find_first_of(".:") != std::string::npos || first == "localhost");
  return docker::registry_host(names_host ? first : "");
}

struct TrustedRegistry {
  std::vector<ImagePattern> registries;
  bool allow_ids = false;

  bool listed(const ImageRef& ref) const { return is_listed(registries, ref); }
  bool listed_name(const std::string& name) const {
    const Result<ImageRef> ref = docker::parse_image_ref(name);
    return ref && listed(*ref);
  }
  bool listed_image(const ImageFact* image) const {
    if (!allow_ids || !image || !image->found) return false;
    const auto named = [this](const std::string& name) { return listed_name(name); };
    return std::any_of(image->repo_tags.begin(), image->repo_tags.end(), named) ||
           std::any_of(image->repo_digests.begin(), image->repo_digests.end(), named);
  }

  static void add(const std::string& sent, const std::string& shown, std::string pointer,
                  Report& out) {
    out.add(std::move(pointer), quoted(sent), {{"image", shown}, {"value", shown}},
            "use an image of a trusted registry");
  }

  void check(const Result<ImageRef>& ref, const std::string& text, std::string pointer,
             const Input& in, Report& out) const {
    if (!ref) return add(text, text.empty() ? "no image" : text, std::move(pointer), out);
    const std::optional<Resolved> resolved = resolve(*ref, text, allow_ids, in, pointer, out);
    if (!resolved) return;
    if (resolved->is_id ? listed_image(resolved->image) : listed(*ref)) return;
    add(text, resolved->is_id ? text : ref->canonical(), std::move(pointer), out);
  }

  void check_pull(const Input& in, Report& out) const {
    const std::string from(docker::param(in.request.target.query, "fromImage"));
    if (from.empty()) return;
    const std::string_view tag = docker::param(in.request.target.query, "tag");
    const Result<ImageRef> ref = docker::parse_pull_ref(from, tag);
    if (ref && is_id(*ref)) return add(from, from, "query/fromImage", out);
    if (ref && ref->tag.empty() && ref->digest.empty()) {
      out.add("query/tag", "null",
              {{"text", "A pull of " + from +
                            " without a tag fetches every tag. Name one: `docker "
                            "pull " +
                            from + ":TAG`."}},
              "docker pull " + from + ":TAG");
      return;
    }
    if (!ref || !listed(*ref)) add(from, ref ? ref->canonical() : from, "query/fromImage", out);
  }

  void run(const Input& in, Report& out) const {
    if (const auto* create = in.request.body_as<CreateContainer>()) {
      check(in.view.image(), create->image, "/Image", in, out);
      for (const docker::EffectiveMount& mount : in.view.mounts()) {
        if (mount.kind != MountKind::Image) continue;
        check(docker::parse_image_ref(mount.raw_source), mount.raw_source, mount.pointer, in, out);
      }
    } else if (const auto* auth = in.request.body_as<docker::AuthConfig>()) {
      check_host(docker::registry_host(auth->server_address), "/serveraddress", out);
    } else if (is_route(in, "image.create")) {
      check_pull(in, out);
    } else if (is_route(in, "image.search")) {
      check_host(searched_registry(std::string(docker::param(in.request.target.query, "term"))),
                 "query/term", out);
    } else if (is_route(in, "distribution.inspect")) {
      const std::string& name = in.request.target.id;
      const Result<ImageRef> ref = docker::parse_image_ref(name);
      if (!ref || !listed(*ref)) add(name, ref ? ref->canonical() : name, "path", out);
    }
    for (const ReadImage& image : images_read(in.request)) {
      check(docker::parse_image_ref(image.name), image.name, image.pointer, in, out);
    }
    check_given_names(in, out);
  }

  void check_host(const std::string& host, std::string pointer, Report& out) const {
    if (std::any_of(registries.begin(), registries.end(), [&host](const ImagePattern& pattern) {
          return pattern.covers_registry(host);
        })) {
      return;
    }
    out.add(std::move(pointer), quoted(host),
            {{"text", "Registry " + host + " is not a trusted one."}});
  }

  void check_given_names(const Input& in, Report& out) const {
    const std::vector<GivenName> names = names_given(in.request);
    const ImageFact* source = nullptr;
    if (is_route(in, "image.tag")) {
      source = fact<ImageFact>(in, image_lookup(in.request.target.id), "path", out);
      if (!source) return;
    }
    for (const GivenName& given : names) {
      if (!squats_trusted_name(registries, given.ref, source)) continue;
      const std::string name = given.ref.canonical();
      out.add(given.pointer, quoted(name),
              {{"image", name},
               {"value", name},
               {"text", name + " is a name of a trusted registry, and only an image pulled from "
                               "there may have it. Use a name of your own."}},
              "choose another name");
    }
  }

  void ask(const Result<ImageRef>& ref, const std::string& text, std::vector<Lookup>& out) const {
    if (ref && (ref->may_be_id || (allow_ids && is_id(*ref)))) out.push_back(image_lookup(text));
  }
  void needs(const Input& in, std::vector<Lookup>& out) const {
    if (is_route(in, "image.tag")) out.push_back(image_lookup(in.request.target.id));
    for (const ReadImage& image : images_read(in.request)) {
      ask(docker::parse_image_ref(image.name), image.name, out);
    }
    const auto* create = in.request.body_as<CreateContainer>();
    if (!create) return;
    ask(in.view.image(), create->image, out);
    for (const docker::EffectiveMount& mount : in.view.mounts()) {
      if (mount.kind != MountKind::Image) continue;
      ask(docker::parse_image_ref(mount.raw_source), mount.raw_source, out);
    }
  }
};

void ask_if_ambiguous(const CreateContainer& create, const Input& in, std::vector<Lookup>& out) {
  const Result<ImageRef>& ref = in.view.image();
  if (ref && ref->may_be_id) out.push_back(image_lookup(create.image));
}

// Whether the reference pins the image by itself: an id or a digest. A reference that cannot be
// read does not, and one whose look-up failed has been reported.
bool is_pinned(const CreateContainer& create, const Input& in, Report& out) {
  const Result<ImageRef>& ref = in.view.image();
  if (!ref) return false;
  if (!ref->digest.empty()) return true;
  const std::optional<Resolved> resolved = resolve(*ref, create.image, false, in, "/Image", out);
  return !resolved || resolved->is_id;
}

void check_tag(const std::vector<std::string>& forbidden, const CreateContainer& create,
               const Input& in, Report& out) {
  const Result<ImageRef>& ref = in.view.image();
  if (ref && !ref->tag.empty() && !contains(forbidden, ref->tag)) return;
  if (ref && ref->tag.empty() && !contains(forbidden, "") && !contains(forbidden, "latest")) return;
  if (is_pinned(create, in, out)) return;
  std::string repo = create.image;
  if (ref && !ref->tag.empty()) repo.resize(repo.size() - ref->tag.size() - 1);
  out.add("/Image", quoted(create.image), {{"repo", repo}, {"value", create.image}}, repo + ":TAG");
}

void check_digest(const CreateContainer& create, const Input& in, Report& out) {
  if (is_pinned(create, in, out)) return;
  const Result<ImageRef>& ref = in.view.image();
  const std::string repo = ref ? ref->repository() : create.image;
  out.add("/Image", quoted(create.image), {{"repo", repo}}, repo + "@sha256:DIGEST");
}

void image_needs(const CreateContainer& create, const Input&, std::vector<Lookup>& out) {
  out.push_back(image_lookup(create.image));
}

void check_age(std::int64_t max_seconds, const CreateContainer& create, const Input& in,
               Report& out) {
  constexpr std::int64_t kDay = 86400;
  const auto* image = fact<ImageFact>(in, image_lookup(create.image), "/Image", out);
  if (!image || !image->found || image->age_days <= max_seconds / kDay) return;
  const std::string age = number(image->age_days) + " days";
  out.add("/Image", quoted(create.image), {{"image", create.image}, {"age", age}},
          "docker pull " + create.image);
}

void check_image_labels(const PatternMap& labels, const CreateContainer& create, const Input& in,
                        Report& out) {
  const auto* image = fact<ImageFact>(in, image_lookup(create.image), "/Image", out);
  if (!image || !image->found) return;
  for (const auto& [key, pattern] : labels) {
    const auto label = image->labels.find(key);
    if (label != image->labels.end() && pattern.matches(label->second)) continue;
    out.add("/Image", quoted(create.image), {{"key", key}, {"image", create.image}});
  }
}

}  // namespace

bool squats_trusted_name(std::span<const ImagePattern> registries, const ImageRef& target,
                         const ImageFact* source) {
  if (!is_listed(registries, target)) return false;
  if (!source || !source->found) return true;
  // A digest of a repository is kept for what was pulled from it.
  return std::none_of(source->repo_digests.begin(), source->repo_digests.end(),
                      [&](const std::string& name) {
                        const Result<ImageRef> pulled = docker::parse_image_ref(name);
                        return pulled && pulled->repository() == target.repository() &&
                               is_listed(registries, *pulled);
                      });
}

Result<Check> trusted_registry(const Params& params) {
  TrustedRegistry rule;
  rule.allow_ids = params.flag("allowImageIds");
  for (const std::string& text : params.list("registries")) {
    Result<ImagePattern> pattern = ImagePattern::parse(text);
    if (!pattern) return fail("registries", text::quoted(text) + ": " + pattern.error().message);
    rule.registries.push_back(*std::move(pattern));
  }
  auto shared = std::make_shared<const TrustedRegistry>(std::move(rule));
  return with_needs(
      [shared](const Input& in, Report& out) { shared->run(in, out); },
      [shared](const Input& in, std::vector<Lookup>& out) { shared->needs(in, out); });
}

Result<Check> no_latest_tag(const Params& params) {
  return with_needs(on_create([forbidden = params.list("forbidden")](const CreateContainer& create,
                                                                     const Input& in, Report& out) {
                      check_tag(forbidden, create, in, out);
                    }),
                    on_create(ask_if_ambiguous));
}

Result<Check> require_digest(const Params&) {
  return with_needs(on_create(check_digest), on_create(ask_if_ambiguous));
}

Result<Check> image_max_age(const Params& params) {
  return with_needs(
      on_create([max = params.integer("max")](const CreateContainer& create, const Input& in,
                                              Report& out) { check_age(max, create, in, out); }),
      on_create(image_needs));
}

Result<Check> image_required_labels(const Params& params) {
  Result<PatternMap> labels = compile_map(params, "labels");
  if (!labels) return tl::unexpected(labels.error());
  return with_needs(on_create([labels = *std::move(labels)](const CreateContainer& create,
                                                            const Input& in, Report& out) {
                      check_image_labels(labels, create, in, out);
                    }),
                    on_create(image_needs));
}

}  // namespace dockreeve::policy::rules
