// Requests that ask for what a create body could have asked for, as that create body.
//
// The tasks of a service are containers, and a connected container is as if created on that
// network. Rules about containers are written for create bodies; here they get one, so that what
// they say holds for services and connections without being said again.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "docker/request.h"

namespace dockreeve::policy {

// The same request with a create body that means the same; nothing for requests of other kinds. It
// is judged, never forwarded.
std::optional<docker::Request> stand_in(const docker::Request& request);

// Whether the rule has its say about the stand-in of `request`: the catalogue lists services, or
// connect, among what it applies to, or it refuses values that mean the same in both.
bool judges_stand_in(std::string_view rule, const docker::Request& request);

// Where a place in the stand-in's body stands in the body of `request`.
std::string stand_in_pointer(const docker::Request& request, const std::string& pointer);

}  // namespace dockreeve::policy
