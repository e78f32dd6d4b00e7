// Decoding of every body, case by case: meaning of null, types, ranges, spellings, legacy places.
#include "docker/decode.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "docker/request.h"

namespace dockreeve::docker {
namespace {

// "ok" and what was not known, or "rule pointer: detail".
template <class T>
std::string verdict(const Parsed<T>& parsed, const UnknownFields& unknown = {}) {
  if (!parsed) {
    const Refusal& r = parsed.error();
    EXPECT_EQ(r.status, 400);
    return r.rule + " " + r.pointer + ": " + r.detail;
  }
  std::string text = "ok";
  for (const std::string& pointer : unknown)
    text += " " + pointer;
  return text;
}

std::string create(const std::string& body) {
  UnknownFields unknown;
  const auto parsed = decode_create_container(body, unknown);
  return verdict(parsed, unknown);
}

std::string host(const std::string& fields) {
  return create(R"({"HostConfig":{)" + fields + "}}");
}

// The canonical bytes of a body.
std::string canonical(const std::string& body) {
  UnknownFields unknown;
  const auto parsed = decode_create_container(body, unknown);
  return parsed ? encode(*parsed) : verdict(parsed);
}

struct Case {
  std::string body, want;
};

void expect_all(const std::vector<Case>& cases, std::string (*decide)(const std::string&)) {
  for (const Case& c : cases)
    EXPECT_EQ(decide(c.body), c.want) << c.body;
}

TEST(DecodeCreate, WantsOneObject) {
  expect_all({{"", "ambiguous-request : body is empty"},
              {" \n", "ambiguous-request : body is empty"},
              {"null", "ambiguous-request : must be an object, not null"},
              {"[]", "ambiguous-request : must be an object, not an array"},
              {"\"x\"", "ambiguous-request : must be an object, not a string"},
              {"1", "ambiguous-request : must be an object, not an integer"},
              {"{}", "ok"},
              {"\n\t {} \r\n", "ok"},
              {"{}}", "ambiguous-request : something follows the JSON value at byte 2"},
              {"\xef\xbb\xbf{}", "ambiguous-request : expected a value at byte 0"}},
             create);
}

TEST(DecodeCreate, ReadsEveryKindOfField) {
  UnknownFields unknown;
  const auto parsed = decode_create_container(
      R"({"Image":"app:1","User":"1000","AttachStdout":true,"ExposedPorts":{"80/tcp":{}},
          "Env":["A=1","B"],"Cmd":["sh"],"Healthcheck":{"Test":["CMD","x"],"Interval":5},
          "Volumes":{"/data":{},"/b":null},"Labels":{"k":"v"},"StopTimeout":0,
          "HostConfig":{"Binds":[],"Memory":9007199254740993,"PidsLimit":-1,"ConsoleSize":[24,80],
            "PortBindings":{"80/tcp":[{"HostIp":"","HostPort":"8080"}],"81/tcp":null},
            "LogConfig":{"Type":"json-file","Config":{"max-size":"1m"}},
            "RestartPolicy":{"Name":"no"},"Init":false,
            "Mounts":[{"Type":"volume","Target":"/x","VolumeOptions":{"DriverConfig":{}}}],
            "DeviceRequests":[{"Count":-1,"Capabilities":[["gpu"],[]]}]},
          "NetworkingConfig":{"EndpointsConfig":{"default":null,
            "net":{"IPAMConfig":{"IPv4Address":"10.0.0.2"},"NetworkID":"x","IPPrefixLen":24}}}})",
      unknown);
  ASSERT_TRUE(parsed) << verdict(parsed);
  EXPECT_TRUE(unknown.empty());
  const CreateContainer& c = *parsed;
  EXPECT_EQ(c.image, "app:1");
  EXPECT_TRUE(c.attach_stdout);
  EXPECT_FALSE(c.attach_stdin);
  EXPECT_EQ(c.exposed_ports.count("80/tcp"), 1U);
  EXPECT_EQ(c.env, (std::vector<std::string>{"A=1", "B"}));
  EXPECT_FALSE(c.entrypoint);
  ASSERT_TRUE(c.healthcheck);
  EXPECT_EQ(c.healthcheck->interval, 5);
  EXPECT_EQ(c.volumes.size(), 2U);
  EXPECT_EQ(c.stop_timeout, 0);
  const HostConfig& h = c.host_config;
  EXPECT_EQ(h.binds, std::vector<std::string>{});
  EXPECT_EQ(h.memory, 9007199254740993);
  EXPECT_EQ(h.pids_limit, -1);
  EXPECT_EQ(h.init, false);
  EXPECT_EQ(h.console_size, (std::array<Int, 2>{24, 80}));
  EXPECT_EQ(h.port_bindings.at("80/tcp")->at(0).host_port, "8080");
  EXPECT_FALSE(h.port_bindings.at("81/tcp"));
  EXPECT_EQ(h.log_config.config.at("max-size"), "1m");
  EXPECT_EQ(h.restart_policy.name, "no");
  EXPECT_TRUE(h.mounts->at(0).volume_options->driver_config);
  EXPECT_EQ(h.device_requests->at(0).capabilities->size(), 2U);
  EXPECT_FALSE(c.networking_config.endpoints_config.at("default"));
  EXPECT_EQ(c.networking_config.endpoints_config.at("net")->ipam_config->ipv4_address, "10.0.0.2");
}

TEST(DecodeCreate, NullIsAbsent) {
  EXPECT_EQ(canonical(R"({"Image":null,"Tty":null,"Env":null,"Cmd":null,"Healthcheck":null,
      "Labels":null,"StopTimeout":null,"HostConfig":null,"NetworkingConfig":null})"),
            R"({"HostConfig":{}})");
  EXPECT_EQ(canonical(R"({"HostConfig":{"Memory":null,"Privileged":null,"PidsLimit":null,
      "LogConfig":null,"Mounts":null,"ConsoleSize":null,"RestartPolicy":{"Name":null}},
      "Healthcheck":{"Timeout":null}})"),
            R"({"Healthcheck":{},"HostConfig":{}})");
  // In a map a null leaves the key with the zero value, as in the engine.
  EXPECT_EQ(canonical(R"({"Labels":{"a":null}})"), R"({"Labels":{"a":""},"HostConfig":{}})");
}

TEST(DecodeCreate, RefusesNullInLists) {
  EXPECT_EQ(host(R"("Binds":["/a:/b",null])"),
            "ambiguous-request /HostConfig/Binds/1: null inside a list");
  EXPECT_EQ(host(R"("Mounts":[null])"),
            "ambiguous-request /HostConfig/Mounts/0: null inside a list");
  EXPECT_EQ(host(R"("ConsoleSize":[null,1])"),
            "ambiguous-request /HostConfig/ConsoleSize/0: must be an integer, not null");
}

TEST(DecodeCreate, RefusesWrongTypes) {
  expect_all(
      {{R"("Privileged":"true")",
        "ambiguous-request /HostConfig/Privileged: must be a boolean, not a string"},
       {R"("Privileged":1)",
        "ambiguous-request /HostConfig/Privileged: must be a boolean, not an integer"},
       {R"("Memory":"256m")",
        "ambiguous-request /HostConfig/Memory: must be an integer, not a string"},
       {R"("Memory":1e8)",
        "ambiguous-request /HostConfig/Memory: must be an integer, not a number that is no 64-bit "
        "integer"},
       {R"("Memory":67108864.0)",
        "ambiguous-request /HostConfig/Memory: must be an integer, not a number that is no 64-bit "
        "integer"},
       {R"("Memory":9223372036854775808)",
        "ambiguous-request /HostConfig/Memory: must be an integer, not a number that is no 64-bit "
        "integer"},
       {R"("Binds":"/etc:/x")",
        "ambiguous-request /HostConfig/Binds: must be an array, not a string"},
       {R"("SecurityOpt":"x")",
        "ambiguous-request /HostConfig/SecurityOpt: must be an array, not a string"},
       {R"("Binds":[1])",
        "ambiguous-request /HostConfig/Binds/0: must be a string, not an integer"},
       {R"("Tmpfs":[])", "ambiguous-request /HostConfig/Tmpfs: must be an object, not an array"},
       {R"("PortBindings":{"80/tcp":[{"HostPort":22}]})",
        "ambiguous-request /HostConfig/PortBindings/80~1tcp/0/HostPort: must be a string, not an "
        "integer"},
       {R"("LogConfig":"x")",
        "ambiguous-request /HostConfig/LogConfig: must be an object, not a string"},
       {R"("Mounts":[[]])",
        "ambiguous-request /HostConfig/Mounts/0: must be an object, not an array"},
       {R"("ConsoleSize":[1])",
        "ambiguous-request /HostConfig/ConsoleSize: must have two elements"},
       {R"("NetworkMode":false)",
        "ambiguous-request /HostConfig/NetworkMode: must be a string, not a boolean"}},
      host);
  EXPECT_EQ(create(R"({"Volumes":["/x"]})"),
            "ambiguous-request /Volumes: must be an object, not an array");
  EXPECT_EQ(create(R"({"Volumes":{"/x":1}})"),
            "ambiguous-request /Volumes/~1x: must be an object, not an integer");
  EXPECT_EQ(create(R"({"HostConfig":[]})"),
            "ambiguous-request /HostConfig: must be an object, not an array");
}

TEST(DecodeCreate, KeepsNarrowIntegersInRange) {
  const auto out_of_range = [](const std::string& pointer) {
    return "ambiguous-request /HostConfig/" + pointer + ": integer out of range";
  };
  expect_all(
      {{R"("BlkioWeight":65535)", "ok"},
       {R"("BlkioWeight":65536)", out_of_range("BlkioWeight")},
       {R"("BlkioWeight":-1)", out_of_range("BlkioWeight")},
       {R"("BlkioWeightDevice":[{"Weight":70000}])", out_of_range("BlkioWeightDevice/0/Weight")},
       {R"("BlkioDeviceReadBps":[{"Rate":-1}])", out_of_range("BlkioDeviceReadBps/0/Rate")},
       {R"("ConsoleSize":[0,-1])", out_of_range("ConsoleSize/1")},
       {R"("IOMaximumIOps":-1)", out_of_range("IOMaximumIOps")},
       {R"("Mounts":[{"TmpfsOptions":{"Mode":4294967296}}])",
        out_of_range("Mounts/0/TmpfsOptions/Mode")},
       {R"("Mounts":[{"TmpfsOptions":{"Mode":4294967295}}])", "ok"},
       {R"("Memory":-9223372036854775808,"OomScoreAdj":-1000)", "ok"}},
      host);
}

TEST(DecodeCreate, TakesOneBareStringWhereTheEngineDoes) {
  EXPECT_EQ(canonical(R"({"Cmd":"echo hi","Entrypoint":"","Shell":"sh",
                          "HostConfig":{"CapAdd":"SYS_ADMIN","CapDrop":"ALL"}})"),
            R"({"Cmd":["echo hi"],"Entrypoint":[""],"Shell":["sh"],)"
            R"("HostConfig":{"CapAdd":["SYS_ADMIN"],"CapDrop":["ALL"]}})");
  EXPECT_EQ(create(R"({"Env":"A=1"})"), "ambiguous-request /Env: must be an array, not a string");
  EXPECT_EQ(create(R"({"OnBuild":"x"})"),
            "ambiguous-request /OnBuild: must be an array, not a string");
}

TEST(DecodeCreate, RefusesOtherSpellings) {
  expect_all(
      {{R"({"image":"x"})", "ambiguous-request /image: key is another spelling of `Image`"},
       {"{\"Ho\u017ftConfig\":{}}",
        "ambiguous-request /Ho\u017ftConfig: key is another spelling of `HostConfig`"},
       {R"({"Ho\u017ftConfig":{}})",
        "ambiguous-request /Ho\u017ftConfig: key is another spelling of `HostConfig`"},
       {"{\"HostConfig\":{\"Networ\u212aMode\":null}}",
        "ambiguous-request /HostConfig/Networ\u212aMode: key is another spelling of `NetworkMode`"},
       {R"({"HostConfig":{"Mounts":[{"source":"/etc"}]}})",
        "ambiguous-request /HostConfig/Mounts/0/source: key is another spelling of `Source`"},
       {R"({"HostConfig":{"NanoCPUs":0}})",
        "ambiguous-request /HostConfig/NanoCPUs: key is another spelling of `NanoCpus`"},
       {R"({"\u0049mage":"x"})", "ok"}},
      create);
}

TEST(DecodeCreate, RefusesTwoSpellingsOfAnUnknownKey) {
  EXPECT_EQ(create(R"({"wibble":1,"Other":2,"Wibble":3})"),
            "ambiguous-request /Wibble: two spellings of one key");
  EXPECT_EQ(create(R"({"HostConfig":{"wibble":1,"Wibble":3}})"),
            "ambiguous-request /HostConfig/Wibble: two spellings of one key");
  EXPECT_EQ(create(R"({"memory":0,"Memory":0})"),
            "ambiguous-request /Memory: two spellings of one key");
  EXPECT_EQ(create(R"({"Labels":{"wibble":"1","Wibble":"2"}})"), "ok");
}

TEST(DecodeCreate, ReportsAndDropsUnknownKeys) {
  const std::string body =
      R"({"name":"x","authConfig":{"a":[{"b":1}]},"HostConfig":{"LxcConf":[],"Pr)"
      "\u0131"
      R"(vileged":true,"Mounts":[{},{"x/y":0}],"LogConfig":{"z":1}},"Volumes":{"/v":{"Deep":1}},)"
      R"("NetworkingConfig":{"EndpointsConfig":{"n":{"New":1}}}})";
  EXPECT_EQ(create(body),
            "ok /name /authConfig /HostConfig/LxcConf /HostConfig/Pr\u0131vileged "
            "/HostConfig/Mounts/1/x~1y /HostConfig/LogConfig/z /Volumes/~1v/Deep "
            "/NetworkingConfig/EndpointsConfig/n/New");
  EXPECT_EQ(canonical(body), R"({"Volumes":{"/v":{}},"HostConfig":{"Mounts":[{},{}]},)"
                             R"("NetworkingConfig":{"EndpointsConfig":{"n":{}}}})");
}

TEST(DecodeCreate, DoesNotLetUnknownKeysEatMemory) {
  // Every pointer repeats the long name above it.
  std::string body =
      R"({"NetworkingConfig":{"EndpointsConfig":{")" + std::string(20000, 'n') + "\":{";
  for (int i = 0; i < 1000; ++i)
    body += (i > 0 ? ",\"u" : "\"u") + std::to_string(i) + "\":0";
  body += "}}}}";
  UnknownFields unknown;
  const auto parsed = decode_create_container(body, unknown);
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().detail, "too many unknown keys");
  EXPECT_LT(parsed.error().pointer.size(), 600U);
  EXPECT_LT(unknown.size(), 5U);
}

TEST(DecodeCreate, RefusesNulInStrings) {
  expect_all({{R"({"Image":"a\u0000b"})", "ambiguous-request /Image: NUL in a string"},
              {R"({"Env":["A=\u0000"]})", "ambiguous-request /Env/0: NUL in a string"},
              {R"({"Labels":{"k":"\u0000"}})", "ambiguous-request /Labels/k: NUL in a string"},
              {R"({"Cmd":"a\u0000"})", "ambiguous-request /Cmd: NUL in a string"},
              {R"({"HostConfig":{"Binds":["/srv/ok\u0000/../../etc:/x"]}})",
               "ambiguous-request /HostConfig/Binds/0: NUL in a string"},
              {R"({"Labels":{"a\u0000":"x"}})",
               "ambiguous-request /Labels: control character in a key at byte 19"},
              {R"({"Env":["A=\n\u0001"]})", "ok"}},
             create);
}

TEST(DecodeCreate, RefusesHostConfigFieldsAtTheTopLevel) {
  const auto legacy = [](const std::string& key, const std::string& name) {
    return "legacy-toplevel-hostconfig /" + key + ": `" + name + "` belongs inside HostConfig";
  };
  expect_all({{R"({"Privileged":true})", legacy("Privileged", "Privileged")},
              {R"({"Privileged":true,"HostConfig":null})", legacy("Privileged", "Privileged")},
              {R"({"Memory":67108864,"HostConfig":{}})", legacy("Memory", "Memory")},
              {R"({"privileged":true})", legacy("privileged", "Privileged")},
              {"{\"Networ\u212aMode\":\"host\"}", legacy("Networ\u212aMode", "NetworkMode")},
              {R"({"Cpuset":"0","HostConfig":{}})", legacy("Cpuset", "Cpuset")},
              {R"({"cpuset":"0"})", legacy("cpuset", "Cpuset")},
              {R"({"Binds":[null]})", legacy("Binds", "Binds")},
              {R"({"Memory":0.0})", legacy("Memory", "Memory")},
              {R"({"PortBindings":{"80/tcp":null}})", legacy("PortBindings", "PortBindings")},
              {R"({"VolumesFrom":[],"Privileged":false,"Memory":0,"CpusetCpus":"","Tmpfs":{},)"
               R"("PidMode":null,"Cpuset":"","dns":[]})",
               "ok"},
              {R"({"MacAddress":"02:42:ac:11:00:02"})", "ok"}},
             create);
}

TEST(Encode, IsCanonical) {
  EXPECT_EQ(canonical("{}"), R"({"HostConfig":{}})");
  EXPECT_EQ(canonical(R"({"NetworkingConfig":{"EndpointsConfig":{}},"Labels":{},"Cmd":[]})"),
            R"({"Cmd":[],"HostConfig":{}})");
  EXPECT_EQ(canonical(R"({"NetworkingConfig":{"EndpointsConfig":{"default":null}}})"),
            R"({"HostConfig":{},"NetworkingConfig":{"EndpointsConfig":{"default":null}}})");
  EXPECT_EQ(canonical(R"({"HostConfig":{"MaskedPaths":[],"PidsLimit":0,"OomKillDisable":false,
                          "MemorySwappiness":-1,"LogConfig":{"Type":"","Config":{}}},
                          "Tty":true,"Image":"a"})"),
            R"({"Tty":true,"Image":"a","HostConfig":{"MemorySwappiness":-1,)"
            R"("OomKillDisable":false,"PidsLimit":0,"MaskedPaths":[]}})");
  EXPECT_EQ(canonical(R"({"Labels":{"z":"1","a":"\"\n"},"Env":["\u00e9"]})"),
            "{\"Env\":[\"\u00e9\"],\"Labels\":{\"a\":\"\\\"\\n\",\"z\":\"1\"},\"HostConfig\":{}}");
}

// Decoder and encoder of a smaller body as one step.
template <class T>
std::string through(Parsed<T> (*decode)(std::string, UnknownFields&), const std::string& body) {
  UnknownFields unknown;
  const Parsed<T> parsed = decode(body, unknown);
  if (!parsed) return verdict(parsed);
  std::string text = encode(*parsed);
  for (const std::string& pointer : unknown)
    text += " " + pointer;
  return text;
}

TEST(DecodeExec, CreateAndStart) {
  const auto exec = [](const std::string& body) { return through(&decode_exec_create, body); };
  expect_all({{"", "ambiguous-request : body is empty"},
              {"null", "ambiguous-request : must be an object, not null"},
              {R"({"Cmd":["id"],"Container":"abc","AttachStdout":true,"Tty":false,"User":""})",
               R"({"AttachStdout":true,"Cmd":["id"]})"},
              {R"({"Cmd":"id"})", "ambiguous-request /Cmd: must be an array, not a string"},
              {R"({"privileged":true})",
               "ambiguous-request /privileged: key is another spelling of `Privileged`"},
              {R"({"ConsoleSize":[0,0],"X":1})", R"({"ConsoleSize":[0,0]} /X)"},
              {R"({"ConsoleSize":null})", "{}"}},
             exec);
  const auto start = [](const std::string& body) { return through(&decode_exec_start, body); };
  expect_all({{" ", "ambiguous-request : body is empty"},
              {"{}", "{}"},
              {R"({"Detach":false,"Tty":true,"hijack":true,"stdin":true})", R"({"Tty":true})"},
              {R"({"Tty":true,"ConsoleSize":[24,80]})", R"({"Tty":true,"ConsoleSize":[24,80]})"},
              {R"({"tty":true})", "ambiguous-request /tty: key is another spelling of `Tty`"}},
             start);
}

TEST(DecodeUpdate, TakesOnlyWhatItCanJudge) {
  const auto update = [](const std::string& body) { return through(&decode_update, body); };
  expect_all(
      {{"", "ambiguous-request : body is empty"},
       {R"({"Memory":1,"PidsLimit":0,"RestartPolicy":{"Name":"always"},"CpuShares":0})",
        R"({"Memory":1,"PidsLimit":0,"RestartPolicy":{"Name":"always"}})"},
       {R"({"Devices":[],"Ulimits":null,"CgroupParent":"","CpuCount":0,"BlkioWeightDevice":[]})",
        "{}"},
       {R"({"Devices":[{"PathOnHost":"/dev/kmsg"}]})",
        "ambiguous-request /Devices: cannot be set by this request"},
       {R"({"BlkioDeviceReadBps":[{}]})",
        "ambiguous-request /BlkioDeviceReadBps: cannot be set by this request"},
       {R"({"CgroupParent":"/"})",
        "ambiguous-request /CgroupParent: cannot be set by this request"},
       {R"({"pidslimit":-1})",
        "ambiguous-request /pidslimit: key is another spelling of `PidsLimit`"},
       {R"({"PidsLimit":1,"PidsLimit":null})", "ambiguous-request /PidsLimit: key given twice"},
       {R"({"BlkioWeight":65536})", "ambiguous-request /BlkioWeight: integer out of range"},
       {R"({"HostConfig":{"Privileged":true}})", "{} /HostConfig"}},
      update);
}

TEST(DecodeVolume, RefusesClusterVolumes) {
  const auto volume = [](const std::string& body) { return through(&decode_volume_create, body); };
  expect_all({{"", "ambiguous-request : body is empty"},
              {"{}", "{}"},
              {R"({"Name":"v","Driver":"local","DriverOpts":{"type":"tmpfs"},"Labels":{}})",
               R"({"Name":"v","Driver":"local","DriverOpts":{"type":"tmpfs"}})"},
              {R"({"ClusterVolumeSpec":null})", "{}"},
              {R"({"ClusterVolumeSpec":{}})",
               "ambiguous-request /ClusterVolumeSpec: cluster volumes are not supported"},
              {R"({"driveropts":{}})",
               "ambiguous-request /driveropts: key is another spelling of `DriverOpts`"}},
             volume);
}

Parsed<Request> request_with(Body kind, const std::string& body,
                             std::string_view name = "container.stop") {
  static Route route;
  route = Route{};
  route.name = name;
  route.body = kind;
  Target target;
  target.route = &route;
  target.id = "abc";
  return decode_request(target, body);
}

TEST(DecodeRequest, BodilessRoutesTakeNothing) {
  for (const char* body : {"", " \n", "{}", " { } ", "null"}) {
    for (const char* name : {"container.stop", "container.start"}) {
      const auto request = request_with(Body::None, body, name);
      ASSERT_TRUE(request) << body;
      EXPECT_EQ(encode_body(*request), "");
      EXPECT_EQ(request->target.id, "abc");
    }
  }
  for (const char* body : {R"({"Binds":[]})", "[]", "0", "x", "{}{}"}) {
    EXPECT_EQ(request_with(Body::None, body, "container.start").error().rule, "legacy-start-body");
    EXPECT_EQ(verdict(request_with(Body::None, body)),
              "ambiguous-request : this request takes no body");
  }
}

TEST(DecodeRequest, IgnoredBodiesMustStillBeObjects) {
  for (const char* body : {"", "{}", "null", R"({"stream":true,"hijack":true})"}) {
    const auto request = request_with(Body::Ignored, body);
    ASSERT_TRUE(request) << body;
    EXPECT_EQ(encode_body(*request), "");
  }
  EXPECT_EQ(verdict(request_with(Body::Ignored, "[]")), "ambiguous-request : must be an object");
  EXPECT_EQ(request_with(Body::Ignored, R"({"a":1,"a":2})").error().pointer, "/a");
}

TEST(DecodeRequest, ClosesRoutesThatCannotBeRead) {
  const auto request = request_with(Body::Undecoded, "", "service.create");
  ASSERT_FALSE(request);
  EXPECT_EQ(request.error().status, 403);
  EXPECT_EQ(request.error().rule, "unknown-endpoint");
  EXPECT_EQ(request.error().pointer, "path");
  EXPECT_NE(request.error().detail.find("service.create"), std::string::npos);
}

TEST(DecodeRequest, NeverLosesAStream) {
  EXPECT_TRUE(request_with(Body::Opaque, ""));
  EXPECT_FALSE(request_with(Body::Opaque, "x"));
}

TEST(DecodeRequest, DecodesByKind) {
  const auto created = request_with(Body::Create, R"({"Image":"a","X":1})");
  ASSERT_TRUE(created);
  EXPECT_EQ(created->body_as<CreateContainer>()->image, "a");
  EXPECT_EQ(created->unknown, (UnknownFields{"/X"}));
  EXPECT_EQ(encode_body(*created), R"({"Image":"a","HostConfig":{}})");
  EXPECT_TRUE(request_with(Body::ExecCreate, "{}")->body_as<ExecCreate>());
  EXPECT_TRUE(request_with(Body::ExecStart, "{}")->body_as<ExecStart>());
  EXPECT_TRUE(request_with(Body::Update, "{}")->body_as<UpdateContainer>());
  EXPECT_TRUE(request_with(Body::VolumeCreate, "{}")->body_as<VolumeCreate>());
  EXPECT_EQ(verdict(request_with(Body::Create, "")), "ambiguous-request : body is empty");
}

}  // namespace
}  // namespace dockreeve::docker
