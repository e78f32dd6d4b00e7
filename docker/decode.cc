// Walks the schema tables over a parsed body.
#include "docker/decode.h"

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

bool read_words(json::Value v, StringList& out, Reading& reading, const Place& place) {
  if (v.is_string()) return read(v, out.emplace().emplace_back(), reading, place);
  return read(v, out, reading, place);
}

}  // namespace schema

namespace {

constexpr json::Limits kBodyLimits{.max_members = 16384};

template <class T>
std::optional<Refusal> decode_into(std::string body, T& out, UnknownFields& unknown) {
  if (body.find_first_not_of(" \t\r\n") == std::string::npos) {
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

}  // namespace dockreeve::docker
