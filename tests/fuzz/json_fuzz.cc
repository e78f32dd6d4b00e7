// What the strict reader accepts, a second JSON parser accepts too and counts the same; what the
// writer makes of it reads back as the same.
#include <nlohmann/json.hpp>

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/json.h"

namespace {

using dockreeve::json::Document;
using dockreeve::json::Kind;
using dockreeve::json::Value;
using dockreeve::json::Writer;

struct Count {
  std::size_t values = 0, members = 0;
  bool operator==(const Count&) const = default;
};

// `overflows`: a number that no double holds, which the other parser refuses.
void count(Value v, Count& total, bool& overflows) {
  ++total.values;
  if (v.kind() == Kind::Number && std::isinf(std::strtod(std::string(v.text()).c_str(), nullptr))) {
    overflows = true;
  }
  for (auto child = v.first(); child; child = child->next()) {
    if (v.is_object()) ++total.members;
    count(*child, total, overflows);
  }
}

void count(const nlohmann::json& v, Count& total) {
  ++total.values;
  if (!v.is_structured()) return;
  if (v.is_object()) total.members += v.size();
  for (const nlohmann::json& child : v)
    count(child, total);
}

void require(bool fact) {
  if (!fact) std::abort();
}

std::string rewrite(const Document& document) {
  std::string out;
  Writer(out).copy(document.root());
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto document = Document::parse(text);
  if (!document) {
    require(!document.error().message.empty());
    return 0;
  }
  Count ours;
  bool overflows = false;
  count((*document)->root(), ours, overflows);
  if (!overflows) {
    const auto other = nlohmann::json::parse(text, nullptr, false);
    require(!other.is_discarded());
    Count theirs;
    count(other, theirs);
    require(ours == theirs);
  }
  const std::string written = rewrite(**document);
  const auto again = Document::parse(written);
  require(again.has_value());
  require(rewrite(**again) == written);
  if (!overflows) require(nlohmann::json::parse(text) == nlohmann::json::parse(written));
  return 0;
}
