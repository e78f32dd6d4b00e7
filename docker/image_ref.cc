// The reference grammar by hand: no regular expression, so nothing about it is slow or surprising.
#include "docker/image_ref.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "docker/auth.h"

namespace dockreeve::docker {
namespace {

constexpr std::string_view kHub = "docker.io";
constexpr std::string_view kLegacyHub = "index.docker.io";
constexpr std::string_view kOfficial = "library/";
constexpr std::size_t kMaxName = 255;
constexpr std::size_t kMaxTag = 128;
constexpr std::size_t kMaxIdDigits = 64;

bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_alnum(char c) {
  return is_lower(c) || is_upper(c) || is_digit(c);
}
bool is_hex(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f');
}

template <class Predicate>
bool every(std::string_view text, Predicate predicate) {
  return !text.empty() && std::all_of(text.begin(), text.end(), predicate);
}

// Calls `check` on every piece between separators; false as soon as one fails.
template <class Check>
bool every_piece(std::string_view text, char separator, Check check) {
  while (true) {
    const std::size_t end = text.find(separator);
    if (!check(text.substr(0, end))) return false;
    if (end == std::string_view::npos) return true;
    text.remove_prefix(end + 1);
  }
}

bool is_domain_label(std::string_view label) {
  return every(label, [](char c) { return is_alnum(c) || c == '-'; }) && label.front() != '-' &&
         label.back() != '-';
}

bool is_domain(std::string_view domain) {
  std::string_view host = domain;
  const std::size_t colon = domain.rfind(':');
  const std::size_t bracket = domain.rfind(']');
  const bool has_port =
      colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket);
  if (has_port) {
    if (!every(domain.substr(colon + 1), is_digit)) return false;
    host = domain.substr(0, colon);
  }
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    return every(host.substr(1, host.size() - 2),
                 [](char c) { return is_hex(c) || c == ':' || (c >= 'A' && c <= 'F'); });
  }
  return every_piece(host, '.', is_domain_label);
}

// One of '.', '_', "__" or any number of dashes between runs of lower-case letters and digits.
bool is_path_component(std::string_view component) {
  std::size_t at = 0;
  const auto word = [&] {
    const std::size_t start = at;
    while (at < component.size() && (is_lower(component[at]) || is_digit(component[at])))
      ++at;
    return at > start;
  };
  if (!word()) return false;
  while (at < component.size()) {
    const std::string_view rest = component.substr(at);
    if (rest.front() == '-') {
      at += std::min(rest.find_first_not_of('-'), rest.size());
    } else if (rest.starts_with("__")) {
      at += 2;
    } else if (rest.front() == '.' || rest.front() == '_') {
      at += 1;
    } else {
      return false;
    }
    if (!word()) return false;
  }
  return true;
}

bool is_tag(std::string_view tag) {
  return tag.size() <= kMaxTag &&
         every(tag, [](char c) { return is_alnum(c) || c == '_' || c == '.' || c == '-'; }) &&
         tag.front() != '.' && tag.front() != '-';
}

bool is_digest(std::string_view digest) {
  struct Algorithm {
    std::string_view prefix;
    std::size_t digits;
  };
  constexpr std::array<Algorithm, 3> kAlgorithms{
      {{"sha256:", 64}, {"sha384:", 96}, {"sha512:", 128}}};
  return std::any_of(kAlgorithms.begin(), kAlgorithms.end(), [digest](const Algorithm& algorithm) {
    return digest.starts_with(algorithm.prefix) &&
           digest.size() == algorithm.prefix.size() + algorithm.digits &&
           every(digest.substr(algorithm.prefix.size()), is_hex);
  });
}

struct Parts {
  std::string_view domain, path, tag, digest;
  bool has_tag = false, has_digest = false;
};

bool names_a_registry(std::string_view first_component) {
  return first_component.find_first_of(".:") != std::string_view::npos ||
         first_component == "localhost";
}

// Cuts at the places the grammar gives, without looking at the pieces.
Parts split(std::string_view text) {
  Parts out;
  const std::size_t at = text.find('@');
  if (at != std::string_view::npos) {
    out.has_digest = true;
    out.digest = text.substr(at + 1);
    text = text.substr(0, at);
  }
  const std::size_t slash = text.find('/');
  if (slash != std::string_view::npos && names_a_registry(text.substr(0, slash))) {
    out.domain = text.substr(0, slash);
    text.remove_prefix(slash + 1);
  }
  const std::size_t colon = text.find(':');
  if (colon != std::string_view::npos) {
    out.has_tag = true;
    out.tag = text.substr(colon + 1);
    text = text.substr(0, colon);
  }
  out.path = text;
  return out;
}

// Fills in what short names leave out.
void apply_defaults(std::string& domain, std::string& path) {
  if (domain.empty() || domain == kLegacyHub) domain = kHub;
  if (domain == kHub && path.find('/') == std::string::npos) path.insert(0, kOfficial);
}

// The hex digits of a text that the engine takes for an image id before it tries a name.
std::string_view id_digits(std::string_view text) {
  constexpr std::string_view kPrefix = "sha256:";
  const bool prefixed = text.starts_with(kPrefix);
  if (prefixed) text.remove_prefix(kPrefix.size());
  if (!every(text, is_hex) || text.size() > kMaxIdDigits) return {};
  return prefixed || text.size() == kMaxIdDigits ? text : std::string_view{};
}

}  // namespace

std::string ImageRef::repository() const {
  return kind == ImageRefKind::IdLike ? std::string() : domain + "/" + path;
}

std::string ImageRef::effective_tag() const {
  return tag.empty() && digest.empty() && kind == ImageRefKind::Name ? "latest" : tag;
}

std::string ImageRef::canonical() const {
  if (kind == ImageRefKind::IdLike) return "sha256:" + id;
  std::string out = repository();
  const std::string shown = effective_tag();
  if (!shown.empty()) out += ":" + shown;
  if (!digest.empty()) out += "@" + digest;
  return out;
}

std::string ImageRef::familiar() const {
  if (kind == ImageRefKind::IdLike) return "sha256:" + id;
  std::string out = path;
  // "docker.io/quay.io/x" without its domain would be another image.
  const std::size_t slash = path.find('/');
  const bool misleading =
      slash != std::string::npos && names_a_registry(std::string_view(path).substr(0, slash));
  if (domain != kHub || misleading) {
    out = repository();
  } else if (path.starts_with(kOfficial) && path.find('/', kOfficial.size()) == std::string::npos) {
    out = path.substr(kOfficial.size());
  }
  if (!tag.empty()) out += ":" + tag;
  if (!digest.empty()) out += "@" + digest;
  return out;
}

Result<ImageRef> parse_image_ref(std::string_view input) {
  const auto refuse = [input](std::string_view why) {
    return fail("", text::quoted(input) + " " + std::string(why));
  };
  if (input.empty()) return fail("", "no image is named");
  ImageRef out;
  if (const std::string_view digits = id_digits(input); !digits.empty()) {
    out.kind = ImageRefKind::IdLike;
    out.id = digits;
    return out;
  }
  const Parts parts = split(input);
  if (parts.path.find_first_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ") != std::string_view::npos) {
    return refuse("is no image reference: repository names are lower case");
  }
  if (!parts.domain.empty() && !is_domain(parts.domain)) {
    return refuse("is no image reference: the registry name is malformed");
  }
  if (!every_piece(parts.path, '/', is_path_component)) {
    return refuse("is no image reference");
  }
  if (parts.has_tag && !is_tag(parts.tag)) return refuse("has a malformed tag");
  if (parts.has_digest && !is_digest(parts.digest)) return refuse("has a malformed digest");
  out.domain = parts.domain;
  out.path = parts.path;
  apply_defaults(out.domain, out.path);
  if (out.domain.size() + 1 + out.path.size() > kMaxName) {
    return fail("", "the image name is longer than 255 characters");
  }
  out.tag = parts.tag;
  out.digest = parts.digest;
  out.may_be_id = every(input, is_hex);
  return out;
}

Result<ImageRef> parse_pull_ref(std::string_view from_image, std::string_view tag) {
  // The engine forgives one trailing colon here.
  if (from_image.ends_with(':')) from_image.remove_suffix(1);
  Result<ImageRef> ref = parse_image_ref(from_image);
  if (ref && ref->kind == ImageRefKind::IdLike) {
    return fail("", text::quoted(from_image) + " is an image id and cannot be pulled");
  }
  if (!ref || tag.empty()) return ref;
  if (is_digest(tag)) {
    ref->digest = tag;
    ref->tag.clear();
  } else if (is_tag(tag)) {
    ref->tag = tag;  // beside a digest in `from_image` it decides nothing
  } else {
    return fail("", text::quoted(tag) + " is no tag and no digest");
  }
  return ref;
}

Result<ImagePattern> ImagePattern::parse(std::string_view input) {
  const auto refuse = [input](std::string_view why) {
    return fail("", text::quoted(input) + " " + std::string(why));
  };
  const Parts parts = split(input);
  const bool any_registry = parts.path.starts_with("**");
  if (parts.domain.empty() && parts.path.find('/') == std::string_view::npos && !any_registry &&
      names_a_registry(parts.path)) {
    return refuse("names a registry but no repository: add /**");
  }
  const auto is_pattern_char = [](char c) {
    return is_lower(c) || is_digit(c) || c == '.' || c == '_' || c == '-' || c == '*';
  };
  const auto is_pattern_component = [&](std::string_view piece) {
    return every(piece, is_pattern_char);
  };
  const auto is_domain_char = [&](char c) {
    return is_pattern_char(c) || is_upper(c) || c == ':' || c == '[' || c == ']';
  };
  const auto is_tag_char = [&](char c) { return is_pattern_char(c) || is_upper(c); };
  if (!every_piece(parts.path, '/', is_pattern_component) ||
      (!parts.domain.empty() && !every(parts.domain, is_domain_char)) ||
      (parts.has_tag && !every(parts.tag, is_tag_char)) ||
      (parts.has_digest && !is_digest(parts.digest))) {
    return refuse(
        "is no image pattern such as docker.io/library/* or registry.example.com/team/**");
  }
  ImagePattern out;
  std::string domain(parts.domain);
  std::string path(parts.path);
  if (any_registry && domain.empty()) {
    out.repository_ = path;
  } else {
    apply_defaults(domain, path);
    out.repository_ = domain + "/" + path;
  }
  out.tag_ = parts.tag;
  out.digest_ = parts.digest;
  return out;
}

std::string registry_host(const std::string& server_address) {
  std::string_view host = server_address;
  for (const std::string_view scheme : {"https://", "http://"}) {
    if (!host.starts_with(scheme)) continue;
    host.remove_prefix(scheme.size());
    break;
  }
  host = host.substr(0, host.find('/'));
  if (host.empty() || host == kLegacyHub || host == "registry-1.docker.io") host = kHub;
  return std::string(host);
}

bool ImagePattern::matches(const ImageRef& ref) const {
  if (ref.kind == ImageRefKind::IdLike || !text::glob_match(repository_, ref.repository())) {
    return false;
  }
  if (!digest_.empty()) return ref.digest == digest_;
  if (tag_.empty()) return true;
  // The engine ignores the tag beside a digest, so it proves nothing about what would run.
  return ref.digest.empty() && text::glob_match(tag_, ref.effective_tag());
}

bool ImagePattern::matches_all_tags(const ImageRef& ref) const {
  return ref.kind == ImageRefKind::Name && tag_.empty() && digest_.empty() &&
         text::glob_match(repository_, ref.repository());
}

bool ImagePattern::covers_registry(std::string_view host) const {
  if (repository_.starts_with("**")) return true;
  return text::glob_match(std::string_view(repository_).substr(0, repository_.find('/')), host);
}

}  // namespace dockreeve::docker
