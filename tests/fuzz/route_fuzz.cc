// A request line that classifies must, once encoded, classify to the same thing and encode to the
// same bytes: otherwise the gateway would judge one request and forward another.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "docker/image_names.h"
#include "docker/route.h"

using dockreeve::docker::ApiVersion;
using dockreeve::docker::Method;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto method = static_cast<Method>(data[0] % 5);
  const std::string target(data + 1, data + size);
  const auto first = dockreeve::docker::classify(method, target);
  if (!first) return 0;
  const std::string encoded = dockreeve::docker::encode_target(*first, ApiVersion{41});
  const auto second = dockreeve::docker::classify(method, encoded);
  // Encoding may grow a query beyond the length that a client may send.
  if (!second && encoded.size() > target.size()) {
    if (encoded.size() <= 8192) std::abort();
    return 0;
  }
  if (!second || second->route != first->route || second->id != first->id ||
      second->id2 != first->id2 || second->query != first->query ||
      dockreeve::docker::encode_target(*second, ApiVersion{}) != encoded) {
    std::abort();
  }
  // The same for the names of images.
  auto named = *first;
  if (!dockreeve::docker::canonical_image_names(named)) return 0;
  const std::string canonical = dockreeve::docker::encode_target(named, ApiVersion{41});
  auto again = dockreeve::docker::classify(method, canonical);
  // A name in full may be longer than a path holds.
  if (!again && canonical.size() > encoded.size()) return 0;
  if (!again || !dockreeve::docker::canonical_image_names(*again) || again->id != named.id ||
      again->query != named.query) {
    std::abort();
  }
  return 0;
}
