// From a request line to a row of the route table. Runs on every request before anything is known
// about the caller, so it works on the stack until a row is found.
#include "docker/route.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base/text.h"
#include "docker/host_mount.h"
#include "docker/query.h"

namespace dockreeve::docker {
namespace {

constexpr std::size_t kMaxTarget = 8192;
constexpr std::size_t kMaxSegments = 32;    // an image name with more components is nobody's
constexpr std::size_t kMaxPattern = 4;      // "/containers/{id}/attach/ws"
constexpr std::size_t kMaxImageName = 640;  // more than name, tag and digest together
constexpr std::size_t kExecIdDigits = 64;
constexpr const char* kTooDeep = "the path has too many segments";
constexpr std::array<std::string_view, 5> kMethods{"GET", "HEAD", "POST", "PUT", "DELETE"};

tl::unexpected<Refusal> refuse(Refusal refusal) {
  return tl::unexpected(std::move(refusal));
}

Refusal ambiguous_path(std::string detail) {
  return Refusal::ambiguous("path", std::move(detail));
}

Refusal unknown_endpoint(std::string detail) {
  return {403, "unknown-endpoint", "path", std::move(detail)};
}

// The table, prepared for matching
// -----------------------------------------------------------------

struct Pattern {
  const Route* route = nullptr;
  std::array<std::string_view, kMaxPattern> parts;  // "{" stands for a placeholder
  std::size_t count = 0;
  std::optional<std::size_t> star;  // place of {name*}

  bool is_placeholder(std::size_t place) const { return parts[place].starts_with('{'); }
};

Pattern compile(const Route& route) {
  Pattern out;
  out.route = &route;
  std::string_view rest = route.pattern.substr(1);
  while (true) {
    const std::size_t slash = rest.find('/');
    const std::string_view part = rest.substr(0, slash);
    if (part.ends_with("*}")) out.star = out.count;
    out.parts.at(out.count++) = part;
    if (slash == std::string_view::npos) return out;
    rest.remove_prefix(slash + 1);
  }
}

ParamType param_type(std::string_view word) {
  if (word == "bool") return ParamType::Bool;
  if (word == "int") return ParamType::Integer;
  if (word == "filters") return ParamType::Filters;
  if (word == "list") return ParamType::TextList;
  if (word == "refused") return ParamType::Refused;
  return ParamType::Text;
}

std::vector<ParamSpec> compile_query(std::string_view spec) {
  std::vector<ParamSpec> out;
  while (!spec.empty()) {
    const std::size_t end = std::min(spec.find(' '), spec.size());
    const std::string_view word = spec.substr(0, end);
    const std::size_t colon = word.find(':');
    out.push_back({word.substr(0, colon), param_type(word.substr(colon + 1))});
    spec.remove_prefix(std::min(end + 1, spec.size()));
  }
  return out;
}

// Immutable after construction.
class Index {
 public:
  static const Index& get() {
    static const Index index;
    return index;
  }

  // The rows of one method whose path starts with `first`, in table order.
  std::span<const Pattern> rows(Method method, std::string_view first) const {
    const std::vector<Group>& groups = groups_[static_cast<std::size_t>(method)];
    const auto found = std::lower_bound(
        groups.begin(), groups.end(), first,
        [](const Group& group, std::string_view word) { return group.first < word; });
    if (found == groups.end() || found->first != first) return {};
    return found->rows;
  }

  std::span<const ParamSpec> specs(const Route& route) const {
    return specs_[static_cast<std::size_t>(&route - routes().data())];
  }

 private:
  struct Group {
    std::string_view first;
    std::vector<Pattern> rows;
  };

  Index() {
    for (const Route& route : routes()) {
      specs_.push_back(compile_query(route.query));
      const Pattern pattern = compile(route);
      std::vector<Group>& groups = groups_[static_cast<std::size_t>(route.method)];
      const auto group = std::find_if(groups.begin(), groups.end(), [&](const Group& known) {
        return known.first == pattern.parts[0];
      });
      if (group == groups.end()) {
        groups.push_back({pattern.parts[0], {pattern}});
      } else {
        group->rows.push_back(pattern);
      }
    }
    for (std::vector<Group>& groups : groups_) {
      std::sort(groups.begin(), groups.end(),
                [](const Group& a, const Group& b) { return a.first < b.first; });
    }
  }

  std::array<std::vector<Group>, kMethods.size()> groups_;
  std::vector<std::vector<ParamSpec>> specs_;
};

// The path
// -----------------------------------------------------------------------------------------

struct Path {
  std::array<std::string_view, kMaxSegments + 1> segments;  // and a version in front
  std::size_t count = 0;
  bool trailing_slash = false;

  // Drops the version from the front.
  void drop_first() {
    std::copy(segments.begin() + 1, segments.begin() + static_cast<std::ptrdiff_t>(count),
              segments.begin());
    --count;
  }
  // Segments `from` up to (not including) `to` with the slashes between them.
  std::string_view join(std::size_t from, std::size_t to) const {
    const char* begin = segments[from].data();
    const std::string_view last = segments[to - 1];
    return {begin, static_cast<std::size_t>(last.data() + last.size() - begin)};
  }
};

constexpr std::array<bool, 256> path_characters() {
  std::array<bool, 256> out{};
  for (unsigned c = 0x21; c < 0x7f; ++c)
    out[c] = true;
  for (const char c : {'"', '%', '<', '>', '\\', '^', '`', '{', '|', '}', '#', ';', '?'}) {
    out[static_cast<unsigned char>(c)] = false;
  }
  return out;
}
constexpr std::array<bool, 256> kPathCharacters = path_characters();

std::optional<Refusal> check_path(std::string_view path) {
  if (!path.starts_with('/')) return ambiguous_path("the request target must be a path");
  for (const char c : path) {
    if (kPathCharacters[static_cast<unsigned char>(c)]) continue;
    return ambiguous_path(c == '%' ? "the path has a percent escape; names never need one"
                                   : "the path has a character that no name may hold");
  }
  return std::nullopt;
}

Parsed<Path> split_path(std::string_view path) {
  if (auto refusal = check_path(path)) return refuse(*std::move(refusal));
  Path out;
  path.remove_prefix(1);
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    const std::string_view segment = path.substr(0, slash);
    if (segment.empty()) return refuse(ambiguous_path("the path has an empty segment"));
    if (segment == "." || segment == "..") {
      return refuse(ambiguous_path("the path has a `.` or `..` segment"));
    }
    if (out.count == out.segments.size()) return refuse(unknown_endpoint(kTooDeep));
    out.segments[out.count++] = segment;
    if (slash == std::string_view::npos) return out;
    path.remove_prefix(slash + 1);
  }
  out.trailing_slash = out.count > 0;
  return out;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool looks_like_version(std::string_view segment) {
  return segment.size() > 1 && segment[0] == 'v' && is_digit(segment[1]);
}

// Exactly "v1.NN" without a leading zero, in range: the engine reads "v1.041" and "v1.41.0" too.
std::optional<ApiVersion> parse_version(std::string_view segment) {
  constexpr std::string_view kPrefix = "v1.";
  if (!segment.starts_with(kPrefix)) return std::nullopt;
  const std::string_view minor = segment.substr(kPrefix.size());
  if (minor.size() != 2 || !is_digit(minor[0]) || !is_digit(minor[1])) return std::nullopt;
  const int value = (minor[0] - '0') * 10 + (minor[1] - '0');
  if (value < kOldestMinor || value > kNewestMinor) return std::nullopt;
  return ApiVersion{value};
}

// Takes the version off `path`, if it has one.
Parsed<ApiVersion> take_version(Path& path) {
  if (path.count == 0 || !looks_like_version(path.segments[0])) return ApiVersion{};
  // podman's own API sits below versions of its own.
  if (path.count > 1 && path.segments[1] == "libpod") {
    return refuse(unknown_endpoint("the libpod API is not served here"));
  }
  const std::optional<ApiVersion> version = parse_version(path.segments[0]);
  if (!version) {
    return refuse({400, "api-version-range", "path",
                   "API version " + text::quoted(path.segments[0].substr(1)) + " is outside 1." +
                       std::to_string(kOldestMinor) + " to 1." + std::to_string(kNewestMinor)});
  }
  path.drop_first();
  return *version;
}

// Matching
// -----------------------------------------------------------------------------------------

struct Captures {
  std::array<std::string_view, 2> text;
  std::size_t count = 0;

  void add(std::string_view value) { text[count++] = value; }
};

// Whether the path has the pattern's shape; says nothing about names.
bool has_shape(const Pattern& pattern, const Path& path) {
  if (path.count < pattern.count || (!pattern.star && path.count != pattern.count)) return false;
  const bool open_end = pattern.star && *pattern.star + 1 == pattern.count;
  // Only the tail of an open name may end in a slash, and only /debug has one that means something.
  return !path.trailing_slash || (open_end && pattern.route->object == Object::None);
}

// The segments that part `place` stands for, as [first, last).
std::pair<std::size_t, std::size_t> extent(const Pattern& pattern, const Path& path,
                                           std::size_t place) {
  const std::size_t extra = path.count - pattern.count;  // further segments of {name*}
  const bool behind_star = pattern.star && place > *pattern.star;
  const std::size_t first = behind_star ? place + extra : place;
  return {first, first + (place == pattern.star ? extra : 0) + 1};
}

bool match(const Pattern& pattern, const Path& path, Captures& out) {
  if (!has_shape(pattern, path)) return false;
  // The first part is what the rows were found by.
  for (std::size_t place = 1; place < pattern.count; ++place) {
    const auto [first, last] = extent(pattern, path, place);
    if (pattern.is_placeholder(place)) {
      const std::string_view name = path.join(first, last);
      // join() ends before a trailing slash, which belongs to an open name.
      out.add(path.trailing_slash ? std::string_view(name.data(), name.size() + 1) : name);
    } else if (path.segments[first] != pattern.parts[place]) {
      return false;
    }
  }
  return true;
}

bool is_image_name(std::string_view text) {
  const auto is_word = [](char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  };
  return text.size() <= kMaxImageName && is_word(text.front()) &&
         std::all_of(text.begin(), text.end(), [is_word](char c) {
           return is_word(c) || std::string_view("_.:/@-").find(c) != std::string_view::npos;
         });
}

bool is_exec_id(std::string_view text) {
  return text.size() == kExecIdDigits && std::all_of(text.begin(), text.end(), [](char c) {
           return is_digit(c) || (c >= 'a' && c <= 'f');
         });
}

// Whether a placeholder holds what its object can be called.
std::optional<Refusal> check_name(Object object, std::string_view name) {
  switch (object) {
    case Object::None:
      return std::nullopt;
    case Object::Exec:
      if (is_exec_id(name)) return std::nullopt;
      return Refusal{404, "unknown-endpoint", "path", "no such exec instance"};
    case Object::Image:
    case Object::Plugin:
      if (is_image_name(name)) return std::nullopt;
      break;
    case Object::Container:
    case Object::Volume:
    case Object::Network:
    case Object::Service:
    case Object::Node:
    case Object::Task:
    case Object::Secret:
    case Object::Config:
      if (is_object_name(name)) return std::nullopt;
      break;
  }
  return unknown_endpoint(text::quoted(name) + " cannot be the name of anything");
}

std::optional<Refusal> check_names(const Route& route, const Captures& captures) {
  for (std::size_t i = 0; i < captures.count; ++i) {
    if (auto refusal = check_name(route.object, captures.text[i])) return refusal;
  }
  return std::nullopt;
}

Parsed<Target> find_row(Method method, const Path& path) {
  if (path.count > kMaxSegments) return refuse(unknown_endpoint(kTooDeep));
  if (path.count > 0) {
    for (const Pattern& pattern : Index::get().rows(method, path.segments[0])) {
      Captures captures;
      if (!match(pattern, path, captures)) continue;
      if (auto refusal = check_names(*pattern.route, captures)) return refuse(*std::move(refusal));
      Target out;
      out.route = pattern.route;
      out.id = captures.text[0];
      out.id2 = captures.text[1];
      return out;
    }
  }
  return refuse(unknown_endpoint("no such endpoint"));
}

}  // namespace

bool has_json_body(Body body) {
  switch (body) {
    case Body::Create:
    case Body::ExecCreate:
    case Body::ExecStart:
    case Body::Update:
    case Body::VolumeCreate:
    case Body::Auth:
    case Body::NetworkCreate:
    case Body::NetworkConnect:
    case Body::NetworkDisconnect:
    case Body::Commit:
    case Body::Service:
      return true;
    case Body::None:
    case Body::Ignored:
    case Body::Opaque:
    case Body::BuildContext:
    case Body::ImageArchive:
    case Body::ImportArchive:
    case Body::Undecoded:
      break;
  }
  return false;
}

std::string_view name(Method method) {
  return kMethods[static_cast<std::size_t>(method)];
}

std::optional<Method> parse_method(std::string_view text) {
  for (std::size_t i = 0; i < kMethods.size(); ++i) {
    if (kMethods[i] == text) return static_cast<Method>(i);
  }
  return std::nullopt;
}

bool only_reads(const Route& route) {
  if (route.access == Access::Free || route.access == Access::Read) return true;
  const bool shows = route.method == Method::Get || route.method == Method::Head;
  return route.access == Access::OptIn && shows && route.stream != Stream::Hijack;
}

std::string_view upgrade_protocol(const Route& route) {
  if (route.name == "container.attach_ws") return "websocket";
  return route.name == "session" || route.name == "grpc" ? "h2c" : "tcp";
}

std::span<const ParamSpec> param_specs(const Route& route) {
  return Index::get().specs(route);
}

Parsed<Target> classify(Method method, std::string_view target) {
  if (target.size() > kMaxTarget) {
    return refuse(ambiguous_path("the request target is longer than " + std::to_string(kMaxTarget) +
                                 " bytes"));
  }
  const std::size_t mark = std::min(target.find('?'), target.size());
  Parsed<Path> path = split_path(target.substr(0, mark));
  if (!path) return refuse(std::move(path).error());
  const Parsed<ApiVersion> version = take_version(*path);
  if (!version) return refuse(version.error());
  Parsed<Target> out = find_row(method, *path);
  if (!out) return out;
  out->version = *version;
  if (mark < target.size()) {
    Parsed<Query> query = read_query(*out->route, target.substr(mark + 1));
    if (!query) return refuse(std::move(query).error());
    out->query = *std::move(query);
  }
  return out;
}

std::string encode_target(const Target& target, ApiVersion fallback) {
  const ApiVersion version = target.version.minor > 0 ? target.version : fallback;
  std::string out;
  if (version.minor > 0) out += "/v1." + std::to_string(version.minor);
  std::string_view pattern = target.route->pattern;
  const std::string* id = &target.id;
  while (!pattern.empty()) {
    const std::size_t open = std::min(pattern.find('{'), pattern.size());
    out += pattern.substr(0, open);
    pattern.remove_prefix(open);
    if (pattern.empty()) break;
    out += *id;
    id = &target.id2;
    pattern.remove_prefix(pattern.find('}') + 1);
  }
  if (!target.query.empty()) {
    out += '?';
    append_query(out, target.query);
  }
  return out;
}

}  // namespace dockreeve::docker
