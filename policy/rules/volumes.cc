// Volumes, tmpfs and the container's own file system.
//
// volume-driver-opts-allowlist
//   reads    volume create DriverOpts, Mounts[].VolumeOptions.DriverConfig, options of named
//   volumes
//            that already exist; local driver only
//   allows   no mount options, or a `type` that is listed and is not turned into a bind by `o`
//   params   types: [name]
//   maps to  CIS Docker 5.6, Pod Security Standards "restricted"
//
// allowed-volume-drivers   HostConfig.VolumeDriver, DriverConfig.Name, volume create Driver and
//                          existing volumes: a driver in `allowed`
// allowed-mount-types      Mounts[].Type in `allowed`
// no-volumes-from          HostConfig.VolumesFrom empty; allowOwn: from the caller's containers
// read-only-rootfs         HostConfig.ReadonlyRootfs true; CIS Docker 5.13
// no-unsafe-tmpfs          HostConfig.Tmpfs and Mounts[].TmpfsOptions keep noexec, nosuid, nodev
// (the
//                          last word wins); requireSize; allowExec: [target]
// volume-name-scope        volume names of Binds, Mounts and volume create match `pattern`
#include <algorithm>

#include "base/json.h"
#include "policy/ownership.h"
#include "policy/rules/rules.h"
#include "policy/rules/support.h"

namespace dockreeve::policy::rules {
namespace {

using docker::CreateContainer;
using docker::EffectiveMount;
using docker::MountKind;
using docker::VolumeCreate;
using Options = docker::Map<std::string>;

bool is_local(std::string_view driver) {
  return driver.empty() || driver == "local";
}

bool names_volume(const EffectiveMount& mount) {
  return mount.kind == MountKind::Volume && !mount.volume.empty();
}

std::string_view option(const Options& options, std::string_view key) {
  const auto it = options.find(key);
  return it == options.end() ? std::string_view() : std::string_view(it->second);
}

// Calls f(word) for each word of a comma list.
template <class F>
void each_word(std::string_view list, F f) {
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    f(list.substr(0, comma));
    list = comma == std::string_view::npos ? std::string_view() : list.substr(comma + 1);
  }
}

// mount(2) ignores the type when one of these flags is set.
bool overrides_type(std::string_view o) {
  bool found = false;
  each_word(o, [&found](std::string_view word) {
    found = found || word == "bind" || word == "rbind" || word == "remount" || word == "move" ||
            word == "rmove";
  });
  return found;
}

struct DriverOptions {
  std::vector<std::string> types;

  bool mounts_elsewhere(const Options& options) const {
    if (!options.contains("type") && !options.contains("o") && !options.contains("device")) {
      return false;
    }
    const bool binds_allowed = contains(types, "none") || contains(types, "bind");
    return !contains(types, option(options, "type")) ||
           (!binds_allowed && overrides_type(option(options, "o")));
  }

  void check(const std::string& driver, const Options& options, std::string pointer,
             Report& out) const {
    if (!is_local(driver) || !mounts_elsewhere(options)) return;
    std::string shown;
    for (const auto& [key, value] : options) {
      if (!shown.empty()) shown += ',';
      // `o` may hold credentials of a network share.
      shown += key + "=" + (key == "o" && value.find("pass") != std::string::npos ? "…" : value);
    }
    out.add(std::move(pointer), quoted(shown), {{"value", shown}}, "remove the volume options");
  }

  void run(const Input& in, Report& out) const {
    if (const auto* volume = in.request.body_as<VolumeCreate>()) {
      check(volume->driver, volume->driver_opts, "/DriverOpts", out);
    }
    for (const EffectiveMount& mount : in.view.mounts()) {
      if (mount.kind == MountKind::Volume) {
        check(mount.driver, mount.driver_options, mount.pointer, out);
      }
      if (!names_volume(mount)) continue;
      const auto* volume =
          fact<VolumeFact>(in, {LookupKind::Volume, mount.volume}, mount.pointer, out);
      if (volume && volume->found) check(volume->driver, volume->options, mount.pointer, out);
    }
  }
};

void volume_needs(const Input& in, std::vector<Lookup>& out) {
  for (const EffectiveMount& mount : in.view.mounts()) {
    if (names_volume(mount)) out.push_back({LookupKind::Volume, mount.volume});
  }
}

void check_driver(const std::vector<std::string>& allowed, const std::string& driver,
                  std::string pointer, Report& out) {
  if (contains(allowed, driver)) return;
  out.add(std::move(pointer), quoted(driver), {{"value", driver}}, "remove --volume-driver");
}

void check_drivers(const std::vector<std::string>& allowed, const Input& in, Report& out) {
  if (const auto* create = in.request.body_as<CreateContainer>()) {
    check_driver(allowed, create->host_config.volume_driver, "/HostConfig/VolumeDriver", out);
  } else if (const auto* volume = in.request.body_as<VolumeCreate>()) {
    check_driver(allowed, volume->driver, "/Driver", out);
  }
  for (const EffectiveMount& mount : in.view.mounts()) {
    if (mount.kind != MountKind::Volume) continue;
    // An entry of Binds repeats HostConfig.VolumeDriver, which has been checked.
    if (mount.pointer.starts_with("/HostConfig/Mounts/")) {
      check_driver(allowed, mount.driver, mount.pointer, out);
    }
    if (!names_volume(mount)) continue;
    const auto* volume =
        fact<VolumeFact>(in, {LookupKind::Volume, mount.volume}, mount.pointer, out);
    if (volume && volume->found) check_driver(allowed, volume->driver, mount.pointer, out);
  }
}

void check_volumes_from(bool allow_own, const CreateContainer& create, const Input& in,
                        Report& out) {
  const docker::StringList& sources = create.host_config.volumes_from;
  if (!sources) return;
  for (std::size_t i = 0; i < sources->size(); ++i) {
    const std::string& source = (*sources)[i];
    const std::string pointer = json::pointer_join("/HostConfig/VolumesFrom", i);
    if (allow_own) {
      const std::string name = joined_container("container:" + source.substr(0, source.find(':')));
      const auto* other = fact<ContainerFact>(in, {LookupKind::Container, name}, pointer, out);
      if (!other || (other->found && is_own(other->labels, in.who, OwnedBy::Team))) continue;
    }
    out.add(pointer, quoted(source), {{"value", source}}, "remove --volumes-from " + source);
  }
}

void volumes_from_needs(const CreateContainer& create, std::vector<Lookup>& out) {
  if (!create.host_config.volumes_from) return;
  for (const std::string& source : *create.host_config.volumes_from) {
    out.push_back({LookupKind::Container,
                   joined_container("container:" + source.substr(0, source.find(':')))});
  }
}

// The flags that the engine sets by itself and that a word can take away; later words win.
struct TmpfsFlags {
  bool exec = false, suid = false, dev = false, sized = false;

  void read(std::string_view word) {
    const std::string_view key = word.substr(0, word.find('='));
    if (key == "exec" || key == "noexec") exec = key == "exec";
    if (key == "suid" || key == "nosuid") suid = key == "suid";
    if (key == "dev" || key == "nodev") dev = key == "dev";
    if (key == "size" || key == "nr_blocks") sized = word.size() > key.size() + 1;
  }
};

struct Tmpfs {
  bool require_size = false;
  std::vector<std::string> allow_exec;

  void check(const TmpfsFlags& flags, const std::string& target, std::string pointer,
             Report& out) const {
    std::string words;
    const auto add = [&words](bool bad, std::string_view word) {
      if (!bad) return;
      if (!words.empty()) words += ',';
      words += word;
    };
    add(flags.exec && !contains(allow_exec, docker::clean_path(target)), "exec");
    add(flags.suid, "suid");
    add(flags.dev, "dev");
    if (!words.empty()) {
      out.add(pointer, quoted(words), {{"target", target}, {"value", words}}, "--tmpfs " + target);
    }
    if (require_size && !flags.sized) {
      out.add(
          std::move(pointer), "null",
          {{"target", target},
           {"text", "tmpfs " + target + " has no size. Use `--tmpfs " + target + ":size=64m`."}},
          "--tmpfs " + target + ":size=64m");
    }
  }

  void run(const CreateContainer& create, Report& out) const {
    for (const auto& [target, options] : create.host_config.tmpfs) {
      TmpfsFlags flags;
      each_word(options, [&flags](std::string_view word) { flags.read(word); });
      check(flags, target, json::pointer_join("/HostConfig/Tmpfs", target), out);
    }
    if (!create.host_config.mounts) return;
    const auto& mounts = *create.host_config.mounts;
    for (std::size_t i = 0; i < mounts.size(); ++i) {
      if (mounts[i].type == "tmpfs") {
        check(flags_of(mounts[i]), mounts[i].target, json::pointer_join("/HostConfig/Mounts", i),
              out);
      }
    }
  }

 private:
  static TmpfsFlags flags_of(const docker::Mount& mount) {
    TmpfsFlags flags;
    if (!mount.tmpfs_options) return flags;
    flags.sized = mount.tmpfs_options->size_bytes > 0;
    if (!mount.tmpfs_options->options) return flags;
    for (const docker::StringList& words : *mount.tmpfs_options->options) {
      if (!words || words->empty()) continue;
      flags.read(words->size() > 1 ? words->front() + "=" + (*words)[1] : words->front());
    }
    return flags;
  }
};

void check_volume_name(const Pattern& pattern, const std::string& name, std::string pointer,
                       const Input& in, Report& out) {
  if (pattern.matches(name)) return;
  out.add(std::move(pointer), quoted(name),
          {{"value", name}, {"team", in.who.teams.empty() ? in.who.name : in.who.teams.front()}});
}

}  // namespace

Result<Check> volume_driver_opts_allowlist(const Params& params) {
  return with_needs([rule = DriverOptions{params.list("types")}](
                        const Input& in, Report& out) { rule.run(in, out); },
                    volume_needs);
}

Result<Check> allowed_volume_drivers(const Params& params) {
  return with_needs([allowed = params.list("allowed")](
                        const Input& in, Report& out) { check_drivers(allowed, in, out); },
                    volume_needs);
}

Result<Check> allowed_mount_types(const Params& params) {
  return pure(on_create(
      [allowed = params.list("allowed")](const CreateContainer& create, const Input&, Report& out) {
        if (!create.host_config.mounts) return;
        const auto& mounts = *create.host_config.mounts;
        for (std::size_t i = 0; i < mounts.size(); ++i) {
          if (contains(allowed, mounts[i].type)) continue;
          out.add(json::pointer_join("/HostConfig/Mounts", i) + "/Type", quoted(mounts[i].type),
                  {{"value", mounts[i].type}}, "remove --mount type=" + mounts[i].type);
        }
      }));
}

Result<Check> no_volumes_from(const Params& params) {
  const bool allow_own = params.flag("allowOwn");
  return with_needs(
      on_create([allow_own](const CreateContainer& create, const Input& in, Report& out) {
        check_volumes_from(allow_own, create, in, out);
      }),
      on_create([allow_own](const CreateContainer& create, const Input&, std::vector<Lookup>& out) {
        if (allow_own) volumes_from_needs(create, out);
      }));
}

Result<Check> read_only_rootfs(const Params&) {
  return pure(on_create([](const CreateContainer& create, const Input&, Report& out) {
    if (create.host_config.readonly_rootfs) return;
    out.add("/HostConfig/ReadonlyRootfs", "false", {}, "--read-only --tmpfs /tmp");
  }));
}

Result<Check> no_unsafe_tmpfs(const Params& params) {
  Tmpfs rule{params.flag("requireSize"), params.list("allowExec")};
  for (std::string& path : rule.allow_exec)
    path = docker::clean_path(path);
  return pure(on_create([rule = std::move(rule)](const CreateContainer& create, const Input&,
                                                 Report& out) { rule.run(create, out); }));
}

Result<Check> volume_name_scope(const Params& params) {
  Result<Pattern> pattern = Pattern::compile("pattern", params.text("pattern"));
  if (!pattern) return tl::unexpected(pattern.error());
  return pure([pattern = *std::move(pattern)](const Input& in, Report& out) {
    if (const auto* volume = in.request.body_as<VolumeCreate>()) {
      check_volume_name(pattern, volume->name, "/Name", in, out);
    }
    for (const EffectiveMount& mount : in.view.mounts()) {
      if (names_volume(mount)) check_volume_name(pattern, mount.volume, mount.pointer, in, out);
    }
  });
}

}  // namespace dockreeve::policy::rules
