// An archive as a client uploads it, plain or gzip, followed entry by entry while it passes.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "docker/tar_reader.h"

namespace dockreeve::docker {

// Whether the engine would take these first bytes of an archive for gzip, bzip2, xz or zstd.
// Source: moby pkg/archive DetectCompression.
bool looks_compressed(std::string_view first);
inline constexpr std::size_t kSniffBytes = 10;

// Feeds a TarReader with what the engine would read. Other compressions than gzip, a gzip stream
// with more than one member or anything behind it, and more than `max_bytes` of content are refused.
class ArchiveScan {
 public:
  ArchiveScan(TarVisitor& visitor, std::uint64_t max_bytes);
  ~ArchiveScan();

  // False once the archive is refused; error() says why, in one clause.
  bool feed(std::string_view data);
  // After the last byte.
  bool finish();
  const std::string& error() const { return error_.empty() ? tar_.error() : error_; }

 private:
  class Inflater;
  bool start();
  bool pass(std::string_view data);
  bool inflate(std::string_view data);
  bool fail(std::string detail);

  TarReader tar_;
  std::uint64_t max_bytes_;
  std::uint64_t seen_ = 0;   // bytes of the tar itself
  std::string first_;        // until its kind is known
  bool known_ = false;
  std::unique_ptr<Inflater> inflater_;  // null: plain
  std::string error_;
};

}  // namespace dockreeve::docker
