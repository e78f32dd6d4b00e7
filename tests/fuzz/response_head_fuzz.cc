// Engine answers and chunked framing: no crash, and the framing does not depend on how it is cut.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "proxy/head.h"

namespace {

struct Outcome {
  std::string payload;
  dockreeve::proxy::ChunkReader::State state;
  std::size_t used;
};

Outcome read_all(std::string_view text, std::size_t step) {
  using dockreeve::proxy::ChunkReader;
  ChunkReader reader;
  Outcome outcome{{}, ChunkReader::State::More, 0};
  while (outcome.used < text.size() && reader.state() == ChunkReader::State::More) {
    std::string_view input = text.substr(outcome.used, step);
    const std::size_t before = input.size();
    for (auto piece = reader.next(input); !piece.empty(); piece = reader.next(input)) outcome.payload.append(piece);
    outcome.used += before - input.size();
  }
  outcome.state = reader.state();
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace dockreeve::proxy;
  const std::string text(reinterpret_cast<const char*>(data), size);  // NOLINT
  const std::size_t end = find_head_end(text);
  if (end != std::string::npos) {
    const auto head = parse_response_head(std::string_view(text).substr(0, end));
    if (head && head->chunked && head->content_length) std::abort();
  }
  const std::string_view body = end == std::string::npos ? std::string_view(text) : std::string_view(text).substr(end);
  const Outcome whole = read_all(body, body.size() + 1);
  const Outcome cut = read_all(body, 1);
  if (whole.state != cut.state) std::abort();
  if (whole.state != ChunkReader::State::Bad && (whole.payload != cut.payload || whole.used != cut.used)) std::abort();
  return 0;
}
