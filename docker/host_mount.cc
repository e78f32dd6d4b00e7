// The engine's Linux mount parser, lexical half; what it would refuse is marked, not dropped.
#include "docker/host_mount.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base/json.h"
#include "base/text.h"

namespace dockreeve::docker {
namespace {

constexpr std::size_t kMaxName = 255;

bool is_absolute(std::string_view path) {
  return path.starts_with('/');
}

// The groups of words a bind mode may hold; one word of each group at most.
enum class ModeGroup : std::uint8_t { Access, Label, Propagation, Copy, Consistency };
struct ModeWord {
  std::string_view word;
  ModeGroup group;
};
constexpr std::array<ModeWord, 14> kModeWords{{{"rw", ModeGroup::Access},
                                               {"ro", ModeGroup::Access},
                                               {"z", ModeGroup::Label},
                                               {"Z", ModeGroup::Label},
                                               {"private", ModeGroup::Propagation},
                                               {"rprivate", ModeGroup::Propagation},
                                               {"shared", ModeGroup::Propagation},
                                               {"rshared", ModeGroup::Propagation},
                                               {"slave", ModeGroup::Propagation},
                                               {"rslave", ModeGroup::Propagation},
                                               {"nocopy", ModeGroup::Copy},
                                               {"consistent", ModeGroup::Consistency},
                                               {"cached", ModeGroup::Consistency},
                                               {"delegated", ModeGroup::Consistency}}};

bool is_propagation(std::string_view word) {
  return std::any_of(kModeWords.begin(), kModeWords.end(), [word](const ModeWord& known) {
    return known.group == ModeGroup::Propagation && known.word == word;
  });
}

struct BindMode {
  bool read_only = false;
  std::string propagation;
};

// nullopt for an unknown word or two words of one group. "" is a mode too.
std::optional<BindMode> parse_mode(std::string_view text) {
  BindMode out;
  std::array<bool, 5> seen{};
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    const std::string_view word = text.substr(0, comma);
    const auto* known = std::find_if(kModeWords.begin(), kModeWords.end(),
                                     [word](const ModeWord& entry) { return entry.word == word; });
    if (known == kModeWords.end()) return std::nullopt;
    if (std::exchange(seen[static_cast<std::size_t>(known->group)], true)) return std::nullopt;
    if (word == "ro") out.read_only = true;
    if (known->group == ModeGroup::Propagation) out.propagation = word;
    if (comma == std::string_view::npos) break;
    text.remove_prefix(comma + 1);
    if (text.empty()) return std::nullopt;  // "ro,"
  }
  return out;
}

// The first complaint wins: it names the outermost mistake.
void object(EffectiveMount& mount, std::string why) {
  if (mount.invalid.empty()) mount.invalid = std::move(why);
}

void set_target(EffectiveMount& mount, std::string_view target) {
  mount.target = target.empty() ? std::string() : clean_path(target);
  if (!is_absolute(target)) {
    object(mount, "the path in the container " + text::quoted(target) + " is not absolute");
  } else if (mount.target == "/") {
    object(mount, "the path in the container may not be /");
  }
  if (!text::is_printable(target))
    object(mount, "the path in the container has control characters");
}

void set_host_path(EffectiveMount& mount, std::string_view source) {
  mount.kind = MountKind::Bind;
  mount.source = clean_path(source);
  if (!is_absolute(source)) {
    object(mount, "the host path " + text::quoted(source) + " is not absolute");
  }
  if (!text::is_printable(source)) object(mount, "the host path has control characters");
}

void set_volume(EffectiveMount& mount, std::string_view volume) {
  mount.kind = MountKind::Volume;
  mount.volume = volume;
  if (!volume.empty() && !is_object_name(volume)) {
    object(mount, text::quoted(volume) + " is neither an absolute host path nor a volume name");
  }
}

void read_volume_options(EffectiveMount& mount, const VolumeOptions& options) {
  if (options.driver_config) {
    mount.driver = options.driver_config->name;
    mount.driver_options = options.driver_config->options;
    mount.bind_device = volume_bind_device(mount.driver_options);
  }
  const std::string subpath = clean_path(options.subpath);
  if (is_absolute(subpath) || subpath == ".." || subpath.starts_with("../")) {
    object(mount, "the volume subpath " + text::quoted(options.subpath) + " leaves the volume");
  }
}

MountKind mount_kind(std::string_view type) {
  constexpr std::array<std::pair<std::string_view, MountKind>, 6> kKinds{
      {{"bind", MountKind::Bind},
       {"volume", MountKind::Volume},
       {"tmpfs", MountKind::Tmpfs},
       {"image", MountKind::Image},
       {"npipe", MountKind::Npipe},
       {"cluster", MountKind::Cluster}}};
  for (const auto& [word, kind] : kKinds) {
    if (word == type) return kind;
  }
  return MountKind::Other;
}

EffectiveMount read_mount(const Mount& mount, std::string pointer) {
  EffectiveMount out;
  out.kind = mount_kind(mount.type);
  out.pointer = std::move(pointer);
  out.type = mount.type;
  out.raw_source = mount.source;
  out.read_only = mount.read_only;
  if (out.kind == MountKind::Other) {
    object(out, "mount type " + text::quoted(mount.type) + " is not known");
  }
  if (out.kind == MountKind::Bind) set_host_path(out, mount.source);
  if (out.kind == MountKind::Volume) set_volume(out, mount.source);
  if (out.kind == MountKind::Tmpfs && !mount.source.empty()) object(out, "a tmpfs has no source");
  if (mount.volume_options) read_volume_options(out, *mount.volume_options);
  if (mount.bind_options) {
    out.propagation = mount.bind_options->propagation;
    if (!out.propagation.empty() && !is_propagation(out.propagation)) {
      object(out, "propagation " + text::quoted(out.propagation) + " is not known");
    }
  }
  set_target(out, mount.target);
  return out;
}

}  // namespace

std::string clean_path(std::string_view path) {
  if (path.empty()) return ".";
  const bool rooted = path.front() == '/';
  std::vector<std::string_view> kept;
  std::size_t at = 0;
  while (at < path.size()) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    const std::string_view part = path.substr(at, end - at);
    at = end + 1;
    if (part.empty() || part == ".") continue;
    const bool undoes_last = part == ".." && !kept.empty() && kept.back() != "..";
    if (undoes_last) {
      kept.pop_back();
    } else if (part != ".." || !rooted) {  // nothing is above the root
      kept.push_back(part);
    }
  }
  std::string out(rooted ? "/" : "");
  for (std::size_t i = 0; i < kept.size(); ++i) {
    if (i > 0) out += '/';
    out += kept[i];
  }
  return out.empty() ? "." : out;
}

bool path_within(std::string_view path, std::string_view parent) {
  if (!path.starts_with(parent)) return false;
  return path.size() == parent.size() || parent.ends_with('/') || path[parent.size()] == '/';
}

bool is_object_name(std::string_view text) {
  const auto is_word = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  return !text.empty() && text.size() <= kMaxName && is_word(text.front()) &&
         std::all_of(text.begin(), text.end(),
                     [is_word](char c) { return is_word(c) || c == '_' || c == '.' || c == '-'; });
}

std::string volume_bind_device(const Map<std::string>& driver_options) {
  const auto device = driver_options.find("device");
  if (device == driver_options.end() || !is_absolute(device->second)) return {};
  return clean_path(device->second);
}

EffectiveMount parse_bind(std::string_view input, std::string_view volume_driver,
                          std::string pointer) {
  EffectiveMount out;
  out.pointer = std::move(pointer);
  const std::size_t first = input.find(':');
  const std::string_view source = input.substr(0, first);
  std::string_view target;
  std::string_view mode;
  if (first == std::string_view::npos) {
    out.type = "volume";
    out.driver = volume_driver;
    set_volume(out, "");
    set_target(out, source);
    return out;
  }
  const std::string_view rest = input.substr(first + 1);
  const std::size_t second = rest.find(':');
  target = rest.substr(0, second);
  const bool has_mode = second != std::string_view::npos;
  if (has_mode) mode = rest.substr(second + 1);

  if (source.empty()) object(out, "the part before the colon is empty");
  if (!has_mode && parse_mode(target)) {
    object(out, "the path in the container is missing: " + text::quoted(target) + " is a mode");
  }
  out.raw_source = source;
  if (is_absolute(source)) {
    out.type = "bind";
    set_host_path(out, source);
  } else {
    out.type = "volume";
    out.driver = volume_driver;
    set_volume(out, source);
  }
  set_target(out, target);
  if (const std::optional<BindMode> parsed = parse_mode(mode)) {
    out.read_only = parsed->read_only;
    out.propagation = parsed->propagation;
  } else {
    object(out, "mode " + text::quoted(mode) + " is not known");
  }
  return out;
}

std::vector<EffectiveMount> effective_mounts(const CreateContainer& create) {
  const HostConfig& host = create.host_config;
  std::vector<EffectiveMount> out;
  if (host.binds) {
    for (std::size_t i = 0; i < host.binds->size(); ++i) {
      out.push_back(parse_bind((*host.binds)[i], host.volume_driver,
                               json::pointer_join("/HostConfig/Binds", i)));
    }
  }
  if (host.mounts) {
    for (std::size_t i = 0; i < host.mounts->size(); ++i) {
      out.push_back(read_mount((*host.mounts)[i], json::pointer_join("/HostConfig/Mounts", i)));
    }
  }
  return out;
}

}  // namespace dockreeve::docker
