// What a build, a load or an import names: the images it reads, the names it gives. Tags and commits
// give names too.
#pragma once

#include <string>
#include <vector>

#include "docker/image_ref.h"
#include "policy/rule.h"

namespace dockreeve::policy::rules {

// An image that a Dockerfile (or a line of `changes`) reads.
struct ReadImage {
  std::string name;
  std::string instruction;  // "FROM", "COPY --from"
  std::string pointer;      // "Dockerfile:3"
};
std::vector<ReadImage> images_read(const docker::Request& request);

// A name that a build, a load, an import, a tag or a commit puts on an image, whatever had it before.
struct GivenName {
  docker::ImageRef ref;
  std::string pointer;  // "query/t", "body"
};
std::vector<GivenName> names_given(const docker::Request& request);

}  // namespace dockreeve::policy::rules
