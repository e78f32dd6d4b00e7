#include "proxy/answer_filter.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace dockreeve::proxy {
namespace {

using policy::AnswerKind;
using policy::AnswerScope;
using policy::OwnedBy;

AnswerScope scope(AnswerKind kind, bool hide = true, bool unowned = false) {
  AnswerScope out;
  out.kind = kind;
  out.hide = hide;
  out.scope = {OwnedBy::Team, hide, unowned, "alice", {"ops", "web"}};
  return out;
}

struct Outcome {
  std::string text;
  bool absent = false;
  bool operator==(const Outcome&) const = default;
};
void PrintTo(const Outcome& outcome, std::ostream* out) {
  *out << outcome.text << (outcome.absent ? " (absent)" : "");
}

Outcome run(const AnswerScope& what, const std::string& body) {
  std::vector<Outcome> all;
  for (const std::size_t step : {body.size() + 1, std::size_t{1}}) {
    AnswerFilter filter(what);
    bool fine = true;
    for (std::size_t at = 0; at < body.size(); at += step)
      fine = filter.feed(std::string_view(body).substr(at, step));
    fine = filter.finish() && fine;
    all.push_back(fine ? Outcome{filter.take(), filter.absent()} : Outcome{"BAD"});
  }
  EXPECT_EQ(all[0], all[1]) << "the result depends on how the answer is cut";
  return all[0];
}
std::string text(const AnswerScope& what, const std::string& body) { return run(what, body).text; }

const std::string kWeb = R"({"Id":"1","Labels":{"io.dockreeve.team":"web"}})";
const std::string kMine = R"({"Id":"2","Labels":{"io.dockreeve.owner":"alice","io.dockreeve.team":"old"}})";
const std::string kData = R"({"Id":"3","Labels":{"io.dockreeve.owner":"bob","io.dockreeve.team":"data"}})";
const std::string kNobodys = R"({"Id":"4","Labels":{}})";
const std::string kNull = R"({"Id":"5","Labels":null})";
const std::string kNone = R"({"Id":"6"})";

TEST(AnswerFilter, ListsKeepWhatIsOwnAsItWas) {
  const std::string all =
      "[" + kData + " , " + kWeb + "," + kNobodys + "," + kMine + "," + kNull + "," + kNone + "]\n";
  EXPECT_EQ(text(scope(AnswerKind::Containers), all), "[" + kWeb + "," + kMine + "]\n");
  EXPECT_EQ(text(scope(AnswerKind::Containers, true, true), all),
            "[" + kWeb + "," + kNobodys + "," + kMine + "," + kNull + "," + kNone + "]\n");
  EXPECT_EQ(text(scope(AnswerKind::Containers), "[]"), "[]\n");
  EXPECT_EQ(text(scope(AnswerKind::Containers), "null\n"), "null\n");
}

TEST(AnswerFilter, ByIdentityTeamsDoNotCount) {
  AnswerScope mine = scope(AnswerKind::Containers);
  mine.scope.by = OwnedBy::Identity;
  EXPECT_EQ(text(mine, "[" + kWeb + "," + kMine + "]"), "[" + kMine + "]\n");
}

TEST(AnswerFilter, ALimitCountsWhatIsKept) {
  AnswerScope two = scope(AnswerKind::Containers);
  two.limit = 2;
  EXPECT_EQ(text(two, "[" + kData + "," + kWeb + "," + kMine + "," + kWeb + "]"),
            "[" + kWeb + "," + kMine + "]\n");
}

TEST(AnswerFilter, WhatCannotBeReadIsNobodys) {
  const std::string twice = R"({"Labels":{"io.dockreeve.team":"web"},"Labels":{}})";
  const std::string number = R"({"Labels":{"io.dockreeve.team":1}})";
  const std::string list = R"({"Labels":["io.dockreeve.team=web"]})";
  const std::string name = R"({"Names":["io.dockreeve.team"],"Labels":{"x":"web"}})";
  EXPECT_EQ(text(scope(AnswerKind::Containers),
                 "[" + twice + "," + number + "," + list + "," + name + ",7," + kWeb + "]"),
            "[" + kWeb + "]\n");
  EXPECT_EQ(text(scope(AnswerKind::Containers, true, true), "[" + list + "," + twice + "]"), "[]\n");
}

TEST(AnswerFilter, AnAnswerThatBreaksOffIsNone) {
  for (const auto* body : {"[", "", "{}", "[{}", "true", R"("x")", "[{}]["}) {
    EXPECT_EQ(text(scope(AnswerKind::Containers), body), "BAD") << body;
  }
  EXPECT_EQ(text(scope(AnswerKind::Volumes), "[]"), "BAD");
  EXPECT_EQ(text(scope(AnswerKind::Volume), "[]"), "BAD");
  EXPECT_EQ(text(scope(AnswerKind::Volume), "{}{}"), "BAD");
  EXPECT_EQ(text(scope(AnswerKind::Volume), ""), "BAD");
}

TEST(AnswerFilter, Volumes) {
  EXPECT_EQ(text(scope(AnswerKind::Volumes),
                 R"({"Volumes":[)" + kData + "," + kWeb + R"(],"Warnings":null})"),
            R"({"Volumes":[)" + kWeb + R"(],"Warnings":null})" + "\n");
  EXPECT_EQ(text(scope(AnswerKind::Volumes), R"({"Volumes":null,"Warnings":["w"]})"),
            R"({"Volumes":null,"Warnings":["w"]})" "\n");
  EXPECT_EQ(text(scope(AnswerKind::Volumes), "{}"), "{}\n");
}

TEST(AnswerFilter, NetworksAndThoseOfTheEngine) {
  const std::string bridge =
      R"({"Name":"bridge","Containers":{"9":{"Name":"data-1"}},"Labels":{}})";
  EXPECT_EQ(text(scope(AnswerKind::Networks), "[" + bridge + "," + kData + "," + kNobodys + "]"),
            R"([{"Name":"bridge","Containers":{},"Labels":{}}])" "\n");
  EXPECT_EQ(text(scope(AnswerKind::Networks, true, true), "[" + bridge + "]"),
            R"([{"Name":"bridge","Containers":{},"Labels":{}}])" "\n");
  EXPECT_EQ(text(scope(AnswerKind::Network), bridge),
            R"({"Name":"bridge","Containers":{},"Labels":{}})" "\n");
}

TEST(AnswerFilter, DiskUsage) {
  EXPECT_EQ(text(scope(AnswerKind::DiskUsage),
                 R"({"LayersSize":5,"Images":[{"Id":"i"},{"Id":"j"}],"Containers":[)" + kData + "," +
                     kWeb + R"(],"Volumes":[)" + kData + R"(],"BuildCache":[{"ID":"x"}],)" +
                     R"("BuilderSize":3,"ContainerUsage":{"Items":[)" + kData + R"(]},)" +
                     R"("VolumeUsage":[)" + kData + "]}"),
            R"({"LayersSize":5,"Images":[{"Id":"i"},{"Id":"j"}],"Containers":[)" + kWeb +
                R"(],"Volumes":[],"BuildCache":[],"BuilderSize":3})" "\n");
  EXPECT_EQ(text(scope(AnswerKind::DiskUsage),
                 R"({"Containers":null,"Volumes":{"0":)" + kData + R"(},"BuildCache":null})"),
            R"({"Containers":null,"BuildCache":null})" "\n");
}

std::string event(const std::string& type, const std::string& action, const std::string& labels) {
  return R"({"Type":")" + type + R"(","Action":")" + action + R"(","Actor":{"ID":"1","Attributes":{)" +
         labels + R"("name":"n"}},"time":1})";
}

TEST(AnswerFilter, Events) {
  const std::string web = event("container", "start", R"("io.dockreeve.team":"web",)");
  const std::string exec =
      event("container", "exec_create: sh -c x", R"("io.dockreeve.team":"data",)");
  const std::string bare = event("container", "start", "");
  const std::string pull = event("image", "pull", "");
  const std::string built = event("image", "tag", R"("io.dockreeve.owner":"alice",)");
  const std::string volume = event("volume", "create", "");
  const std::string odd = R"({"Type":"container","Type":"x"})";
  const std::string none = R"({"Type":"container"})";
  const std::string all = exec + "\n" + web + "\n" + bare + "\n" + pull + "\n" + built + "\n" + volume +
                          "\n" + odd + "\n" + none + "\n7\n";
  EXPECT_EQ(text(scope(AnswerKind::Events), all), web + "\n" + built + "\n");
  EXPECT_EQ(text(scope(AnswerKind::Events, true, true), all), web + "\n" + bare + "\n" + built + "\n");
  EXPECT_EQ(text(scope(AnswerKind::Events), ""), "");
  EXPECT_EQ(text(scope(AnswerKind::Events), web + "\n]"), "BAD");
}

TEST(AnswerFilter, EventsLeaveAsTheyCome) {
  const AnswerScope events = scope(AnswerKind::Events);
  AnswerFilter filter(events);
  const std::string web = event("container", "start", R"("io.dockreeve.team":"web",)");
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(filter.feed(web + "\n" + web.substr(0, 20)));
    EXPECT_EQ(filter.take(), web + "\n");
    ASSERT_TRUE(filter.feed(web.substr(20)));
    EXPECT_EQ(filter.take(), web + "\n");
  }
}

TEST(AnswerFilter, AnObjectThatChangedHandsIsAbsent) {
  EXPECT_EQ(run(scope(AnswerKind::Volume), kData).absent, true);
  EXPECT_EQ(run(scope(AnswerKind::Volume), kNobodys).absent, true);
  EXPECT_EQ(run(scope(AnswerKind::Volume), kWeb), (Outcome{kWeb + "\n", false}));
}

TEST(AnswerFilter, ForeignContainersShowNoEnvironmentAndNoPaths) {
  const std::string body =
      R"({"Id":"3","Config":{"Env":["A=secret","B="],"Labels":{},"Cmd":["x"]},)"
      R"("HostConfig":{"Binds":["/srv/secret:/x:ro","vol:/y"],"Mounts":[{"Type":"bind",)"
      R"("Source":"/srv/secret"},{"Type":"volume","Source":"v","VolumeOptions":{"DriverConfig":)"
      R"({"Options":{"device":"/srv/secret","o":"bind"}}}}],"Memory":1},)"
      R"("Mounts":[{"Type":"bind","Source":"/srv/secret","Destination":"/x"}]})";
  const std::string shown = text(scope(AnswerKind::Container, false), body);
  EXPECT_EQ(shown,
            R"({"Id":"3","Config":{"Env":["A=","B="],"Labels":{},"Cmd":["x"]},)"
            R"("HostConfig":{"Binds":[":/x:ro","vol:/y"],"Mounts":[{"Type":"bind",)"
            R"("Source":""},{"Type":"volume","Source":"v","VolumeOptions":{"DriverConfig":)"
            R"({"Options":{"device":"","o":"bind"}}}}],"Memory":1},)"
            R"("Mounts":[{"Type":"bind","Source":"","Destination":"/x"}]})" "\n");
  EXPECT_EQ(text(scope(AnswerKind::Container, false, true), body), body + "\n");
  EXPECT_EQ(text(scope(AnswerKind::Containers, false),
                 R"([{"Labels":{},"Mounts":[{"Type":"bind","Source":"/srv/x"}]}])"),
            R"([{"Labels":{},"Mounts":[{"Type":"bind","Source":""}]}])" "\n");
  EXPECT_EQ(text(scope(AnswerKind::Volume, false), R"({"Name":"v","Options":{"device":"/srv/x","o":"bind"}})"),
            R"({"Name":"v","Options":{"device":"","o":"bind"}})" "\n");
}

}  // namespace
}  // namespace dockreeve::proxy
