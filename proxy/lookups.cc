#include "proxy/lookups.h"

#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include <sys/stat.h>

#include "base/json.h"

namespace dockreeve::proxy {
namespace {

using policy::Fact;
using policy::LookupKind;

// Keys come from requests, so nothing that could change the meaning of a request line passes.
bool safe_key(std::string_view key) {
  if (key.empty() || key.size() > 1024 || key.front() == '/' || key.find("..") != std::string_view::npos ||
      key.find("//") != std::string_view::npos) {
    return false;
  }
  for (const char c : key) {
    const auto u = static_cast<unsigned char>(c);
    if (!std::isalnum(u) && c != '_' && c != '.' && c != '-' && c != ':' && c != '/' && c != '@') {
      return false;
    }
  }
  return true;
}

std::string target_of(const policy::Lookup& lookup) {
  switch (lookup.kind) {
    case LookupKind::Image: return "/images/" + lookup.key + "/json";
    case LookupKind::Container: return "/containers/" + lookup.key + "/json";
    case LookupKind::Exec: return "/exec/" + lookup.key + "/json";
    case LookupKind::Volume: return "/volumes/" + lookup.key;
    case LookupKind::Network: return "/networks/" + lookup.key;
    case LookupKind::Engine: return "/info";
    // {"ancestor":["<id>"]}; the key is a full id and needs no escapes.
    case LookupKind::ImageUsers:
      return "/containers/json?all=1&filters=%7B%22ancestor%22%3A%5B%22" + lookup.key + "%22%5D%7D";
    case LookupKind::Service: return "/services/" + lookup.key;
    case LookupKind::Task: return "/tasks/" + lookup.key;
    case LookupKind::Secret: return "/secrets/" + lookup.key;
    case LookupKind::Config: return "/configs/" + lookup.key;
    case LookupKind::HostPath: break;
  }
  return {};
}

std::string text(const json::Value& object, std::string_view key) {
  const auto value = object.find(key);
  return value && value->is_string() ? std::string(value->text()) : std::string();
}

std::int64_t number(const json::Value& object, std::string_view key) {
  const auto value = object.find(key);
  return value ? value->integer() : 0;
}

docker::Map<std::string> text_map(const std::optional<json::Value>& object) {
  docker::Map<std::string> out;
  if (!object || !object->is_object()) return out;
  for (auto member = object->first(); member; member = member->next()) {
    out.emplace(std::string(member->key()), std::string(member->text()));
  }
  return out;
}

std::vector<std::string> text_list(const std::optional<json::Value>& list) {
  std::vector<std::string> out;
  if (!list || !list->is_array()) return out;
  for (auto item = list->first(); item; item = item->next()) out.emplace_back(item->text());
  return out;
}

std::int64_t age_in_days(const std::string& created) {
  std::tm parts{};
  if (created.size() < 10 || !strptime(created.substr(0, 10).c_str(), "%Y-%m-%d", &parts)) return 0;
  const std::int64_t seconds = std::time(nullptr) - timegm(&parts);
  return seconds > 0 ? seconds / 86400 : 0;
}

Fact image_fact(const json::Value& root) {
  policy::ImageFact fact;
  fact.id = text(root, "Id");
  fact.repo_tags = text_list(root.find("RepoTags"));
  fact.repo_digests = text_list(root.find("RepoDigests"));
  fact.age_days = age_in_days(text(root, "Created"));
  if (const auto config = root.find("Config"); config && config->is_object()) {
    fact.user = text(*config, "User");
    fact.labels = text_map(config->find("Labels"));
    if (const auto health = config->find("Healthcheck"); health && health->is_object()) {
      const std::vector<std::string> test = text_list(health->find("Test"));
      fact.healthcheck = !test.empty() && test[0] != "NONE";
    }
  }
  return fact;
}

Fact container_fact(const json::Value& root) {
  policy::ContainerFact fact;
  fact.id = text(root, "Id");
  fact.name = text(root, "Name");
  if (fact.name.starts_with('/')) fact.name.erase(0, 1);
  if (const auto config = root.find("Config"); config && config->is_object()) {
    fact.user = text(*config, "User");
    fact.labels = text_map(config->find("Labels"));
  }
  if (const auto host = root.find("HostConfig"); host && host->is_object()) {
    fact.network_mode = text(*host, "NetworkMode");
    fact.pid_mode = text(*host, "PidMode");
    fact.ipc_mode = text(*host, "IpcMode");
    fact.nano_cpus = number(*host, "NanoCpus");
    fact.cpu_period = number(*host, "CpuPeriod");
    fact.cpu_quota = number(*host, "CpuQuota");
    fact.memory = number(*host, "Memory");
    fact.memory_swap = number(*host, "MemorySwap");
    if (const auto pids = host->find("PidsLimit"); pids && !pids->is_null()) {
      fact.pids_limit = pids->integer();
    }
  }
  return fact;
}

Fact service_fact(const json::Value& root) {
  policy::ServiceFact fact;
  fact.id = text(root, "ID");
  if (const auto spec = root.find("Spec"); spec && spec->is_object()) {
    fact.name = text(*spec, "Name");
    fact.labels = text_map(spec->find("Labels"));
  }
  return fact;
}

Fact task_fact(const json::Value& root) {
  policy::TaskFact fact;
  fact.id = text(root, "ID");
  fact.service_id = text(root, "ServiceID");
  return fact;
}

Fact secret_fact(const json::Value& root) {
  policy::SecretFact fact;
  fact.id = text(root, "ID");
  if (const auto spec = root.find("Spec"); spec && spec->is_object()) {
    fact.labels = text_map(spec->find("Labels"));
  }
  return fact;
}

Result<Fact> image_users_fact(const json::Value& root) {
  policy::ImageUsersFact fact;
  for (auto user = root.first(); user; user = user->next()) {
    if (!user->is_object()) return fail("", "the Docker engine's list of containers is not readable");
    fact.labels.push_back(text_map(user->find("Labels")));
  }
  return fact;
}

Fact engine_fact(const json::Value& root) {
  policy::EngineFact fact;
  fact.default_runtime = text(root, "DefaultRuntime");
  fact.logging_driver = text(root, "LoggingDriver");
  for (const std::string& option : text_list(root.find("SecurityOptions"))) {
    if (option.starts_with("name=no-new-privileges")) fact.no_new_privileges_default = true;
    if (option.starts_with("name=userns")) fact.userns_remap = true;
  }
  return fact;
}

}  // namespace

Result<Fact> parse_fact(LookupKind kind, int status, std::string body) {
  if (status == 404) {
    switch (kind) {
      case LookupKind::Image: { policy::ImageFact fact; fact.found = false; return fact; }
      case LookupKind::Container: { policy::ContainerFact fact; fact.found = false; return fact; }
      case LookupKind::Exec: { policy::ExecFact fact; fact.found = false; return fact; }
      case LookupKind::Volume: { policy::VolumeFact fact; fact.found = false; return fact; }
      case LookupKind::Network: { policy::NetworkFact fact; fact.found = false; return fact; }
      case LookupKind::Service: { policy::ServiceFact fact; fact.found = false; return fact; }
      case LookupKind::Task: { policy::TaskFact fact; fact.found = false; return fact; }
      case LookupKind::Secret:
      case LookupKind::Config: { policy::SecretFact fact; fact.found = false; return fact; }
      case LookupKind::Engine:
      case LookupKind::ImageUsers:
      case LookupKind::HostPath: break;
    }
  }
  if (status != 200) return fail("", "the Docker engine answered " + std::to_string(status) + " to a look-up");
  json::Limits limits;
  limits.max_depth = 64;
  limits.max_keys = 65536;
  auto document = json::Document::parse(std::move(body), limits);
  if (!document) return fail("", "the Docker engine's answer to a look-up is not readable: " + document.error().text());
  const json::Value root = (*document)->root();
  if (kind == LookupKind::ImageUsers) {
    if (!root.is_array()) return fail("", "the Docker engine's answer to a look-up is not a list");
    return image_users_fact(root);
  }
  if (!root.is_object()) return fail("", "the Docker engine's answer to a look-up is not an object");
  switch (kind) {
    case LookupKind::Image: return image_fact(root);
    case LookupKind::Container: return container_fact(root);
    case LookupKind::Exec: {
      policy::ExecFact fact;
      fact.id = text(root, "ID");
      fact.container_id = text(root, "ContainerID");
      return fact;
    }
    case LookupKind::Volume: {
      policy::VolumeFact fact;
      fact.name = text(root, "Name");
      fact.driver = text(root, "Driver");
      fact.options = text_map(root.find("Options"));
      fact.labels = text_map(root.find("Labels"));
      return fact;
    }
    case LookupKind::Network: {
      policy::NetworkFact fact;
      fact.id = text(root, "Id");
      fact.name = text(root, "Name");
      fact.driver = text(root, "Driver");
      fact.labels = text_map(root.find("Labels"));
      return fact;
    }
    case LookupKind::Engine: return engine_fact(root);
    case LookupKind::Service: return service_fact(root);
    case LookupKind::Task: return task_fact(root);
    case LookupKind::Secret:
    case LookupKind::Config: return secret_fact(root);
    case LookupKind::ImageUsers:
    case LookupKind::HostPath: break;
  }
  return fail("", "unknown look-up");
}

Result<policy::PathFact> resolve_path(const std::string& path) {
  policy::PathFact fact;
  std::string head = path;
  std::string tail;
  for (;;) {
    const char* existing = head.empty() ? "/" : head.c_str();
    char* real = realpath(existing, nullptr);
    if (real) {
      fact.real = real;
      std::free(real);
      fact.found = tail.empty();
      if (!tail.empty()) fact.real = (fact.real == "/" ? "" : fact.real) + tail;
      return fact;
    }
    if (errno != ENOENT) return fail("", "`" + path + "` cannot be resolved: " + std::strerror(errno));
    struct stat status{};
    // A symbolic link to nothing may point anywhere by the time the engine follows it.
    if (lstat(existing, &status) == 0) return fail("", "`" + head + "` is a dangling symbolic link");
    const std::size_t slash = head.rfind('/');
    if (slash == std::string::npos) return fail("", "`" + path + "` is not an absolute path");
    tail = head.substr(slash) + tail;
    head.erase(slash);
  }
}

Task<void> Lookups::answer(std::vector<policy::Lookup> wanted, policy::Facts& facts, Millis deadline) {
  for (const policy::Lookup& lookup : wanted) {
    co_await answer_one(lookup, facts, deadline);
  }
}

Task<void> Lookups::answer_one(const policy::Lookup& lookup, policy::Facts& facts, Millis deadline) {
  if (lookup.kind == LookupKind::HostPath) {
    Result<Fact> fact;
    std::function<void()> job = [&fact, &lookup] { fact = resolve_path(lookup.key); };
    BlockingWorker::Run run(worker_, upstream_.reactor(), std::move(job));
    co_await run;
    facts.put(lookup, std::move(fact));
    co_return;
  }
  if (lookup.kind != LookupKind::Engine && !safe_key(lookup.key)) {
    facts.put(lookup, fail("", "`" + lookup.key + "` cannot be looked up"));
    co_return;
  }
  std::string target = target_of(lookup);
  Result<Upstream::Answer> answer = co_await upstream_.get(std::move(target), deadline);
  if (!answer) {
    facts.put(lookup, tl::unexpected<Error>(answer.error()));
  } else {
    facts.put(lookup, parse_fact(lookup.kind, answer->status, std::move(answer->body)));
  }
}

}  // namespace dockreeve::proxy
