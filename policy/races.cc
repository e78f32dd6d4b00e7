#include "policy/races.h"

#include <algorithm>

#include "docker/host_mount.h"
#include "docker/image_ref.h"

namespace dockreeve::policy {
namespace {

using docker::CreateContainer;

std::string volume_key(const std::string& name) {
  return "volume/" + name;
}

std::string image_key(const Result<docker::ImageRef>& ref, const std::string& text) {
  return "image/" + (ref ? ref->canonical() : text);
}

// The name that a tag or a commit moves.
std::string target_image(const docker::Query& query) {
  const std::string repository(docker::param(query, "repo"));
  std::string tag(docker::param(query, "tag"));
  if (tag.empty()) tag = "latest";
  return image_key(docker::parse_pull_ref(repository, tag), repository + ":" + tag);
}

}  // namespace

std::vector<std::string> contested_names(const docker::Request& request) {
  std::vector<std::string> out;
  const std::string_view route = request.route().name;
  if (const auto* create = request.body_as<CreateContainer>()) {
    for (const docker::EffectiveMount& mount : docker::effective_mounts(*create)) {
      if (mount.kind == docker::MountKind::Volume && !mount.volume.empty()) {
        out.push_back(volume_key(mount.volume));
      }
    }
  } else if (const auto* volume = request.body_as<docker::VolumeCreate>()) {
    if (!volume->name.empty()) out.push_back(volume_key(volume->name));
  } else if (const auto* network = request.body_as<docker::NetworkCreate>()) {
    out.push_back("network/" + network->name);
  } else if (route == "volume.remove") {
    out.push_back(volume_key(request.target.id));
  } else if (route == "image.remove") {
    out.push_back(image_key(docker::parse_image_ref(request.target.id), request.target.id));
  } else if (route == "image.tag" ||
             (route == "commit" && !docker::param(request.target.query, "repo").empty())) {
    out.push_back(target_image(request.target.query));
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

bool JudgedImage::allows(std::string_view id) const {
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

std::optional<JudgedImage> judged_image(const docker::Request& request, const Facts& facts) {
  const auto* create = request.body_as<CreateContainer>();
  if (!create) return std::nullopt;
  const Result<Fact>* answer = facts.find({LookupKind::Image, create->image});
  const auto* image = answer && *answer ? std::get_if<ImageFact>(&**answer) : nullptr;
  if (!image) return std::nullopt;
  JudgedImage out{create->image, {}};
  if (!image->found) return out;
  out.ids.push_back(image->id);
  // Engines with the containerd store may show the digest that the image was pulled by.
  for (const std::string& digest : image->repo_digests) {
    out.ids.push_back(digest.substr(digest.find('@') + 1));
  }
  return out;
}

}  // namespace dockreeve::policy
