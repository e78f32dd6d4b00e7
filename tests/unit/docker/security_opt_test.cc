#include "docker/security_opt.h"

#include <gtest/gtest.h>

#include <gmock/gmock.h>
#include <string>
#include <vector>

namespace dockreeve::docker {
namespace {

SecurityOptions parse(std::vector<std::string> entries) {
  return parse_security_opt(StringList(std::move(entries)));
}

TEST(SecurityOpt, NothingSaidIsTheDefault) {
  for (const StringList& list : {StringList(), StringList(std::vector<std::string>{})}) {
    const SecurityOptions got = parse_security_opt(list);
    EXPECT_EQ(got.seccomp, SeccompMode::Default);
    EXPECT_FALSE(got.seccomp_index);
    EXPECT_FALSE(got.apparmor);
    EXPECT_TRUE(got.labels.empty());
    EXPECT_FALSE(got.no_new_privileges);
    EXPECT_FALSE(got.no_new_privileges_index);
    EXPECT_FALSE(got.writable_cgroups);
    EXPECT_TRUE(got.unknown.empty());
    EXPECT_TRUE(got.invalid.empty());
  }
}

TEST(SecurityOpt, NoNewPrivilegesLastEntryWins) {
  for (const auto* text : {"no-new-privileges", "no-new-privileges=true", "no-new-privileges:true",
                           "no-new-privileges=1", "no-new-privileges=t", "no-new-privileges=T",
                           "no-new-privileges=TRUE", "no-new-privileges:True"}) {
    EXPECT_TRUE(parse({text}).no_new_privileges) << text;
  }
  for (const auto* text :
       {"no-new-privileges=false", "no-new-privileges:0", "no-new-privileges=F"}) {
    const SecurityOptions got = parse({text});
    EXPECT_FALSE(got.no_new_privileges) << text;
    EXPECT_EQ(got.no_new_privileges_index, 0U) << text;
    EXPECT_TRUE(got.invalid.empty()) << text;
  }
  const SecurityOptions off = parse({"no-new-privileges", "no-new-privileges=false"});
  EXPECT_FALSE(off.no_new_privileges);
  EXPECT_EQ(off.no_new_privileges_index, 1U);
  EXPECT_TRUE(parse({"no-new-privileges=false", "no-new-privileges"}).no_new_privileges);
  const SecurityOptions yes = parse({"no-new-privileges", "no-new-privileges=yes"});
  EXPECT_FALSE(yes.no_new_privileges);
  ASSERT_EQ(yes.invalid.size(), 1U);
  EXPECT_EQ(yes.invalid[0].index, 1U);
  EXPECT_FALSE(parse({"no-new-privileges="}).no_new_privileges);
  EXPECT_FALSE(parse({"No-New-Privileges"}).no_new_privileges);
}

TEST(SecurityOpt, SeccompWordsAreExact) {
  EXPECT_EQ(parse({"seccomp=unconfined"}).seccomp, SeccompMode::Unconfined);
  EXPECT_EQ(parse({"seccomp:unconfined"}).seccomp, SeccompMode::Unconfined);
  EXPECT_EQ(parse({"seccomp="}).seccomp, SeccompMode::Default);
  EXPECT_EQ(parse({"seccomp=builtin"}).seccomp, SeccompMode::Default);
  EXPECT_EQ(parse({"seccomp=unconfined", "seccomp="}).seccomp, SeccompMode::Default);
  const SecurityOptions last = parse({"seccomp=", "no-new-privileges", "seccomp=unconfined"});
  EXPECT_EQ(last.seccomp, SeccompMode::Unconfined);
  EXPECT_EQ(last.seccomp_index, 2U);
  for (const auto* text : {"seccomp=Unconfined", "seccomp=unconfined ", "seccomp= unconfined",
                           "seccomp=/etc/docker/seccomp.json", "seccomp:=unconfined"}) {
    const SecurityOptions got = parse({text});
    if (std::string_view(text).starts_with("seccomp=")) {
      EXPECT_EQ(got.seccomp, SeccompMode::AllowsAll) << text;
      EXPECT_FALSE(got.seccomp_problem.empty()) << text;
    } else {
      EXPECT_EQ(got.unknown.size(), 1U) << text;  // `=` comes first: the name is "seccomp:"
    }
  }
}

TEST(SecurityOpt, ProfilesMustRefuseByDefault) {
  for (const auto* profile :
       {"{}", "null", "[]", "1", "\"x\"", "{", R"({"defaultAction":"SCMP_ACT_ALLOW"})",
        R"({"defaultAction":"SCMP_ACT_LOG"})", R"({"defaultAction":""})",
        R"({"defaultAction":null})", R"({"defaultAction":1})",
        R"({"defaultAction":"scmp_act_errno"})", R"({"syscalls":[]})",
        R"({"DefaultAction":"SCMP_ACT_ERRNO"})",
        R"({"defaultAction":"SCMP_ACT_ERRNO","DefaultAction":"SCMP_ACT_ALLOW"})",
        R"({"defaultAction":"SCMP_ACT_ERRNO","defaultAction":"SCMP_ACT_ALLOW"})",
        R"({"defaultAction":"SCMP_ACT_ERRNO"} x)"}) {
    const SecurityOptions got = parse({"seccomp=" + std::string(profile)});
    EXPECT_EQ(got.seccomp, SeccompMode::AllowsAll) << profile;
    EXPECT_FALSE(got.seccomp_problem.empty()) << profile;
  }
  const SecurityOptions custom =
      parse({R"(seccomp={ "defaultAction" : "SCMP_ACT_ERRNO", "syscalls": [ ] })"});
  EXPECT_EQ(custom.seccomp, SeccompMode::Custom);
  EXPECT_EQ(custom.seccomp_json, R"({"defaultAction":"SCMP_ACT_ERRNO","syscalls":[]})");
  EXPECT_EQ(custom.seccomp_problem, "");
  for (const auto* action : {"SCMP_ACT_KILL", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_TRAP"}) {
    EXPECT_EQ(parse({R"(seccomp={"defaultAction":")" + std::string(action) + "\"}"}).seccomp,
              SeccompMode::Custom)
        << action;
  }
}

TEST(SecurityOpt, ALaterProfileReplacesAnEarlierOne) {
  const SecurityOptions got = parse({"seccomp={}", "seccomp=unconfined"});
  EXPECT_EQ(got.seccomp, SeccompMode::Unconfined);
  EXPECT_EQ(got.seccomp_json, "");
  EXPECT_EQ(got.seccomp_problem, "");
}

TEST(SecurityOpt, OnlyTheStrongerNoNewPrivilegesIsKept) {
  const auto kept = [](std::vector<std::string> entries) {
    StringList list = std::move(entries);
    drop_weaker_no_new_privileges(list);
    return *list;
  };
  using Entries = std::vector<std::string>;
  EXPECT_EQ(kept({"no-new-privileges=false"}), Entries{});
  EXPECT_EQ(kept({"no-new-privileges:0", "label=type:x"}), Entries{"label=type:x"});
  EXPECT_EQ(kept({"no-new-privileges", "no-new-privileges=F"}), Entries{});
  EXPECT_EQ(kept({"no-new-privileges=false", "no-new-privileges"}), Entries{"no-new-privileges"});
  EXPECT_EQ(kept({"no-new-privileges:true"}), Entries{"no-new-privileges:true"});
  // The engine refuses the request; it is not made to pass.
  const Entries refused{"no-new-privileges=false", "no-new-privileges=no"};
  EXPECT_EQ(kept(refused), refused);
  StringList absent;
  EXPECT_FALSE(drop_weaker_no_new_privileges(absent));
  StringList strong = Entries{"no-new-privileges"};
  EXPECT_FALSE(drop_weaker_no_new_privileges(strong));
}

TEST(SecurityOpt, AppArmorLastEntryWins) {
  EXPECT_EQ(parse({"apparmor:unconfined"}).apparmor->value, "unconfined");
  const SecurityOptions got = parse({"apparmor=unconfined", "apparmor=docker-default"});
  EXPECT_EQ(got.apparmor->value, "docker-default");
  EXPECT_EQ(got.apparmor->index, 1U);
  EXPECT_EQ(parse({"apparmor="}).apparmor->value, "");
}

TEST(SecurityOpt, EveryLabelCounts) {
  const SecurityOptions got =
      parse({"label=type:spc_t", "disable", "label:disable", "label=level:s0:c1,c2"});
  ASSERT_EQ(got.labels.size(), 4U);
  EXPECT_EQ(got.labels[0].value, "type:spc_t");
  EXPECT_EQ(got.labels[1].value, "disable");
  EXPECT_EQ(got.labels[1].index, 1U);
  EXPECT_EQ(got.labels[2].value, "disable");
  EXPECT_EQ(got.labels[3].value, "level:s0:c1,c2");
}

TEST(SecurityOpt, WritableCgroupsLeanToTheUnsafeSide) {
  EXPECT_TRUE(parse({"writable-cgroups"}).writable_cgroups);
  EXPECT_TRUE(parse({"writable-cgroups=true"}).writable_cgroups);
  EXPECT_TRUE(parse({"writable-cgroups=banana"}).writable_cgroups);
  EXPECT_FALSE(parse({"writable-cgroups=false"}).writable_cgroups);
  EXPECT_EQ(parse({"x=y", "writable-cgroups"}).writable_cgroups_index, 1U);
}

TEST(SecurityOpt, UnknownNamesAreReportedWhole) {
  const SecurityOptions got =
      parse({"foo=bar", "SECCOMP=unconfined", "plain", "", "systempaths=unconfined", "=x"});
  ASSERT_EQ(got.unknown.size(), 6U);
  EXPECT_EQ(got.unknown[0].value, "foo=bar");
  EXPECT_EQ(got.unknown[1].value, "SECCOMP=unconfined");
  EXPECT_EQ(got.unknown[2].value, "plain");
  EXPECT_EQ(got.unknown[4].index, 4U);
  ASSERT_TRUE(got.systempaths);
  EXPECT_EQ(got.systempaths->value, "unconfined");
  EXPECT_EQ(got.seccomp, SeccompMode::Default);
}

}  // namespace
}  // namespace dockreeve::docker
