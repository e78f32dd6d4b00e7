// See canned_answers.h.
#include "bench/src/canned_answers.h"

#include <cstddef>
#include <cstdio>
#include <string_view>

namespace bench {
namespace {

constexpr std::size_t kChunk = 32 * 1024;
constexpr std::size_t kMebibyte = 1 << 20;
constexpr int kListed = 13;  // containers; makes the list 12 KB
constexpr int kMany = 500;   // of a busy shared host, every tenth of them team bench's
constexpr std::string_view kEngineHeaders =
    "Api-Version: 1.41\r\nDocker-Experimental: false\r\nOstype: linux\r\n"
    "Server: Docker/20.10.24 (linux)\r\nDate: Sun, 01 Nov 2026 12:00:00 GMT\r\n";
// What `docker cp` reads: base64 of a JSON object about a folder.
constexpr std::string_view kPathStat =
    "eyJuYW1lIjoiLyIsInNpemUiOjQwOTYsIm1vZGUiOjIxNDc0ODQxNDEsIm10aW1lIjoiMjAyNi0xMS0wMVQxMjowMDow"
    "MFoiLCJsaW5rVGFyZ2V0IjoiIn0=";

// In these, @ is an id of 64 digits and # the number of the container.
constexpr std::string_view kVersion = R"({"Version":"20.10.24","ApiVersion":"1.41",
"MinAPIVersion":"1.12","GitCommit":"5d6db84","GoVersion":"go1.19.8","Os":"linux","Arch":"amd64"}
)";
constexpr std::string_view kInfo = R"({"ID":"BENCH","Containers":13,"Images":3,"Driver":"overlay2",
"LoggingDriver":"json-file","CgroupDriver":"systemd","CgroupVersion":"2","NCPU":2,"Name":"bench",
"ServerVersion":"20.10.24","OSType":"linux","Architecture":"x86_64","DefaultRuntime":"runc",
"Runtimes":{"runc":{"path":"runc"}},"SecurityOptions":["name=apparmor","name=seccomp,profile=default"]}
)";
constexpr std::string_view kContainer = R"({"Id":"@","Created":"2026-11-01T10:00:00Z","Path":"sh",
"Args":[],"State":{"Status":"running","Running":true,"Pid":4321},"Image":"sha256:@","Name":"/bench",
"HostConfig":{"Binds":null,"NetworkMode":"default","Privileged":false,"CapAdd":null,"PidMode":"",
"IpcMode":"private"},"Mounts":[],"Config":{"User":"1000","Tty":false,"Labels":{},
"Image":"registry.test/team/worker:2.1.0"},"NetworkSettings":{"Networks":{}}}
)";
constexpr std::string_view kImage =
    R"({"Id":"sha256:@","RepoTags":["registry.test/team/worker:2.1.0"],
"RepoDigests":["registry.test/team/worker@sha256:@"],"Created":"2026-10-20T10:00:00Z",
"Config":{"User":"1000","Env":["PATH=/usr/bin"],"Labels":{}},"Architecture":"amd64","Os":"linux",
"RootFS":{"Type":"layers","Layers":["sha256:@"]}}
)";
constexpr std::string_view kNetwork =
    R"({"Name":"bridge","Id":"@","Scope":"local","Driver":"bridge",
"Labels":{},"Options":{}}
)";
constexpr std::string_view kExec = R"({"ID":"@","Running":false,"ContainerID":"@","ProcessConfig":
{"privileged":false,"user":"1000","entrypoint":"sh","arguments":[]}}
)";
constexpr std::string_view kListEntry = R"({"Id":"@","Names":["/app-worker-#"],
"Image":"registry.test/team/worker:2.#.0","ImageID":"sha256:@","Created":1700000000,
"Command":"/usr/local/bin/worker --queue jobs --verbose","Ports":[{"IP":"127.0.0.1",
"PrivatePort":8080,"PublicPort":20000,"Type":"tcp"}],"Labels":{"com.docker.compose.project":"app",
"com.docker.compose.service":"worker","maintainer":"team-#"},"State":"running","Status":"Up 2 hours",
"HostConfig":{"NetworkMode":"app_default"},"NetworkSettings":{"Networks":{"app_default":
{"IPAMConfig":null,"Links":null,"Aliases":null,"NetworkID":"@","Gateway":"172.20.0.1",
"IPAddress":"172.20.0.9","IPPrefixLen":16,"MacAddress":"02:42:ac:14:00:0a"}}},"Mounts":[{"Type":
"volume","Name":"work-#","Source":"","Destination":"/data","Driver":"local","Mode":"z","RW":true}]})";

std::string hex(std::size_t number) {
  char text[20];
  std::snprintf(text, sizeof text, "%zx", number);
  return text;
}

std::string filled(std::string_view form, char digit, int number) {
  std::string text;
  for (const char c : form) {
    if (c == '@') {
      text.append(64, digit);
    } else if (c == '#') {
      text += std::to_string(number);
    } else {
      text += c;
    }
  }
  return text;
}

std::string filled(std::string_view form) {
  return filled(form, 'c', 0);
}

std::string answer(std::string_view status, std::string_view type, std::string_view body) {
  std::string text = "HTTP/1.1 ";
  text.append(status).append("\r\n").append(kEngineHeaders);
  text.append("Content-Type: ").append(type).append("\r\nContent-Length: ");
  text.append(std::to_string(body.size())).append("\r\n\r\n").append(body);
  return text;
}

// The labels that dockreeve would have put on a container of `team`.
std::string owned(std::string entry, const std::string& team) {
  constexpr std::string_view kLabels = "\"Labels\":{";
  entry.insert(entry.find(kLabels) + kLabels.size(),
               "\"io.dockreeve.decision\":\"01M82GK6RJRCN7T53338EQNGCY\",\"io.dockreeve.owner\":\"ci-" + team +
                   "\",\"io.dockreeve.team\":\"" + team + "\",");
  return entry;
}

std::string container_list(bool many) {
  std::string body = "[";
  for (int i = 0; i < (many ? kMany : kListed); ++i) {
    body += i == 0 ? "" : ",";
    const std::string entry = filled(kListEntry, "0123456789abcdef"[i % 16], i);
    body += many ? owned(entry, i % 10 == 0 ? "bench" : "other") : entry;
  }
  body += "]\n";
  std::string text = "HTTP/1.1 200 OK\r\n";
  text.append(kEngineHeaders);
  text.append("Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n");
  return text + hex(body.size()) + "\r\n" + body + "\r\n0\r\n\r\n";
}

}  // namespace

std::string json_answer(const std::string& status, const std::string& body) {
  return answer(status, "application/json", body);
}

CannedAnswers::CannedAnswers(bool many) {
  ping = answer("200 OK", "text/plain; charset=utf-8", "OK");
  ping_head = ping.substr(0, ping.size() - 2);
  version = json_answer("200 OK", filled(kVersion));
  info = json_answer("200 OK", filled(kInfo));
  list = container_list(many);
  created = json_answer("201 Created", filled("{\"Id\":\"@\",\"Warnings\":[]}\n"));
  exec_created = json_answer("201 Created", filled("{\"Id\":\"@\"}\n"));
  container = json_answer("200 OK", filled(kContainer));
  image = json_answer("200 OK", filled(kImage));
  network = json_answer("200 OK", filled(kNetwork));
  exec = json_answer("200 OK", filled(kExec));
  empty = answer("200 OK", "text/plain; charset=utf-8", "");
  not_found = json_answer("404 Not Found", "{\"message\":\"page not found\"}\n");
  upgraded =
      "HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\n"
      "Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n";
  std::string archive_head = "HTTP/1.1 200 OK\r\n";
  archive_head.append(kEngineHeaders).append("Content-Type: application/x-tar\r\n");
  archive_head.append("X-Docker-Container-Path-Stat: ").append(kPathStat).append("\r\n");
  archive = archive_head + "Transfer-Encoding: chunked\r\n\r\n";
  archive_stat = archive_head + "Content-Length: 0\r\n\r\n";

  std::string data(kChunk, '\0');
  for (std::size_t i = 0; i < data.size(); ++i) {
    data[i] = static_cast<char>((i * 2654435761U) >> 13);
  }
  for (std::size_t sent = 0; sent < kMebibyte; sent += kChunk) {
    mebibyte += hex(kChunk) + "\r\n" + data + "\r\n";
  }
}

}  // namespace bench
