// The part of own-resources-only about images, which all teams share.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "policy/ownership.h"
#include "policy/rule.h"

namespace dockreeve::policy::rules {

// Everybody lists, inspects, runs, saves and tags every image. Removing one, taking a name off it
// or moving a name from it to another image is refused when it carries the owner labels of somebody
// else, or when a container of somebody else was made from it. Not hidden: the refusal says why.
using Owns = std::function<bool(const docker::Map<std::string>& labels)>;
void check_own_images(const Owns& owns, const Input& in, Report& out);
void own_image_needs(const Input& in, std::vector<Lookup>& out);

}  // namespace dockreeve::policy::rules
