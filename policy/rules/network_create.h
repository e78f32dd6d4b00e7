// What a network create may ask for, beside its driver.
#pragma once

#include <string>
#include <vector>

#include "docker/net_address.h"
#include "docker/network.h"
#include "policy/rule.h"

namespace dockreeve::policy::rules {

// Shared by allowed-network-drivers, which has it as parameters, and own-resources-only, which
// holds what a caller makes to the catalogue's defaults where that rule does not.
struct NewNetworks {
  std::vector<std::string> drivers, options;
  std::vector<docker::Cidr> subnets;

  // The error names the parameter.
  static Result<NewNetworks> compile(const Params& params);
  static const NewNetworks& defaults();

  void check(const docker::NetworkCreate& network, Report& out) const;
};

}  // namespace dockreeve::policy::rules
