// Look-ups: the questions a policy asks about the world, and their answers as values.
//
// Policy code never does I/O. It names what it wants to know (needs), the gateway asks the engine,
// and the answers come back as Facts; `dockreeve eval --context` supplies them from a file.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"
#include "docker/create_container.h"

namespace dockreeve::policy {

enum class LookupKind : std::uint8_t {
  Image,      // L1: GET /images/{key}/json
  Container,  // L2: GET /containers/{key}/json
  Exec,       // L2: GET /exec/{key}/json
  Volume,     // L3: GET /volumes/{key}
  Network,    // L4: GET /networks/{key}
  HostPath,   // L5: realpath of key on the engine's host
  Engine,     // L6: GET /info; key is empty
  ImageUsers, // L2: GET /containers/json of the image whose full id is key
  Service,    // GET /services/{key}
  Task,       // GET /tasks/{key}
  Secret,     // GET /secrets/{key}
  Config,     // GET /configs/{key}
};

struct Lookup {
  LookupKind kind = LookupKind::Engine;
  std::string key;
  auto operator<=>(const Lookup&) const = default;
};

// Each fact: `found` false means that the engine answered "no such object".
struct ImageFact {
  bool found = true;
  std::string id, user;
  bool healthcheck = false;
  std::int64_t age_days = 0;
  std::vector<std::string> repo_tags, repo_digests;
  docker::Map<std::string> labels;
};
struct ContainerFact {
  bool found = true;
  std::string id, name, user, network_mode, pid_mode, ipc_mode;
  docker::Map<std::string> labels;
  // Limits in force, so that an update can be judged by its result.
  std::int64_t nano_cpus = 0, cpu_period = 0, cpu_quota = 0, memory = 0, memory_swap = 0;
  std::optional<std::int64_t> pids_limit;
};
struct ExecFact {
  bool found = true;
  std::string id, container_id;
};
struct VolumeFact {
  bool found = true;
  std::string name, driver;
  docker::Map<std::string> options, labels;
};
struct NetworkFact {
  bool found = true;
  std::string id, name, driver;
  docker::Map<std::string> labels;
};
struct PathFact {
  bool found = true;   // false: nothing exists there (the engine would create it)
  std::string real;    // symlink-free path; for a missing tail, the resolved part plus the tail
};
struct EngineFact {
  bool found = true;
  bool no_new_privileges_default = false, userns_remap = false;
  std::string default_runtime, logging_driver;
};

// The labels of every container, running or not, that was made from an image or one built upon it.
struct ImageUsersFact {
  std::vector<docker::Map<std::string>> labels;
};
struct ServiceFact {
  bool found = true;
  std::string id, name;
  docker::Map<std::string> labels;
};
// A task has no labels of its own: its owner is that of its service.
struct TaskFact {
  bool found = true;
  std::string id, service_id;
};
struct SecretFact {  // and configs
  bool found = true;
  std::string id;
  docker::Map<std::string> labels;
};

using Fact = std::variant<ImageFact, ContainerFact, ExecFact, VolumeFact, NetworkFact, PathFact, EngineFact,
                          ImageUsersFact, ServiceFact, TaskFact, SecretFact>;

// What has been answered so far. A failed look-up is present with its Error.
class Facts {
 public:
  void put(Lookup lookup, Result<Fact> answer) {
    answers_.insert_or_assign(std::move(lookup), std::move(answer));
  }
  bool has(const Lookup& lookup) const { return answers_.contains(lookup); }
  // Null when nobody asked.
  const Result<Fact>* find(const Lookup& lookup) const {
    const auto it = answers_.find(lookup);
    return it == answers_.end() ? nullptr : &it->second;
  }
  const std::map<Lookup, Result<Fact>>& all() const { return answers_; }

 private:
  std::map<Lookup, Result<Fact>> answers_;
};

}  // namespace dockreeve::policy
