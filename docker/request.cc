// From a routed target and its body to a Request, by the kind of body that the route names.
#include "docker/request.h"

#include <optional>
#include <utility>

#include "base/json.h"
#include "base/text.h"
#include "docker/build_context.h"
#include "docker/host_mount.h"
#include "docker/image_names.h"

namespace dockreeve::docker {
namespace {

constexpr std::uint64_t kMostInMemory = std::uint64_t{256} << 20;

bool is_blank(const std::string& body) {
  return body.find_first_not_of(" \t\r\n") == std::string::npos;
}

// Bodies that say nothing: clients send `{}` and `null` on every POST.
bool says_nothing(std::string body) {
  if (is_blank(body)) return true;
  const auto document = json::Document::parse(std::move(body));
  if (!document) return false;
  const json::Value root = (*document)->root();
  return root.is_null() || (root.is_object() && root.size() == 0);
}

// Whether a body that will be dropped is at least one JSON object.
Parsed<std::monostate> drop_object(std::string body) {
  if (is_blank(body)) return std::monostate();
  const auto document = json::Document::parse(std::move(body));
  if (!document) {
    return tl::unexpected(Refusal::ambiguous(document.error().where, document.error().message));
  }
  const json::Value root = (*document)->root();
  if (!root.is_null() && !root.is_object()) {
    return tl::unexpected(Refusal::ambiguous("", "must be an object"));
  }
  return std::monostate();
}

Refusal body_on_bodiless_route(const Route& route) {
  if (route.name == "container.start") {
    return {400, "legacy-start-body", "",
            "start takes no body; old engines replace the whole HostConfig by it"};
  }
  return Refusal::ambiguous("", "this request takes no body");
}

// What a commit says in its query: the container and the changes to it.
std::optional<Refusal> check_commit(Query& query) {
  for (auto& [key, value] : query) {
    if (key != "container") continue;
    // The engine drops one leading slash of a container's name, and so does this.
    if (value.starts_with('/')) value.erase(0, 1);
  }
  if (!is_object_name(param(query, "container"))) {
    return Refusal::ambiguous("query/container", "cannot be the name of a container");
  }
  if (const auto changes = read_changes(query); !changes) return changes.error();
  return std::nullopt;
}

template <class T>
Parsed<Request> with_body(Request request, Parsed<T> body) {
  if (!body) return tl::unexpected(std::move(body).error());
  request.body = *std::move(body);
  return request;
}

// A whole spooled body in memory. Without one, the request stands for its query.
Parsed<Request> decode_spooled(Target target, const std::string& body) {
  Parsed<Target> checked = check_target(std::move(target));
  if (!checked) return tl::unexpected(std::move(checked).error());
  if (!body.empty()) {
    BodyScan scan(*std::move(checked), kMostInMemory);
    static_cast<void>(scan.feed(body));
    return scan.finish();
  }
  Request request;
  request.target = *std::move(checked);
  return request;
}

}  // namespace

Parsed<Request> decode_request(Target target, std::string body) {
  Request request;
  request.target = std::move(target);
  if (auto names = canonical_image_names(request.target); !names) {
    return tl::unexpected(std::move(names).error());
  }
  const Route& route = request.route();
  UnknownFields unknown;
  Parsed<Request> result;
  switch (body_of(request.target)) {
    case Body::None:
      if (!says_nothing(std::move(body))) return tl::unexpected(body_on_bodiless_route(route));
      return request;
    case Body::Ignored:
      return with_body(std::move(request), drop_object(std::move(body)));
    case Body::Create: {
      auto& create = request.body.emplace<CreateContainer>();
      if (auto refusal = decode_create_container(std::move(body), create, request.unknown)) {
        return tl::unexpected(*std::move(refusal));
      }
      return request;
    }
    case Body::ExecCreate:
      result = with_body(std::move(request), decode_exec_create(std::move(body), unknown));
      break;
    case Body::ExecStart:
      result = with_body(std::move(request), decode_exec_start(std::move(body), unknown));
      break;
    case Body::Update:
      result = with_body(std::move(request), decode_update(std::move(body), unknown));
      break;
    case Body::VolumeCreate:
      result = with_body(std::move(request), decode_volume_create(std::move(body), unknown));
      break;
    case Body::Auth:
      result = with_body(std::move(request), decode_auth(std::move(body), unknown));
      break;
    case Body::NetworkCreate:
      result = with_body(std::move(request), decode_network_create(std::move(body), unknown));
      break;
    case Body::NetworkConnect:
      result = with_body(std::move(request), decode_network_connect(std::move(body), unknown));
      break;
    case Body::NetworkDisconnect:
      result = with_body(std::move(request), decode_network_disconnect(std::move(body), unknown));
      break;
    case Body::Commit:
      if (auto refusal = check_commit(request.target.query)) {
        return tl::unexpected(*std::move(refusal));
      }
      result = with_body(std::move(request), decode_commit(std::move(body), unknown));
      break;
    case Body::Service:
      result = with_body(std::move(request), decode_service(std::move(body), unknown));
      break;
    case Body::Opaque:
      // Streams go past this function; bytes that arrive here would get lost.
      if (!body.empty()) {
        return tl::unexpected(Refusal::ambiguous("", "the body of this request is a stream"));
      }
      return request;
    case Body::BuildContext:
    case Body::ImageArchive:
    case Body::ImportArchive:
      return decode_spooled(std::move(request.target), body);
    case Body::Undecoded:
      return tl::unexpected(Refusal{403, "unknown-endpoint", "path",
                                    "bodies of " + std::string(route.name) +
                                        " cannot be inspected by this gateway yet, so the route "
                                        "is closed"});
  }
  if (result) result->unknown = std::move(unknown);
  return result;
}

std::string encode_body(const Request& request, std::vector<json::Written>* trace) {
  return std::visit(
      [trace](const auto& body) -> std::string {
        if constexpr (std::is_same_v<std::decay_t<decltype(body)>, std::monostate>) {
          return {};
        } else {
          return encode(body, trace);
        }
      },
      request.body);
}

}  // namespace dockreeve::docker
