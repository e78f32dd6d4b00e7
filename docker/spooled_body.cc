// Bodies that go through a temporary file: their queries in one form, and what is read from them
// while they pass.
#include <array>
#include <utility>

#include "base/json.h"
#include "docker/build_context.h"
#include "docker/image_ref.h"
#include "docker/request.h"

namespace dockreeve::docker {
namespace {

constexpr json::Limits kParamLimits{.max_depth = 3, .max_members = 256, .max_keys = 512};

Refusal bad(std::string_view key, std::string detail) {
  return Refusal::ambiguous("query/" + std::string(key), std::move(detail));
}

Refusal needs_buildkit(std::string_view key) {
  return {403, "unknown-endpoint", "query/" + std::string(key),
          "builds with BuildKit cannot be inspected by this gateway: use "
          "`DOCKER_BUILDKIT=0 docker build`"};
}

bool is_text_map(json::Value root, bool nulls) {
  if (!root.is_object()) return false;
  for (auto member = root.first(); member; member = member->next())
    if (!member->is_string() && !(nulls && member->is_null())) return false;
  return true;
}

bool is_text_list(json::Value root) {
  if (!root.is_array()) return false;
  for (auto item = root.first(); item; item = item->next())
    if (!item->is_string() || !parse_image_ref(item->text())) return false;
  return true;
}

bool is_ulimits(json::Value root) {
  if (!root.is_array()) return false;
  for (auto item = root.first(); item; item = item->next()) {
    if (!item->is_object()) return false;
    for (auto member = item->first(); member; member = member->next()) {
      const bool text = member->key() == "Name" && member->is_string();
      const bool number = (member->key() == "Soft" || member->key() == "Hard") &&
                          member->kind() == json::Kind::Integer;
      if (!text && !number) return false;
    }
    if (!item->find("Name")) return false;
  }
  return true;
}

bool fits(std::string_view key, json::Value root) {
  if (key == "buildargs") return is_text_map(root, true);
  if (key == "labels") return is_text_map(root, false);
  if (key == "cachefrom") return is_text_list(root);
  return is_ulimits(root);
}

std::optional<Refusal> check_json(std::string_view key, std::string& value) {
  const auto document = json::Document::parse(value, kParamLimits);
  if (!document) return bad(key, "is no JSON: " + document.error().text());
  const json::Value root = (*document)->root();
  if (root.is_null()) {
    value.clear();
    return std::nullopt;
  }
  if (!fits(key, root)) return bad(key, "is not what a docker client sends there");
  std::string canonical;
  if (root.size() > 0) json::Writer(canonical).copy(root);
  value = std::move(canonical);
  return std::nullopt;
}

std::optional<Refusal> check_build(Query& query) {
  constexpr std::array<std::string_view, 5> kBuildKit{"session", "outputs", "buildid", "squash",
                                                      "version"};
  for (auto& [key, value] : query) {
    for (const std::string_view param : kBuildKit) {
      if (key != param || (key == "version" && value == "1") || (key == "squash" && value == "0")) {
        continue;
      }
      return needs_buildkit(key);
    }
    if (key == "buildargs" || key == "labels" || key == "cachefrom" || key == "ulimits") {
      if (auto refusal = check_json(key, value)) return refusal;
    } else if (key == "t" && !value.empty()) {
      const Result<ImageRef> ref = parse_image_ref(value);
      if (!ref || ref->kind != ImageRefKind::Name) return bad(key, "is no image reference");
    } else if (key == "remote" && value == "client-session") {
      return needs_buildkit(key);
    }
  }
  std::erase_if(query, [](const auto& param) {
    return param.second.empty() && (param.first != "extrahosts" && param.first != "t");
  });
  return std::nullopt;
}

std::optional<Refusal> check_import(const Query& query) {
  if (param(query, "repo").empty()) return std::nullopt;
  const Result<ImageRef> ref = parse_pull_ref(param(query, "repo"), param(query, "tag"));
  if (!ref || ref->kind != ImageRefKind::Name) return bad("repo", "is no image reference");
  return std::nullopt;
}

BuildArgs build_args(const Query& query) {
  BuildArgs out;
  const std::string_view text = param(query, "buildargs");
  if (text.empty()) return out;
  const auto document = json::Document::parse(std::string(text), kParamLimits);
  if (!document) return out;  // INVARIANT: check_target() has written it
  for (auto member = (*document)->root().first(); member; member = member->next()) {
    auto& value = out[std::string(member->key())];
    if (member->is_string()) value = std::string(member->text());
  }
  return out;
}

Refusal unreadable(const Error& error) {
  return Refusal::ambiguous("body", error.text());
}

}  // namespace

Body body_of(const Target& target) {
  const bool import =
      target.route->name == "image.create" && !param(target.query, "fromSrc").empty();
  return import ? Body::ImportArchive : target.route->body;
}

bool is_spooled(Body body) {
  return body == Body::BuildContext || body == Body::ImageArchive || body == Body::ImportArchive;
}

Parsed<Target> check_target(Target target) {
  std::optional<Refusal> refusal;
  const Body body = body_of(target);
  if (body == Body::BuildContext) refusal = check_build(target.query);
  if (body == Body::ImportArchive) refusal = check_import(target.query);
  if (refusal) return tl::unexpected(*std::move(refusal));
  return target;
}

struct BodyScan::State {
  Target target;
  Body body = Body::None;
  std::uint64_t seen = 0;
  std::optional<BuildContextScan> context;
  std::optional<ImageArchiveScan> images;
};

BodyScan::BodyScan(Target target, std::uint64_t max_bytes) : state_(std::make_unique<State>()) {
  state_->body = body_of(target);
  if (state_->body == Body::BuildContext) {
    state_->context.emplace(param(target.query, "dockerfile"), max_bytes);
  } else if (state_->body == Body::ImageArchive) {
    state_->images.emplace(max_bytes);
  }
  state_->target = std::move(target);
}
BodyScan::~BodyScan() = default;

bool BodyScan::feed(std::string_view data) {
  state_->seen += data.size();
  if (state_->context) return state_->context->feed(data);
  return !state_->images || state_->images->feed(data);
}

Parsed<Request> BodyScan::finish() {
  Request request;
  State& state = *state_;
  if (state.context) {
    const bool remote = !param(state.target.query, "remote").empty();
    if (remote && state.seen > 0) {
      return tl::unexpected(bad("remote", "a build has one context, not a body and a URL"));
    }
    if (!remote) {
      const Result<std::string> text = state.context->finish();
      if (!text) return tl::unexpected(unreadable(text.error()));
      Result<Dockerfile> file = parse_dockerfile(*text, build_args(state.target.query));
      if (!file) {
        return tl::unexpected(Refusal::ambiguous(
            "body", "the Dockerfile cannot be read in one way: " + file.error().text()));
      }
      request.dockerfile = *std::move(file);
    }
  } else if (state.images) {
    Result<ImageArchive> images = state.images->finish();
    if (!images) return tl::unexpected(unreadable(images.error()));
    request.images = *std::move(images);
  } else {
    std::vector<std::string> changes;
    for (const auto& [key, value] : state.target.query)
      if (key == "changes") changes.push_back(value);
    Result<Dockerfile> read = parse_changes(changes);
    if (!read) return tl::unexpected(bad("changes", read.error().text()));
    request.changes = *std::move(read);
  }
  request.target = std::move(state.target);
  return request;
}

}  // namespace dockreeve::docker
