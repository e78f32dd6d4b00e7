// JSON bodies to types and back. decode(encode(x)) == x; encode() is the only source of the bytes
// that the engine sees.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "docker/auth.h"
#include "docker/commit.h"
#include "docker/create_container.h"
#include "docker/exec.h"
#include "docker/network.h"
#include "docker/refusal.h"
#include "docker/service.h"
#include "docker/update.h"
#include "docker/volume.h"

namespace dockreeve::docker {

// JSON pointers of keys that no schema row knows. They are dropped, never forwarded; the rule
// unknown-field decides what else happens.
using UnknownFields = std::vector<std::string>;

// Each decoder reads a whole body and refuses what docker-api facts call ambiguous: a key that
// differs from a known one only by case or folding, two keys of equal fold, a wrong JSON type, an
// integer outside int64 (or outside the field's own width), HostConfig fields at the top level of a
// create body (unless empty or null), an empty body. A null is the same as absence.
Parsed<CreateContainer> decode_create_container(std::string body, UnknownFields& unknown);
// The same into `out`, which is unusable after a refusal. Creates are large and frequent.
std::optional<Refusal> decode_create_container(std::string body, CreateContainer& out,
                                               UnknownFields& unknown);
Parsed<ExecCreate> decode_exec_create(std::string body, UnknownFields& unknown);
Parsed<ExecStart> decode_exec_start(std::string body, UnknownFields& unknown);
Parsed<UpdateContainer> decode_update(std::string body, UnknownFields& unknown);
Parsed<VolumeCreate> decode_volume_create(std::string body, UnknownFields& unknown);
Parsed<AuthConfig> decode_auth(std::string body, UnknownFields& unknown);
// Also refuses a name outside the grammar of names: engines take some that mean something else
// wherever a network is named.
Parsed<NetworkCreate> decode_network_create(std::string body, UnknownFields& unknown);
// These refuse a container that is no name.
Parsed<NetworkConnect> decode_network_connect(std::string body, UnknownFields& unknown);
Parsed<NetworkDisconnect> decode_network_disconnect(std::string body, UnknownFields& unknown);
// An empty body and `null` are an empty configuration, as clients send it.
Parsed<Commit> decode_commit(std::string body, UnknownFields& unknown);
// Also refuses templates where a policy has to know the value: swarm fills them in later.
Parsed<ServiceSpec> decode_service(std::string body, UnknownFields& unknown);

// Canonical bytes: keys in schema order, zero values and nulls left out, "HostConfig" always there.
// `trace`, if any, learns where each string of the body landed.
std::string encode(const CreateContainer& create, std::vector<json::Written>* trace = nullptr);
std::string encode(const ExecCreate& exec, std::vector<json::Written>* trace = nullptr);
std::string encode(const ExecStart& start, std::vector<json::Written>* trace = nullptr);
std::string encode(const UpdateContainer& update, std::vector<json::Written>* trace = nullptr);
std::string encode(const VolumeCreate& volume, std::vector<json::Written>* trace = nullptr);
std::string encode(const AuthConfig& auth, std::vector<json::Written>* trace = nullptr);
std::string encode(const NetworkCreate& network, std::vector<json::Written>* trace = nullptr);
std::string encode(const NetworkConnect& connect, std::vector<json::Written>* trace = nullptr);
std::string encode(const NetworkDisconnect& disconnect, std::vector<json::Written>* trace = nullptr);
std::string encode(const Commit& commit, std::vector<json::Written>* trace = nullptr);
std::string encode(const ServiceSpec& service, std::vector<json::Written>* trace = nullptr);

}  // namespace dockreeve::docker
