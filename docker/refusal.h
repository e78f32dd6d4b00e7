// Why a request could not be understood: the integrity half of a denial.
#pragma once

#include <string>
#include <utility>

#include <tl/expected.hpp>

namespace dockreeve::docker {

// `rule` is an always-on rule of the catalogue: ambiguous-request, legacy-toplevel-hostconfig,
// legacy-start-body, api-version-range, unknown-endpoint or body-too-large.
struct Refusal {
  int status = 400;      // HTTP status of the local reply
  std::string rule;
  std::string pointer;   // JSON pointer into the body, or "path", "query/NAME", "header/NAME"
  std::string detail;    // one lower-case clause

  static Refusal ambiguous(std::string pointer, std::string detail) {
    return {400, "ambiguous-request", std::move(pointer), std::move(detail)};
  }
};

template <class T>
using Parsed = tl::expected<T, Refusal>;

}  // namespace dockreeve::docker
