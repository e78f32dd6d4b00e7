#include "policy/context_file.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>

namespace dockreeve::policy {
namespace {

using Json = nlohmann::json;
using TextMap = docker::Map<std::string>;

// A mistake in the file, on its way to parse(); never leaves this file.
struct Mistake : std::runtime_error {
  Mistake(std::string place, const std::string& what)
      : std::runtime_error(what), where(std::move(place)) {}
  std::string where;
};

// The members of one object, each taken at most once; done() complains about what is left.
class Members {
 public:
  Members(const Json& object, std::string where) : where_(std::move(where)) {
    if (!object.is_object()) throw Mistake(where_, "must be an object");
    for (const auto& [key, value] : object.items())
      left_.emplace(key, &value);
  }
  const Json* take(const std::string& key) {
    const auto it = left_.find(key);
    if (it == left_.end()) return nullptr;
    const Json* value = it->second;
    left_.erase(it);
    return value->is_null() ? nullptr : value;
  }
  std::string text(const std::string& key, std::string fallback = {}) {
    const Json* value = take(key);
    if (!value) return fallback;
    if (!value->is_string()) throw Mistake(place(key), "must be a string");
    return value->get<std::string>();
  }
  std::int64_t integer(const std::string& key) {
    const Json* value = take(key);
    if (!value) return 0;
    if (!value->is_number_integer()) throw Mistake(place(key), "must be a whole number");
    return value->get<std::int64_t>();
  }
  bool flag(const std::string& key) {
    const Json* value = take(key);
    if (!value) return false;
    if (!value->is_boolean()) throw Mistake(place(key), "must be true or false");
    return value->get<bool>();
  }
  TextMap texts(const std::string& key) {
    TextMap out;
    const Json* value = take(key);
    if (!value) return out;
    Members members(*value, place(key));
    for (const auto& [name, ignored] : value->items())
      out.emplace(name, members.text(name));
    return out;
  }
  std::vector<std::string> list(const std::string& key) {
    std::vector<std::string> out;
    const Json* value = take(key);
    if (!value) return out;
    if (!value->is_array()) throw Mistake(place(key), "must be a list");
    for (const Json& item : *value) {
      if (!item.is_string()) throw Mistake(place(key), "must be a list of strings");
      out.push_back(item.get<std::string>());
    }
    return out;
  }
  void done() const {
    if (!left_.empty()) throw Mistake(place(left_.begin()->first), "is not known here");
  }
  std::string place(const std::string& key) const {
    return where_.empty() ? key : where_ + "." + key;
  }

 private:
  std::string where_;
  std::map<std::string, const Json*> left_;
};

// true, false, or the object an image inspect shows.
bool has_healthcheck(const Json* value) {
  if (!value) return false;
  return value->is_boolean() ? value->get<bool>() : !value->empty();
}

Fact read_image(const Json& json, const std::string& where, const std::string&) {
  Members members(json, where);
  ImageFact out;
  out.id = members.text("Id");
  out.user = members.text("User");
  out.healthcheck = has_healthcheck(members.take("Healthcheck"));
  out.age_days = members.integer("ageDays");
  out.labels = members.texts("Labels");
  out.repo_tags = members.list("RepoTags");
  out.repo_digests = members.list("RepoDigests");
  members.done();
  return out;
}

Fact read_container(const Json& json, const std::string& where, const std::string& name) {
  Members members(json, where);
  ContainerFact out;
  out.id = members.text("Id");
  out.name = name;
  out.user = members.text("User");
  out.network_mode = members.text("NetworkMode");
  out.pid_mode = members.text("PidMode");
  out.ipc_mode = members.text("IpcMode");
  out.labels = members.texts("Labels");
  out.nano_cpus = members.integer("NanoCpus");
  out.cpu_period = members.integer("CpuPeriod");
  out.cpu_quota = members.integer("CpuQuota");
  out.memory = members.integer("Memory");
  out.memory_swap = members.integer("MemorySwap");
  if (members.take("PidsLimit")) out.pids_limit = json.at("PidsLimit").get<std::int64_t>();
  members.done();
  return out;
}

Fact read_volume(const Json& json, const std::string& where, const std::string& name) {
  Members members(json, where);
  VolumeFact out;
  out.name = name;
  out.driver = members.text("Driver", "local");
  out.options = members.texts("Options");
  out.labels = members.texts("Labels");
  members.done();
  return out;
}

Fact read_network(const Json& json, const std::string& where, const std::string& name) {
  Members members(json, where);
  NetworkFact out;
  out.id = members.text("Id");
  out.name = members.text("Name", name);
  out.driver = members.text("Driver", "bridge");
  out.labels = members.texts("Labels");
  members.done();
  return out;
}

// {"sha256:…": [{labels of one container}, …]}
Fact read_users(const Json& json, const std::string& where, const std::string&) {
  if (!json.is_array()) throw Mistake(where, "must be a list of labels");
  ImageUsersFact out;
  for (const Json& item : json) {
    const Json wrapped = {{"Labels", item}};
    out.labels.push_back(Members(wrapped, where).texts("Labels"));
  }
  return out;
}

Fact read_service(const Json& json, const std::string& where, const std::string& name) {
  Members members(json, where);
  ServiceFact out;
  out.id = members.text("ID");
  out.name = members.text("Name", name);
  out.labels = members.texts("Labels");
  members.done();
  return out;
}

Fact read_task(const Json& json, const std::string& where, const std::string&) {
  Members members(json, where);
  TaskFact out;
  out.id = members.text("ID");
  out.service_id = members.text("ServiceID");
  members.done();
  return out;
}

Fact read_secret(const Json& json, const std::string& where, const std::string&) {
  Members members(json, where);
  SecretFact out;
  out.id = members.text("ID");
  out.labels = members.texts("Labels");
  members.done();
  return out;
}

Fact read_engine(const Json& json, const std::string& where, const std::string&) {
  Members members(json, where);
  EngineFact out;
  out.no_new_privileges_default = members.flag("noNewPrivileges");
  out.userns_remap = members.flag("usernsRemap");
  out.default_runtime = members.text("DefaultRuntime", "runc");
  out.logging_driver = members.text("LoggingDriver", "json-file");
  members.done();
  return out;
}

using Read = Fact (*)(const Json&, const std::string&, const std::string&);
struct Section {
  std::string_view key;
  LookupKind kind;
  bool by_name;
  Read read;
};
constexpr std::array<Section, 12> kSections{{
    {"image", LookupKind::Image, false, &read_image},
    {"container", LookupKind::Container, false, &read_container},
    {"containers", LookupKind::Container, true, &read_container},
    {"volumes", LookupKind::Volume, true, &read_volume},
    {"networks", LookupKind::Network, true, &read_network},
    {"engine", LookupKind::Engine, false, &read_engine},
    {"images", LookupKind::Image, true, &read_image},
    {"imageUsers", LookupKind::ImageUsers, true, &read_users},
    {"services", LookupKind::Service, true, &read_service},
    {"tasks", LookupKind::Task, true, &read_task},
    {"secrets", LookupKind::Secret, true, &read_secret},
    {"configs", LookupKind::Config, true, &read_secret},
}};

void read_section(const Section& section, const Json& json, std::map<Lookup, Fact>& out) {
  const std::string where(section.key);
  if (!section.by_name) {
    out.insert_or_assign({section.kind, ""}, section.read(json, where, ""));
    return;
  }
  if (!json.is_object()) throw Mistake(where, "must be an object");
  for (const auto& [name, value] : json.items()) {
    const std::string place = where + "." + name;
    out.insert_or_assign({section.kind, name}, section.read(value, place, name));
  }
}

std::string_view kind_name(LookupKind kind) {
  switch (kind) {
    case LookupKind::Image:
      return "image";
    case LookupKind::Container:
      return "container";
    case LookupKind::Exec:
      return "exec";
    case LookupKind::Volume:
      return "volume";
    case LookupKind::Network:
      return "network";
    case LookupKind::Service:
      return "service";
    case LookupKind::HostPath:
      return "path";
    case LookupKind::Engine:
      return "engine";
    case LookupKind::ImageUsers:
      return "users of image";
    case LookupKind::Task:
      return "task";
    case LookupKind::Secret:
      return "secret";
    case LookupKind::Config:
      return "config";
  }
  return "object";
}

Fact default_answer(const Lookup& lookup) {
  switch (lookup.kind) {
    case LookupKind::Image:
      return ImageFact{};
    case LookupKind::Container: {
      ContainerFact fact;
      fact.name = lookup.key;
      return fact;
    }
    case LookupKind::Exec: {
      ExecFact fact;
      fact.id = lookup.key;
      fact.container_id = "container";
      return fact;
    }
    case LookupKind::Volume: {
      VolumeFact fact;
      fact.found = false;
      return fact;
    }
    case LookupKind::Network: {
      NetworkFact fact;
      fact.name = lookup.key;
      fact.driver = "bridge";
      return fact;
    }
    case LookupKind::HostPath:
      return PathFact{true, lookup.key};
    case LookupKind::ImageUsers:
      return ImageUsersFact{};
    case LookupKind::Service: {
      ServiceFact fact;
      fact.name = lookup.key;
      return fact;
    }
    case LookupKind::Task: {
      TaskFact fact;
      fact.service_id = "service";
      return fact;
    }
    case LookupKind::Secret:
    case LookupKind::Config:
      return SecretFact{};
    case LookupKind::Engine:
      break;
  }
  EngineFact fact;
  fact.default_runtime = "runc";
  fact.logging_driver = "json-file";
  return fact;
}

}  // namespace

Result<ContextFile> ContextFile::parse(std::string_view text) {
  ContextFile out;
  try {
    const Json json = Json::parse(text);
    Members members(json, "");
    for (const Section& section : kSections) {
      const Json* value = members.take(std::string(section.key));
      if (value) read_section(section, *value, out.answers_);
    }
    for (auto& [from, to] : members.texts("realpath")) {
      out.answers_.insert_or_assign({LookupKind::HostPath, from}, PathFact{true, to});
    }
    for (std::string& reference : members.list("resolvesAsId")) {
      out.ids_.insert(std::move(reference));
    }
    members.done();
  } catch (const Mistake& mistake) {
    return fail(mistake.where, mistake.what());
  } catch (const Json::exception& error) {
    return fail("", error.what());
  }
  return out;
}

Result<Fact> ContextFile::answer(const Lookup& lookup, bool strict) const {
  const bool is_id = lookup.kind == LookupKind::Image && ids_.contains(lookup.key);
  auto it = answers_.find(lookup);
  if (it == answers_.end()) it = answers_.find({lookup.kind, ""});
  if (it == answers_.end() && strict && !is_id) {
    return fail("", "the context has no answer for " + std::string(kind_name(lookup.kind)) + " \"" +
                        lookup.key + "\"");
  }
  Fact fact = it == answers_.end() ? default_answer(lookup) : it->second;
  constexpr std::size_t kIdDigits = 64;
  if (is_id) {
    std::string id = lookup.key;
    id.resize(std::max(id.size(), kIdDigits), '0');
    std::get<ImageFact>(fact).id = "sha256:" + id;
  }
  return fact;
}

Facts answer_all(const Evaluator& evaluator, const docker::Request& request, const Identity& who,
                 const ContextFile& context, bool strict) {
  Facts facts;
  for (std::vector<Lookup> wanted = evaluator.needs(request, who, facts); !wanted.empty();
       wanted = evaluator.needs(request, who, facts)) {
    for (Lookup& lookup : wanted) {
      Result<Fact> answer = context.answer(lookup, strict);
      facts.put(std::move(lookup), std::move(answer));
    }
  }
  return facts;
}

}  // namespace dockreeve::policy
