// Finds the Dockerfile in the context of a classic build, the way the engine does.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "docker/archive_scan.h"
#include "docker/dockerfile.h"

namespace dockreeve::docker {

// Follows a build context while it passes. `dockerfile` is the query parameter of that name; empty
// means Dockerfile, or dockerfile when there is none.
class BuildContextScan : private TarVisitor {
 public:
  BuildContextScan(std::string_view dockerfile, std::uint64_t max_bytes);

  bool feed(std::string_view data) { return bad_name_.empty() && scan_.feed(data); }
  // The Dockerfile's text after the last byte. Refuses a file that is there twice, that is a link or
  // lies below one, or that is larger than a megabyte.
  Result<std::string> finish();
  // After feed() answered false.
  Error error() const;

 private:
  struct Candidate {
    std::string path;
    std::string text;
    std::string problem;
    bool found = false;
  };
  std::string entry(const TarEntry& entry, bool& wanted) override;
  std::string content(std::string_view piece) override;
  void look(Candidate& candidate, const TarEntry& entry, bool& wanted);

  Candidate first_, second_;
  Candidate* reading_ = nullptr;
  std::string bad_name_;
  ArchiveScan scan_;
};

}  // namespace dockreeve::docker
