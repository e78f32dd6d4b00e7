// Walks the schema tables over a parsed body.
#include "docker/decode.h"

#include "docker/host_mount.h"
#include "docker/schema.h"

namespace dockreeve::docker {
namespace schema {
namespace {

// Refusals are shown to people and kept in the audit log: a pointer made of megabytes is cut.
constexpr std::size_t kMaxPointer = 512;
// Pointers of unknown keys repeat the names above them, so a body could ask for far more memory
// than its own size.
constexpr std::size_t kMaxUnknownBytes = 64 * 1024;

std::string clip(std::string pointer) {
  if (pointer.size() <= kMaxPointer) return pointer;
  std::size_t size = kMaxPointer;
  while (size > 0 && (static_cast<unsigned char>(pointer[size]) & 0xc0U) == 0x80U)
    --size;
  pointer.resize(size);
  return pointer + "...";
}

std::string_view describe(json::Value v) {
  switch (v.kind()) {
    case json::Kind::Null:
      return "null";
    case json::Kind::Bool:
      return "a boolean";
    case json::Kind::Integer:
      return "an integer";
    case json::Kind::Number:
      return "a number that is no 64-bit integer";
    case json::Kind::String:
      return "a string";
    case json::Kind::Array:
      return "an array";
    case json::Kind::Object:
      return "an object";
  }
  return "";
}

}  // namespace

std::string Place::pointer() const {
  if (up == nullptr) return {};
  const std::string above = up->pointer();
  return listed ? json::pointer_join(above, index) : json::pointer_join(above, key);
}

std::size_t Place::length() const {
  return up == nullptr ? 0 : up->length() + 1 + (listed ? 5 : key.size());
}

bool Reading::refuse(const Place& place, std::string detail) {
  refusal_ = Refusal::ambiguous(clip(place.pointer()), std::move(detail));
  return false;
}

bool Reading::refuse_legacy(const Place& place, std::string_view name) {
  refusal_ = {400, "legacy-toplevel-hostconfig", clip(place.pointer()),
              "`" + std::string(name) + "` belongs inside HostConfig"};
  return false;
}

bool Reading::wrong_type(const Place& place, std::string_view wanted, json::Value got) {
  return refuse(place, "must be " + std::string(wanted) + ", not " + std::string(describe(got)));
}

bool Reading::note_unknown(const Place& place) {
  unknown_bytes_ += place.length();
  if (unknown_bytes_ > kMaxUnknownBytes) return refuse(place, "too many unknown keys");
  unknown_.push_back(place.pointer());
  return true;
}

bool Strays::distinct(Reading& reading, const Place& object) {
  if (keys_.size() < 2) return true;
  std::sort(keys_.begin(), keys_.end());
  const auto twin = std::adjacent_find(
      keys_.begin(), keys_.end(), [](const auto& a, const auto& b) { return a.first == b.first; });
  if (twin == keys_.end()) return true;
  return reading.refuse(Place{&object, twin->second}, "two spellings of one key");
}

bool is_empty(json::Value v) {
  switch (v.kind()) {
    case json::Kind::Null:
      return true;
    case json::Kind::Bool:
      return !v.boolean();
    case json::Kind::Integer:
      return v.integer() == 0;
    case json::Kind::Number:
      return false;
    case json::Kind::String:
      return v.text().empty();
    case json::Kind::Array:
    case json::Kind::Object:
      return v.size() == 0;
  }
  return false;
}

bool read(json::Value v, std::string& out, Reading& reading, const Place& place) {
  if (!v.is_string()) return reading.wrong_type(place, "a string", v);
  const std::string_view text = v.text();
  // What stands behind a NUL is seen by Go and cut off by the kernel: two readings.
  if (text.find('\0') != std::string_view::npos) return reading.refuse(place, "NUL in a string");
  out.assign(text);
  return true;
}

bool read(json::Value v, bool& out, Reading& reading, const Place& place) {
  if (v.kind() != json::Kind::Bool) return reading.wrong_type(place, "a boolean", v);
  out = v.boolean();
  return true;
}

bool read(json::Value v, Int& out, Reading& reading, const Place& place) {
  if (v.kind() != json::Kind::Integer) return reading.wrong_type(place, "an integer", v);
  out = v.integer();
  return true;
}

bool read(json::Value v, Pair& out, Reading& reading, const Place& place) {
  if (!v.is_array()) return reading.wrong_type(place, "an array", v);
  if (v.size() != out.size()) return reading.refuse(place, "must have two elements");
  std::size_t i = 0;
  for (auto element = v.first(); element; element = element->next(), ++i) {
    const Place here{&place, {}, i, true};
    if (!read(*element, out[i], reading, here)) return false;
    if (out[i] < 0) return reading.refuse(here, "integer out of range");
  }
  return true;
}

bool read(json::Value v, Fraction& out, Reading& reading, const Place& place) {
  constexpr const char* kWanted = "must be between 0 and 1 with at most nine decimals";
  if (v.kind() == json::Kind::Integer) {
    if (v.integer() != 0 && v.integer() != 1) return reading.refuse(place, kWanted);
    out.billionths = v.integer() * kBillion;
    return true;
  }
  if (v.kind() != json::Kind::Number) return reading.wrong_type(place, "a number", v);
  constexpr std::string_view kPrefix = "0.";
  const std::string_view text = v.text();
  std::string digits(text.substr(std::min(kPrefix.size(), text.size())));
  if (!text.starts_with(kPrefix) || digits.size() > kFractionDigits ||
      digits.find_first_not_of("0123456789") != std::string::npos) {
    return reading.refuse(place, kWanted);
  }
  digits.resize(kFractionDigits, '0');
  for (const char digit : digits)
    out.billionths = out.billionths * 10 + (digit - '0');
  return true;
}

bool read_words(json::Value v, StringList& out, Reading& reading, const Place& place) {
  if (v.is_string()) return read(v, out.emplace().emplace_back(), reading, place);
  return read(v, out, reading, place);
}

}  // namespace schema

namespace {

constexpr json::Limits kBodyLimits{.max_members = 16384};
constexpr const char* kBlank = " \t\r\n";

template <class T>
std::optional<Refusal> decode_into(std::string body, T& out, UnknownFields& unknown) {
  if (body.find_first_not_of(kBlank) == std::string::npos) {
    return Refusal::ambiguous("", "body is empty");
  }
  const auto document = json::Document::parse(std::move(body), kBodyLimits);
  if (!document) {
    return Refusal::ambiguous(schema::clip(document.error().where), document.error().message);
  }
  schema::Reading reading(unknown);
  if (!schema::read((*document)->root(), out, reading, schema::Place{})) {
    return reading.take_refusal();
  }
  return std::nullopt;
}

template <class T>
Parsed<T> decode_body(std::string body, UnknownFields& unknown) {
  Parsed<T> out;
  if (auto refusal = decode_into(std::move(body), *out, unknown)) {
    return tl::unexpected(*std::move(refusal));
  }
  return out;
}

// The engine drops one leading slash of a container's name, and so does this.
template <class T>
Parsed<T> with_container(Parsed<T> body) {
  if (!body) return body;
  if (body->container.starts_with('/')) body->container.erase(0, 1);
  if (!is_object_name(body->container)) {
    return tl::unexpected(Refusal::ambiguous("/Container", "cannot be the name of a container"));
  }
  return body;
}

bool has_template(std::string_view text) {
  return text.find("{{") != std::string_view::npos;
}
bool has_template(const StringList& list) {
  return list && std::any_of(list->begin(), list->end(),
                             [](const std::string& text) { return has_template(text); });
}
bool has_template(const Map<std::string>& map) {
  return std::any_of(map.begin(), map.end(), [](const auto& entry) {
    return has_template(entry.first) || has_template(entry.second);
  });
}
bool has_template(const Mount& mount) {
  if (has_template(mount.type) || has_template(mount.source) || has_template(mount.target)) {
    return true;
  }
  if (mount.bind_options && has_template(mount.bind_options->propagation)) return true;
  if (mount.image_options && has_template(mount.image_options->subpath)) return true;
  if (!mount.volume_options) return false;
  const VolumeOptions& volume = *mount.volume_options;
  if (has_template(volume.subpath) || has_template(volume.labels)) return true;
  return volume.driver_config &&
         (has_template(volume.driver_config->name) || has_template(volume.driver_config->options));
}

// Swarm fills in templates when it makes a task, from labels and other words of the same request: a
// path could be another one by then.
std::optional<Refusal> find_template(const ContainerSpec& spec) {
  const std::string base = "/TaskTemplate/ContainerSpec";
  const auto refuse = [](std::string pointer) {
    return Refusal::ambiguous(std::move(pointer), "a template cannot be judged here");
  };
  if (has_template(spec.image)) return refuse(base + "/Image");
  if (has_template(spec.user)) return refuse(base + "/User");
  if (has_template(spec.groups)) return refuse(base + "/Groups");
  if (has_template(spec.dir)) return refuse(base + "/Dir");
  if (has_template(spec.sysctls)) return refuse(base + "/Sysctls");
  if (!spec.mounts) return std::nullopt;
  for (std::size_t i = 0; i < spec.mounts->size(); ++i) {
    if (has_template((*spec.mounts)[i])) return refuse(json::pointer_join(base + "/Mounts", i));
  }
  return std::nullopt;
}

}  // namespace

Parsed<CreateContainer> decode_create_container(std::string body, UnknownFields& unknown) {
  return decode_body<CreateContainer>(std::move(body), unknown);
}

std::optional<Refusal> decode_create_container(std::string body, CreateContainer& out,
                                               UnknownFields& unknown) {
  return decode_into(std::move(body), out, unknown);
}

Parsed<ExecCreate> decode_exec_create(std::string body, UnknownFields& unknown) {
  return decode_body<ExecCreate>(std::move(body), unknown);
}

Parsed<ExecStart> decode_exec_start(std::string body, UnknownFields& unknown) {
  return decode_body<ExecStart>(std::move(body), unknown);
}

Parsed<UpdateContainer> decode_update(std::string body, UnknownFields& unknown) {
  return decode_body<UpdateContainer>(std::move(body), unknown);
}

Parsed<VolumeCreate> decode_volume_create(std::string body, UnknownFields& unknown) {
  return decode_body<VolumeCreate>(std::move(body), unknown);
}

Parsed<AuthConfig> decode_auth(std::string body, UnknownFields& unknown) {
  return decode_body<AuthConfig>(std::move(body), unknown);
}

Parsed<NetworkCreate> decode_network_create(std::string body, UnknownFields& unknown) {
  auto network = decode_body<NetworkCreate>(std::move(body), unknown);
  if (network && !is_object_name(network->name)) {
    return tl::unexpected(Refusal::ambiguous("/Name", "cannot be the name of a network"));
  }
  return network;
}

Parsed<NetworkConnect> decode_network_connect(std::string body, UnknownFields& unknown) {
  return with_container(decode_body<NetworkConnect>(std::move(body), unknown));
}

Parsed<NetworkDisconnect> decode_network_disconnect(std::string body, UnknownFields& unknown) {
  return with_container(decode_body<NetworkDisconnect>(std::move(body), unknown));
}

Parsed<Commit> decode_commit(std::string body, UnknownFields& unknown) {
  const std::size_t first = body.find_first_not_of(kBlank);
  if (first == std::string::npos) return Commit{};
  const std::size_t last = body.find_last_not_of(kBlank);
  if (std::string_view(body).substr(first, last - first + 1) == "null") return Commit{};
  return decode_body<Commit>(std::move(body), unknown);
}

Parsed<ServiceSpec> decode_service(std::string body, UnknownFields& unknown) {
  auto service = decode_body<ServiceSpec>(std::move(body), unknown);
  if (!service) return service;
  if (auto refusal = find_template(service->task_template.container_spec)) {
    return tl::unexpected(*std::move(refusal));
  }
  return service;
}

}  // namespace dockreeve::docker
