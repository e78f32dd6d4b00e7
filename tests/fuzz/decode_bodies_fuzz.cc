// The smaller bodies through decode_request; the first byte of the input picks the route's kind.
#include <nlohmann/json.hpp>

#include <cstdint>
#include <cstdlib>
#include <string>

#include "docker/request.h"

namespace {

using namespace dockreeve::docker;

void require(bool fact) {
  if (!fact) std::abort();
}

const Route& route_for(std::uint8_t letter) {
  static const auto make = [](Body body, std::string_view name) {
    Route route{};
    route.name = name;
    route.body = body;
    return route;
  };
  static const Route kExec = make(Body::ExecCreate, "exec.create");
  static const Route kStart = make(Body::ExecStart, "exec.start");
  static const Route kUpdate = make(Body::Update, "container.update");
  static const Route kVolume = make(Body::VolumeCreate, "volume.create");
  static const Route kAuth = make(Body::Auth, "system.auth");
  static const Route kNetwork = make(Body::NetworkCreate, "network.create");
  static const Route kConnect = make(Body::NetworkConnect, "network.connect");
  static const Route kDisconnect = make(Body::NetworkDisconnect, "network.disconnect");
  static const Route kCommit = make(Body::Commit, "commit");
  static const Route kService = make(Body::Service, "service.create");
  static const Route kIgnored = make(Body::Ignored, "container.attach");
  static const Route kNone = make(Body::None, "container.start");
  switch (letter) {
    case 'e':
      return kExec;
    case 's':
      return kStart;
    case 'u':
      return kUpdate;
    case 'v':
      return kVolume;
    case 'a':
      return kAuth;
    case 'n':
      return kNetwork;
    case 'c':
      return kConnect;
    case 'd':
      return kDisconnect;
    case 'm':
      return kCommit;
    case 'w':
      return kService;
    case 'i':
      return kIgnored;
    default:
      return kNone;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  Target target;
  target.route = &route_for(data[0]);
  target.query = {{"container", "web"}};
  const std::string body(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto request = decode_request(target, body);
  if (!request) {
    require(!request.error().rule.empty() && !request.error().detail.empty());
    return 0;
  }
  const std::string bytes = encode_body(*request);
  if (target.route->body == Body::None || target.route->body == Body::Ignored) {
    require(bytes.empty());
    return 0;
  }
  require(nlohmann::json::accept(bytes));
  const auto again = decode_request(target, bytes);
  require(again.has_value() && again->unknown.empty());
  require(again->body == request->body);
  require(encode_body(*again) == bytes);
  return 0;
}
