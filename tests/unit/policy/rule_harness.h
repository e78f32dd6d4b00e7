// Runs one rule over one request, with the catalogue's parameters and answers from a context.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include "docker/request.h"
#include "policy/catalogue.h"
#include "policy/context_file.h"
#include "policy/request_view.h"
#include "policy/rule.h"

namespace dockreeve::policy::testing {

using Overrides = std::map<std::string, ParamValue>;
using Texts = std::vector<std::string>;

inline const std::string kCreate = "POST /v1.41/containers/create";

struct RuleCase {
  std::string name;
  std::string rule;
  Overrides params;
  std::string api = kCreate;
  std::string body = "{}";
  std::string context = "{}";
  Texts want;  // pointers of what the rule reports, in order; "!pointer" for a failed look-up
};
inline std::ostream& operator<<(std::ostream& out, const RuleCase& c) {
  return out << c.name;
}

inline docker::Request request_for(const std::string& api, const std::string& body) {
  const std::size_t space = api.find(' ');
  auto target =
      docker::classify(docker::parse_method(api.substr(0, space)).value(), api.substr(space + 1));
  if (!target) {
    ADD_FAILURE() << api << ": " << target.error().detail;
    return {};
  }
  docker::Request request;
  if (target->route->access == docker::Access::Closed) {
    request.target = *std::move(target);
    return request;
  }
  auto decoded = docker::decode_request(*std::move(target), body);
  if (!decoded) {
    ADD_FAILURE() << body << ": " << decoded.error().pointer << " " << decoded.error().detail;
    return {};
  }
  return *std::move(decoded);
}

inline Check compile_rule(const std::string& id, const Overrides& overrides) {
  const RuleEntry* entry = find_rule(id);
  Params params;
  if (entry) {
    for (const ParamDef& param : entry->params)
      params.set(param.name, param.fallback);
  }
  for (const auto& [name, value] : overrides)
    params.set(name, value);
  for (const RuleDef& def : rule_defs()) {
    if (def.id != id) continue;
    Result<Check> check = def.compile(params);
    if (check) return *std::move(check);
    ADD_FAILURE() << id << ": " << check.error().text();
    return {};
  }
  ADD_FAILURE() << "no rule " << id;
  return {};
}

// Answers needs() until it is content; with `broken`, every look-up fails.
inline Facts answers_for(const Check& check, const docker::Request& request, const Identity& who,
                         const std::string& context, bool broken = false) {
  Facts facts;
  const auto file = ContextFile::parse(context);
  if (!file) ADD_FAILURE() << context << ": " << file.error().text();
  for (int round = 0; check.needs && round < 8; ++round) {
    std::vector<Lookup> wanted;
    const RequestView view(request);
    check.needs(Input{request, who, facts, view}, wanted);
    for (const Lookup& lookup : wanted) {
      if (facts.has(lookup)) continue;
      facts.put(lookup, broken ? Result<Fact>(fail("", "engine is away")) : file->answer(lookup));
    }
  }
  return facts;
}

inline Identity web_user() {
  return {"alice", {"web"}, {}, "test"};
}

inline Texts run_rule(const RuleCase& c, bool broken = false) {
  const Check check = compile_rule(c.rule, c.params);
  if (!check.run) return {"no check"};
  const docker::Request request = request_for(c.api, c.body);
  if (!request.target.route) return {"no request"};
  const Identity who = web_user();
  const Facts facts = answers_for(check, request, who, c.context, broken);
  const RequestView view(request);
  Report report;
  check.run(Input{request, who, facts, view}, report);
  Texts out;
  for (const Report::Item& item : report.items()) {
    out.push_back((item.missing ? "?" : item.error.empty() ? "" : "!") + item.pointer);
  }
  return out;
}

// HostConfig with these members and nothing else.
inline std::string host(const std::string& members) {
  return R"({"Image":"alpine:3.20","HostConfig":{)" + members + "}}";
}

// One suite a file: derive from it there.
class RuleTable : public ::testing::TestWithParam<RuleCase> {};
inline std::string case_name(const ::testing::TestParamInfo<RuleCase>& c) {
  return c.param.name;
}

}  // namespace dockreeve::policy::testing
