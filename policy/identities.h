// The Identities document: from what the transport knows about a caller to a name, teams and roles.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "certs/peer.h"
#include "policy/diagnostics.h"
#include "policy/identity.h"

namespace dockreeve::policy {

inline constexpr std::size_t kMaxNameBytes = 128;      // of an identity
inline constexpr std::size_t kMaxMatchedBytes = 1024;  // of a certificate field that can match

// What a match may look at. Cert and SAN keys see TLS callers only, peer keys unix callers only.
enum class MatchKey : std::uint8_t {
  CertCn,
  CertOu,
  CertO,
  CertIssuer,
  CertSerial,
  CertFingerprint,
  SanUri,
  SanDns,
  SanEmail,
  PeerUid,
  PeerGid,
  PeerUser,
  PeerGroup,
  Listener
};

// All its conditions hold; a condition holds when one of its globs matches one of the values that
// the caller has for its key.
struct Match {
  struct Condition {
    MatchKey key = MatchKey::Listener;
    std::vector<std::string> globs;
  };
  std::vector<Condition> conditions;
  bool holds(const certs::Caller& caller) const;
};

class Identities {
 public:
  // Reads the keys of an Identities document; mistakes go to `reporter`.
  static Identities read(const yaml::Node& document, Reporter& reporter);

  // The first entry that matches gives the name; an entry whose template has no usable value for
  // this caller does not match. Nothing: unknown, to be refused.
  std::optional<Identity> identify(const certs::Caller& caller) const;

  // What `name` would be with a certificate that has nothing but that CN, plus `teams`.
  Identity named(std::string name, std::vector<std::string> teams) const;

  bool has_team(const std::string& name) const { return groups_[0].names.contains(name); }
  // "guest" is built in.
  bool has_role(const std::string& name) const;
  const std::set<std::string>& teams() const { return groups_[0].names; }
  const std::set<std::string>& roles() const { return groups_[1].names; }

 private:
  struct Named {
    std::string name;  // may be one template: "{{cert.cn}}" within other text
    Match match;
  };
  // Teams, or roles: each with its matches, of which one must hold.
  struct Groups {
    std::set<std::string> names;
    std::vector<std::pair<std::string, Match>> matches;
    std::vector<std::string> of(const certs::Caller& caller) const;
  };
  void read_named(const yaml::Entry& list, Reporter& reporter);
  static void read_groups(const yaml::Entry& map, std::string_view what, Groups& groups,
                          Reporter& reporter);

  std::vector<Named> identities_;
  std::array<Groups, 2> groups_;  // teams, roles
  bool guests_ = false;
};

// Whether `name` follows the grammar of document, team and role names: lower-case letters, digits,
// "." and "-", at most 63, with a letter or digit at both ends.
bool is_name(std::string_view name);

}  // namespace dockreeve::policy
