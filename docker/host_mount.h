// What a create body mounts, from all the places that can say so: Binds, Mounts, and volume driver
// options that bind a host path. Rules look at one list instead of three spellings.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "docker/create_container.h"

namespace dockreeve::docker {

enum class MountKind : std::uint8_t { Bind, Volume, Tmpfs, Image, Npipe, Cluster, Other };

struct EffectiveMount {
  MountKind kind = MountKind::Other;
  std::string pointer;     // "/HostConfig/Binds/0", "/HostConfig/Mounts/2"
  std::string type;        // the type as sent in Mounts; "bind" or "volume" for an entry of Binds
  std::string raw_source;  // as sent: host path, volume name, image; empty when anonymous
  std::string source;      // Bind: the host path after path.Clean; else empty
  std::string target;      // after path.Clean
  bool read_only = false;
  std::string propagation;  // "" is the engine's default (rprivate)
  std::string volume;       // Volume: its name, empty when anonymous
  std::string driver;       // Volume: as sent, "" is local
  Map<std::string> driver_options;
  std::string bind_device;  // Volume: absolute `device` of the options, cleaned; see below
  // Why the engine would not take this entry, or why it cannot be judged. Empty when it is sound.
  // An entry that is not sound must be refused: its other fields are only what could be read.
  std::string invalid;

  // The path on the host that gets into the container, or "".
  const std::string& host_path() const { return kind == MountKind::Bind ? source : bind_device; }
};

// One entry per element of HostConfig.Binds and HostConfig.Mounts, in that order; none is left out.
std::vector<EffectiveMount> effective_mounts(const CreateContainer& create);

// One entry of Binds: "src:dst[:mode]" or "dst". `volume_driver` is HostConfig.VolumeDriver.
EffectiveMount parse_bind(std::string_view input, std::string_view volume_driver,
                          std::string pointer);

// The host path that volume driver options expose when a container uses the volume: `device`, if it
// is absolute, whatever the type (o=bind makes mount(2) ignore it). Cleaned; "" when there is none.
std::string volume_bind_device(const Map<std::string>& driver_options);

// Go's path.Clean: lexical, "" is ".", no trailing slash except for "/".
std::string clean_path(std::string_view path);

// Whether clean `path` is `parent` or something below it.
bool path_within(std::string_view path, std::string_view parent);

// `[a-zA-Z0-9][a-zA-Z0-9_.-]*`, at most 255: names of containers, volumes and networks.
bool is_object_name(std::string_view text);

}  // namespace dockreeve::docker
