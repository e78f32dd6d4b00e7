// The query of a build in its one form must be a fixed point.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "docker/query.h"
#include "docker/request.h"

using dockreeve::docker::check_target;
using dockreeve::docker::classify;
using dockreeve::docker::encode_target;
using dockreeve::docker::Method;
using dockreeve::docker::Parsed;
using dockreeve::docker::Target;

namespace {
Parsed<Target> read(const std::string& target) {
  Parsed<Target> out = classify(Method::Post, target);
  return out ? check_target(*std::move(out)) : out;
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string query(data, data + size);
  for (const char* path : {"/build?", "/images/create?"}) {
    const auto first = read(path + query);
    if (!first) continue;
    const std::string target = encode_target(*first, {});
    if (target.size() > 8000) continue;
    const auto second = read(target);
    if (!second || encode_target(*second, {}) != target) std::abort();
  }
  return 0;
}
