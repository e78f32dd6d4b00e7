// The one table per body struct from which decoding, encoding and key look-up are made.
//
// Internal to docker/: schema*.cc fill the tables, decode.cc and encode.cc walk them. A field has
// one row, so a name that can be read but not written (or the reverse) cannot be expressed by
// accident; rows without a writer are keys that are known and dropped.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "docker/commit.h"
#include "docker/create_container.h"
#include "docker/decode.h"
#include "docker/exec.h"
#include "docker/network.h"
#include "docker/refusal.h"
#include "docker/service.h"
#include "docker/update.h"
#include "docker/volume.h"

namespace dockreeve::docker::schema {

using Pair = std::array<Int, 2>;

inline constexpr Int kBillion = 1'000'000'000;
inline constexpr std::size_t kFractionDigits = 9;

// Where a value stands: a chain on the stack, made into a pointer only when somebody asks.
struct Place {
  const Place* up = nullptr;  // null: the whole body
  std::string_view key;       // name of the member, or
  std::size_t index = 0;      // position in a list when `listed`
  bool listed = false;

  std::string pointer() const;
  std::size_t length() const;  // of pointer(), before escaping
};

// What one decoding has found out besides the value.
class Reading {
 public:
  explicit Reading(UnknownFields& unknown) : unknown_(unknown) {}

  // These note the refusal and answer false, so that readers can return them.
  bool refuse(const Place& place, std::string detail);
  bool refuse_legacy(const Place& place, std::string_view name);
  bool wrong_type(const Place& place, std::string_view wanted, json::Value got);

  // Reports a key that no row knows. False when there are too many to keep.
  bool note_unknown(const Place& place);
  Refusal take_refusal() { return std::move(refusal_); }

 private:
  UnknownFields& unknown_;
  std::size_t unknown_bytes_ = 0;
  Refusal refusal_;
};

template <class T>
struct Row {
  std::string_view name;
  // Reads a value that is not null. A null function: known and ignored, whatever it is.
  bool (*read)(json::Value, T&, Reading&, const Place&) = nullptr;
  // Writes key and value, or nothing for a zero value. A null function: never forwarded.
  void (*write)(json::Writer&, std::string_view name, const T&) = nullptr;
  // A second spelling in use; it folds to the same. Read like the first, never written.
  std::string_view also = {};

  bool spelt(std::string_view key) const { return key == name || (!also.empty() && key == also); }
};

// What becomes of a key that no row knows.
enum class Stray { Unknown, Dropped, Refused };

// Orders two names as if both were folded; at least one is pure ASCII (a row name), and folding
// leaves nothing of the other to do here but ASCII letters.
constexpr int compare_folded(std::string_view a, std::string_view b) {
  const auto lower = [](char c) {
    return static_cast<unsigned char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  };
  const std::size_t common = std::min(a.size(), b.size());
  for (std::size_t i = 0; i < common; ++i) {
    if (lower(a[i]) != lower(b[i])) return lower(a[i]) < lower(b[i]) ? -1 : 1;
  }
  return a.size() == b.size() ? 0 : a.size() < b.size() ? -1 : 1;
}

template <class T>
struct Table {
  std::span<const Row<T>> rows;                // in the engine's field order
  std::span<const std::uint8_t> by_fold = {};  // indices into rows, sorted by folded name
  Stray (*stray)(json::Value, std::string_view folded, Reading&, const Place&) = nullptr;

  // The row of that name, if it is one of the next few: clients send keys in field order.
  const Row<T>* expect(std::string_view key, std::size_t next) const {
    const std::size_t stop = std::min(rows.size(), next + 4);
    for (std::size_t i = next; i < stop; ++i) {
      if (rows[i].name == key) return &rows[i];
    }
    return nullptr;
  }
  // The row whose name folds to `folded`.
  const Row<T>* find(std::string_view folded) const {
    const auto found = std::lower_bound(
        by_fold.begin(), by_fold.end(), folded,
        [&](std::uint8_t i, std::string_view f) { return compare_folded(rows[i].name, f) < 0; });
    if (found == by_fold.end() || compare_folded(rows[*found].name, folded) != 0) return nullptr;
    return &rows[*found];
  }
};

// The table of one struct; specialised for every struct that a body can hold.
template <class T>
const Table<T>& table();

template <>
const Table<Empty>& table<Empty>();
template <>
const Table<Healthcheck>& table<Healthcheck>();
template <>
const Table<LogConfig>& table<LogConfig>();
template <>
const Table<PortBinding>& table<PortBinding>();
template <>
const Table<RestartPolicy>& table<RestartPolicy>();
template <>
const Table<WeightDevice>& table<WeightDevice>();
template <>
const Table<ThrottleDevice>& table<ThrottleDevice>();
template <>
const Table<DeviceMapping>& table<DeviceMapping>();
template <>
const Table<DeviceRequest>& table<DeviceRequest>();
template <>
const Table<Ulimit>& table<Ulimit>();
template <>
const Table<BindOptions>& table<BindOptions>();
template <>
const Table<DriverConfig>& table<DriverConfig>();
template <>
const Table<VolumeOptions>& table<VolumeOptions>();
template <>
const Table<ImageOptions>& table<ImageOptions>();
template <>
const Table<TmpfsOptions>& table<TmpfsOptions>();
template <>
const Table<Mount>& table<Mount>();
template <>
const Table<HostConfig>& table<HostConfig>();
template <>
const Table<IpamConfig>& table<IpamConfig>();
template <>
const Table<EndpointSettings>& table<EndpointSettings>();
template <>
const Table<NetworkingConfig>& table<NetworkingConfig>();
template <>
const Table<CreateContainer>& table<CreateContainer>();
template <>
const Table<ExecCreate>& table<ExecCreate>();
template <>
const Table<ExecStart>& table<ExecStart>();
template <>
const Table<UpdateContainer>& table<UpdateContainer>();
template <>
const Table<VolumeCreate>& table<VolumeCreate>();
template <>
const Table<AuthConfig>& table<AuthConfig>();
template <>
const Table<IpamPool>& table<IpamPool>();
template <>
const Table<NetworkIpam>& table<NetworkIpam>();
template <>
const Table<NetworkReference>& table<NetworkReference>();
template <>
const Table<NetworkCreate>& table<NetworkCreate>();
template <>
const Table<NetworkConnect>& table<NetworkConnect>();
template <>
const Table<NetworkDisconnect>& table<NetworkDisconnect>();
template <>
const Table<Commit>& table<Commit>();
template <>
const Table<SelinuxContext>& table<SelinuxContext>();
template <>
const Table<ServiceSeccomp>& table<ServiceSeccomp>();
template <>
const Table<ServiceAppArmor>& table<ServiceAppArmor>();
template <>
const Table<ServicePrivileges>& table<ServicePrivileges>();
template <>
const Table<DnsConfig>& table<DnsConfig>();
template <>
const Table<ReferenceFile>& table<ReferenceFile>();
template <>
const Table<SecretReference>& table<SecretReference>();
template <>
const Table<ConfigReference>& table<ConfigReference>();
template <>
const Table<ContainerSpec>& table<ContainerSpec>();
template <>
const Table<ResourceLimit>& table<ResourceLimit>();
template <>
const Table<NamedResource>& table<NamedResource>();
template <>
const Table<DiscreteResource>& table<DiscreteResource>();
template <>
const Table<GenericResource>& table<GenericResource>();
template <>
const Table<ResourceReservation>& table<ResourceReservation>();
template <>
const Table<ResourceRequirements>& table<ResourceRequirements>();
template <>
const Table<TaskRestartPolicy>& table<TaskRestartPolicy>();
template <>
const Table<SpreadOver>& table<SpreadOver>();
template <>
const Table<PlacementPreference>& table<PlacementPreference>();
template <>
const Table<Platform>& table<Platform>();
template <>
const Table<Placement>& table<Placement>();
template <>
const Table<NetworkAttachment>& table<NetworkAttachment>();
template <>
const Table<TaskSpec>& table<TaskSpec>();
template <>
const Table<ReplicatedService>& table<ReplicatedService>();
template <>
const Table<ReplicatedJob>& table<ReplicatedJob>();
template <>
const Table<ServiceMode>& table<ServiceMode>();
template <>
const Table<RolloutConfig>& table<RolloutConfig>();
template <>
const Table<ServicePort>& table<ServicePort>();
template <>
const Table<EndpointSpec>& table<EndpointSpec>();
template <>
const Table<ServiceSpec>& table<ServiceSpec>();

// Keys of one object that no row knows, to see whether two of them fold to the same.
class Strays {
 public:
  void add(std::string folded, std::string_view key) { keys_.emplace_back(std::move(folded), key); }
  bool distinct(Reading& reading, const Place& object);

 private:
  std::vector<std::pair<std::string, std::string_view>> keys_;
};

// ---- Readers. `v` is not null. They leave `out` unusable and note a refusal when they fail.

bool read(json::Value v, std::string& out, Reading& reading, const Place& place);
bool read(json::Value v, bool& out, Reading& reading, const Place& place);
bool read(json::Value v, Int& out, Reading& reading, const Place& place);
bool read(json::Value v, Pair& out, Reading& reading, const Place& place);
bool read(json::Value v, Fraction& out, Reading& reading, const Place& place);
// Go's StrSlice: a list, or one bare string.
bool read_words(json::Value v, StringList& out, Reading& reading, const Place& place);

template <class T>
bool read(json::Value v, std::optional<T>& out, Reading& reading, const Place& place) {
  return read(v, out.emplace(), reading, place);
}

template <class T>
inline constexpr bool kNullable = false;
template <class T>
inline constexpr bool kNullable<std::optional<T>> = true;

template <class T>
bool read(json::Value v, std::vector<T>& out, Reading& reading, const Place& place) {
  if (!v.is_array()) return reading.wrong_type(place, "an array", v);
  out.reserve(v.size());
  for (auto element = v.first(); element; element = element->next()) {
    const Place here{&place, {}, out.size(), true};
    T& slot = out.emplace_back();
    if (!element->is_null()) {
      if (!read(*element, slot, reading, here)) return false;
    } else if (!kNullable<T>) {
      return reading.refuse(here, "null inside a list");
    }
  }
  return true;
}

template <class T>
bool read(json::Value v, Map<T>& out, Reading& reading, const Place& place) {
  if (!v.is_object()) return reading.wrong_type(place, "an object", v);
  for (auto member = v.first(); member; member = member->next()) {
    const Place here{&place, member->key()};
    T& slot = out.emplace_hint(out.end(), member->key(), T{})->second;
    // As in Go, a null leaves the zero value behind, and the key stays.
    if (!member->is_null() && !read(*member, slot, reading, here)) return false;
  }
  return true;
}

// A struct with a table.
template <class T>
bool read(json::Value v, T& out, Reading& reading, const Place& place) {
  if (!v.is_object()) return reading.wrong_type(place, "an object", v);
  const Table<T>& known = table<T>();
  Strays strays;
  std::size_t next = 0;
  for (auto member = v.first(); member; member = member->next()) {
    const Place here{&place, member->key()};
    const Row<T>* row = known.expect(member->key(), next);
    if (row == nullptr) {
      std::string folded = json::fold_key(member->key());
      row = known.find(folded);
      if (row == nullptr) {
        const Stray fate =
            known.stray == nullptr ? Stray::Unknown : known.stray(*member, folded, reading, here);
        if (fate == Stray::Refused) return false;
        if (fate == Stray::Unknown && !reading.note_unknown(here)) return false;
        strays.add(std::move(folded), member->key());
        continue;
      }
      if (!row->spelt(member->key())) {
        return reading.refuse(here, "key is another spelling of `" + std::string(row->name) + "`");
      }
      if (member->key() != row->name && v.find(row->name)) {
        return reading.refuse(here, "two spellings of one key");
      }
    }
    next = static_cast<std::size_t>(row - known.rows.data()) + 1;
    if (row->read != nullptr && !member->is_null() && !row->read(*member, out, reading, here)) {
      return false;
    }
  }
  return strays.distinct(reading, place);
}

// ---- Writers, and what counts as zero.

inline bool is_zero(const std::string& text) {
  return text.empty();
}
inline bool is_zero(bool flag) {
  return !flag;
}
inline bool is_zero(Int number) {
  return number == 0;
}
inline bool is_zero(const Pair& pair) {
  return pair == Pair{};
}
template <class T>
bool is_zero(const std::optional<T>& value) {
  return !value.has_value();
}
template <class T>
bool is_zero(const Map<T>& map) {
  return map.empty();
}
template <class T>
bool is_zero(const T& record) {
  return record == T{};
}

void write(json::Writer& out, const std::string& text);
void write(json::Writer& out, bool flag);
void write(json::Writer& out, Int number);
void write(json::Writer& out, const Pair& pair);
void write(json::Writer& out, const Fraction& fraction);
template <class T>
void write(json::Writer& out, const std::vector<T>& list);
template <class T>
void write(json::Writer& out, const Map<T>& map);
template <class T>
void write(json::Writer& out, const T& record);

template <class T>
void write(json::Writer& out, const std::optional<T>& value) {
  if (value) {
    write(out, *value);
  } else {
    out.null();
  }
}

template <class T>
void write(json::Writer& out, const std::vector<T>& list) {
  out.begin_array();
  for (const T& element : list)
    write(out, element);
  out.end_array();
}

template <class T>
void write(json::Writer& out, const Map<T>& map) {
  out.begin_object();
  for (const auto& [key, value] : map) {
    out.key(key);
    write(out, value);
  }
  out.end_object();
}

template <class T>
void write(json::Writer& out, const T& record) {
  out.begin_object();
  for (const Row<T>& row : table<T>().rows) {
    if (row.write != nullptr) row.write(out, row.name, record);
  }
  out.end_object();
}

// ---- Rows.

template <class Member>
struct OwnerOf;
template <class T, class V>
struct OwnerOf<V T::*> {
  using type = T;
};
template <auto member>
using Owner = typename OwnerOf<decltype(member)>::type;

template <auto member>
bool read_member(json::Value v, Owner<member>& out, Reading& reading, const Place& place) {
  return read(v, out.*member, reading, place);
}

template <auto member>
void write_member(json::Writer& out, std::string_view name, const Owner<member>& record) {
  if (is_zero(record.*member)) return;
  out.plain_key(name);
  write(out, record.*member);
}

// An ordinary field.
template <auto member>
constexpr Row<Owner<member>> field(std::string_view name) {
  return {name, &read_member<member>, &write_member<member>};
}

// An integer that the engine keeps in fewer bits, or unsigned.
template <auto member, Int low, Int high>
constexpr Row<Owner<member>> ranged(std::string_view name) {
  return {name,
          [](json::Value v, Owner<member>& out, Reading& reading, const Place& place) {
            if (!read(v, out.*member, reading, place)) return false;
            return (out.*member >= low && out.*member <= high) ||
                   reading.refuse(place, "integer out of range");
          },
          &write_member<member>};
}

// A StrSlice.
template <auto member>
constexpr Row<Owner<member>> words(std::string_view name) {
  return {name,
          [](json::Value v, Owner<member>& out, Reading& reading, const Place& place) {
            return read_words(v, out.*member, reading, place);
          },
          &write_member<member>};
}

// A struct that is written even when it is all zero.
template <auto member>
constexpr Row<Owner<member>> always(std::string_view name) {
  return {name, &read_member<member>,
          [](json::Writer& out, std::string_view key, const Owner<member>& record) {
            out.plain_key(key);
            write(out, record.*member);
          }};
}

// A key that clients send and the engine ignores.
template <class T>
constexpr Row<T> ignored(std::string_view name) {
  return {name};
}

// A field of a record that is itself the member `outer`.
template <auto outer, auto member>
constexpr Row<Owner<outer>> inner_field(std::string_view name) {
  return {name,
          [](json::Value v, Owner<outer>& out, Reading& reading, const Place& place) {
            return read(v, out.*outer.*member, reading, place);
          },
          [](json::Writer& out, std::string_view key, const Owner<outer>& record) {
            write_member<member>(out, key, record.*outer);
          }};
}

template <auto outer, auto member>
constexpr Row<Owner<outer>> inner_words(std::string_view name) {
  Row<Owner<outer>> row = inner_field<outer, member>(name);
  row.read = [](json::Value v, Owner<outer>& out, Reading& reading, const Place& place) {
    return read_words(v, out.*outer.*member, reading, place);
  };
  return row;
}

// Old engines read HostConfig fields at the top level of create and commit bodies, so they may only
// say nothing there.
Stray toplevel_host_field(json::Value v, std::string_view folded, Reading& reading,
                          const Place& place);

// Whether a value says nothing: null, false, 0, "", [] or {}.
bool is_empty(json::Value v);

// A field of the engine that has no meaning here: only an empty value passes.
template <class T>
constexpr Row<T> must_be_empty(std::string_view name) {
  return {name, [](json::Value v, T&, Reading& reading, const Place& place) {
            return is_empty(v) || reading.refuse(place, "cannot be set by this request");
          }};
}

template <class T, std::size_t N>
constexpr std::array<std::uint8_t, N> fold_order(const std::array<Row<T>, N>& rows) {
  static_assert(N < 256);
  std::array<std::uint8_t, N> order{};
  for (std::size_t i = 0; i < N; ++i)
    order[i] = static_cast<std::uint8_t>(i);
  std::sort(order.begin(), order.end(), [&](std::uint8_t a, std::uint8_t b) {
    return compare_folded(rows[a].name, rows[b].name) < 0;
  });
  return order;
}

}  // namespace dockreeve::docker::schema
