// Facts from moby builder/remotecontext/detect.go: the file named by the query, or Dockerfile; when
// that is missing, and only then, dockerfile. The engine follows links on the way to it.
#include "docker/build_context.h"

#include <utility>

namespace dockreeve::docker {
namespace {

constexpr std::size_t kMaxDockerfile = 1 << 20;
constexpr std::string_view kDefault = "Dockerfile";

bool is_above(std::string_view folder, std::string_view path) {
  return path.size() > folder.size() && path.starts_with(folder) && path[folder.size()] == '/';
}

}  // namespace

BuildContextScan::BuildContextScan(std::string_view dockerfile, std::uint64_t max_bytes)
    : scan_(*this, max_bytes) {
  if (dockerfile.empty()) dockerfile = kDefault;
  if (!clean_tar_path(dockerfile, first_.path) || first_.path.empty() ||
      dockerfile.find('\\') != std::string_view::npos || dockerfile.ends_with('/')) {
    bad_name_ = "the path of the Dockerfile leaves the build context";
  }
  if (dockerfile == kDefault) second_.path = "dockerfile";
}

Error BuildContextScan::error() const {
  return {"", bad_name_.empty() ? "the build context is refused: " + scan_.error() : bad_name_};
}

void BuildContextScan::look(Candidate& candidate, const TarEntry& entry, bool& wanted) {
  if (candidate.path.empty()) return;
  if (is_above(entry.path, candidate.path)) {
    if (entry.kind != TarKind::Directory) candidate.problem = "a folder of the Dockerfile is a link";
    return;
  }
  if (entry.path != candidate.path) return;
  if (entry.kind != TarKind::File) {
    candidate.problem = "the Dockerfile is no plain file";
  } else if (candidate.found) {
    candidate.problem = "the Dockerfile is there twice";
  } else if (entry.size > kMaxDockerfile) {
    candidate.problem = "the Dockerfile is larger than a megabyte";
  } else {
    wanted = true;
    reading_ = &candidate;
  }
  candidate.found = true;
}

std::string BuildContextScan::entry(const TarEntry& entry, bool& wanted) {
  look(first_, entry, wanted);
  look(second_, entry, wanted);
  return {};
}

std::string BuildContextScan::content(std::string_view piece) {
  reading_->text.append(piece);
  return {};
}

Result<std::string> BuildContextScan::finish() {
  if (!bad_name_.empty() || !scan_.finish()) return tl::unexpected(error());
  // A folder that is a link makes a file appear that no entry names.
  const bool first = first_.found || !first_.problem.empty() || second_.path.empty();
  Candidate& chosen = first ? first_ : second_;
  if (!chosen.problem.empty()) return fail("", chosen.problem);
  if (!chosen.found) return fail("", "cannot locate the Dockerfile `" + first_.path + "` in the context");
  return std::move(chosen.text);
}

}  // namespace dockreeve::docker
