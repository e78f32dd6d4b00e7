// The outcome of anything that input can make fail.
#pragma once

#include <tl/expected.hpp>

#include <string>
#include <utility>

namespace dockreeve {

// One failure: where it is (a file:line:column or a JSON pointer, may be empty) and one lower-case
// clause that says what is wrong.
struct Error {
  std::string where;
  std::string message;

  // "where: message", or the message alone.
  std::string text() const { return where.empty() ? message : where + ": " + message; }
};

template <class T>
using Result = tl::expected<T, Error>;

// An Error ready to be returned from a function that answers Result<T>.
inline tl::unexpected<Error> fail(std::string where, std::string message) {
  return tl::unexpected<Error>(Error{std::move(where), std::move(message)});
}

}  // namespace dockreeve
