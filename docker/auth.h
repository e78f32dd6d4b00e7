// Body of POST /auth (moby api/types/registry.AuthConfig): a credential that the engine tries out
// at a registry. Never logged; its text fields are redacted wherever a body is shown.
#pragma once

#include <string>

namespace dockreeve::docker {

struct AuthConfig {
  std::string username, password, auth, email, server_address, identity_token, registry_token;
  bool operator==(const AuthConfig&) const = default;
};

// The registry that the engine would talk to: the host of server_address without scheme and path,
// "docker.io" for the Hub's own names and for an empty address.
std::string registry_host(const std::string& server_address);

}  // namespace dockreeve::docker
