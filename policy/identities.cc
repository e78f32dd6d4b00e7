#include "policy/identities.h"

#include <algorithm>

#include "base/text.h"

namespace dockreeve::policy {
namespace {

constexpr std::array<std::string_view, 14> kMatchKeys = {
    "certCN", "certOU",   "certO",   "certIssuer", "certSerial", "certFingerprint", "sanURI",
    "sanDNS", "sanEmail", "peerUID", "peerGID",    "peerUser",   "peerGroup",       "listener"};
constexpr std::array<std::string_view, 4> kTemplates = {"cert.cn", "cert.sanURI", "peer.uid",
                                                        "peer.user"};
constexpr std::array<std::string_view, 2> kUnknown = {"deny", "guest"};
constexpr std::string_view kGuest = "guest";

bool is_peer_key(MatchKey key) {
  return key >= MatchKey::PeerUid && key <= MatchKey::PeerGroup;
}
bool is_cert_key(MatchKey key) {
  return key <= MatchKey::SanEmail;
}

std::vector<std::string> peer_values(const certs::UnixPeer& peer, MatchKey key) {
  if (key == MatchKey::PeerUid) return {std::to_string(peer.uid)};
  if (key == MatchKey::PeerUser) return {peer.user};
  if (key == MatchKey::PeerGroup) return peer.groups;
  std::vector<std::string> gids;
  for (const std::int64_t gid : peer.gids)
    gids.push_back(std::to_string(gid));
  return gids;
}

std::vector<std::string> cert_values(const certs::CertificateFacts& cert, MatchKey key) {
  switch (key) {
    case MatchKey::CertCn:
      return {cert.common_name};
    case MatchKey::CertOu:
      return cert.organizational_units;
    case MatchKey::CertO:
      return cert.organizations;
    case MatchKey::CertIssuer:
      return {cert.issuer};
    case MatchKey::CertSerial:
      return {cert.serial};
    case MatchKey::CertFingerprint:
      return {cert.fingerprint};
    case MatchKey::SanUri:
      return cert.san_uri;
    case MatchKey::SanDns:
      return cert.san_dns;
    case MatchKey::SanEmail:
      return cert.san_email;
    case MatchKey::PeerUid:
    case MatchKey::PeerGid:
    case MatchKey::PeerUser:
    case MatchKey::PeerGroup:
    case MatchKey::Listener:
      return {};
  }
  return {};
}

// The values that may match: whatever is empty, too long or not printable is as good as absent.
std::vector<std::string> values_of(const certs::Caller& caller, MatchKey key) {
  const bool tls = caller.transport == certs::Transport::Tls;
  std::vector<std::string> values;
  if (key == MatchKey::Listener) {
    values = {caller.listener};
  } else if (is_peer_key(key) && !tls) {
    values = peer_values(caller.peer, key);
  } else if (is_cert_key(key) && tls) {
    values = cert_values(caller.certificate, key);
  }
  std::erase_if(values, [](const std::string& value) {
    return value.empty() || value.size() > kMaxMatchedBytes || !text::is_printable(value);
  });
  return values;
}

bool any_matches(const std::vector<std::string>& globs, std::string_view value) {
  return std::ranges::any_of(
      globs, [&](const std::string& glob) { return text::glob_match(glob, value); });
}

// The one value a template stands for. A field with several values needs a condition on it that
// picks one; otherwise whoever makes certificates could choose between names.
std::string single_value(const certs::Caller& caller, MatchKey key, const Match& match) {
  std::vector<std::string> values = values_of(caller, key);
  for (const Match::Condition& condition : match.conditions) {
    if (condition.key != key) continue;
    std::erase_if(values,
                  [&](const std::string& value) { return !any_matches(condition.globs, value); });
  }
  return values.size() == 1 ? values.front() : std::string();
}

std::string template_value(std::string_view name, const certs::Caller& caller, const Match& match) {
  if (name == "cert.cn") return single_value(caller, MatchKey::CertCn, match);
  if (name == "cert.sanURI") return single_value(caller, MatchKey::SanUri, match);
  if (name == "peer.uid") return single_value(caller, MatchKey::PeerUid, match);
  return single_value(caller, MatchKey::PeerUser, match);
}

struct Placeholder {
  std::size_t start = 0, size = 0;
  std::string_view name;
};

std::optional<Placeholder> find_placeholder(std::string_view text) {
  const std::size_t start = text.find("{{");
  if (start == std::string_view::npos) return std::nullopt;
  const std::size_t end = text.find("}}", start);
  if (end == std::string_view::npos) return std::nullopt;
  return Placeholder{start, end + 2 - start, text.substr(start + 2, end - start - 2)};
}

// The name an entry gives to this caller; empty when it cannot.
std::string fill(std::string_view name, const certs::Caller& caller, const Match& match) {
  std::string out;
  while (const auto placeholder = find_placeholder(name)) {
    const std::string value = template_value(placeholder->name, caller, match);
    if (value.empty()) return {};
    out += name.substr(0, placeholder->start);
    out += value;
    name.remove_prefix(placeholder->start + placeholder->size);
  }
  out += name;
  return out.size() <= kMaxNameBytes && text::is_printable(out) ? out : std::string();
}

// "AB:CD" as certificates are usually shown, in our spelling.
std::string normal_hex(std::string_view text) {
  return text::to_lower(text::replace_all(text, ":", ""));
}

std::vector<std::string> read_globs(const yaml::Entry& entry, Reporter& reporter) {
  if (entry.value.is_list()) {
    if (entry.value.items.empty()) {
      reporter.error(reporter.spot(entry), "E106",
                     text::quoted(entry.key) + " is an empty list: it can never match");
    }
    return read_text_list(entry, reporter).value_or(std::vector<std::string>());
  }
  auto value = yaml::as_text(entry.value);
  if (value) return {*std::move(value)};
  wrong_type(entry, "text or a list of text", reporter);
  return {};
}

void check_match(const Match& match, const Spot& spot, Reporter& reporter) {
  const auto has = [&](bool (*kind)(MatchKey)) {
    return std::ranges::any_of(
        match.conditions, [&](const Match::Condition& condition) { return kind(condition.key); });
  };
  if (has(is_cert_key) && has(is_peer_key)) {
    reporter.warning(spot, "W205", "a caller has a certificate or a peer, never both",
                     "this can never match");
  }
}

Match read_match(const yaml::Node& node, const Spot& spot, Reporter& reporter) {
  const Fields fields(node, spot, "match", reporter, kMatchKeys);
  Match match;
  if (fields.is_map() && node.entries.empty()) {
    reporter.error(spot, "E103", "an empty match would match every caller",
                   "name at least one key, e.g. certOU: \"*\"");
  }
  for (std::size_t i = 0; i < kMatchKeys.size(); ++i) {
    const yaml::Entry* entry = fields.get(kMatchKeys[i]);
    if (entry == nullptr) continue;
    const auto key = static_cast<MatchKey>(i);
    std::vector<std::string> globs = read_globs(*entry, reporter);
    if (key == MatchKey::CertSerial || key == MatchKey::CertFingerprint) {
      for (std::string& glob : globs)
        glob = normal_hex(glob);
    }
    match.conditions.push_back({key, std::move(globs)});
  }
  check_match(match, spot, reporter);
  return match;
}

void check_identity_name(const yaml::Entry& entry, std::string_view name, Reporter& reporter) {
  if (name.empty() || !text::is_printable(name)) {
    reporter.error(reporter.spot(entry.value), "E108", "an identity needs a printable name");
    return;
  }
  while (const auto placeholder = find_placeholder(name)) {
    if (std::ranges::find(kTemplates, placeholder->name) == kTemplates.end()) {
      std::string hint = text::did_you_mean(placeholder->name, kTemplates);
      if (!hint.empty()) hint += ' ';
      reporter.error(reporter.spot(entry.value), "E115",
                     "unknown template " + text::quoted(placeholder->name),
                     hint + "templates: " + listing(kTemplates));
      return;
    }
    name.remove_prefix(placeholder->start + placeholder->size);
  }
}

void sort_unique(std::vector<std::string>& names) {
  std::ranges::sort(names);
  names.erase(std::unique(names.begin(), names.end()), names.end());
}

}  // namespace

bool is_name(std::string_view name) {
  const auto is_alnum = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  if (name.empty() || name.size() > 63 || !is_alnum(name.front()) || !is_alnum(name.back())) {
    return false;
  }
  return std::ranges::all_of(name, [&](char c) { return is_alnum(c) || c == '.' || c == '-'; });
}

bool Match::holds(const certs::Caller& caller) const {
  if (conditions.empty()) return false;
  return std::ranges::all_of(conditions, [&](const Condition& condition) {
    return std::ranges::any_of(values_of(caller, condition.key), [&](const std::string& value) {
      return any_matches(condition.globs, value);
    });
  });
}

Identities Identities::read(const yaml::Node& document, Reporter& reporter) {
  Identities result;
  if (const yaml::Entry* unknown = document.find("unknown")) {
    result.guests_ = read_word(*unknown, reporter, kUnknown) == kGuest;
  }
  if (const yaml::Entry* list = document.find("identities")) result.read_named(*list, reporter);
  if (const yaml::Entry* map = document.find("teams")) {
    read_groups(*map, "team", result.groups_[0], reporter);
  }
  if (const yaml::Entry* map = document.find("roles")) {
    read_groups(*map, "role", result.groups_[1], reporter);
  }
  return result;
}

void Identities::read_named(const yaml::Entry& list, Reporter& reporter) {
  if (!expect_list(list, reporter)) return;
  for (const yaml::Node& item : list.value.items) {
    const Fields fields(item, reporter.spot(item), "identity", reporter, {"name", "match"});
    const yaml::Entry* name = fields.require("name");
    const yaml::Entry* match = fields.require("match");
    Named named;
    if (name != nullptr) {
      if (const auto text = read_text(*name, reporter)) {
        check_identity_name(*name, *text, reporter);
        named.name = *text;
      }
    }
    if (match != nullptr) named.match = read_match(match->value, reporter.spot(*match), reporter);
    identities_.push_back(std::move(named));
  }
}

void Identities::read_groups(const yaml::Entry& map, std::string_view what, Groups& groups,
                             Reporter& reporter) {
  if (!expect_map(map, reporter)) return;
  for (const yaml::Entry& group : map.value.entries) {
    if (!is_name(group.key)) {
      reporter.error(reporter.spot(group), "E108",
                     text::quoted(group.key) + " is no name for a " + std::string(what),
                     "lower-case letters, digits, \".\" and \"-\", at most 63");
    }
    groups.names.insert(group.key);
    if (!expect_list(group, reporter)) continue;
    for (const yaml::Node& item : group.value.items) {
      groups.matches.emplace_back(group.key, read_match(item, reporter.spot(item), reporter));
    }
  }
}

std::vector<std::string> Identities::Groups::of(const certs::Caller& caller) const {
  std::vector<std::string> result;
  for (const auto& [name, match] : matches) {
    if (match.holds(caller)) result.push_back(name);
  }
  sort_unique(result);
  return result;
}

bool Identities::has_role(const std::string& name) const {
  return name == kGuest || groups_[1].names.contains(name);
}

std::optional<Identity> Identities::identify(const certs::Caller& caller) const {
  for (std::size_t i = 0; i < identities_.size(); ++i) {
    if (!identities_[i].match.holds(caller)) continue;
    std::string name = fill(identities_[i].name, caller, identities_[i].match);
    if (name.empty()) continue;
    return Identity{std::move(name), groups_[0].of(caller), groups_[1].of(caller),
                    "identities[" + std::to_string(i) + "]"};
  }
  if (!guests_) return std::nullopt;
  return Identity{std::string(kGuest), {}, {std::string(kGuest)}, "unknown"};
}

Identity Identities::named(std::string name, std::vector<std::string> teams) const {
  certs::Caller caller;
  caller.certificate.common_name = name;
  Identity who{std::move(name), groups_[0].of(caller), groups_[1].of(caller), "named"};
  std::ranges::move(teams, std::back_inserter(who.teams));
  sort_unique(who.teams);
  return who;
}

}  // namespace dockreeve::policy
