// Body of POST /volumes/create (moby api/types/volume.CreateOptions). ClusterVolumeSpec is swarm's
// and is refused when present.
#pragma once

#include "docker/create_container.h"

namespace dockreeve::docker {

struct VolumeCreate {
  std::string name, driver;
  Map<std::string> driver_opts, labels;
  bool operator==(const VolumeCreate&) const = default;
};

}  // namespace dockreeve::docker
