// What may change between the answer of a look-up and the engine's use of a name, and what is done
// about it. Containers, execs and networks are forwarded by their full id and need nothing.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "docker/request.h"
#include "policy/facts.h"

namespace dockreeve::policy {

// The names of volumes, networks and images that the request makes, takes away or depends on, as keys
// ("volume/data", "image/docker.io/library/busybox:local"). Requests that share one must follow each
// other, from the look-ups to the engine's answer. Sorted, unique.
std::vector<std::string> contested_names(const docker::Request& request);

// The image a decision about a create was made on.
struct JudgedImage {
  std::string name;              // as the client wrote it
  std::vector<std::string> ids;  // what the container may show as its image; empty: there was none
  bool allows(std::string_view id) const;
};
// Nothing when no rule looked at the image.
std::optional<JudgedImage> judged_image(const docker::Request& request, const Facts& facts);

}  // namespace dockreeve::policy
