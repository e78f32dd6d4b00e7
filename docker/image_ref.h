// Image references, read and normalised the way the engine does it (distribution/reference), and
// patterns over them. Two spellings of one image compare equal here, and two images that merely
// look alike do not.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace dockreeve::docker {

enum class ImageRefKind : std::uint8_t {
  Name,   // domain, path and maybe tag and digest
  IdLike  // 64 hex digits, or "sha256:" and hex: the engine looks for an image id first
};

struct ImageRef {
  ImageRefKind kind = ImageRefKind::Name;
  std::string domain;  // "docker.io", "127.0.0.1:5000"; empty for an IdLike
  std::string path;    // "library/busybox"; empty for an IdLike
  std::string tag;     // as sent, empty when there was none
  std::string digest;  // "sha256:<64 hex>", empty when there was none
  std::string id;      // IdLike only: the hex digits
  // A single word of hex digits ("cafe"): the engine tries it as a name and then as an id prefix.
  bool may_be_id = false;

  // "docker.io/library/busybox"; empty for an IdLike.
  std::string repository() const;
  // repository(), the effective tag, the digest: "docker.io/library/busybox:latest". "sha256:<id>"
  // for an IdLike.
  std::string canonical() const;
  // The short spelling people know: "busybox:local", "team/x", "127.0.0.1:5000/team/x@sha256:…".
  std::string familiar() const;
  // The tag, or "latest" when neither tag nor digest is given, or "".
  std::string effective_tag() const;

  bool operator==(const ImageRef&) const = default;
};

// Refuses upper case in the repository, bad domains, tags and digests, more than 255 characters and
// the empty text. The error's `where` is empty.
Result<ImageRef> parse_image_ref(std::string_view input);

// What `POST /images/create` pulls: `from_image` with `tag` (which may be a digest) added. Neither
// tag nor digest means every tag of the repository to the engine: see ImageRef::tag.
Result<ImageRef> parse_pull_ref(std::string_view from_image, std::string_view tag);

// "docker.io/library/*", "127.0.0.1:5000/team/**", "busybox:1.*": `*` stays within one component of
// the path, `**` crosses them. A pattern without a domain means docker.io ("busybox" is
// docker.io/library/busybox, "team/x" is docker.io/team/x); one that starts with `**` covers every
// registry. A tag in the pattern must match the tag that decides what runs ("latest" when none is
// given, none at all beside a digest); a digest must be equal.
class ImagePattern {
 public:
  static Result<ImagePattern> parse(std::string_view input);

  // Never true for an IdLike.
  bool matches(const ImageRef& ref) const;
  // Whether every tag of the repository matches.
  bool matches_all_tags(const ImageRef& ref) const;
  // Whether any repository of this registry could match. `host` as in ImageRef::domain.
  bool covers_registry(std::string_view host) const;

 private:
  std::string repository_;  // a glob over ImageRef::repository()
  std::string tag_;
  std::string digest_;
};

}  // namespace dockreeve::docker
