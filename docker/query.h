// The query string of a request: read by the rules of Go's forms, kept only as far as the route
// knows its keys, and written again in one spelling.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "docker/route.h"

namespace dockreeve::docker {

// `raw` is what follows the first '?'. Refuses characters that do not belong in a request target,
// ';' and '#', bad escapes, a scalar key twice, values that their type does not allow, and on
// strict_query routes every key that the row does not name. Other unknown keys are dropped, and so
// are values that mean the same as no key: empty text, an empty number, an empty filter.
Parsed<Query> read_query(const Route& route, std::string_view raw);

// Appends "a=1&b=2" with everything but unreserved characters percent-encoded.
void append_query(std::string& out, const Query& query);

// The filters parameter as {"key":["value",...]}, or "" when it filters nothing. Takes both forms
// the engine takes; refuses a mixture of them and everything else.
Result<std::string> canonical_filters(std::string_view input);

// Canonical filters taken apart and written again. `canonical` is what canonical_filters() made.
using FilterList = std::vector<std::pair<std::string, std::vector<std::string>>>;
FilterList parse_filters(std::string_view canonical);
std::string write_filters(const FilterList& filters);

}  // namespace dockreeve::docker
