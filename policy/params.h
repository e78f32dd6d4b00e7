// Parameters of a rule, typed and complete: every parameter the catalogue names is present, with
// the policy's value or the catalogue's default.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace dockreeve::policy {

// bytes and int are int64, duration is seconds, decimal is double, lists and maps of text.
using ParamValue = std::variant<bool, std::int64_t, double, std::string, std::vector<std::string>,
                                std::map<std::string, std::string>>;

class Params {
 public:
  void set(std::string name, ParamValue value) {
    values_.insert_or_assign(std::move(name), std::move(value));
  }
  // INVARIANT: a rule asks only for parameters that its catalogue entry declares with that type; the
  // loader has checked the types, so a miss here is a bug and throws std::logic_error.
  bool flag(std::string_view name) const { return get<bool>(name); }
  std::int64_t integer(std::string_view name) const { return get<std::int64_t>(name); }
  double decimal(std::string_view name) const { return get<double>(name); }
  const std::string& text(std::string_view name) const { return get<std::string>(name); }
  const std::vector<std::string>& list(std::string_view name) const {
    return get<std::vector<std::string>>(name);
  }
  const std::map<std::string, std::string>& map(std::string_view name) const {
    return get<std::map<std::string, std::string>>(name);
  }
  bool has(std::string_view name) const { return values_.contains(std::string(name)); }
  const std::map<std::string, ParamValue, std::less<>>& all() const { return values_; }

 private:
  template <class T>
  const T& get(std::string_view name) const;
  std::map<std::string, ParamValue, std::less<>> values_;
};

}  // namespace dockreeve::policy
