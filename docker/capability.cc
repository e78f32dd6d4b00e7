// The capability tables and the one way to spell each.
#include "docker/capability.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace dockreeve::docker {
namespace {

// linux/capability.h, CAP_CHOWN (0) to CAP_CHECKPOINT_RESTORE (40).
constexpr std::array<std::string_view, 41> kKnown{"CHOWN",
                                                  "DAC_OVERRIDE",
                                                  "DAC_READ_SEARCH",
                                                  "FOWNER",
                                                  "FSETID",
                                                  "KILL",
                                                  "SETGID",
                                                  "SETUID",
                                                  "SETPCAP",
                                                  "LINUX_IMMUTABLE",
                                                  "NET_BIND_SERVICE",
                                                  "NET_BROADCAST",
                                                  "NET_ADMIN",
                                                  "NET_RAW",
                                                  "IPC_LOCK",
                                                  "IPC_OWNER",
                                                  "SYS_MODULE",
                                                  "SYS_RAWIO",
                                                  "SYS_CHROOT",
                                                  "SYS_PTRACE",
                                                  "SYS_PACCT",
                                                  "SYS_ADMIN",
                                                  "SYS_BOOT",
                                                  "SYS_NICE",
                                                  "SYS_RESOURCE",
                                                  "SYS_TIME",
                                                  "SYS_TTY_CONFIG",
                                                  "MKNOD",
                                                  "LEASE",
                                                  "AUDIT_WRITE",
                                                  "AUDIT_CONTROL",
                                                  "SETFCAP",
                                                  "MAC_OVERRIDE",
                                                  "MAC_ADMIN",
                                                  "SYSLOG",
                                                  "WAKE_ALARM",
                                                  "BLOCK_SUSPEND",
                                                  "AUDIT_READ",
                                                  "PERFMON",
                                                  "BPF",
                                                  "CHECKPOINT_RESTORE"};

constexpr std::array<std::string_view, 14> kDefault{
    "CHOWN",   "DAC_OVERRIDE", "FSETID",           "FOWNER",
    "MKNOD",   "NET_RAW",      "SETGID",           "SETUID",
    "SETFCAP", "SETPCAP",      "NET_BIND_SERVICE", "SYS_CHROOT",
    "KILL",    "AUDIT_WRITE"};

}  // namespace

Result<std::string_view> normalise_capability(std::string_view input) {
  std::string upper(input);
  for (char& c : upper) {
    if (static_cast<unsigned char>(c) >= 0x80) {
      return fail("", "capability names are plain ASCII");
    }
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  if (upper == kAllCapabilities) return kAllCapabilities;
  std::string_view bare = upper;
  constexpr std::string_view kPrefix = "CAP_";
  if (bare.starts_with(kPrefix)) bare.remove_prefix(kPrefix.size());
  const auto* found = std::find(kKnown.begin(), kKnown.end(), bare);
  if (found == kKnown.end()) return fail("", text::quoted(input) + " is not a capability");
  return *found;
}

std::span<const std::string_view> known_capabilities() {
  return kKnown;
}

std::span<const std::string_view> default_capabilities() {
  return kDefault;
}

}  // namespace dockreeve::docker
