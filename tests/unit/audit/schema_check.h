// A validator for the part of JSON Schema that tests/golden/audit.schema.json is written in.
#pragma once

#include <nlohmann/json.hpp>

#include <regex>
#include <string>

namespace dockreeve::audit::testing {

inline bool has_type(const nlohmann::json& value, const std::string& type) {
  if (type == "object") return value.is_object();
  if (type == "array") return value.is_array();
  if (type == "string") return value.is_string();
  if (type == "integer") return value.is_number_integer();
  if (type == "boolean") return value.is_boolean();
  return false;
}

// The first way in which `value` breaks `schema`, or "". An unknown keyword is a complaint too, so
// that a schema this function cannot read never passes by silence.
inline std::string schema_problem(const nlohmann::json& schema, const nlohmann::json& value,
                                  const std::string& at = "") {
  const auto properties = schema.value("properties", nlohmann::json::object());
  for (const auto& [keyword, rule] : schema.items()) {
    if (keyword == "type") {
      if (!has_type(value, rule)) return at + ": is no " + rule.get<std::string>();
    } else if (keyword == "const") {
      if (value != rule) return at + ": is not " + rule.dump();
    } else if (keyword == "enum") {
      if (std::find(rule.begin(), rule.end(), value) == rule.end()) {
        return at + ": " + value.dump() + " is none of " + rule.dump();
      }
    } else if (keyword == "pattern") {
      if (value.is_string() &&
          !std::regex_search(value.get<std::string>(), std::regex(rule.get<std::string>()))) {
        return at + ": does not match " + rule.dump();
      }
    } else if (keyword == "required") {
      for (const auto& key : rule) {
        if (value.is_object() && !value.contains(key.get<std::string>())) {
          return at + ": lacks " + key.dump();
        }
      }
    } else if (keyword == "properties") {
      for (const auto& [key, sub] : rule.items()) {
        if (!value.is_object() || !value.contains(key)) continue;
        const std::string problem = schema_problem(sub, value[key], at + "/" + key);
        if (!problem.empty()) return problem;
      }
    } else if (keyword == "additionalProperties") {
      if (!value.is_object()) continue;
      for (const auto& [key, member] : value.items()) {
        if (properties.contains(key)) continue;
        if (rule == false) return at + ": has an unknown member " + key;
        const std::string problem = schema_problem(rule, member, at + "/" + key);
        if (!problem.empty()) return problem;
      }
    } else if (keyword == "items") {
      if (!value.is_array()) continue;
      for (std::size_t i = 0; i < value.size(); ++i) {
        const std::string problem = schema_problem(rule, value[i], at + "/" + std::to_string(i));
        if (!problem.empty()) return problem;
      }
    } else if (keyword == "format") {
      static const std::regex kDateTime(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z)");
      if (rule != "date-time") return "format " + rule.dump() + " is not known";
      if (value.is_string() && !std::regex_match(value.get<std::string>(), kDateTime)) {
        return at + ": is no date-time";
      }
    } else if (keyword != "$schema" && keyword != "title") {
      return "keyword " + keyword + " is not known";
    }
  }
  return "";
}

}  // namespace dockreeve::audit::testing
