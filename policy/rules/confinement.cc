// Kernel confinement: seccomp, AppArmor, SELinux, masked paths, sysctls, cgroups, runtimes.
//
// seccomp-not-unconfined
//   reads    HostConfig.SecurityOpt seccomp, the last one wins
//   allows   the default profile and profiles that refuse by default. `unconfined`, an empty or
//            allow-by-default profile and anything that is no profile do not filter
//   maps to  CIS Docker 5.22, Pod Security Standards "baseline"
//
// seccomp-profile-allowlist
//   reads    the same
//   allows   the default profile; a profile whose SHA-256 (of its JSON without white space) is
//            listed. One that does not filter is seccomp-not-unconfined's business
//   params   sha256: [hex]; names: name -> hex, the same with a name for the message
//   maps to  Pod Security Standards "restricted"
//
// apparmor-not-unconfined, apparmor-profile-allowlist
//   reads    HostConfig.SecurityOpt apparmor, the last one wins
//   allows   anything but `unconfined`; the default profile and `profiles`
//   params   profiles: [name]
//   maps to  CIS Docker 5.2, Pod Security Standards "baseline"
//
// selinux-not-disabled
//   reads    HostConfig.SecurityOpt label and the bare word `disable`
//   allows   label=level:… and label=type:T for T in `types`
//   params   types: [name]
//   maps to  CIS Docker 5.3, Pod Security Standards "baseline"
//
// no-unmasked-paths
//   reads    HostConfig.MaskedPaths, HostConfig.ReadonlyPaths
//   allows   null (the engine's lists); lists that cover mustMask and mustReadonly
//   params   mustMask, mustReadonly: [path]
//   maps to  Pod Security Standards "baseline"
//
// sysctls-allowlist
//   reads    HostConfig.Sysctls, endpoint sysctls in EndpointsConfig DriverOpts; `/` is `.`
//   allows   names in `allowed`
//   params   allowed: [name]
//   maps to  Pod Security Standards "baseline"
//
// no-writable-cgroups     HostConfig.SecurityOpt writable-cgroups must not be on
// allowed-runtimes        HostConfig.Runtime in `allowed`; if "" is not, the engine's default must
// be no-cgroup-parent        HostConfig.CgroupParent, cgroupparent of a build, empty or in
// `allowed`;
//                         CIS Docker 5.25
#include <algorithm>
#include <array>

#include "base/json.h"
#include "base/text.h"
#include "policy/digest.h"
#include "policy/rules/rules.h"
#include "policy/rules/support.h"

namespace dockreeve::policy::rules {
namespace {

using docker::CreateContainer;
using docker::SeccompMode;
using docker::SecurityOptions;

constexpr std::string_view kSecurityOpt = "/HostConfig/SecurityOpt";

std::string entry_pointer(std::size_t index) {
  return json::pointer_join(kSecurityOpt, index);
}

void check_seccomp(const SecurityOptions& options, Report& out) {
  if (options.seccomp != SeccompMode::Unconfined && options.seccomp != SeccompMode::AllowsAll)
    return;
  const bool unconfined = options.seccomp == SeccompMode::Unconfined;
  const std::string why = unconfined ? "unconfined" : options.seccomp_problem;
  out.add(entry_pointer(options.seccomp_index.value_or(0)),
          quoted(unconfined ? "seccomp=unconfined" : "seccomp=<profile>"), {{"value", why}},
          "remove --security-opt seccomp");
}

void check_seccomp_hash(const std::vector<std::string>& hashes, const SecurityOptions& options,
                        Report& out) {
  if (options.seccomp != SeccompMode::Custom) return;
  const std::string hash = sha256_hex(options.seccomp_json);
  if (contains(hashes, hash)) return;
  out.add(entry_pointer(options.seccomp_index.value_or(0)), quoted("sha256:" + hash),
          {{"hash", hash}}, "remove --security-opt seccomp");
}

// "type:container_t" is fine, "user:x" and the like never are.
bool weakens_selinux(const std::vector<std::string>& types, std::string_view label) {
  constexpr std::string_view kType = "type:";
  if (label.starts_with("level:")) return false;
  return !label.starts_with(kType) || !contains(types, label.substr(kType.size()));
}

bool covers(const std::vector<std::string>& paths, std::string_view wanted) {
  return std::any_of(paths.begin(), paths.end(), [wanted](const std::string& path) {
    return path.starts_with('/') && docker::path_within(wanted, docker::clean_path(path));
  });
}

void check_paths(const docker::StringList& given, const std::vector<std::string>& wanted,
                 std::string pointer, Report& out) {
  if (!given) return;
  std::vector<std::string> missing;
  for (const std::string& path : wanted) {
    if (!covers(*given, path)) missing.push_back(path);
  }
  if (missing.empty()) return;
  out.add(std::move(pointer), quoted(text::join(*given, ", ")),
          {{"missing", text::join(missing, ", ")}}, "remove --security-opt systempaths=unconfined");
}

void check_sysctl(const std::vector<std::string>& allowed, std::string_view sent,
                  std::string_view value, std::string pointer, Report& out) {
  std::string key(sent);
  std::replace(key.begin(), key.end(), '/', '.');
  if (contains(allowed, key)) return;
  out.add(std::move(pointer), quoted(value), {{"key", key}}, "remove --sysctl " + key);
}

// "net.ipv4.conf.IFNAME.log_martians=1,net.ipv6.conf.IFNAME.x=0"
void check_endpoint_sysctls(const std::vector<std::string>& allowed, const std::string& network,
                            const docker::EndpointSettings& settings, Report& out) {
  constexpr std::string_view kOption = "com.docker.network.endpoint.sysctls";
  const auto it = settings.driver_opts.find(kOption);
  if (it == settings.driver_opts.end()) return;
  const std::string pointer = json::pointer_join(
      json::pointer_join("/NetworkingConfig/EndpointsConfig", network) + "/DriverOpts", kOption);
  std::string_view rest = it->second;
  while (!rest.empty()) {
    const std::size_t comma = rest.find(',');
    const std::string_view item = rest.substr(0, comma);
    check_sysctl(allowed, item.substr(0, item.find('=')), item, pointer, out);
    rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
  }
}

void check_sysctls(const std::vector<std::string>& allowed, const CreateContainer& create,
                   Report& out) {
  for (const auto& [key, value] : create.host_config.sysctls) {
    check_sysctl(allowed, key, value, json::pointer_join("/HostConfig/Sysctls", key), out);
  }
  for (const auto& [name, settings] : create.networking_config.endpoints_config) {
    if (settings) check_endpoint_sysctls(allowed, name, *settings, out);
  }
}

const Lookup kEngine{LookupKind::Engine, ""};

void check_runtime(const std::vector<std::string>& allowed, const CreateContainer& create,
                   const Input& in, Report& out) {
  std::string runtime = create.host_config.runtime;
  if (contains(allowed, runtime)) return;
  if (runtime.empty()) {
    const auto* engine = fact<EngineFact>(in, kEngine, "/HostConfig/Runtime", out);
    if (!engine || contains(allowed, engine->default_runtime)) return;
    runtime = engine->default_runtime;
  }
  out.add("/HostConfig/Runtime", quoted(create.host_config.runtime), {{"value", runtime}},
          "remove --runtime " + runtime);
}

// A rule over the security options of a create request.
template <class F>
Result<Check> on_security(F f) {
  return pure(on_create([f = std::move(f)](const CreateContainer&, const Input& in, Report& out) {
    f(in.view.security(), out);
  }));
}

}  // namespace

Result<Check> seccomp_not_unconfined(const Params&) {
  return on_security(check_seccomp);
}

Result<Check> seccomp_profile_allowlist(const Params& params) {
  std::vector<std::string> hashes = params.list("sha256");
  for (const auto& [name, hash] : params.map("names"))
    hashes.push_back(hash);
  for (std::string& hash : hashes) {
    hash = text::to_lower(hash);
    if (hash.starts_with("sha256:")) hash.erase(0, 7);
  }
  return on_security([hashes = std::move(hashes)](const SecurityOptions& options, Report& out) {
    check_seccomp_hash(hashes, options, out);
  });
}

Result<Check> apparmor_not_unconfined(const Params&) {
  return on_security([](const SecurityOptions& options, Report& out) {
    if (!options.apparmor || options.apparmor->value != "unconfined") return;
    out.add(entry_pointer(options.apparmor->index), quoted("apparmor=unconfined"), {},
            "remove --security-opt apparmor=unconfined");
  });
}

Result<Check> apparmor_profile_allowlist(const Params& params) {
  return on_security(
      [profiles = params.list("profiles")](const SecurityOptions& options, Report& out) {
        if (!options.apparmor || options.apparmor->value.empty()) return;
        const std::string& profile = options.apparmor->value;
        if (contains(profiles, profile)) return;
        out.add(entry_pointer(options.apparmor->index), quoted(profile), {{"value", profile}},
                "remove --security-opt apparmor=" + profile);
      });
}

Result<Check> selinux_not_disabled(const Params& params) {
  return on_security([types = params.list("types")](const SecurityOptions& options, Report& out) {
    for (const SecurityOptions::Entry& label : options.labels) {
      if (!weakens_selinux(types, label.value)) continue;
      const std::string option = "label=" + label.value;
      out.add(entry_pointer(label.index), quoted(option), {{"value", option}},
              "remove --security-opt " + option);
    }
  });
}

Result<Check> no_unmasked_paths(const Params& params) {
  return pure(on_create([mask = params.list("mustMask"), readonly = params.list("mustReadonly")](
                            const CreateContainer& create, const Input&, Report& out) {
    check_paths(create.host_config.masked_paths, mask, "/HostConfig/MaskedPaths", out);
    check_paths(create.host_config.readonly_paths, readonly, "/HostConfig/ReadonlyPaths", out);
  }));
}

Result<Check> sysctls_allowlist(const Params& params) {
  return pure(on_create(
      [allowed = params.list("allowed")](const CreateContainer& create, const Input&, Report& out) {
        check_sysctls(allowed, create, out);
      }));
}

Result<Check> no_writable_cgroups(const Params&) {
  return on_security([](const SecurityOptions& options, Report& out) {
    if (!options.writable_cgroups) return;
    out.add(entry_pointer(options.writable_cgroups_index.value_or(0)), "true", {},
            "remove --security-opt writable-cgroups");
  });
}

Result<Check> allowed_runtimes(const Params& params) {
  auto allowed = std::make_shared<const std::vector<std::string>>(params.list("allowed"));
  return with_needs(
      on_create([allowed](const CreateContainer& create, const Input& in, Report& out) {
        check_runtime(*allowed, create, in, out);
      }),
      on_create([allowed](const CreateContainer& create, const Input&, std::vector<Lookup>& out) {
        if (create.host_config.runtime.empty() && !contains(*allowed, "")) out.push_back(kEngine);
      }));
}

Result<Check> no_cgroup_parent(const Params& params) {
  return pure([allowed = params.list("allowed")](const Input& in, Report& out) {
    const auto* create = in.request.body_as<CreateContainer>();
    const std::string parent =
        create ? create->host_config.cgroup_parent : std::string(build_query(in, "cgroupparent"));
    if (parent.empty() || contains(allowed, parent)) return;
    out.add(create ? "/HostConfig/CgroupParent" : "query/cgroupparent", quoted(parent),
            {{"value", parent}}, "remove --cgroup-parent");
  });
}

}  // namespace dockreeve::policy::rules
