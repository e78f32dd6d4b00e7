// Whatever bytes come: no crash, every accepted head keeps its promises, and the target that would be
// forwarded for it is read back as the same request.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "docker/route.h"
#include "proxy/head.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace dockreeve;
  const std::string text(reinterpret_cast<const char*>(data), size);  // NOLINT
  const std::size_t end = proxy::find_head_end(text);
  const std::string block = end == std::string::npos ? text : text.substr(0, end);
  const auto head = proxy::parse_request_head(block);
  if (!head) return 0;
  // INVARIANTS of every accepted head.
  if (block.find('\0') != std::string::npos) std::abort();
  for (std::size_t at = 0; at < block.size(); ++at) {
    if (block[at] == '\n' && (at == 0 || block[at - 1] != '\r')) std::abort();
    if (block[at] == '\r' && (at + 1 >= block.size() || block[at + 1] != '\n')) std::abort();
  }
  if (block.find("\r\n ") != std::string::npos || block.find("\r\n\t") != std::string::npos) std::abort();
  if (head->chunked && head->content_length) std::abort();
  if (head->target.empty() || head->target[0] != '/') std::abort();
  if (const auto method = docker::parse_method(head->method)) {
    const auto target = docker::classify(*method, head->target);
    if (target) {
      // What is forwarded is read back as the same thing, unless escapes made it longer than what is
      // taken from a client.
      constexpr std::size_t kMaxTarget = 8192;
      const std::string canonical = docker::encode_target(*target, {});
      if (canonical.size() > kMaxTarget) return 0;
      const auto again = docker::classify(*method, canonical);
      if (!again || again->route != target->route || again->query != target->query || again->id != target->id) std::abort();
    }
  }
  return 0;
}
