// The names that an image archive (docker save) would give to what it holds.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "docker/archive_scan.h"

namespace dockreeve::docker {

// What `docker load` would name, from every list of names in the archive: engines read
// manifest.json, or repositories, or index.json, depending on their version and image store.
struct ImageArchive {
  std::vector<std::string> names;  // as written, sorted, each once
};

// Follows an archive while it passes. Refused: none of the lists, one that is there twice, is a link
// or cannot be read, and names that are no image references.
class ImageArchiveScan : private TarVisitor {
 public:
  explicit ImageArchiveScan(std::uint64_t max_bytes) : scan_(*this, max_bytes) {}

  bool feed(std::string_view data) { return scan_.feed(data); }
  Result<ImageArchive> finish();
  // After feed() answered false.
  Error error() const { return {"", "the image archive is refused: " + scan_.error()}; }

 private:
  struct List {
    std::string_view path;
    std::string text;
    bool found = false;
  };
  std::string entry(const TarEntry& entry, bool& wanted) override;
  std::string content(std::string_view piece) override;

  List manifest_{"manifest.json", {}};
  List repositories_{"repositories", {}};
  List index_{"index.json", {}};
  List* reading_ = nullptr;
  ArchiveScan scan_;
};

}  // namespace dockreeve::docker
