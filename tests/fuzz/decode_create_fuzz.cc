// An accepted create body, written again, is accepted, equal and written the same.
#include <nlohmann/json.hpp>

#include <cstdint>
#include <cstdlib>
#include <string>

#include "docker/decode.h"

namespace {

void require(bool fact) {
  if (!fact) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace dockreeve::docker;
  const std::string body(reinterpret_cast<const char*>(data), size);
  UnknownFields unknown;
  const auto parsed = decode_create_container(body, unknown);
  if (!parsed) {
    require(parsed.error().status == 400 && !parsed.error().detail.empty());
    require(parsed.error().rule == "ambiguous-request" ||
            parsed.error().rule == "legacy-toplevel-hostconfig");
    return 0;
  }
  const std::string bytes = encode(*parsed);
  const auto other = nlohmann::json::parse(bytes, nullptr, false);
  require(other.is_object() && other.contains("HostConfig") && other["HostConfig"].is_object());
  UnknownFields none;
  const auto again = decode_create_container(bytes, none);
  require(again.has_value() && none.empty());
  require(*again == *parsed);
  require(encode(*again) == bytes);
  return 0;
}
