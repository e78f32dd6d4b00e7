// POST /commit: the configuration in its body, and the Dockerfile lines in its query.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "docker/create_container.h"
#include "docker/refusal.h"
#include "docker/route.h"

namespace dockreeve::docker {

// The engine reads a create body here and keeps what stands beside HostConfig; HostConfig and
// NetworkingConfig may only be empty, and are never written.
struct Commit {
  CreateContainer config;
  bool operator==(const Commit&) const = default;
};

// One line of `changes`.
struct Change {
  std::string instruction;  // in capitals: "LABEL"
  std::string arguments;
};

// The `changes` of a query. The engine joins them and reads the whole as a Dockerfile, so each must
// be one complete line: refused are line breaks, comments (which can be parser directives), lines
// that go on in the next one, here-documents, and instructions other than CMD, ENTRYPOINT, ENV,
// EXPOSE, HEALTHCHECK, LABEL, ONBUILD, STOPSIGNAL, USER, VOLUME and WORKDIR.
Parsed<std::vector<Change>> read_changes(const Query& query);

}  // namespace dockreeve::docker
