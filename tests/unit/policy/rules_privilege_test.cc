// Privilege, users, namespaces and kernel confinement.
#include "rule_harness.h"

namespace dockreeve::policy::testing {
namespace {

const std::string kExec = "POST /v1.41/containers/abc/exec";
const Texts kCap{"/HostConfig/CapAdd"};
const Texts kDrop{"/HostConfig/CapDrop"};
const Texts kUser{"/User"};
const Texts kOpt0{"/HostConfig/SecurityOpt/0"};
const Texts kNetwork{"/HostConfig/NetworkMode"};

std::string opt(const std::string& value) {
  std::string quoted;
  json::append_string(quoted, value);
  return host(R"("SecurityOpt":[)" + quoted + "]");
}
std::string user(const std::string& value) {
  return R"({"Image":"alpine:3.20","User":")" + value + R"("})";
}

const std::vector<RuleCase> kCases{
    {"PrivilegedFalse", "no-privileged", {}, kCreate, host(R"("Privileged":false)"), "{}", {}},
    {"PrivilegedTrue", "no-privileged", {}, kCreate, host(R"("Privileged":true)"), "{}",
     {"/HostConfig/Privileged"}},
    {"PrivilegedIsNotAboutExec", "no-privileged", {}, kExec, R"({"Privileged":true})", "{}", {}},

    {"CapAddDefaultSet", "cap-add-allowlist", {}, kCreate, host(R"("CapAdd":["CHOWN","CAP_KILL"])"),
     "{}", {}},
    {"CapAddSpelling", "cap-add-allowlist", {}, kCreate, host(R"("CapAdd":["cap_sys_Admin"])"), "{}",
     kCap},
    {"CapAddAllEvenIfListed", "cap-add-allowlist", {{"allowed", Texts{"ALL"}}}, kCreate,
     host(R"("CapAdd":["all"])"), "{}", kCap},
    {"CapAddBesideDropAll", "cap-add-allowlist", {}, kCreate,
     host(R"("CapAdd":["SYS_PTRACE"],"CapDrop":["ALL"])"), "{}", kCap},
    {"CapAddUnicode", "cap-add-allowlist", {{"allowed", Texts{"SYS_ADMIN"}}}, kCreate,
     host("\"CapAdd\":[\"\xc5\xbfys_admin\"]"), "{}", kCap},

    {"CapDropAll", "cap-drop-required", {}, kCreate, host(R"("CapDrop":["all"])"), "{}", {}},
    {"CapDropMissing", "cap-drop-required", {}, kCreate, host(""), "{}", kDrop},
    {"CapDropCapAll", "cap-drop-required", {}, kCreate, host(R"("CapDrop":["CAP_ALL"])"), "{}", kDrop},
    {"CapDropNamed", "cap-drop-required", {{"required", Texts{"NET_RAW"}}}, kCreate,
     host(R"("CapDrop":["cap_net_raw"])"), "{}", {}},
    {"CapDropOtherName", "cap-drop-required", {{"required", Texts{"NET_RAW"}}}, kCreate,
     host(R"("CapDrop":["NET_ADMIN"])"), "{}", kDrop},
    {"CapDropFourteen", "cap-drop-required", {{"acceptEquivalent", true}}, kCreate,
     host(R"("CapDrop":["CHOWN","DAC_OVERRIDE","FSETID","FOWNER","MKNOD","NET_RAW","SETGID","SETUID",)"
          R"("SETFCAP","SETPCAP","NET_BIND_SERVICE","SYS_CHROOT","KILL","AUDIT_WRITE"])"),
     "{}", {}},
    {"CapDropThirteen", "cap-drop-required", {{"acceptEquivalent", true}}, kCreate,
     host(R"("CapDrop":["CHOWN","DAC_OVERRIDE","FSETID","FOWNER","MKNOD","NET_RAW","SETGID","SETUID",)"
          R"("SETFCAP","SETPCAP","NET_BIND_SERVICE","SYS_CHROOT","KILL"])"),
     "{}", kDrop},

    {"NnpBare", "no-new-privileges", {}, kCreate, opt("no-new-privileges"), "{}", {}},
    {"NnpFalse", "no-new-privileges", {}, kCreate, opt("no-new-privileges:false"),
     R"({"engine":{"noNewPrivileges":true}})", kOpt0},
    {"NnpEngineDefault", "no-new-privileges", {}, kCreate, host(""),
     R"({"engine":{"noNewPrivileges":true}})", {}},
    {"NnpEngineDefaultOff", "no-new-privileges", {}, kCreate, host(""), "{}",
     {"/HostConfig/SecurityOpt"}},
    {"NnpDefaultNotHonoured", "no-new-privileges", {{"honourDaemonDefault", false}}, kCreate, host(""),
     R"({"engine":{"noNewPrivileges":true}})", {"/HostConfig/SecurityOpt"}},

    {"ExecPlain", "no-exec-privileged", {}, kExec, R"({"Cmd":["id"]})", "{}", {}},
    {"ExecPrivileged", "no-exec-privileged", {}, kExec, R"({"Privileged":true})", "{}",
     {"/Privileged"}},

    {"UserNumeric", "run-as-non-root", {}, kCreate, user("1000:0"), "{}", {}},
    {"UserPlusZero", "run-as-non-root", {}, kCreate, user("+0"), "{}", kUser},
    {"UserNegative", "run-as-non-root", {}, kCreate, user("-5"), "{}", kUser},
    {"UserGroupOnly", "run-as-non-root", {}, kCreate, user(":1000"), R"({"image":{"User":"1000"}})",
     kUser},
    {"UserOverflow", "run-as-non-root", {}, kCreate, user("99999999999999999999"), "{}", kUser},
    {"UserNameAllowed", "run-as-non-root", {{"requireNumeric", false}}, kCreate, user("app"), "{}",
     {}},
    {"UserRootNameNever", "run-as-non-root", {{"requireNumeric", false}}, kCreate, user("root"), "{}",
     kUser},
    {"UserFromImage", "run-as-non-root", {}, kCreate, user(""), R"({"image":{"User":"65534"}})", {}},
    {"UserImageRoot", "run-as-non-root", {}, kCreate, user(""), R"({"image":{"User":"0:0"}})", kUser},
    {"UserRemapped", "run-as-non-root", {}, kCreate, user("0"), R"({"engine":{"usernsRemap":true}})",
     {}},
    {"UserRemappedButOptedOut", "run-as-non-root", {}, kCreate,
     R"({"Image":"a","User":"0","HostConfig":{"UsernsMode":"host"}})",
     R"({"engine":{"usernsRemap":true}})", kUser},

    {"GroupZero", "no-root-group", {}, kCreate, user("1000:0"), "{}", kUser},
    {"GroupAbsent", "no-root-group", {}, kCreate, user("1000"), "{}", {}},
    {"GroupOfRootUser", "no-root-group", {}, kCreate, user("0:0"), "{}", {}},
    {"GroupAddRoot", "no-root-group", {}, kCreate,
     R"({"User":"5","HostConfig":{"GroupAdd":["7","root","00"]}})", "{}",
     {"/HostConfig/GroupAdd/1", "/HostConfig/GroupAdd/2"}},

    {"ExecRoot", "exec-not-root", {}, kExec, R"({"User":"root"})", "{}", kUser},
    {"ExecInherits", "exec-not-root", {}, kExec, "{\"Cmd\":[\"id\"]}",
     R"({"container":{"User":"1000"}})", {}},
    {"ExecInheritsRoot", "exec-not-root", {}, kExec, "{\"Cmd\":[\"id\"]}", "{}", kUser},
    {"ExecName", "exec-not-root", {}, kExec, R"({"User":"app"})", "{}", {}},

    {"NetHost", "no-host-network", {}, kCreate, host(R"("NetworkMode":"host")"), "{}", kNetwork},
    {"NetHostUpper", "no-host-network", {}, kCreate, host(R"("NetworkMode":"HOST")"), "{}", {}},
    {"NetEndpointHost", "no-host-network", {}, kCreate,
     R"({"NetworkingConfig":{"EndpointsConfig":{"host":{}}}})", "{}",
     {"/NetworkingConfig/EndpointsConfig/host"}},
    {"NetHostById", "no-host-network", {}, kCreate, host(R"("NetworkMode":"4f2e")"),
     R"({"networks":{"4f2e":{"Driver":"host","Name":"host"}}})", kNetwork},
    {"NetThroughTwo", "no-host-network", {}, kCreate, host(R"("NetworkMode":"container:a")"),
     R"({"containers":{"a":{"NetworkMode":"container:b"},"b":{"NetworkMode":"host"}}})", kNetwork},
    {"NetThroughPrivate", "no-host-network", {}, kCreate, host(R"("NetworkMode":"container:a")"),
     R"({"containers":{"a":{"NetworkMode":"container:b"},"b":{"NetworkMode":"none"}}})", {}},
    {"NetEndlessChain", "no-host-network", {}, kCreate, host(R"("NetworkMode":"container:a")"),
     R"({"containers":{"a":{"NetworkMode":"container:a"}}})", kNetwork},
    {"NetBuild", "no-host-network", {}, "POST /v1.41/build?networkmode=host", "", "{}",
     {"query/networkmode"}},
    {"NetBuildDefault", "no-host-network", {}, "POST /v1.41/build?networkmode=default", "", "{}", {}},
    {"PidHost", "no-host-pid", {}, kCreate, host(R"("PidMode":"host")"), "{}", {"/HostConfig/PidMode"}},
    {"PidThrough", "no-host-pid", {}, kCreate, host(R"("PidMode":"container:a")"),
     R"({"containers":{"a":{"PidMode":"host"}}})", {"/HostConfig/PidMode"}},
    {"PidPrivate", "no-host-pid", {}, kCreate, host(R"("PidMode":"Host")"), "{}", {}},
    {"IpcHost", "no-host-ipc", {}, kCreate, host(R"("IpcMode":"host")"), "{}", {"/HostConfig/IpcMode"}},
    {"IpcShareable", "no-host-ipc", {}, kCreate, host(R"("IpcMode":"shareable")"), "{}", {}},
    {"UtsHost", "no-host-uts", {}, kCreate, host(R"("UTSMode":"host")"), "{}", {"/HostConfig/UTSMode"}},
    {"UtsEmpty", "no-host-uts", {}, kCreate, host(R"("UTSMode":"")"), "{}", {}},
    {"UsernsHost", "no-host-userns", {}, kCreate, host(R"("UsernsMode":"host")"), "{}",
     {"/HostConfig/UsernsMode"}},
    {"CgroupnsHost", "no-host-cgroupns", {}, kCreate, host(R"("CgroupnsMode":"host")"), "{}",
     {"/HostConfig/CgroupnsMode"}},
    {"CgroupnsPrivate", "no-host-cgroupns", {}, kCreate, host(R"("CgroupnsMode":"private")"), "{}",
     {}},
    {"SharingAll", "no-container-namespace-sharing", {}, kCreate,
     host(R"("NetworkMode":"container:a","PidMode":"container:b","IpcMode":"container:")"), "{}",
     {"/HostConfig/NetworkMode", "/HostConfig/PidMode", "/HostConfig/IpcMode"}},
    {"SharingListed", "no-container-namespace-sharing", {{"namespaces", Texts{"pid"}}}, kCreate,
     host(R"("NetworkMode":"container:a")"), "{}", {}},
    {"SharingOwn", "no-container-namespace-sharing", {{"allowOwn", true}}, kCreate,
     host(R"("PidMode":"container:a")"),
     R"({"containers":{"a":{"Labels":{"io.dockreeve.team":"web"}}}})", {}},
    {"SharingForeign", "no-container-namespace-sharing", {{"allowOwn", true}}, kCreate,
     host(R"("PidMode":"container:a")"),
     R"({"containers":{"a":{"Labels":{"io.dockreeve.team":"data"}}}})", {"/HostConfig/PidMode"}},

    {"SeccompDefault", "seccomp-not-unconfined", {}, kCreate, opt("seccomp="), "{}", {}},
    {"SeccompUnconfined", "seccomp-not-unconfined", {}, kCreate, opt("seccomp:unconfined"), "{}",
     kOpt0},
    {"SeccompEmptyProfile", "seccomp-not-unconfined", {}, kCreate, opt("seccomp={}"), "{}", kOpt0},
    {"SeccompAllow", "seccomp-not-unconfined", {}, kCreate,
     opt(R"(seccomp={"defaultAction":"SCMP_ACT_ALLOW"})"), "{}", kOpt0},
    {"SeccompFoldedKey", "seccomp-not-unconfined", {}, kCreate,
     opt(R"(seccomp={"defaultAction":"SCMP_ACT_ERRNO","DefaultAction":"SCMP_ACT_ALLOW"})"), "{}",
     kOpt0},
    {"SeccompCustom", "seccomp-not-unconfined", {}, kCreate,
     opt(R"(seccomp={"defaultAction":"SCMP_ACT_ERRNO"})"), "{}", {}},
    {"SeccompCustomUnlisted", "seccomp-profile-allowlist", {}, kCreate,
     opt(R"(seccomp={"defaultAction":"SCMP_ACT_ERRNO"})"), "{}", kOpt0},
    {"SeccompCustomListed", "seccomp-profile-allowlist",
     // printf '{"defaultAction":"SCMP_ACT_ERRNO"}' | sha256sum
     {{"sha256",
       Texts{"sha256:4b9a142931f026292d45914eab52edec8271378769fd2e886eab9d476457b755"}}},
     kCreate, opt(R"(seccomp={ "defaultAction": "SCMP_ACT_ERRNO" })"), "{}", {}},
    {"SeccompOffIsNotItsBusiness", "seccomp-profile-allowlist", {}, kCreate,
     opt("seccomp=unconfined"), "{}", {}},

    {"AppArmorUnconfined", "apparmor-not-unconfined", {}, kCreate, opt("apparmor=unconfined"), "{}",
     kOpt0},
    {"AppArmorNamed", "apparmor-not-unconfined", {}, kCreate, opt("apparmor=mine"), "{}", {}},
    {"AppArmorUnlisted", "apparmor-profile-allowlist", {}, kCreate, opt("apparmor=mine"), "{}", kOpt0},
    {"AppArmorListed", "apparmor-profile-allowlist", {}, kCreate, opt("apparmor=docker-default"),
     "{}", {}},
    {"SelinuxBareDisable", "selinux-not-disabled", {}, kCreate, opt("disable"), "{}", kOpt0},
    {"SelinuxSpc", "selinux-not-disabled", {}, kCreate, opt("label=type:spc_t"), "{}", kOpt0},
    {"SelinuxLevel", "selinux-not-disabled", {}, kCreate, opt("label:level:s0:c1"), "{}", {}},
    {"SelinuxRole", "selinux-not-disabled", {}, kCreate, opt("label=role:x"), "{}", kOpt0},
    {"WritableCgroups", "no-writable-cgroups", {}, kCreate, opt("writable-cgroups=true"), "{}", kOpt0},
    {"WritableCgroupsOff", "no-writable-cgroups", {}, kCreate, opt("writable-cgroups=false"), "{}",
     {}},

    {"MasksNull", "no-unmasked-paths", {}, kCreate, host(R"("MaskedPaths":null)"), "{}", {}},
    {"MasksEmpty", "no-unmasked-paths", {}, kCreate, host(R"("MaskedPaths":[],"ReadonlyPaths":[])"),
     "{}", {"/HostConfig/MaskedPaths", "/HostConfig/ReadonlyPaths"}},
    {"MasksByParent", "no-unmasked-paths", {}, kCreate,
     host(R"("MaskedPaths":["/proc/","/sys/firmware"])"), "{}", {}},
    {"SysctlSlash", "sysctls-allowlist", {}, kCreate, host(R"("Sysctls":{"net/ipv4/tcp_syncookies":"1"})"),
     "{}", {}},
    {"SysctlUnsafe", "sysctls-allowlist", {}, kCreate, host(R"("Sysctls":{"kernel.domainname":"x"})"),
     "{}", {"/HostConfig/Sysctls/kernel.domainname"}},
    {"SysctlOfEndpoint", "sysctls-allowlist", {}, kCreate,
     R"({"NetworkingConfig":{"EndpointsConfig":{"n":{"DriverOpts":{)"
     R"("com.docker.network.endpoint.sysctls":"net.ipv4.tcp_rmem=1,net.ipv4.conf.IFNAME.x=1"}}}}})",
     "{}",
     {"/NetworkingConfig/EndpointsConfig/n/DriverOpts/com.docker.network.endpoint.sysctls"}},
    {"RuntimeDefault", "allowed-runtimes", {}, kCreate, host(""), "{}", {}},
    {"RuntimeOther", "allowed-runtimes", {}, kCreate, host(R"("Runtime":"kata")"), "{}",
     {"/HostConfig/Runtime"}},
    {"RuntimeOfEngine", "allowed-runtimes", {{"allowed", Texts{"runsc"}}}, kCreate, host(""), "{}",
     {"/HostConfig/Runtime"}},
    {"CgroupParent", "no-cgroup-parent", {}, kCreate, host(R"("CgroupParent":"/")"), "{}",
     {"/HostConfig/CgroupParent"}},
    {"CgroupParentListed", "no-cgroup-parent", {{"allowed", Texts{"ci.slice"}}}, kCreate,
     host(R"("CgroupParent":"ci.slice")"), "{}", {}},
    {"CgroupParentOfBuild", "no-cgroup-parent", {}, "POST /v1.41/build?cgroupparent=x", "", "{}",
     {"query/cgroupparent"}},
};

class PrivilegeRules : public RuleTable {};
TEST_P(PrivilegeRules, Says) { EXPECT_EQ(run_rule(GetParam()), GetParam().want); }
INSTANTIATE_TEST_SUITE_P(Cases, PrivilegeRules, ::testing::ValuesIn(kCases), case_name);

// Rules that need the engine say so when it does not answer.
TEST(PrivilegeLookups, FailedLookupsAreReported) {
  const std::vector<RuleCase> cases{
      {"a", "no-new-privileges", {}, kCreate, host(""), "{}", {"!/HostConfig/SecurityOpt"}},
      {"b", "run-as-non-root", {}, kCreate, user(""), "{}", {"!/User"}},
      {"c", "exec-not-root", {}, kExec, "{\"Cmd\":[\"id\"]}", "{}", {"!/User"}},
      {"d", "no-host-network", {}, kCreate, host(R"("NetworkMode":"container:a")"), "{}",
       {"!/HostConfig/NetworkMode"}},
      {"e", "no-host-network", {}, kCreate, host(R"("NetworkMode":"app")"), "{}",
       {"!/HostConfig/NetworkMode"}},
      {"f", "allowed-runtimes", {{"allowed", Texts{"runc"}}}, kCreate, host(""), "{}",
       {"!/HostConfig/Runtime"}}};
  for (const RuleCase& c : cases) EXPECT_EQ(run_rule(c, true), c.want) << c.rule;
}

}  // namespace
}  // namespace dockreeve::policy::testing
