// What decides about a build in a Dockerfile, read as the engine's classic builder reads it.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace dockreeve::docker {

// Build arguments as the client gave them; null says "the default of the Dockerfile".
using BuildArgs = std::map<std::string, std::optional<std::string>, std::less<>>;

// An image that the build reads: after FROM, COPY --from or RUN --mount=from.
struct ImageUse {
  std::string name;         // variables replaced; never a stage and never "scratch"
  std::string instruction;  // "FROM", "COPY --from", "RUN --mount"
  std::size_t line = 0;     // of the instruction, counted from 1
  bool operator==(const ImageUse&) const = default;
};

struct BuildStage {
  std::string name;                 // lower case, or ""
  std::optional<std::string> user;  // of the last USER; nothing: that of the base
  std::string base;                 // image, stage or "scratch"
  std::optional<std::size_t> base_stage;
};

struct Dockerfile {
  std::vector<ImageUse> images;
  std::vector<BuildStage> stages;   // at least one
  std::vector<std::string> labels;  // keys of LABEL, in any stage or trigger
};

// Refuses what two versions of the classic builder would read differently and what it does not
// support: the error's `where` is "line N". Instructions that say nothing about images, users and
// labels are only split from the others.
Result<Dockerfile> parse_dockerfile(std::string_view text, const BuildArgs& args);

// `changes` of an import or a commit: instructions without stages. The keys of their labels and the
// images of their triggers.
Result<Dockerfile> parse_changes(const std::vector<std::string>& changes);

// The stage that the build ends with: `target`, or the last one. Null when there is no such stage.
const BuildStage* final_stage(const Dockerfile& file, std::string_view target);

}  // namespace dockreeve::docker
