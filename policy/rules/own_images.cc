#include "policy/rules/own_images.h"

#include <algorithm>

#include "policy/rules/builds.h"
#include "policy/rules/support.h"

namespace dockreeve::policy::rules {
namespace {

// An image that loses a name, or goes away.
struct Affected {
  std::string name;
  std::string pointer;
};

std::vector<Affected> affected_images(const Input& in) {
  if (is_route(in, "image.remove")) return {{in.request.target.id, "path"}};
  std::vector<Affected> out;
  for (const GivenName& given : names_given(in.request)) {
    out.push_back({given.ref.canonical(), given.pointer});
  }
  return out;
}

// The image that gets the name; null when it is made by the request itself.
const ImageFact* source_image(const Input& in) {
  if (!is_route(in, "image.tag")) return nullptr;
  return known<ImageFact>(in, {LookupKind::Image, in.request.target.id});
}

bool keeps_its_name(const Input& in, const ImageFact& named) {
  const ImageFact* source = source_image(in);
  return source && source->found && source->id == named.id;
}

void refuse(const Affected& image, const std::string& why, Report& out) {
  out.add(
      image.pointer, quoted(image.name),
      {{"kind", "Image"},
       {"id", image.name},
       {"owner", "someone else"},
       {"text", "Image " + image.name + " " + why +
                    ", so it keeps its name. Give your image a name of its own, or ask them."}});
}

void check(const Owns& owns, const Affected& image, const Input& in, Report& out) {
  const auto* named = fact<ImageFact>(in, {LookupKind::Image, image.name}, image.pointer, out);
  if (!named || !named->found || keeps_its_name(in, *named)) return;
  if (has_owner(named->labels) && !owns(named->labels)) {
    return refuse(image, "belongs to another team", out);
  }
  const auto* users =
      fact<ImageUsersFact>(in, {LookupKind::ImageUsers, named->id}, image.pointer, out);
  if (!users) return;
  if (std::all_of(users->labels.begin(), users->labels.end(), owns)) return;
  refuse(image, "is used by a container that is not yours", out);
}

}  // namespace

void check_own_images(const Owns& owns, const Input& in, Report& out) {
  for (const Affected& image : affected_images(in))
    check(owns, image, in, out);
}

void own_image_needs(const Input& in, std::vector<Lookup>& out) {
  const std::vector<Affected> images = affected_images(in);
  if (images.empty()) return;
  if (is_route(in, "image.tag")) out.push_back({LookupKind::Image, in.request.target.id});
  for (const Affected& image : images) {
    Lookup lookup{LookupKind::Image, image.name};
    const auto* found = known<ImageFact>(in, lookup);
    if (found && found->found && !keeps_its_name(in, *found)) {
      out.push_back({LookupKind::ImageUsers, found->id});
    }
    out.push_back(std::move(lookup));
  }
}

}  // namespace dockreeve::policy::rules
