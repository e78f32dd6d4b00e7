#include "policy/ownership.h"

#include <algorithm>
#include <utility>

#include "base/json.h"
#include "policy/rules/support.h"
#include "policy/scope.h"
#include "policy/stand_in.h"

namespace dockreeve::policy {
namespace {

using docker::CreateContainer;
using docker::HostConfig;
using docker::StringList;

// "name:rest" as name and ":rest"; a leading slash of the name is dropped.
std::pair<std::string, std::string> split_reference(std::string_view text) {
  const std::size_t colon = text.find(':');
  std::string_view name = text.substr(0, colon);
  if (name.starts_with('/')) name.remove_prefix(1);
  return {std::string(name),
          colon == std::string_view::npos ? "" : std::string(text.substr(colon))};
}

void add_list(std::vector<Reference>& out, const StringList& list, const std::string& pointer) {
  if (!list) return;
  for (std::size_t i = 0; i < list->size(); ++i) {
    out.push_back(
        {LookupKind::Container, split_reference((*list)[i]).first, json::pointer_join(pointer, i)});
  }
}

void add_mode(std::vector<Reference>& out, std::string_view mode, std::string pointer) {
  std::string name = rules::joined_container(mode);
  if (!name.empty()) out.push_back({LookupKind::Container, std::move(name), std::move(pointer)});
}

void add_volumes(std::vector<Reference>& out, std::span<const docker::EffectiveMount> mounts) {
  for (const docker::EffectiveMount& mount : mounts) {
    if (mount.kind == docker::MountKind::Volume && !mount.volume.empty()) {
      out.push_back({LookupKind::Volume, mount.volume, mount.pointer});
    }
  }
}

const ContainerFact* container(const Facts& facts, const std::string& name) {
  const Result<Fact>* answer = facts.find({LookupKind::Container, name});
  const ContainerFact* fact = answer && *answer ? std::get_if<ContainerFact>(&**answer) : nullptr;
  return fact && fact->found && !fact->id.empty() ? fact : nullptr;
}

const NetworkFact* network(const Facts& facts, const std::string& name) {
  const Result<Fact>* answer = facts.find({LookupKind::Network, name});
  const NetworkFact* fact = answer && *answer ? std::get_if<NetworkFact>(&**answer) : nullptr;
  return fact && fact->found && !fact->id.empty() ? fact : nullptr;
}

template <class T>
const T* found_as(const Facts& facts, const Lookup& lookup) {
  const Result<Fact>* answer = facts.find(lookup);
  const T* fact = answer && *answer ? std::get_if<T>(&**answer) : nullptr;
  return fact && fact->found && !fact->id.empty() ? fact : nullptr;
}

bool starts_id(const std::string& id, std::string_view text) {
  constexpr std::string_view kPrefix = "sha256:";
  if (text.starts_with(kPrefix)) text.remove_prefix(kPrefix.size());
  const std::string_view digits =
      std::string_view(id).substr(id.starts_with(kPrefix) ? kPrefix.size() : 0);
  return text.find_first_not_of("0123456789abcdef") == std::string_view::npos &&
         digits.starts_with(text);
}

// A removal by name takes off that name, so only what is an id already becomes the full id.
void pin_image(docker::Target& target, const Facts& facts) {
  const auto* image = found_as<ImageFact>(facts, {LookupKind::Image, target.id});
  if (!image) return;
  if (target.route->name == "image.tag" || starts_id(image->id, target.id)) target.id = image->id;
}

template <class T>
void pin_as(docker::Target& target, LookupKind kind, const Facts& facts) {
  if (const T* fact = found_as<T>(facts, {kind, target.id})) target.id = fact->id;
}

// What a look-up said about the image of a create; null when none asked or it failed.
const ImageFact* image_of(const CreateContainer& create, const Facts& facts) {
  const Result<Fact>* answer = facts.find({LookupKind::Image, create.image});
  return answer && *answer ? std::get_if<ImageFact>(&**answer) : nullptr;
}

void pin_mode(std::string& mode, const Facts& facts) {
  const std::string name = rules::joined_container(mode);
  if (name.empty()) return;
  if (const ContainerFact* fact = container(facts, name)) mode = "container:" + fact->id;
}

void pin_volumes_from(StringList& list, const Facts& facts) {
  if (!list) return;
  for (std::string& entry : *list) {
    const auto [name, rest] = split_reference(entry);
    if (const ContainerFact* fact = container(facts, name)) entry = fact->id + rest;
  }
}

// A link without alias is known by the name it was given, which must not become the id.
void pin_links(StringList& list, const Facts& facts) {
  if (!list) return;
  for (std::string& entry : *list) {
    const auto [name, rest] = split_reference(entry);
    const ContainerFact* fact = container(facts, name);
    if (fact) entry = fact->id + (rest.empty() ? ":" + name : rest);
  }
}

void pin_create(CreateContainer& create, const Facts& facts) {
  HostConfig& host = create.host_config;
  if (const ImageFact* image = image_of(create, facts); image && image->found && !image->id.empty())
    create.image = image->id;
  pin_mode(host.pid_mode, facts);
  pin_mode(host.ipc_mode, facts);
  pin_volumes_from(host.volumes_from, facts);
  pin_links(host.links, facts);
  if (host.network_mode.starts_with("container:")) {
    pin_mode(host.network_mode, facts);
  } else if (const NetworkFact* fact = network(facts, host.network_mode)) {
    if (fact->name != host.network_mode) host.network_mode = fact->id;
  }
  auto& endpoints = create.networking_config.endpoints_config;
  std::vector<std::pair<std::string, std::string>> renamed;
  for (auto& [name, settings] : endpoints) {
    if (settings) pin_links(settings->links, facts);
    const NetworkFact* fact = network(facts, name);
    if (fact && fact->name != name) renamed.emplace_back(name, fact->id);
  }
  for (auto& [from, to] : renamed) {
    auto node = endpoints.extract(from);
    node.key() = to;
    endpoints.insert(std::move(node));
  }
}

// The labels of an image, which containers inherit: a caller without a team must not pass on the
// team of the base image. Without the decision, so that building the same again makes the same image.
docker::Map<std::string> image_labels(const Identity& who) {
  return {{std::string(kOwnerLabel), who.name},
          {std::string(kTeamLabel), who.teams.empty() ? "" : who.teams.front()}};
}

// The engine puts the labels of the query behind those of the Dockerfile: ours are the last word.
void stamp_build(docker::Query& query, const Identity& who) {
  docker::Map<std::string> labels = image_labels(who);
  const auto old = std::find_if(query.begin(), query.end(),
                                [](const auto& param) { return param.first == "labels"; });
  if (old != query.end()) {
    const auto document = json::Document::parse(old->second);
    if (document) {
      for (auto label = (*document)->root().first(); label; label = label->next()) {
        labels.emplace(std::string(label->key()), std::string(label->text()));
      }
    }
    query.erase(old);
  }
  std::string text;
  json::Writer out(text);
  out.begin_object();
  for (const auto& [key, value] : labels)
    out.key(key).value(value);
  out.end_object();
  query.emplace_back("labels", std::move(text));
}

// As one more line of the changes, quoted for the engine's Dockerfile reader.
void stamp_import(docker::Query& query, const Identity& who) {
  std::string line = "LABEL";
  for (const auto& [key, value] : image_labels(who)) {
    line += " " + key + "=\"";
    for (const char c : value) {
      if (c == '"' || c == '\\' || c == '$') line += '\\';
      line += c;
    }
    line += '"';
  }
  query.emplace_back("changes", std::move(line));
}

void pin_build(docker::Query& query, const Facts& facts) {
  for (auto& [key, value] : query) {
    if (key != "networkmode") continue;
    if (const NetworkFact* fact = network(facts, value)) value = fact->id;
    pin_mode(value, facts);
  }
}

void pin_container(std::string& name, const Facts& facts) {
  if (const ContainerFact* fact = container(facts, name)) name = fact->id;
}

void pin_attachments(docker::List<docker::NetworkAttachment>& networks, const Facts& facts) {
  if (!networks) return;
  for (docker::NetworkAttachment& attachment : *networks) {
    if (const NetworkFact* fact = network(facts, attachment.target)) attachment.target = fact->id;
  }
}

void pin_body(docker::Request& request, const Facts& facts) {
  if (auto* create = request.body_as<CreateContainer>()) pin_create(*create, facts);
  if (auto* connect = request.body_as<docker::NetworkConnect>()) {
    pin_container(connect->container, facts);
    if (connect->endpoint_config) pin_links(connect->endpoint_config->links, facts);
  }
  if (auto* disconnect = request.body_as<docker::NetworkDisconnect>()) {
    pin_container(disconnect->container, facts);
  }
  if (auto* spec = request.body_as<docker::ServiceSpec>()) {
    pin_attachments(spec->task_template.networks, facts);
    pin_attachments(spec->networks, facts);
  }
  if (request.body_as<docker::Commit>()) {
    for (auto& [key, value] : request.target.query) {
      if (key == "container") pin_container(value, facts);
    }
  }
}

void stamp(docker::Map<std::string>& labels, const Identity& who, const std::string& decision) {
  labels.insert_or_assign(std::string(kOwnerLabel), who.name);
  if (!who.teams.empty()) labels.insert_or_assign(std::string(kTeamLabel), who.teams.front());
  labels.insert_or_assign(std::string(kDecisionLabel), decision);
}

// Whoever changes a service of the team does not become its owner.
void keep_owner(docker::Map<std::string>& labels, const docker::Map<std::string>& old) {
  if (!has_owner(old)) return;
  for (const std::string_view key : {kOwnerLabel, kTeamLabel}) {
    const auto it = old.find(key);
    if (it != old.end()) {
      labels.insert_or_assign(std::string(key), it->second);
    } else {
      labels.erase(std::string(key));
    }
  }
}

}  // namespace

bool is_own(const docker::Map<std::string>& labels, const Identity& who, OwnedBy by) {
  return OwnerScope{by, false, false, who.name, who.teams}.owns(labels);
}

bool has_owner(const docker::Map<std::string>& labels) {
  return labels.contains(kOwnerLabel) || labels.contains(kTeamLabel);
}

bool looks_like_id(std::string_view name) {
  if (name.starts_with('/')) name.remove_prefix(1);
  return name.size() >= 6 && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

bool is_reserved_network(std::string_view name) {
  return is_builtin_network(name) || name == "default" || name == "ingress" ||
         name == "docker_gwbridge";
}

bool is_shared_network(std::string_view name) {
  return name == "bridge" || name == "none";
}

bool is_network_word(std::string_view mode) {
  return mode.empty() || mode == "default" || mode == "bridge" || mode == "none" ||
         mode == "host" || mode.starts_with("container:");
}

std::vector<Reference> references(const CreateContainer& create,
                                  std::span<const docker::EffectiveMount> mounts) {
  const HostConfig& host = create.host_config;
  std::vector<Reference> out;
  add_mode(out, host.network_mode, "/HostConfig/NetworkMode");
  add_mode(out, host.pid_mode, "/HostConfig/PidMode");
  add_mode(out, host.ipc_mode, "/HostConfig/IpcMode");
  add_mode(out, host.cgroup, "/HostConfig/Cgroup");
  add_list(out, host.volumes_from, "/HostConfig/VolumesFrom");
  add_list(out, host.links, "/HostConfig/Links");
  if (!is_network_word(host.network_mode)) {
    out.push_back({LookupKind::Network, host.network_mode, "/HostConfig/NetworkMode"});
  }
  const std::string endpoints = "/NetworkingConfig/EndpointsConfig";
  for (const auto& [name, settings] : create.networking_config.endpoints_config) {
    const std::string pointer = json::pointer_join(endpoints, name);
    // The CLI repeats NetworkMode here, `container:x` included.
    if (!is_network_word(name) && name != host.network_mode) {
      out.push_back({LookupKind::Network, name, pointer});
    }
    if (settings) add_list(out, settings->links, pointer + "/Links");
  }
  add_volumes(out, mounts);
  return out;
}

std::vector<Reference> build_references(std::string_view network_mode) {
  std::vector<Reference> out;
  add_mode(out, network_mode, "query/networkmode");
  if (!is_network_word(network_mode)) {
    out.push_back({LookupKind::Network, std::string(network_mode), "query/networkmode"});
  }
  return out;
}

std::vector<Reference> references(const docker::Request& request) {
  std::vector<Reference> out;
  if (const auto* create = request.body_as<CreateContainer>()) {
    return references(*create, docker::effective_mounts(*create));
  }
  if (const auto* volume = request.body_as<docker::VolumeCreate>()) {
    if (!volume->name.empty()) out.push_back({LookupKind::Volume, volume->name, "/Name"});
  }
  if (const auto* connect = request.body_as<docker::NetworkConnect>()) {
    out.push_back({LookupKind::Container, connect->container, "/Container", true});
    if (connect->endpoint_config) {
      add_list(out, connect->endpoint_config->links, "/EndpointConfig/Links");
    }
  }
  if (const auto* disconnect = request.body_as<docker::NetworkDisconnect>()) {
    out.push_back({LookupKind::Container, disconnect->container, "/Container", true});
  }
  if (request.route().name == "build") {
    return build_references(docker::param(request.target.query, "networkmode"));
  }
  if (request.body_as<docker::Commit>()) {
    out.push_back({LookupKind::Container,
                   std::string(docker::param(request.target.query, "container")), "query/container",
                   true});
  }
  if (request.body_as<docker::ServiceSpec>()) {
    const std::optional<docker::Request> task = stand_in(request);
    out = references(*task);
    for (Reference& reference : out)
      reference.pointer = stand_in_pointer(request, reference.pointer);
  }
  return out;
}

void stamp_labels(docker::Request& request, const Identity& who, const std::string& decision,
                  const Facts& facts) {
  if (request.route().name == "build") return stamp_build(request.target.query, who);
  // A body that says anything makes the engine forget some of the container's configuration (its
  // SHELL, its ONBUILD), so the labels of a commit go with its changes too.
  if (request.changes || request.body_as<docker::Commit>()) {
    return stamp_import(request.target.query, who);
  }
  if (auto* create = request.body_as<CreateContainer>()) stamp(create->labels, who, decision);
  if (auto* volume = request.body_as<docker::VolumeCreate>()) stamp(volume->labels, who, decision);
  if (auto* network = request.body_as<docker::NetworkCreate>()) {
    stamp(network->labels, who, decision);
    // Two networks of one name make the name useless to both; engines that can refuse it do.
    network->check_duplicate = true;
  }
  if (auto* spec = request.body_as<docker::ServiceSpec>()) {
    auto& of_tasks = spec->task_template.container_spec.labels;
    stamp(spec->labels, who, decision);
    stamp(of_tasks, who, decision);
    if (const auto* result = facts.find({LookupKind::Service, request.target.id});
        result && *result) {
      const auto* old = std::get_if<ServiceFact>(&**result);
      if (old && old->found) keep_owner(spec->labels, old->labels);
      if (old && old->found) keep_owner(of_tasks, old->labels);
    }
  }
}

std::string absent_image(const docker::Request& request, const Facts& facts) {
  const auto* create = request.body_as<CreateContainer>();
  const ImageFact* image = create ? image_of(*create, facts) : nullptr;
  return image && !image->found ? "No such image: " + create->image : std::string();
}

void pin_references(docker::Request& request, const Facts& facts) {
  docker::Target& target = request.target;
  switch (target.route->object) {
    case docker::Object::Container:
      pin_as<ContainerFact>(target, LookupKind::Container, facts);
      break;
    case docker::Object::Network:
      pin_as<NetworkFact>(target, LookupKind::Network, facts);
      break;
    case docker::Object::Image:
      pin_image(target, facts);
      break;
    case docker::Object::Service:
      pin_as<ServiceFact>(target, LookupKind::Service, facts);
      break;
    case docker::Object::Task:
      pin_as<TaskFact>(target, LookupKind::Task, facts);
      break;
    case docker::Object::Secret:
      pin_as<SecretFact>(target, LookupKind::Secret, facts);
      break;
    case docker::Object::Config:
      pin_as<SecretFact>(target, LookupKind::Config, facts);
      break;
    case docker::Object::None:
    case docker::Object::Exec:
    case docker::Object::Volume:
    case docker::Object::Plugin:
    case docker::Object::Node:
      break;
  }
  pin_body(request, facts);
  if (target.route->name == "build") pin_build(target.query, facts);
  pin_listed_beside(request, facts);
}

}  // namespace dockreeve::policy
