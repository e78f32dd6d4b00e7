#include "policy/scope.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "docker/query.h"

namespace dockreeve::policy {
namespace {

using docker::FilterList;
using docker::Query;
using docker::Request;

// The engine has no label on build cache. It reads this filter as a pattern for the ids of cache
// records, which are letters and digits: nothing matches.
constexpr std::string_view kNoCacheRecord = "dockreeve-nothing";

std::string_view label(const docker::Map<std::string>& labels, std::string_view key) {
  const auto it = labels.find(key);
  return it == labels.end() ? std::string_view() : std::string_view(it->second);
}

std::string label_filter(std::string_view key, std::string_view value) {
  return std::string(key) + "=" + std::string(value);
}

// What stamp_labels() writes on the caller's objects and nobody else's.
std::string stamped_label(const OwnerScope& scope) {
  const bool team = scope.by == OwnedBy::Team && !scope.teams.empty();
  return team ? label_filter(kTeamLabel, scope.teams.front())
              : label_filter(kOwnerLabel, scope.name);
}

// The engine joins labels by "and": one label is all that can be asked for.
bool one_label_says_it(const OwnerScope& scope) {
  return !scope.unowned && (scope.by == OwnedBy::Identity || scope.teams.size() <= 1);
}

void set_param(Query& query, std::string_view name, std::string value) {
  for (auto& [key, old] : query) {
    if (key == name) {
      old = std::move(value);
      return;
    }
  }
  query.emplace_back(name, std::move(value));
}

void drop_param(Query& query, std::string_view name) {
  std::erase_if(query, [&](const auto& entry) { return entry.first == name; });
}

void add_label(Request& request, std::string label) {
  Query& query = request.target.query;
  FilterList filters = docker::parse_filters(docker::param(query, "filters"));
  const auto labels = std::find_if(filters.begin(), filters.end(),
                                   [](const auto& filter) { return filter.first == "label"; });
  if (labels == filters.end()) {
    filters.push_back({"label", {std::move(label)}});
  } else {
    labels->second.push_back(std::move(label));
  }
  set_param(query, "filters", docker::write_filters(filters));
}

std::size_t take_limit(Query& query) {
  const std::string_view text = docker::param(query, "limit");
  long long limit = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), limit);
  if (error != std::errc() || limit <= 0) return 0;
  drop_param(query, "limit");
  // A limit shows stopped containers too.
  set_param(query, "all", "1");
  return static_cast<std::size_t>(limit);
}

struct Shown {
  std::string_view route;
  AnswerKind kind;
  bool labels;        // the engine filters by label here
  bool when_hiding;   // read again when foreign objects are hidden
  bool when_showing;  // and when they are shown without what is private
};
constexpr std::array<Shown, 8> kShown{{
    {"container.list", AnswerKind::Containers, true, true, true},
    {"volume.list", AnswerKind::Volumes, true, true, true},
    {"network.list", AnswerKind::Networks, false, true, false},
    {"system.df", AnswerKind::DiskUsage, false, true, true},
    {"system.events", AnswerKind::Events, true, true, false},
    // A hidden container cannot be named: its id was resolved and is what is forwarded.
    {"container.inspect", AnswerKind::Container, false, false, true},
    {"volume.inspect", AnswerKind::Volume, false, true, true},
    {"network.inspect", AnswerKind::Network, false, true, false},
}};

// Of an image nothing is hidden, of a node and a plugin nothing is known.
bool is_swarm_list(std::string_view route) {
  return route == "service.list" || route == "task.list" || route == "secret.list" ||
         route == "config.list";
}

bool is_labelled_prune(std::string_view route) {
  return route == "container.prune" || route == "network.prune" || route == "volume.prune" ||
         route == "image.prune";
}

constexpr std::array<std::string_view, 2> kBeside{"since", "before"};

bool is_beside(std::string_view key) {
  return std::find(kBeside.begin(), kBeside.end(), key) != kBeside.end();
}

// Calls f(name) for every name in `since` and `before`; f may change it.
template <class F>
void each_beside(Query& query, F f) {
  FilterList filters = docker::parse_filters(docker::param(query, "filters"));
  for (auto& [key, values] : filters) {
    if (!is_beside(key)) continue;
    for (std::string& value : values)
      f(value);
  }
  if (!filters.empty()) set_param(query, "filters", docker::write_filters(filters));
  for (auto& [key, value] : query) {
    if (is_beside(key)) f(value);
  }
}

// As the engine looks them up.
std::string without_slash(std::string_view name) {
  if (name.starts_with('/')) name.remove_prefix(1);
  return std::string(name);
}

}  // namespace

bool OwnerScope::owns(std::string_view owner, std::string_view team) const {
  if (owner.empty() && team.empty()) return unowned;
  if (!owner.empty() && owner == name) return true;
  return by == OwnedBy::Team && !team.empty() &&
         std::find(teams.begin(), teams.end(), team) != teams.end();
}

bool OwnerScope::owns(const docker::Map<std::string>& labels) const {
  return owns(label(labels, kOwnerLabel), label(labels, kTeamLabel));
}

OwnerScope scope_of(const Params& params, const Identity& who) {
  OwnerScope out;
  out.by = params.text("by") == "identity" ? OwnedBy::Identity : OwnedBy::Team;
  out.reads = params.flag("reads");
  const std::vector<std::string>& roles = params.list("unowned");
  out.unowned = std::any_of(who.roles.begin(), who.roles.end(), [&](const std::string& role) {
    return std::find(roles.begin(), roles.end(), role) != roles.end();
  });
  out.name = who.name;
  out.teams = who.teams;
  return out;
}

std::optional<AnswerScope> narrow(Request& request, const OwnerScope& scope) {
  const std::string_view route = request.route().name;
  const bool limited_list = scope.reads && is_swarm_list(route);
  if (limited_list || is_labelled_prune(route)) add_label(request, stamped_label(scope));
  if (route == "build.prune") {
    request.target.query = {{"filters", docker::write_filters({{"id", {std::string(kNoCacheRecord)}}})}};
  }
  const auto shown = std::find_if(kShown.begin(), kShown.end(),
                                  [&](const Shown& row) { return row.route == route; });
  if (shown == kShown.end() || !(scope.reads ? shown->when_hiding : shown->when_showing)) {
    return std::nullopt;
  }
  AnswerScope out;
  out.kind = shown->kind;
  out.hide = scope.reads;
  out.scope = scope;
  if (out.kind == AnswerKind::Volume) {
    out.absent = "get " + request.target.id + ": no such volume";
  }
  if (scope.reads && shown->labels) {
    if (one_label_says_it(scope)) {
      add_label(request, stamped_label(scope));
    } else if (out.kind == AnswerKind::Containers) {
      out.limit = take_limit(request.target.query);
    }
  }
  return out;
}

std::string without_ids(std::string_view text, std::string_view known) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out;
  while (!text.empty()) {
    const std::size_t start = std::min(text.find_first_of(kHex), text.size());
    const std::size_t end = std::min(text.find_first_not_of(kHex, start), text.size());
    const std::string_view run = text.substr(start, end - start);
    const bool is_id = run.size() == 12 || run.size() == 64;
    out.append(text.substr(0, start));
    out.append(is_id && known.find(run) == std::string_view::npos ? "(hidden)" : run);
    text.remove_prefix(end);
  }
  return out;
}

bool is_builtin_network(std::string_view name) {
  return name == "bridge" || name == "host" || name == "none";
}

std::vector<std::string> listed_beside(const Request& request) {
  std::vector<std::string> out;
  if (request.route().name != "container.list") return out;
  Query query = request.target.query;
  each_beside(query, [&](const std::string& name) { out.push_back(without_slash(name)); });
  return out;
}

void pin_listed_beside(Request& request, const Facts& facts) {
  if (request.route().name != "container.list") return;
  each_beside(request.target.query, [&](std::string& name) {
    const Result<Fact>* answer = facts.find({LookupKind::Container, without_slash(name)});
    const auto* fact = answer && *answer ? std::get_if<ContainerFact>(&**answer) : nullptr;
    if (fact && fact->found && !fact->id.empty()) name = fact->id;
  });
}

}  // namespace dockreeve::policy
