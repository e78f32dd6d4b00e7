#include "docker/host_mount.h"

#include <gtest/gtest.h>

#include <gmock/gmock.h>
#include <string>
#include <utility>
#include <vector>

namespace dockreeve::docker {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

EffectiveMount entry(std::string_view text) {
  return parse_bind(text, "", "/HostConfig/Binds/0");
}

Mount make(std::string type, std::string source, std::string target) {
  Mount out;
  out.type = std::move(type);
  out.source = std::move(source);
  out.target = std::move(target);
  return out;
}

EffectiveMount mount(Mount value) {
  CreateContainer create;
  create.host_config.mounts = {std::move(value)};
  return effective_mounts(create).at(0);
}

EffectiveMount mount(std::string type, std::string source, std::string target) {
  return mount(make(std::move(type), std::move(source), std::move(target)));
}

EffectiveMount with_propagation(std::string propagation) {
  Mount value = make("bind", "/srv//a", "/x/");
  value.read_only = true;
  value.bind_options.emplace().propagation = std::move(propagation);
  return mount(std::move(value));
}

EffectiveMount with_subpath(std::string subpath) {
  Mount value = make("volume", "v", "/x");
  value.volume_options.emplace().subpath = std::move(subpath);
  return mount(std::move(value));
}

TEST(CleanPath, IsGosPathClean) {
  EXPECT_EQ(clean_path(""), ".");
  EXPECT_EQ(clean_path("/"), "/");
  EXPECT_EQ(clean_path("//"), "/");
  EXPECT_EQ(clean_path("/etc/.."), "/");
  EXPECT_EQ(clean_path("/../../etc"), "/etc");
  EXPECT_EQ(clean_path("/a/./b//c/"), "/a/b/c");
  EXPECT_EQ(clean_path("/home/ci/../other"), "/home/other");
  EXPECT_EQ(clean_path("a/.."), ".");
  EXPECT_EQ(clean_path("../a/../.."), "../..");
  EXPECT_EQ(clean_path("./a"), "a");
  EXPECT_EQ(clean_path("/..."), "/...");
  EXPECT_EQ(clean_path(std::string("/ok\0/../../../etc", 17)), "/etc");
}

TEST(PathWithin, ComparesWholeComponents) {
  EXPECT_TRUE(path_within("/etc", "/etc"));
  EXPECT_TRUE(path_within("/etc/shadow", "/etc"));
  EXPECT_TRUE(path_within("/etc", "/"));
  EXPECT_TRUE(path_within("/home/ci/x", "/home/ci/"));
  EXPECT_FALSE(path_within("/etcetera", "/etc"));
  EXPECT_FALSE(path_within("/", "/etc"));
}

TEST(ParseBind, HostPathsAreCleaned) {
  const EffectiveMount got = entry("/etc/..:/host");
  EXPECT_EQ(got.kind, MountKind::Bind);
  EXPECT_EQ(got.source, "/");
  EXPECT_EQ(got.raw_source, "/etc/..");
  EXPECT_EQ(got.target, "/host");
  EXPECT_EQ(got.host_path(), "/");
  EXPECT_EQ(got.pointer, "/HostConfig/Binds/0");
  EXPECT_FALSE(got.read_only);
  EXPECT_THAT(got.invalid, IsEmpty());
  EXPECT_EQ(entry("/etc/:/x").source, "/etc");
  EXPECT_EQ(entry("//:/host").source, "/");
}

TEST(ParseBind, ModeWordsComeInAnyOrder) {
  const EffectiveMount got = entry("/etc/localtime:/etc/localtime:z,ro");
  EXPECT_TRUE(got.read_only);
  EXPECT_THAT(got.invalid, IsEmpty());
  EXPECT_EQ(entry("/a:/b:rshared,rw").propagation, "rshared");
  EXPECT_EQ(entry("/a:/b").propagation, "");
  for (const auto* mode :
       {"ro", "rw", "Z", "nocopy", "cached", "delegated", "consistent", "private", "rprivate",
        "shared", "slave", "rslave", "", "ro,z,rslave,nocopy,cached"}) {
    EXPECT_THAT(entry("/a:/b:" + std::string(mode)).invalid, IsEmpty()) << mode;
  }
  for (const auto* mode : {"RO", "ro,rw", "ro,ro", "shared,private", "z,Z", "ro,", ",ro", "x",
                           "ro rw", "ro:rw", "exec", "U"}) {
    EXPECT_THAT(entry("/a:/b:" + std::string(mode)).invalid, HasSubstr("mode")) << mode;
  }
}

TEST(ParseBind, NamesAreVolumes) {
  const EffectiveMount got = parse_bind("data:/data:ro", "nfs", "/HostConfig/Binds/3");
  EXPECT_EQ(got.kind, MountKind::Volume);
  EXPECT_EQ(got.volume, "data");
  EXPECT_EQ(got.driver, "nfs");
  EXPECT_TRUE(got.read_only);
  EXPECT_EQ(got.host_path(), "");
  EXPECT_THAT(got.invalid, IsEmpty());
}

TEST(ParseBind, APathAloneIsAnAnonymousVolume) {
  const EffectiveMount got = entry("/data");
  EXPECT_EQ(got.kind, MountKind::Volume);
  EXPECT_EQ(got.volume, "");
  EXPECT_EQ(got.target, "/data");
  EXPECT_EQ(got.host_path(), "");
  EXPECT_THAT(got.invalid, IsEmpty());
}

TEST(ParseBind, BrokenEntriesSaySo) {
  for (const std::string text :
       {"",        ":",      "::",    ":/x",    "/a:",     "/a:ro",     "data:rw",     "data",
        "../a:/b", "a/b:/c", "~:/x",  "~/a:/x", "/a:b",    "data:b",    "/a:/b:ro:rw", "/a:/",
        "/a:/..",  ".:/x",   "..:/x", "-v:/x",  "/a\n:/b", "/a:/b\x7f", " /a:/b"}) {
    EXPECT_THAT(entry(text).invalid, Not(IsEmpty())) << text;
  }
  const EffectiveMount nul = entry(std::string("/srv/ok\0/../../etc:/x", 21));
  EXPECT_EQ(nul.source, "/etc");
  EXPECT_THAT(nul.invalid, HasSubstr("control characters"));
}

TEST(EffectiveMounts, KeepsEveryEntryInOrder) {
  CreateContainer create;
  create.host_config.binds = {{"/a:/b", "bad entry"}};
  create.host_config.mounts = {make("bind", "/c/", "/d"), make("nonsense", "", "/e")};
  const std::vector<EffectiveMount> got = effective_mounts(create);
  ASSERT_EQ(got.size(), 4U);
  EXPECT_EQ(got[0].source, "/a");
  EXPECT_EQ(got[1].pointer, "/HostConfig/Binds/1");
  EXPECT_THAT(got[1].invalid, Not(IsEmpty()));
  EXPECT_EQ(got[2].pointer, "/HostConfig/Mounts/0");
  EXPECT_EQ(got[2].source, "/c");
  EXPECT_EQ(got[3].kind, MountKind::Other);
  EXPECT_EQ(got[3].type, "nonsense");
  EXPECT_THAT(got[3].invalid, HasSubstr("nonsense"));
  EXPECT_THAT(effective_mounts(CreateContainer{}), IsEmpty());
}

TEST(EffectiveMounts, ReadsBindMounts) {
  const EffectiveMount got = with_propagation("shared");
  EXPECT_EQ(got.kind, MountKind::Bind);
  EXPECT_EQ(got.source, "/srv/a");
  EXPECT_EQ(got.target, "/x");
  EXPECT_TRUE(got.read_only);
  EXPECT_EQ(got.propagation, "shared");
  EXPECT_THAT(got.invalid, IsEmpty());
  EXPECT_THAT(with_propagation("Shared").invalid, HasSubstr("propagation"));
  EXPECT_THAT(mount("bind", "etc", "/x").invalid, HasSubstr("absolute"));
  EXPECT_THAT(mount("bind", "", "/x").invalid, HasSubstr("absolute"));
  EXPECT_THAT(mount("bind", "/a", "x").invalid, HasSubstr("absolute"));
  EXPECT_THAT(mount("bind", "/a", "/").invalid, HasSubstr("may not be /"));
}

TEST(EffectiveMounts, TypesAreExact) {
  EXPECT_EQ(mount("Bind", "/etc", "/x").kind, MountKind::Other);
  EXPECT_THAT(mount("", "/etc", "/x").invalid, Not(IsEmpty()));
  EXPECT_EQ(mount("tmpfs", "", "/x").kind, MountKind::Tmpfs);
  EXPECT_THAT(mount("tmpfs", "", "/x").invalid, IsEmpty());
  EXPECT_THAT(mount("tmpfs", "/etc", "/x").invalid, Not(IsEmpty()));
  EXPECT_EQ(mount("image", "busybox", "/x").kind, MountKind::Image);
  EXPECT_EQ(mount("npipe", "x", "/x").kind, MountKind::Npipe);
  EXPECT_EQ(mount("cluster", "x", "/x").kind, MountKind::Cluster);
}

TEST(EffectiveMounts, VolumeOptionsThatBindShowTheHostPath) {
  Mount value = make("volume", "vol1", "/x");
  DriverConfig& driver = value.volume_options.emplace().driver_config.emplace();
  driver.name = "local";
  driver.options = {{"type", "none"}, {"o", "bind"}, {"device", "/etc/"}};
  const EffectiveMount got = mount(std::move(value));
  EXPECT_EQ(got.kind, MountKind::Volume);
  EXPECT_EQ(got.volume, "vol1");
  EXPECT_EQ(got.driver, "local");
  EXPECT_EQ(got.driver_options.size(), 3U);
  EXPECT_EQ(got.bind_device, "/etc");
  EXPECT_EQ(got.host_path(), "/etc");
  EXPECT_THAT(got.invalid, IsEmpty());
}

TEST(EffectiveMounts, VolumeNamesAndSubpathsAreChecked) {
  EXPECT_THAT(mount("volume", "/etc", "/x").invalid, Not(IsEmpty()));
  EXPECT_THAT(mount("volume", "", "/x").invalid, IsEmpty());
  for (const auto* subpath : {"/etc", "..", "../x", "a/../../x"}) {
    EXPECT_THAT(with_subpath(subpath).invalid, HasSubstr("subpath")) << subpath;
  }
  EXPECT_THAT(with_subpath("a/b").invalid, IsEmpty());
}

TEST(VolumeBindDevice, CountsEveryAbsoluteDevice) {
  EXPECT_EQ(volume_bind_device({{"type", "none"}, {"o", "bind"}, {"device", "/a/../etc"}}), "/etc");
  EXPECT_EQ(volume_bind_device({{"type", "ext4"}, {"device", "/dev/vda"}}), "/dev/vda");
  EXPECT_EQ(volume_bind_device({{"type", "tmpfs"}, {"o", "bind"}, {"device", "/etc"}}), "/etc");
  EXPECT_EQ(volume_bind_device({{"type", "tmpfs"}, {"device", "tmpfs"}}), "");
  EXPECT_EQ(volume_bind_device({{"type", "nfs"}, {"device", ":/export"}}), "");
  EXPECT_EQ(volume_bind_device({}), "");
}

TEST(ObjectName, FollowsTheEnginesGrammar) {
  for (const auto* text : {"a", "web-1", "A_b.c", "0"})
    EXPECT_TRUE(is_object_name(text)) << text;
  for (const auto* text : {"", "-a", ".a", "_a", "a b", "a/b", "a:b", "\xc3\xa9"}) {
    EXPECT_FALSE(is_object_name(text)) << text;
  }
  EXPECT_TRUE(is_object_name(std::string(255, 'a')));
  EXPECT_FALSE(is_object_name(std::string(256, 'a')));
}

}  // namespace
}  // namespace dockreeve::docker
