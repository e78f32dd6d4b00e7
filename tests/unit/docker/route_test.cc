#include "docker/route.h"

#include <gtest/gtest.h>

#include <array>
#include <gmock/gmock.h>
#include <set>
#include <string>
#include <vector>

namespace dockreeve::docker {
namespace {

const std::string kExec(64, 'e');

struct Line {
  Method method;
  std::string target;
  std::string_view name;
};

// What the engine's router registers (API 1.56, and the routes of 20.10 that are gone since).
std::vector<Line> engine_routes() {
  using enum Method;
  return {
      {Get, "/_ping", "system.ping"},
      {Head, "/_ping", "system.ping"},
      {Get, "/version", "system.version"},
      {Get, "/info", "system.info"},
      {Get, "/events", "system.events"},
      {Get, "/system/df", "system.df"},
      {Post, "/auth", "system.auth"},
      {Get, "/containers/json", "container.list"},
      {Post, "/containers/create", "container.create"},
      {Get, "/containers/web/json", "container.inspect"},
      {Get, "/containers/web/top", "container.top"},
      {Get, "/containers/web/logs", "container.logs"},
      {Get, "/containers/web/changes", "container.changes"},
      {Get, "/containers/web/export", "container.export"},
      {Get, "/containers/web/stats", "container.stats"},
      {Post, "/containers/web/resize", "container.resize"},
      {Post, "/containers/web/start", "container.start"},
      {Post, "/containers/web/stop", "container.stop"},
      {Post, "/containers/web/restart", "container.restart"},
      {Post, "/containers/web/kill", "container.kill"},
      {Post, "/containers/web/update", "container.update"},
      {Post, "/containers/web/rename", "container.rename"},
      {Post, "/containers/web/pause", "container.pause"},
      {Post, "/containers/web/unpause", "container.unpause"},
      {Post, "/containers/web/attach", "container.attach"},
      {Get, "/containers/web/attach/ws", "container.attach_ws"},
      {Post, "/containers/web/wait", "container.wait"},
      {Delete, "/containers/web", "container.remove"},
      {Head, "/containers/web/archive", "container.archive_head"},
      {Get, "/containers/web/archive", "container.archive_get"},
      {Put, "/containers/web/archive", "container.archive_put"},
      {Post, "/containers/prune", "container.prune"},
      {Post, "/containers/web/copy", "container.copy"},
      {Post, "/containers/web/exec", "container.exec"},
      {Post, "/exec/" + kExec + "/start", "exec.start"},
      {Post, "/exec/" + kExec + "/resize", "exec.resize"},
      {Get, "/exec/" + kExec + "/json", "exec.inspect"},
      {Get, "/containers/web/checkpoints", "container.checkpoint_list"},
      {Post, "/containers/web/checkpoints", "container.checkpoint_create"},
      {Delete, "/containers/web/checkpoints/cp1", "container.checkpoint_delete"},
      {Get, "/images/json", "image.list"},
      {Get, "/images/search", "image.search"},
      {Get, "/images/busybox:local/json", "image.inspect"},
      {Get, "/images/busybox/history", "image.history"},
      {Get, "/images/busybox/attestations", "image.attestations"},
      {Get, "/images/busybox/get", "image.save"},
      {Get, "/images/get", "image.save_all"},
      {Post, "/images/create", "image.create"},
      {Post, "/images/load", "image.load"},
      {Post, "/images/busybox/tag", "image.tag"},
      {Post, "/images/busybox/push", "image.push"},
      {Delete, "/images/busybox", "image.remove"},
      {Post, "/images/prune", "image.prune"},
      {Get, "/distribution/busybox/json", "distribution.inspect"},
      {Post, "/commit", "commit"},
      {Post, "/build", "build"},
      {Post, "/build/prune", "build.prune"},
      {Post, "/build/cancel", "build.cancel"},
      {Post, "/session", "session"},
      {Post, "/grpc", "grpc"},
      {Get, "/networks", "network.list"},
      {Get, "/networks/appnet", "network.inspect"},
      {Post, "/networks/create", "network.create"},
      {Post, "/networks/appnet/connect", "network.connect"},
      {Post, "/networks/appnet/disconnect", "network.disconnect"},
      {Delete, "/networks/appnet", "network.remove"},
      {Post, "/networks/prune", "network.prune"},
      {Get, "/volumes", "volume.list"},
      {Get, "/volumes/data", "volume.inspect"},
      {Post, "/volumes/create", "volume.create"},
      {Put, "/volumes/data", "volume.update"},
      {Delete, "/volumes/data", "volume.remove"},
      {Post, "/volumes/prune", "volume.prune"},
      {Get, "/plugins", "plugin.list"},
      {Get, "/plugins/privileges", "plugin.privileges"},
      {Get, "/plugins/vieux/sshfs:latest/json", "plugin.inspect"},
      {Post, "/plugins/pull", "plugin.pull"},
      {Post, "/plugins/create", "plugin.create"},
      {Post, "/plugins/vieux/sshfs/enable", "plugin.enable"},
      {Post, "/plugins/sshfs/disable", "plugin.disable"},
      {Post, "/plugins/sshfs/upgrade", "plugin.upgrade"},
      {Post, "/plugins/sshfs/set", "plugin.set"},
      {Post, "/plugins/sshfs/push", "plugin.push"},
      {Delete, "/plugins/sshfs", "plugin.remove"},
      {Get, "/swarm", "swarm.inspect"},
      {Get, "/swarm/unlockkey", "swarm.unlockkey"},
      {Post, "/swarm/init", "swarm.init"},
      {Post, "/swarm/join", "swarm.join"},
      {Post, "/swarm/leave", "swarm.leave"},
      {Post, "/swarm/update", "swarm.update"},
      {Post, "/swarm/unlock", "swarm.unlock"},
      {Get, "/services", "service.list"},
      {Get, "/services/svc", "service.inspect"},
      {Post, "/services/create", "service.create"},
      {Post, "/services/svc/update", "service.update"},
      {Delete, "/services/svc", "service.remove"},
      {Get, "/services/svc/logs", "service.logs"},
      {Get, "/nodes", "node.list"},
      {Get, "/nodes/n1", "node.inspect"},
      {Post, "/nodes/n1/update", "node.update"},
      {Delete, "/nodes/n1", "node.remove"},
      {Get, "/tasks", "task.list"},
      {Get, "/tasks/t1", "task.inspect"},
      {Get, "/tasks/t1/logs", "task.logs"},
      {Get, "/secrets", "secret.list"},
      {Get, "/secrets/s1", "secret.inspect"},
      {Post, "/secrets/create", "secret.create"},
      {Post, "/secrets/s1/update", "secret.update"},
      {Delete, "/secrets/s1", "secret.remove"},
      {Get, "/configs", "config.list"},
      {Get, "/configs/c1", "config.inspect"},
      {Post, "/configs/create", "config.create"},
      {Post, "/configs/c1/update", "config.update"},
      {Delete, "/configs/c1", "config.remove"},
      {Get, "/debug/vars", "debug"},
      {Get, "/debug/pprof/", "debug"},
      {Get, "/debug/pprof/heap", "debug"},
      {Head, "/debug/vars", "debug"},
      {Post, "/debug/pprof/symbol", "debug"},
      {Put, "/debug/vars", "debug"},
      {Delete, "/debug/vars", "debug"},
  };
}

std::string rule_of(Method method, std::string_view target) {
  const Parsed<Target> parsed = classify(method, target);
  return parsed ? "route " + std::string(parsed->route->name) : parsed.error().rule;
}

TEST(Route, EveryEngineRouteHasItsRowWithAndWithoutVersion) {
  std::set<const Route*> reached;
  for (const Line& line : engine_routes()) {
    for (const std::string prefix : {"", "/v1.24", "/v1.41", "/v1.56"}) {
      const Parsed<Target> parsed = classify(line.method, prefix + line.target);
      ASSERT_TRUE(parsed) << prefix << line.target << ": " << parsed.error().detail;
      EXPECT_EQ(parsed->route->name, line.name) << line.target;
      EXPECT_EQ(parsed->route->method, line.method);
      reached.insert(parsed->route);
    }
  }
  for (const Route& route : routes()) {
    EXPECT_TRUE(reached.contains(&route))
        << "no example for " << name(route.method) << " " << route.pattern;
  }
}

TEST(Route, RowsSayThingsThatFitTogether) {
  const std::set<std::string_view> types{"text", "bool", "int", "filters", "list", "refused"};
  for (const Route& route : routes()) {
    SCOPED_TRACE(route.pattern);
    if (route.method == Method::Get || route.method == Method::Head) {
      EXPECT_EQ(route.body, Body::None);
    }
    EXPECT_TRUE(route.body != Body::Undecoded || route.access == Access::Closed);
    EXPECT_EQ(route.strict_query, route.name.ends_with(".prune"));
    std::string_view spec = route.query;
    for (const ParamSpec& param : param_specs(route)) {
      ASSERT_TRUE(spec.starts_with(param.name));
      spec.remove_prefix(param.name.size() + 1);
      const std::string_view type = spec.substr(0, spec.find(' '));
      EXPECT_TRUE(types.contains(type)) << type;
      spec.remove_prefix(std::min(type.size() + 1, spec.size()));
    }
    EXPECT_TRUE(spec.empty());
  }
}

TEST(Route, OpensExactlyTheRoutesOfThisRelease) {
  const std::set<std::string_view> open{"system.ping",
                                        "system.version",
                                        "system.info",
                                        "system.events",
                                        "system.df",
                                        "container.prune",
                                        "image.prune",
                                        "network.prune",
                                        "volume.prune",
                                        "build.prune",
                                        "container.list",
                                        "container.create",
                                        "container.inspect",
                                        "container.top",
                                        "container.logs",
                                        "container.changes",
                                        "container.export",
                                        "container.stats",
                                        "container.resize",
                                        "container.start",
                                        "container.stop",
                                        "container.restart",
                                        "container.kill",
                                        "container.update",
                                        "container.rename",
                                        "container.pause",
                                        "container.unpause",
                                        "container.attach",
                                        "container.wait",
                                        "container.remove",
                                        "container.archive_head",
                                        "container.archive_get",
                                        "container.archive_put",
                                        "container.exec",
                                        "exec.start",
                                        "exec.resize",
                                        "exec.inspect",
                                        "image.list",
                                        "image.inspect",
                                        "image.history",
                                        "image.create",
                                        "image.load",
                                        "build",
                                        "image.save",
                                        "image.save_all",
                                        "image.attestations",
                                        "image.tag",
                                        "image.push",
                                        "image.remove",
                                        "network.list",
                                        "network.inspect",
                                        "network.create",
                                        "network.connect",
                                        "network.disconnect",
                                        "network.remove",
                                        "commit",
                                        "volume.list",
                                        "volume.inspect",
                                        "volume.create",
                                        "volume.remove"};
  for (const Route& route : routes()) {
    const bool by_itself = route.access != Access::Closed && route.access != Access::OptIn;
    EXPECT_EQ(by_itself, open.contains(route.name)) << route.name;
  }
}

TEST(Route, LeavesTheseToAnAdministrator) {
  const std::set<std::string_view> opt_in{
      "system.auth",  "container.attach_ws", "session",
      "grpc",         "image.search",        "distribution.inspect",
      "build.cancel", "plugin.list",         "plugin.inspect",
      "service.list", "service.inspect",     "service.remove",
      "service.create", "service.update",
      "service.logs", "node.list",           "node.inspect",
      "task.list",    "task.inspect",        "task.logs",
      "secret.list",  "secret.inspect",      "secret.remove",
      "config.list",  "config.inspect",      "config.remove"};
  for (const Route& route : routes()) {
    EXPECT_EQ(route.access == Access::OptIn, opt_in.contains(route.name)) << route.name;
  }
}

TEST(Route, MethodsAreComparedByteForByte) {
  EXPECT_EQ(parse_method("POST"), Method::Post);
  EXPECT_EQ(parse_method("DELETE"), Method::Delete);
  EXPECT_EQ(name(Method::Head), "HEAD");
  for (const auto* text : {"post", "Post", "PATCH", "OPTIONS", "", "GET "}) {
    EXPECT_FALSE(parse_method(text)) << text;
  }
}

TEST(Route, WhatTheTableLacksIsUnknown) {
  using enum Method;
  const std::vector<std::pair<Method, std::string>> lines{
      {Head, "/containers/json"},
      {Put, "/containers/create"},
      {Get, "/containers/create"},
      {Post, "/containers/json"},
      {Get, "/"},
      {Get, "/v1.41"},
      {Get, "/v1.41/"},
      {Get, "/networks/"},
      {Get, "/containers/json/"},
      {Get, "/Containers/json"},
      {Get, "/V1.41/info"},
      {Get, "/containers/a/b/json"},
      {Get, "/containers/-x/json"},
      {Get, "/containers/a:b/json"},
      {Get, "/volumes/"},
      {Get, "/volumes/a@b"},
      {Get, "/debug"},
      {Get, "/debug/"},
      {Get, "/images/-x/json"},
      {Get, "/images/busybox/json/"},
      {Get, "/libpod/info"},
      {Post, "/v1.41/libpod/containers/create"},
      {Post, "/v4.0.0/libpod/containers/create"},
      {Get, "/containers/" + std::string(256, 'a') + "/json"},
      {Get, "/images/a" + std::string(80, 'b') + "/json/x"}};
  for (const auto& [method, target] : lines) {
    const Parsed<Target> parsed = classify(method, target);
    ASSERT_FALSE(parsed) << target;
    EXPECT_EQ(parsed.error().rule, "unknown-endpoint") << target;
    EXPECT_EQ(parsed.error().status, 403) << target;
    EXPECT_EQ(parsed.error().pointer, "path") << target;
  }
}

TEST(Route, ExecIdsAreWhole) {
  for (const std::string& id :
       {std::string(63, 'e'), std::string(65, 'e'), std::string(64, 'E'), std::string("web")}) {
    const Parsed<Target> parsed = classify(Method::Get, "/exec/" + id + "/json");
    ASSERT_FALSE(parsed) << id;
    EXPECT_EQ(parsed.error().status, 404) << id;
    EXPECT_EQ(parsed.error().rule, "unknown-endpoint") << id;
  }
}

TEST(Route, ReservedWordsAreNames) {
  const auto classified = [](Method method, std::string_view target) {
    const Parsed<Target> parsed = classify(method, target);
    return parsed ? std::string(parsed->route->name) + " " + parsed->id : parsed.error().rule;
  };
  EXPECT_EQ(classified(Method::Get, "/containers/json/json"), "container.inspect json");
  EXPECT_EQ(classified(Method::Post, "/containers/prune/start"), "container.start prune");
  EXPECT_EQ(classified(Method::Post, "/containers/create/exec"), "container.exec create");
  EXPECT_EQ(classified(Method::Delete, "/containers/json"), "container.remove json");
  EXPECT_EQ(classified(Method::Get, "/networks/create"), "network.inspect create");
  EXPECT_EQ(classified(Method::Get, "/volumes/create"), "volume.inspect create");
  EXPECT_EQ(classified(Method::Get, "/images/json/json"), "image.inspect json");
  EXPECT_EQ(classified(Method::Get, "/images/get/get"), "image.save get");
  EXPECT_EQ(classified(Method::Get, "/images/a/json/get"), "image.save a/json");
}

TEST(Route, ImageNamesHoldSlashes) {
  const Parsed<Target> parsed =
      classify(Method::Get, "/v1.41/images/127.0.0.1:5000/team/x@sha256:ab/json");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->id, "127.0.0.1:5000/team/x@sha256:ab");
  EXPECT_EQ(parsed->route->object, Object::Image);
}

TEST(Route, SecondPartsAreKept) {
  const Parsed<Target> parsed = classify(Method::Delete, "/containers/web/checkpoints/cp1");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->id, "web");
  EXPECT_EQ(parsed->id2, "cp1");
}

TEST(Route, VersionsHaveOneSpelling) {
  const Parsed<Target> parsed = classify(Method::Get, "/v1.41/info");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->version.minor, 41);
  EXPECT_EQ(classify(Method::Get, "/info")->version.minor, 0);
  for (const auto* version :
       {"v1.041", "v1.41.0", "v1.41.", "v01.041", "v1.23", "v1.57", "v999.9", "v1", "v1.", "v2.41",
        "v1.4", "v1.411", "v0", "v1.41-foo", "v1.+1", "v1.0041", "v1.12", "v1.041"}) {
    EXPECT_EQ(rule_of(Method::Post, "/" + std::string(version) + "/containers/create"),
              "api-version-range")
        << version;
  }
}

TEST(Route, PathsWithTwoReadingsAreRefused) {
  for (const std::string target : {"/v1.41/%63ontainers/create",
                                   "/v1.41%2fcontainers/create",
                                   "/%76%31%2e%34%31/containers/create",
                                   "/v1.41/containers/creat%65",
                                   "/v1.41//containers/create",
                                   "//containers/create",
                                   "/v1.41/images/../containers/create",
                                   "/./containers/create",
                                   "/containers/..",
                                   "/containers/create;x=1",
                                   "/containers\\create",
                                   "/containers/cre^ate",
                                   "/containers/{id}/json",
                                   "/containers/`a`/json",
                                   "/containers/a|b/json",
                                   "/containers/<a>/json",
                                   "/containers/\"a\"/json",
                                   "http://x/v1.41/containers/create",
                                   "HTTP://x/containers/create",
                                   "foo:/containers/create",
                                   "*",
                                   "",
                                   "containers/create",
                                   "/containers/create#frag",
                                   "/containers/create#?name=x",
                                   "/containers/\xc3\xa9/json",
                                   "/containers/a b/json",
                                   "/containers/a\tb/json",
                                   "/containers/a\x7f/json"}) {
    const Parsed<Target> parsed = classify(Method::Post, target);
    ASSERT_FALSE(parsed) << target;
    EXPECT_EQ(parsed.error().rule, "ambiguous-request") << target;
    EXPECT_EQ(parsed.error().status, 400) << target;
  }
  EXPECT_EQ(rule_of(Method::Get, std::string("/containers/a\0b/json", 20)), "ambiguous-request");
}

TEST(Route, LongTargetsAreRefused) {
  const std::string name(8192 - std::string_view("/containers/create?name=").size(), 'x');
  EXPECT_EQ(rule_of(Method::Post, "/containers/create?name=" + name), "route container.create");
  EXPECT_EQ(rule_of(Method::Post, "/containers/create?name=x" + name), "ambiguous-request");
}

TEST(Route, DeepPathsAreRefusedWhetherOrNotTheyHaveAVersion) {
  std::string deep = "/images";
  for (int i = 0; i < 30; ++i)
    deep += "/a";
  for (const std::string prefix : {"", "/v1.41"}) {
    EXPECT_EQ(rule_of(Method::Get, prefix + deep + "/json"), "route image.inspect");
    EXPECT_EQ(rule_of(Method::Get, prefix + deep + "/a/json"), "unknown-endpoint");
    EXPECT_EQ(rule_of(Method::Get, prefix + deep + deep + "/json"), "unknown-endpoint");
  }
}

TEST(Route, EncodesTheCanonicalTarget) {
  const auto encoded = [](Method method, std::string_view target, int fallback) {
    const Parsed<Target> parsed = classify(method, target);
    return parsed ? encode_target(*parsed, ApiVersion{fallback}) : parsed.error().detail;
  };
  EXPECT_EQ(encoded(Method::Get, "/v1.41/containers/web/json", 44), "/v1.41/containers/web/json");
  EXPECT_EQ(encoded(Method::Get, "/containers/web/json", 44), "/v1.44/containers/web/json");
  EXPECT_EQ(encoded(Method::Get, "/containers/web/json", 0), "/containers/web/json");
  EXPECT_EQ(encoded(Method::Head, "/_ping", 0), "/_ping");
  EXPECT_EQ(encoded(Method::Get, "/debug/pprof/", 0), "/debug/pprof/");
  EXPECT_EQ(encoded(Method::Delete, "/containers/web/checkpoints/cp1", 41),
            "/v1.41/containers/web/checkpoints/cp1");
  EXPECT_EQ(encoded(Method::Get, "/images/127.0.0.1:5000/team/x:1/json", 41),
            "/v1.41/images/127.0.0.1:5000/team/x:1/json");
  EXPECT_EQ(
      encoded(Method::Post, "/containers/create?platform=linux%2Famd64&junk=1&name=%2Fa+b", 41),
      "/v1.41/containers/create?name=%2Fa%20b&platform=linux%2Famd64");
}

TEST(Route, EncodedTargetsReadBackTheSame) {
  for (const Line& line : engine_routes()) {
    const Parsed<Target> once = classify(line.method, line.target);
    ASSERT_TRUE(once);
    const Parsed<Target> twice = classify(line.method, encode_target(*once, ApiVersion{41}));
    ASSERT_TRUE(twice) << line.target;
    EXPECT_EQ(twice->route, once->route);
    EXPECT_EQ(twice->id, once->id);
    EXPECT_EQ(twice->id2, once->id2);
    EXPECT_EQ(twice->version.minor, 41);
  }
}

}  // namespace
}  // namespace dockreeve::docker
