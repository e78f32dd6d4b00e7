// Answers of the engine on their way through the filter: no crash, the result does not depend on how
// they are cut, and a marked foreign object never comes out.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "proxy/answer_filter.h"

namespace {

using dockreeve::policy::AnswerKind;
using dockreeve::policy::AnswerScope;
using dockreeve::proxy::AnswerFilter;

struct Outcome {
  bool fine = false, absent = false;
  std::string text;
};

Outcome run(const AnswerScope& scope, std::string_view body, std::size_t step) {
  AnswerFilter filter(scope);
  Outcome out;
  for (std::size_t at = 0; at < body.size(); at += step) {
    if (!filter.feed(body.substr(at, step))) return out;
    if (scope.kind == AnswerKind::Events) out.text += filter.take();
  }
  out.fine = filter.finish();
  out.absent = filter.absent();
  out.text += filter.take();
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  AnswerScope scope;
  scope.kind = static_cast<AnswerKind>(data[0] % 8);
  scope.hide = (data[0] & 0x40u) != 0;
  scope.scope.reads = scope.hide;
  scope.scope.unowned = (data[0] & 0x80u) != 0;
  scope.scope.name = "alice";
  scope.scope.teams = {"web"};
  const std::string_view body(reinterpret_cast<const char*>(data) + 1, size - 1);  // NOLINT
  const Outcome whole = run(scope, body, body.size() + 1);
  const Outcome cut = run(scope, body, 1);
  if (whole.fine != cut.fine) std::abort();
  if (whole.fine && (whole.text != cut.text || whole.absent != cut.absent)) std::abort();
  // Without an owner label of ours in the input, nothing of a list or a stream may leave it.
  const bool named = body.find("alice") != std::string_view::npos ||
                     body.find("web") != std::string_view::npos ||
                     body.find('\\') != std::string_view::npos;
  const bool closed = scope.hide && !scope.scope.unowned && !named;
  if (closed && scope.kind == AnswerKind::Events && !whole.text.empty()) std::abort();
  if (closed && scope.kind == AnswerKind::Containers && whole.fine && whole.text != "[]\n" &&
      whole.text != "null\n") {
    std::abort();
  }
  return 0;
}
