// The canonical and the familiar spelling of an image must name the same image again, and a pattern
// made of a repository must match it.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "docker/image_ref.h"

using dockreeve::docker::ImagePattern;
using dockreeve::docker::ImageRefKind;
using dockreeve::docker::parse_image_ref;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);
  const auto pattern = ImagePattern::parse(text);
  const auto ref = parse_image_ref(text);
  if (!ref) return 0;
  if (pattern) static_cast<void>(pattern->matches(*ref));
  const auto again = parse_image_ref(ref->canonical());
  if (!again || again->canonical() != ref->canonical()) std::abort();
  if (ref->kind == ImageRefKind::IdLike) return 0;
  // A familiar name of 64 hex digits, or sha256 with a hex tag, is an id when it stands alone.
  const auto familiar = parse_image_ref(ref->familiar());
  if (familiar && familiar->kind == ImageRefKind::Name &&
      familiar->canonical() != ref->canonical()) {
    std::abort();
  }
  const auto own = ImagePattern::parse(ref->repository());
  if (ref->domain.find_first_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ") == std::string::npos &&
      (!own || !own->matches(*ref))) {
    std::abort();
  }
  return 0;
}
