#include "docker/image_names.h"

#include <algorithm>
#include <span>
#include <utility>

#include "base/text.h"

namespace dockreeve::docker {
namespace {

using Nothing = std::monostate;

constexpr std::size_t kFewestIdDigits = 6;
constexpr std::size_t kMostIdDigits = 64;

bool is_hex_word(std::string_view text) {
  return text.size() >= kFewestIdDigits && text.size() <= kMostIdDigits &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// The name without the default tag: an absent tag means "all of them" to save and push.
std::string spelt(const ImageRef& ref) {
  std::string out = ref.repository();
  if (!ref.tag.empty()) out += ":" + ref.tag;
  if (!ref.digest.empty()) out += "@" + ref.digest;
  return out;
}

// What may be an id is left as it was sent: a look-up tells what it is.
Parsed<std::string> spelt_name(const std::string& name, const std::string& pointer) {
  const Result<ImageRef> ref = parse_image_ref(name);
  if (!ref) return tl::unexpected(Refusal::ambiguous(pointer, ref.error().text()));
  if (ref->kind == ImageRefKind::IdLike || ref->may_be_id) return name;
  return spelt(*ref);
}

// Keeps the order of the row, which is the order of the canonical form.
void set(Target& target, std::string_view key, std::string value) {
  std::erase_if(target.query, [key](const auto& parameter) { return parameter.first == key; });
  const std::span<const ParamSpec> specs = param_specs(*target.route);
  const auto place = [specs](std::string_view name) {
    return std::find_if(specs.begin(), specs.end(),
                        [name](const ParamSpec& spec) { return spec.name == name; });
  };
  const auto next = std::find_if(
      target.query.begin(), target.query.end(),
      [&](const auto& parameter) { return place(parameter.first) > place(key); });
  target.query.emplace(next, key, std::move(value));
}

Parsed<Nothing> canonical_path(Target& target) {
  Parsed<std::string> name = spelt_name(target.id, "path");
  if (!name) return tl::unexpected(std::move(name).error());
  target.id = *std::move(name);
  return Nothing();
}

Parsed<Nothing> canonical_list(Target& target) {
  for (auto& [key, value] : target.query) {
    if (key != "names") continue;
    Parsed<std::string> name = spelt_name(value, "query/names");
    if (!name) return tl::unexpected(std::move(name).error());
    value = *std::move(name);
  }
  return Nothing();
}

Parsed<ImageRef> parse_new_name(std::string_view repo, std::string_view tag,
                                const std::string& pointer) {
  const auto refuse = [&pointer](std::string why) {
    return tl::unexpected(Refusal::ambiguous(pointer, std::move(why)));
  };
  Result<ImageRef> ref = parse_image_ref(repo);
  if (!ref) return refuse(ref.error().text());
  if (ref->kind == ImageRefKind::IdLike) return refuse("an image cannot be named like an id");
  if (!ref->digest.empty()) return refuse("a digest cannot be given to an image");
  if (!tag.empty()) ref->tag = tag;
  if (ref->tag.empty()) ref->tag = "latest";
  if (!parse_image_ref(ref->canonical())) return refuse(text::quoted(ref->tag) + " is no tag");
  if (looks_like_image_id(*ref)) {
    return refuse(text::quoted(repo) + " looks like the id of an image");
  }
  ref->may_be_id = false;
  return *std::move(ref);
}

Parsed<Nothing> canonical_new_name(Target& target) {
  const Parsed<ImageRef> ref =
      parse_new_name(param(target.query, "repo"), param(target.query, "tag"), "query/repo");
  if (!ref) return tl::unexpected(ref.error());
  set(target, "repo", ref->repository());
  set(target, "tag", ref->tag);
  return Nothing();
}

Parsed<Nothing> canonical_push(Target& target) {
  const Result<ImageRef> ref = parse_image_ref(target.id);
  if (!ref) return tl::unexpected(Refusal::ambiguous("path", ref.error().text()));
  if (ref->kind == ImageRefKind::IdLike || !ref->digest.empty()) {
    return tl::unexpected(Refusal::ambiguous("path", "an image is pushed by name and tag"));
  }
  std::string tag(param(target.query, "tag"));
  if (tag.empty()) tag = ref->tag;
  target.id = ref->repository();
  if (tag.empty()) return Nothing();  // all tags of the repository
  if (!parse_image_ref(target.id + ":" + tag)) {
    return tl::unexpected(Refusal::ambiguous("query/tag", text::quoted(tag) + " is no tag"));
  }
  set(target, "tag", tag);
  return Nothing();
}

}  // namespace

bool looks_like_image_id(const ImageRef& ref) {
  ImageRef bare = ref;
  bare.tag.clear();
  bare.digest.clear();
  return is_hex_word(bare.familiar());
}

Parsed<std::monostate> canonical_image_names(Target& target) {
  const std::string_view route = target.route->name;
  if (route == "image.tag") {
    auto path = canonical_path(target);
    if (!path) return path;
    return canonical_new_name(target);
  }
  // A commit without a name leaves the image without one.
  if (route == "commit") {
    if (!param(target.query, "repo").empty()) return canonical_new_name(target);
    if (param(target.query, "tag").empty()) return Nothing();
    return tl::unexpected(Refusal::ambiguous("query/tag", "a tag without a repository"));
  }
  if (route == "image.push") return canonical_push(target);
  if (route == "image.save_all") return canonical_list(target);
  if (route == "image.remove" || route == "image.save" || route == "image.attestations" ||
      route == "distribution.inspect") {
    return canonical_path(target);
  }
  return Nothing();
}

std::vector<NewName> new_image_names(const Target& target) {
  std::vector<NewName> out;
  const std::string_view route = target.route->name;
  const auto add = [&out](std::string_view repo, std::string_view tag, std::string pointer) {
    if (repo.empty()) return;
    Parsed<ImageRef> ref = parse_new_name(repo, tag, pointer);
    if (ref) out.push_back({*std::move(ref), std::move(pointer)});
  };
  if (route == "image.tag" || route == "commit") {
    add(param(target.query, "repo"), param(target.query, "tag"), "query/repo");
  }
  return out;
}

}  // namespace dockreeve::docker
