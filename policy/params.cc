// Typed access to the parameters of a rule.
#include "policy/params.h"

#include <stdexcept>

namespace dockreeve::policy {

template <class T>
const T& Params::get(std::string_view name) const {
  const auto it = values_.find(name);
  const T* value = it == values_.end() ? nullptr : std::get_if<T>(&it->second);
  if (value == nullptr) {
    throw std::logic_error("rule asks for a parameter it does not declare: " + std::string(name));
  }
  return *value;
}

template const bool& Params::get<bool>(std::string_view) const;
template const std::int64_t& Params::get<std::int64_t>(std::string_view) const;
template const double& Params::get<double>(std::string_view) const;
template const std::string& Params::get<std::string>(std::string_view) const;
template const std::vector<std::string>& Params::get<std::vector<std::string>>(
    std::string_view) const;
template const std::map<std::string, std::string>& Params::get<std::map<std::string, std::string>>(
    std::string_view) const;

}  // namespace dockreeve::policy
