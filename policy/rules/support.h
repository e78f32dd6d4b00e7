// What the rule files share: picking the body a rule is about, reading facts, patterns in
// parameters, and small spellings.
#pragma once

#include <re2/re2.h>
#include <re2/set.h>

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "docker/image_ref.h"
#include "docker/request.h"
#include "policy/request_view.h"
#include "policy/rule.h"
#include "policy/rules/literal_filter.h"

namespace dockreeve::policy::rules {

// A check or a needs() that looks at one kind of body and is silent about every other request. `f`
// takes (const Body&, const Input&, Out&).
template <class Body, class F>
auto on(F f) {
  return [f = std::move(f)](const Input& in, auto& out) {
    if (const Body* body = in.request.body_as<Body>()) f(*body, in, out);
  };
}
template <class F>
auto on_create(F f) {
  return on<docker::CreateContainer>(std::move(f));
}

// A rule that reads the request alone.
template <class F>
Result<Check> pure(F run) {
  Check check;
  check.run = std::move(run);
  return check;
}
template <class F, class G>
Result<Check> with_needs(F run, G needs) {
  Check check;
  check.run = std::move(run);
  check.needs = std::move(needs);
  return check;
}

// The answer to a question that needs() asked. Null after reporting why there is none; an object
// that the engine does not have comes back with `found` false.
template <class T>
const T* fact(const Input& in, const Lookup& lookup, std::string_view pointer, Report& out) {
  const Result<Fact>* answer = in.facts.find(lookup);
  if (answer && !*answer) {
    out.lookup_failed(std::string(pointer), answer->error());
    return nullptr;
  }
  const T* value = answer ? std::get_if<T>(&**answer) : nullptr;
  if (!value) out.not_looked_up(std::string(pointer));
  return value;
}

// The answer if there already is one, for needs() that ask in steps.
template <class T>
const T* known(const Input& in, const Lookup& lookup) {
  const Result<Fact>* answer = in.facts.find(lookup);
  return answer && *answer ? std::get_if<T>(&**answer) : nullptr;
}

// Whether the row of the route table has this name.
bool is_route(const Input& in, std::string_view name);

// A parameter of a classic build; "" for every other request. Builds say in the query what a create
// says in its body.
std::string_view build_query(const Input& in, std::string_view name);

// Calls f(value, i) for every value of a repeated parameter of a classic build.
template <class F>
void each_build_query(const Input& in, std::string_view name, F f) {
  if (!is_route(in, "build")) return;
  std::size_t i = 0;
  for (const auto& [key, value] : in.request.target.query) {
    if (key == name) f(std::string_view(value), i++);
  }
}

// `text` as a JSON string, cut to a length fit for a record.
std::string quoted(std::string_view text);
std::string number(std::int64_t value);

bool contains(std::span<const std::string> items, std::string_view item);

// "container:web" -> "web"; "" for every other mode. A leading slash of the name is dropped, as the
// engine does.
std::string joined_container(std::string_view mode);

// A regex parameter: RE2, matched as a whole unless it has anchors of its own. Shared, so that a
// check can be copied.
class Pattern {
 public:
  // The error names the parameter.
  static Result<Pattern> compile(std::string_view parameter, const std::string& text);
  bool matches(std::string_view text) const {
    return compiled_->filter.may_match(text) &&
           RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), compiled_->re);
  }

 private:
  struct Compiled {
    explicit Compiled(const std::string& text);
    RE2 re;
    LiteralFilter filter;
  };
  explicit Pattern(std::shared_ptr<const Compiled> compiled) : compiled_(std::move(compiled)) {}
  std::shared_ptr<const Compiled> compiled_;
};

// Whether any of several patterns matches, in one pass over the text.
class PatternSet {
 public:
  static Result<PatternSet> compile(std::string_view parameter, std::span<const std::string> texts);
  // A text on which the search runs out of memory counts as a match.
  bool matches(std::string_view text) const;

 private:
  struct Compiled {
    explicit Compiled(std::span<const std::string> anchored_texts);
    RE2::Set set;
    LiteralFilter filter;
  };
  explicit PatternSet(std::shared_ptr<const Compiled> compiled) : compiled_(std::move(compiled)) {}
  std::shared_ptr<const Compiled> compiled_;  // null: no pattern, no match
};

// A parameter that maps names to patterns.
using PatternMap = std::map<std::string, Pattern>;
Result<PatternMap> compile_map(const Params& params, std::string_view parameter);

// Whether an image that is given the name `target` would pass for one of the registries that a
// trusted-registry rule lists. `source` is the image that gets the name, null when the request makes
// a new one: an image keeps within its repository when the engine knows that it was pulled from
// there and that origin is listed too. Defined in images.cc.
bool squats_trusted_name(std::span<const docker::ImagePattern> registries,
                         const docker::ImageRef& target, const ImageFact* source);

// Go's strconv.Atoi for the user grammar: an optional sign and digits. Nothing for anything else.
std::optional<std::int64_t> atoi(std::string_view text);

}  // namespace dockreeve::policy::rules
