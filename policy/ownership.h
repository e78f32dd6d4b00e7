// Who an engine object belongs to, and which objects a request refers to.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "docker/host_mount.h"
#include "docker/request.h"
#include "policy/facts.h"
#include "policy/identity.h"

namespace dockreeve::policy {

inline constexpr std::string_view kLabelPrefix = "io.dockreeve.";
inline constexpr std::string_view kOwnerLabel = "io.dockreeve.owner";
inline constexpr std::string_view kTeamLabel = "io.dockreeve.team";
inline constexpr std::string_view kDecisionLabel = "io.dockreeve.decision";

enum class OwnedBy : std::uint8_t { Team, Identity };

// Whether an object with these labels is the caller's. One without owner labels is nobody's.
bool is_own(const docker::Map<std::string>& labels, const Identity& who, OwnedBy by);
bool has_owner(const docker::Map<std::string>& labels);

// Whether the engine would read this name as an id prefix of some other object.
bool looks_like_id(std::string_view name);

// What a create body names besides its image. `mounts` are its effective mounts.
struct Reference {
  LookupKind kind = LookupKind::Container;
  std::string name;       // look-up key: no leading slash, no mode, no alias
  std::string pointer;    // "/HostConfig/VolumesFrom/0"
  bool acted_on = false;  // the command is about this object, not only in need of it
};
std::vector<Reference> references(const docker::CreateContainer& create,
                                  std::span<const docker::EffectiveMount> mounts);

// The network mode of a build.
std::vector<Reference> build_references(std::string_view network_mode);

// The same for other bodies that name objects, and for the query of a commit. Empty for the rest.
std::vector<Reference> references(const docker::Request& request);

// Names of networks that the engine makes by itself, or reads otherwise.
bool is_reserved_network(std::string_view name);
// The networks that everybody may connect to.
bool is_shared_network(std::string_view name);

// The networks that are not one of the engine's words, from NetworkMode and EndpointsConfig.
bool is_network_word(std::string_view mode);

// Sets owner, team and decision labels on what the request creates. What a service update changes
// keeps the owner that `facts` know.
void stamp_labels(docker::Request& request, const Identity& who, const std::string& decision,
                  const Facts& facts);

// Replaces every reference that `facts` resolved by the full id, so that the engine cannot resolve
// it to something else. Network names are kept where they are exact, for people read them; the
// name of an image is kept where no rule has looked at what is in it.
void pin_references(docker::Request& request, const Facts& facts);

// The engine's words when a rule wanted to look into the image of a create and it was not there;
// empty otherwise. By the time of the create somebody may have given that name to any image.
std::string absent_image(const docker::Request& request, const Facts& facts);

}  // namespace dockreeve::policy
