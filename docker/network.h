// Bodies of POST /networks/create, /networks/{id}/connect and /networks/{id}/disconnect (moby
// api/types/network up to API 1.56). Conventions as in docker/create_container.h.
#pragma once

#include "docker/create_container.h"

namespace dockreeve::docker {

struct IpamPool {
  std::string subnet, ip_range, gateway;
  Map<std::string> auxiliary_addresses;
  bool operator==(const IpamPool&) const = default;
};

struct NetworkIpam {
  std::string driver;
  Map<std::string> options;
  List<IpamPool> config;
  bool operator==(const NetworkIpam&) const = default;
};

struct NetworkReference {
  std::string network;
  bool operator==(const NetworkReference&) const = default;
};

struct NetworkCreate {
  std::string name;
  bool check_duplicate = false;  // gone from API 1.44 on, where names are unique anyway
  std::string driver, scope;
  std::optional<bool> enable_ipv4, enable_ipv6;
  std::optional<NetworkIpam> ipam;
  bool internal = false, attachable = false, ingress = false, config_only = false;
  std::optional<NetworkReference> config_from;
  Map<std::string> options, labels;
  bool operator==(const NetworkCreate&) const = default;
};

struct NetworkConnect {
  std::string container;
  std::optional<EndpointSettings> endpoint_config;
  bool operator==(const NetworkConnect&) const = default;
};

struct NetworkDisconnect {
  std::string container;
  bool force = false;
  bool operator==(const NetworkDisconnect&) const = default;
};

}  // namespace dockreeve::docker
