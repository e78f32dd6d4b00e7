// What is read of a Dockerfile must be stable: stages exist, lines are inside the text, and an empty
// line or a comment in front changes nothing but the numbers.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "docker/dockerfile.h"

using dockreeve::docker::parse_changes;
using dockreeve::docker::parse_dockerfile;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);
  const dockreeve::docker::BuildArgs args{{"A", "value"}, {"B", std::nullopt}};
  static_cast<void>(parse_changes({text}));
  const auto file = parse_dockerfile(text, args);
  if (!file) return 0;
  const auto lines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) + 1;
  if (file->stages.empty()) std::abort();
  for (const auto& use : file->images) {
    if (use.name.empty() || use.line == 0 || use.line > lines) std::abort();
  }
  for (std::size_t i = 0; i < file->stages.size(); ++i) {
    const auto& base = file->stages[i].base_stage;
    if (base && *base >= i) std::abort();
  }
  const auto again = parse_dockerfile(text + "\n# end\n\n", args);
  // A text that ends inside a continuation goes on with what follows, which is nothing.
  if (!again || again->images != file->images) std::abort();
  return 0;
}
