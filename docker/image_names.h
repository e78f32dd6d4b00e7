// The image names of a request in their one spelling, and the names that a request gives to images.
//
// The engine reads `busybox`, `docker.io/busybox` and `index.docker.io/library/busybox` as one name
// and tries a word of hex digits as the start of an id as well. What is forwarded and judged is the
// full name, so that neither can be taken for the other.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "docker/image_ref.h"
#include "docker/refusal.h"
#include "docker/request.h"

namespace dockreeve::docker {

// Rewrites path and query of the routes that act on images by name. Refuses names that the engine
// could not read, digests where none may stand, and new names that look like an id (6 to 64 hex
// digits): they would take over that id. Other routes are left alone.
Parsed<std::monostate> canonical_image_names(Target& target);

// A name that the request puts on an image, whatever had it before.
struct NewName {
  ImageRef ref;         // with its effective tag
  std::string pointer;  // "query/repo"
};
// The name given by image.tag and commit, from a target in its canonical form. A name that
// cannot be read is left out: no engine takes it.
std::vector<NewName> new_image_names(const Target& target);

// Whether the repository, in its short spelling, would take over the id that starts like it.
bool looks_like_image_id(const ImageRef& ref);

}  // namespace dockreeve::docker
