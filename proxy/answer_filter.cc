#include "proxy/answer_filter.h"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <utility>

#include "policy/ownership.h"

namespace dockreeve::proxy {
namespace {

using docker::AnswerSplitter;
using policy::AnswerKind;

constexpr std::size_t kMaxPiece = std::size_t{8} << 20;
constexpr json::Limits kLimits{.max_depth = 64, .max_members = 65536, .max_keys = 65536};

AnswerSplitter::Shape shape_of(AnswerKind kind) {
  switch (kind) {
    case AnswerKind::Containers:
    case AnswerKind::Networks:
      return AnswerSplitter::Shape::List;
    case AnswerKind::Volumes:
    case AnswerKind::DiskUsage:
      return AnswerSplitter::Shape::Members;
    case AnswerKind::Events:
    case AnswerKind::Container:
    case AnswerKind::Volume:
    case AnswerKind::Network:
      break;
  }
  return AnswerSplitter::Shape::Sequence;
}

// An object, or nothing for whatever else it is.
std::unique_ptr<json::Document> parse(std::string_view text) {
  auto document = json::Document::parse(std::string(text), kLimits);
  return document && (*document)->root().is_object() ? *std::move(document) : nullptr;
}

std::string_view text_of(const json::Value& object, std::string_view key) {
  const auto value = object.find(key);
  return value && value->is_string() ? value->text() : std::string_view();
}

// The members of disk usage that leave, and what their lists hold. A newer engine's other members
// repeat the same objects in another shape and do not leave.
enum class Part : std::uint8_t { Pass, Containers, Volumes, Empty };
struct Member {
  std::string_view key;
  Part part;
};
constexpr std::array<Member, 6> kDiskUsage{{{"LayersSize", Part::Pass},
                                            {"Images", Part::Pass},
                                            {"BuilderSize", Part::Pass},
                                            {"Containers", Part::Containers},
                                            {"Volumes", Part::Volumes},
                                            {"BuildCache", Part::Empty}}};

std::optional<Part> part_of(AnswerKind kind, std::string_view key) {
  if (kind == AnswerKind::Volumes) return key == "Volumes" ? Part::Volumes : Part::Pass;
  const auto member = std::find_if(kDiskUsage.begin(), kDiskUsage.end(),
                                   [&](const Member& known) { return known.key == key; });
  return member == kDiskUsage.end() ? std::nullopt : std::optional(member->part);
}

// Copies an object; `change(key, value, writer)` writes the values it wants otherwise and says so.
template <class F>
void copy_object(json::Value object, json::Writer& out, F change) {
  out.begin_object();
  for (auto member = object.first(); member; member = member->next()) {
    out.key(member->key());
    if (!change(member->key(), *member, out)) out.copy(*member);
  }
  out.end_object();
}

// ["PATH=/bin"] -> ["PATH="]
void write_names(json::Value list, json::Writer& out) {
  out.begin_array();
  for (auto entry = list.first(); entry; entry = entry->next()) {
    const std::string_view text = entry->text();
    const std::size_t equals = text.find('=');
    out.value(equals == std::string_view::npos ? text : text.substr(0, equals + 1));
  }
  out.end_array();
}

// ["/srv/x:/data:ro"] -> [":/data:ro"]; named volumes keep their name.
void write_binds(json::Value list, json::Writer& out) {
  out.begin_array();
  for (auto entry = list.first(); entry; entry = entry->next()) {
    const std::string_view text = entry->text();
    const std::size_t colon = text.find(':');
    const bool path = text.starts_with('/') && colon != std::string_view::npos;
    out.value(path ? text.substr(colon) : text);
  }
  out.end_array();
}

// Options of a volume: a bind in disguise has its path there.
void write_options(json::Value options, json::Writer& out) {
  copy_object(options, out, [](std::string_view, json::Value option, json::Writer& to) {
    if (option.text().find('/') == std::string_view::npos) return false;
    to.value("");
    return true;
  });
}

void write_mounts(json::Value list, json::Writer& out) {
  out.begin_array();
  for (auto mount = list.first(); mount; mount = mount->next()) {
    if (!mount->is_object()) continue;
    const bool bind = text_of(*mount, "Type") == "bind";
    copy_object(*mount, out, [&](std::string_view key, json::Value value, json::Writer& to) {
      if (key == "Source" && bind) {
        to.value("");
        return true;
      }
      if (key != "VolumeOptions" || !value.is_object()) return false;
      copy_object(value, to, [](std::string_view inner, json::Value driver, json::Writer& deep) {
        if (inner != "DriverConfig" || !driver.is_object()) return false;
        copy_object(driver, deep, [](std::string_view name, json::Value map, json::Writer& last) {
          if (name != "Options" || !map.is_object()) return false;
          write_options(map, last);
          return true;
        });
        return true;
      });
      return true;
    });
  }
  out.end_array();
}

// A container as a list or an inspect shows it, without what is private.
void write_container(json::Value container, json::Writer& out) {
  copy_object(container, out, [](std::string_view key, json::Value value, json::Writer& to) {
    if (key == "Mounts" && value.is_array()) {
      write_mounts(value, to);
      return true;
    }
    const bool nested = key == "Config" || key == "HostConfig";
    if (!nested || !value.is_object()) return false;
    copy_object(value, to, [](std::string_view inner, json::Value part, json::Writer& deep) {
      if (!part.is_array()) return false;
      if (inner == "Env") {
        write_names(part, deep);
      } else if (inner == "Binds") {
        write_binds(part, deep);
      } else if (inner == "Mounts") {
        write_mounts(part, deep);
      } else {
        return false;
      }
      return true;
    });
    return true;
  });
}

void write_volume(json::Value volume, json::Writer& out) {
  copy_object(volume, out, [](std::string_view key, json::Value value, json::Writer& to) {
    if (key != "Options" || !value.is_object()) return false;
    write_options(value, to);
    return true;
  });
}

// A network without the containers in it.
void write_network(json::Value network, json::Writer& out) {
  copy_object(network, out, [](std::string_view key, json::Value value, json::Writer& to) {
    if ((key != "Containers" && key != "Services") || !value.is_object()) return false;
    to.begin_object().end_object();
    return true;
  });
}

}  // namespace

AnswerFilter::AnswerFilter(const policy::AnswerScope& scope)
    : scope_(scope), splitter_(shape_of(scope.kind), kMaxPiece, *this) {}

bool AnswerFilter::feed(std::string_view data) {
  if (!bad_ && !splitter_.feed(data)) bad_ = true;
  return !bad_;
}

bool AnswerFilter::finish() {
  if (!bad_ && !splitter_.finish()) bad_ = true;
  const bool single = scope_.kind == AnswerKind::Container || scope_.kind == AnswerKind::Volume ||
                      scope_.kind == AnswerKind::Network;
  if (single && objects_ != 1) bad_ = true;
  if (bad_) return false;
  if (shape_of(scope_.kind) == AnswerSplitter::Shape::Members) {
    out_ += any_member_ ? "}" : "{}";
  }
  if (scope_.kind != AnswerKind::Events) out_ += '\n';
  return true;
}

std::string AnswerFilter::take() {
  return std::exchange(out_, std::string());
}

// Whether the object's labels, a map under this name, are the caller's.
bool AnswerFilter::owns(const json::Value& object, std::string_view labels) const {
  const auto map = object.find(labels);
  if (!map || map->is_null()) return scope_.scope.owns({}, {});
  if (!map->is_object()) return false;
  return scope_.scope.owns(text_of(*map, policy::kOwnerLabel), text_of(*map, policy::kTeamLabel));
}

void AnswerFilter::piece(std::string_view key, std::string_view text) {
  if (bad_ || skipping_) return;
  switch (scope_.kind) {
    case AnswerKind::Events:
      event(text);
      return;
    case AnswerKind::Container:
    case AnswerKind::Volume:
    case AnswerKind::Network:
      object(text);
      return;
    case AnswerKind::Containers:
    case AnswerKind::Networks:
      element(scope_.kind, text);
      return;
    case AnswerKind::Volumes:
    case AnswerKind::DiskUsage:
      break;
  }
  switch (part_of(scope_.kind, key).value_or(Part::Empty)) {
    case Part::Pass:
      emit_element(text);
      break;
    case Part::Containers:
      element(AnswerKind::Containers, text);
      break;
    case Part::Volumes:
      element(AnswerKind::Volumes, text);
      break;
    case Part::Empty:
      break;
  }
}

void AnswerFilter::value(std::string_view key, std::string_view text) {
  if (bad_) return;
  // An answer that is no list or object as a whole can only be null.
  if (key.empty()) {
    if (text != "null") bad_ = true;
    out_ += shape_of(scope_.kind) == AnswerSplitter::Shape::Members ? "" : "null";
    return;
  }
  const std::optional<Part> part = part_of(scope_.kind, key);
  if (!part || (*part != Part::Pass && text != "null")) return;
  emit_key(key);
  out_ += text;
}

void AnswerFilter::list_begins(std::string_view key) {
  kept_ = 0;
  skipping_ = !key.empty() && !part_of(scope_.kind, key);
  if (skipping_) return;
  if (!key.empty()) emit_key(key);
  out_ += '[';
}

void AnswerFilter::list_ends(std::string_view) {
  if (!std::exchange(skipping_, false)) out_ += ']';
}

// One event. Those of volumes and networks, and of pulls, do not say whose they are: they stay.
// What cannot be read is nobody's, and must not end the stream for others.
void AnswerFilter::event(std::string_view text) {
  const auto document = parse(text);
  if (!document) return;
  const json::Value root = document->root();
  const auto actor = root.find("Actor");
  if (!actor || !actor->is_object()) return;
  const auto attributes = actor->find("Attributes");
  if (!attributes || !attributes->is_object()) return;
  const std::string_view owner = text_of(*attributes, policy::kOwnerLabel);
  const std::string_view team = text_of(*attributes, policy::kTeamLabel);
  // Only events of containers carry all labels, so that a missing one means that there is none.
  if (owner.empty() && team.empty() && text_of(root, "Type") != "container") return;
  if (scope_.scope.owns(owner, team)) out_.append(text).append("\n");
}

void AnswerFilter::object(std::string_view text) {
  const auto document = parse(text);
  if (!document || ++objects_ > 1) {
    bad_ = true;
    return;
  }
  const json::Value root = document->root();
  json::Writer writer(out_);
  if (scope_.kind == AnswerKind::Network) {
    if (policy::is_builtin_network(text_of(root, "Name"))) {
      write_network(root, writer);
    } else {
      out_ += text;
    }
    return;
  }
  const bool container = scope_.kind == AnswerKind::Container;
  const auto config = root.find("Config");
  const bool own = container ? config && config->is_object() && owns(*config, "Labels")
                             : owns(root, "Labels");
  if (own) {
    out_ += text;
  } else if (scope_.hide) {
    absent_ = true;
  } else if (container) {
    write_container(root, writer);
  } else {
    write_volume(root, writer);
  }
}

// One element of a list. What cannot be read is nobody's, and must not spoil the list for others.
void AnswerFilter::element(AnswerKind kind, std::string_view text) {
  if (scope_.limit > 0 && kept_ >= scope_.limit) return;
  const bool network = kind == AnswerKind::Networks;
  const bool labelled = text.find(policy::kLabelPrefix) != std::string_view::npos;
  if (scope_.hide && !network && !labelled && !scope_.scope.unowned) return;
  const auto document = parse(text);
  if (!document) return;
  const json::Value root = document->root();
  const bool own = owns(root, "Labels");
  const bool builtin = network && policy::is_builtin_network(text_of(root, "Name"));
  if (own && !builtin) return emit_element(text);
  if (scope_.hide && !builtin) return;
  std::string changed;
  json::Writer writer(changed);
  if (network) {
    write_network(root, writer);
  } else if (kind == AnswerKind::Containers) {
    write_container(root, writer);
  } else {
    write_volume(root, writer);
  }
  emit_element(changed);
}

void AnswerFilter::emit_element(std::string_view text) {
  if (kept_++ > 0) out_ += ',';
  out_ += text;
}

void AnswerFilter::emit_key(std::string_view key) {
  out_ += std::exchange(any_member_, true) ? ',' : '{';
  json::append_string(out_, key);
  out_ += ':';
}

}  // namespace dockreeve::proxy
