// Splits entries as the engine does and looks into seccomp profiles far enough to know that they
// filter at all.
#include "docker/security_opt.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "base/json.h"
#include "base/text.h"

namespace dockreeve::docker {
namespace {

// Go's strconv.ParseBool.
std::optional<bool> parse_go_bool(std::string_view text) {
  constexpr std::array<std::string_view, 6> kTrue{"1", "t", "T", "TRUE", "true", "True"};
  constexpr std::array<std::string_view, 6> kFalse{"0", "f", "F", "FALSE", "false", "False"};
  if (std::find(kTrue.begin(), kTrue.end(), text) != kTrue.end()) return true;
  if (std::find(kFalse.begin(), kFalse.end(), text) != kFalse.end()) return false;
  return std::nullopt;
}

// Actions that stop a system call which no other line of the profile allows.
bool refuses(std::string_view action) {
  constexpr std::array<std::string_view, 7> kRefusing{
      "SCMP_ACT_ERRNO", "SCMP_ACT_KILL",  "SCMP_ACT_KILL_THREAD", "SCMP_ACT_KILL_PROCESS",
      "SCMP_ACT_TRAP",  "SCMP_ACT_TRACE", "SCMP_ACT_NOTIFY"};
  return std::find(kRefusing.begin(), kRefusing.end(), action) != kRefusing.end();
}

// Why the profile does not filter, or "". The engine's decoder folds the case of keys, so a second
// spelling of defaultAction could undo the first: one spelling only.
std::string profile_problem(json::Value root) {
  if (!root.is_object()) return "the profile is not a JSON object";
  constexpr std::string_view kDefaultAction = "defaultAction";
  const std::string folded = json::fold_key(kDefaultAction);
  for (auto member = root.first(); member; member = member->next()) {
    if (member->key() != kDefaultAction && json::fold_key(member->key()) == folded) {
      return "the profile spells defaultAction as " + text::quoted(member->key());
    }
  }
  const std::optional<json::Value> action = root.find(kDefaultAction);
  if (!action) return "the profile has no defaultAction";
  if (!action->is_string() || !refuses(action->text())) {
    return "the profile's defaultAction " + text::quoted(action->text()) + " lets every call pass";
  }
  return "";
}

void read_seccomp(SecurityOptions& out, std::string_view value, std::size_t index) {
  out.seccomp_index = index;
  out.seccomp_profile = value;
  out.seccomp_json.clear();
  out.seccomp_problem.clear();
  if (value.empty() || value == "builtin") {
    out.seccomp = SeccompMode::Default;
    return;
  }
  if (value == "unconfined") {
    out.seccomp = SeccompMode::Unconfined;
    return;
  }
  const auto document = json::Document::parse(std::string(value));
  if (!document) {
    out.seccomp_problem = "the value is no seccomp profile: " + document.error().text();
  } else {
    json::Writer(out.seccomp_json).copy((*document)->root());
    out.seccomp_problem = profile_problem((*document)->root());
  }
  out.seccomp = out.seccomp_problem.empty() ? SeccompMode::Custom : SeccompMode::AllowsAll;
}

// `unsafe` is what the flag becomes when the engine would refuse the value.
void read_flag(bool& flag, std::optional<std::size_t>& flag_index, SecurityOptions& out,
               SecurityOptions::Entry entry, bool unsafe) {
  const std::optional<bool> value = parse_go_bool(entry.value);
  flag = value.value_or(unsafe);
  flag_index = entry.index;
  if (!value) out.invalid.push_back(std::move(entry));
}

void read_named(SecurityOptions& out, std::string_view name, SecurityOptions::Entry entry,
                std::string_view whole) {
  if (name == "label") {
    out.labels.push_back(std::move(entry));
  } else if (name == "apparmor") {
    out.apparmor = std::move(entry);
  } else if (name == "seccomp") {
    read_seccomp(out, entry.value, entry.index);
  } else if (name == "no-new-privileges") {
    read_flag(out.no_new_privileges, out.no_new_privileges_index, out, std::move(entry), false);
  } else if (name == "writable-cgroups") {
    read_flag(out.writable_cgroups, out.writable_cgroups_index, out, std::move(entry), true);
  } else {
    if (name == "systempaths") out.systempaths = entry;
    out.unknown.push_back({std::string(whole), entry.index});
  }
}

void read_bare(SecurityOptions& out, std::string_view word, std::size_t index) {
  if (word == "no-new-privileges") {
    out.no_new_privileges = true;
    out.no_new_privileges_index = index;
  } else if (word == "writable-cgroups") {
    out.writable_cgroups = true;
    out.writable_cgroups_index = index;
  } else if (word == "disable") {
    out.labels.push_back({std::string(word), index});
  } else {
    out.unknown.push_back({std::string(word), index});
  }
}

struct Split {
  std::string_view name;
  std::optional<std::string_view> value;  // nullopt: a bare word
};

Split split(std::string_view entry) {
  std::size_t separator = entry.find('=');
  if (separator == std::string_view::npos) separator = entry.find(':');
  if (separator == std::string_view::npos) return {entry, std::nullopt};
  return {entry.substr(0, separator), entry.substr(separator + 1)};
}

}  // namespace

bool drop_weaker_no_new_privileges(StringList& security_opt) {
  const SecurityOptions options = parse_security_opt(security_opt);
  if (!options.no_new_privileges_index || !options.invalid.empty()) return false;
  const std::string deciding = (*security_opt)[*options.no_new_privileges_index];
  std::vector<std::string> kept;
  for (std::string& entry : *security_opt) {
    if (split(entry).name != "no-new-privileges") kept.push_back(std::move(entry));
  }
  if (options.no_new_privileges) kept.push_back(deciding);
  const bool dropped = kept.size() < security_opt->size();
  *security_opt = std::move(kept);
  return dropped;
}

SecurityOptions parse_security_opt(const StringList& security_opt) {
  SecurityOptions out;
  if (!security_opt) return out;
  for (std::size_t i = 0; i < security_opt->size(); ++i) {
    const std::string_view entry = (*security_opt)[i];
    const Split parts = split(entry);
    if (!parts.value) {
      read_bare(out, entry, i);
    } else {
      read_named(out, parts.name, {std::string(*parts.value), i}, entry);
    }
  }
  return out;
}

}  // namespace dockreeve::docker
