#include "policy/redact.h"

#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <stdexcept>
#include <variant>

#include "base/json.h"
#include "policy/catalogue.h"
#include "policy/digest.h"
#include "policy/rules/support.h"

namespace dockreeve::policy {
namespace {

using docker::CreateContainer;
using docker::ExecCreate;
using docker::StringList;
using docker::VolumeCreate;
using TextMap = docker::Map<std::string>;

// No secret that a value pattern knows is shorter.
constexpr std::size_t kShortestSecret = 12;

// "<redacted:4294967296:0123ab>"
constexpr std::size_t kLongestTag = 32;

void append_redacted(std::string& out, std::string_view secret) {
  out.append("<redacted:").append(std::to_string(secret.size())).append(":");
  out.append(secret_tag(secret)).append(">");
}

// What a secret looks like is said once, in the catalogue's no-secrets-in-env.
class SecretPatterns {
 public:
  static const SecretPatterns& get() {
    static const SecretPatterns patterns;
    return patterns;
  }
  bool name(std::string_view text) const { return name_.matches(text); }
  bool value(std::string_view text) const {
    return text.size() >= kShortestSecret && values_.matches(text);
  }

 private:
  SecretPatterns()
      : name_(take(rules::Pattern::compile("namePattern",
                                           std::get<std::string>(fallback("namePattern"))))),
        values_(take(rules::PatternSet::compile(
            "valuePatterns", std::get<std::vector<std::string>>(fallback("valuePatterns"))))) {}

  // INVARIANT: the catalogue is our own data and has been read by the loader's tests.
  static const ParamValue& fallback(std::string_view name) {
    const RuleEntry* rule = find_rule("no-secrets-in-env");
    if (!rule) throw std::logic_error("the catalogue has no no-secrets-in-env");
    for (const ParamDef& param : rule->params) {
      if (param.name == name) return param.fallback;
    }
    throw std::logic_error("no-secrets-in-env has lost a parameter");
  }
  template <class T>
  static T take(Result<T> result) {
    if (!result) throw std::logic_error(result.error().text());
    return *std::move(result);
  }

  rules::Pattern name_;
  rules::PatternSet values_;
};

// Collects what must not be recorded. Nothing is changed: the pieces are replaced in the encoded
// text later.
class Redaction {
 public:
  struct Piece {
    const std::string* source;
    std::string text;
  };
  std::vector<Piece> pieces;
  std::vector<std::string> pointers;

  void body(const std::monostate&) {}
  void body(const docker::ExecStart&) {}
  void body(const docker::UpdateContainer&) {}
  void body(const docker::AuthConfig& auth) {
    secret(auth.password, "/password");
    secret(auth.auth, "/auth");
    secret(auth.identity_token, "/identitytoken");
    secret(auth.registry_token, "/registrytoken");
  }
  void body(const docker::NetworkDisconnect&) {}
  void body(const docker::NetworkConnect& connect) {
    if (connect.endpoint_config)
      map(connect.endpoint_config->driver_opts, "/EndpointConfig/DriverOpts");
  }
  void body(const docker::NetworkCreate& network) {
    map(network.labels, "/Labels");
    volume_options(network.options, "/Options");
    if (network.ipam) volume_options(network.ipam->options, "/IPAM/Options");
  }
  void body(const docker::Commit& commit) { config(commit.config); }
  void body(const docker::ServiceSpec& service) {
    map(service.labels, "/Labels");
    const docker::ContainerSpec& spec = service.task_template.container_spec;
    const std::string base = "/TaskTemplate/ContainerSpec";
    env(spec.env, base + "/Env");
    words(spec.command, base + "/Command");
    words(spec.args, base + "/Args");
    if (spec.healthcheck) words(spec.healthcheck->test, base + "/Healthcheck/Test");
    map(spec.labels, base + "/Labels");
    if (spec.privileges && spec.privileges->seccomp) {
      profile(spec.privileges->seccomp->profile, base + "/Privileges/Seccomp/Profile");
    }
    if (spec.mounts) mounts(*spec.mounts, base + "/Mounts");
    if (service.task_template.log_driver) {
      map(service.task_template.log_driver->options, "/TaskTemplate/LogDriver/Options");
    }
  }
  void body(const VolumeCreate& volume) {
    map(volume.labels, "/Labels");
    volume_options(volume.driver_opts, "/DriverOpts");
  }
  void body(const ExecCreate& exec) {
    env(exec.env, "/Env");
    words(exec.cmd, "/Cmd");
  }
  void body(const CreateContainer& create) {
    config(create);
    const docker::HostConfig& host = create.host_config;
    map(host.annotations, "/HostConfig/Annotations");
    map(host.log_config.config, "/HostConfig/LogConfig/Config");
    profiles(host.security_opt, "/HostConfig/SecurityOpt");
    if (host.mounts) mounts(*host.mounts, "/HostConfig/Mounts");
  }

 private:
  void config(const CreateContainer& create) {
    env(create.env, "/Env");
    words(create.cmd, "/Cmd");
    words(create.entrypoint, "/Entrypoint");
    if (create.healthcheck) words(create.healthcheck->test, "/Healthcheck/Test");
    map(create.labels, "/Labels");
  }

  // A seccomp profile as one value: long, and better known by its hash.
  void profile(const std::string& text, std::string pointer) {
    if (text.empty()) return;
    replace(text, "<profile sha256:" + sha256_hex(text) + ">", std::move(pointer));
  }

  void replace(const std::string& source, std::string text, std::string pointer) {
    pieces.push_back({&source, std::move(text)});
    pointers.push_back(std::move(pointer));
  }

  void secret(const std::string& value, const char* pointer) {
    if (!value.empty()) replace(value, redacted(value), pointer);
  }

  // Every value: what a variable means is not known here.
  void env(const StringList& list, std::string_view pointer) {
    if (!list) return;
    pieces.reserve(pieces.size() + list->size());
    pointers.reserve(pointers.size() + list->size());
    for (std::size_t i = 0; i < list->size(); ++i) {
      const std::string& entry = (*list)[i];
      const std::size_t equals = entry.find('=');
      if (equals == std::string::npos || equals + 1 == entry.size()) continue;
      replace(entry, with_value_redacted(entry, equals + 1), json::pointer_join(pointer, i));
    }
  }

  static std::string with_value_redacted(const std::string& entry, std::size_t value_at) {
    std::string out;
    out.reserve(value_at + kLongestTag);
    out.append(entry, 0, value_at);
    append_redacted(out, std::string_view(entry).substr(value_at));
    return out;
  }

  void map(const TextMap& map, std::string_view pointer) {
    for (const auto& [key, value] : map) {
      if (value.empty()) continue;
      if (!SecretPatterns::get().name(key) && !SecretPatterns::get().value(value)) continue;
      replace(value, redacted(value), json::pointer_join(pointer, key));
    }
  }

  // `o` of a network share holds "username=x,password=y".
  void volume_options(const TextMap& options, std::string_view pointer) {
    for (const auto& [key, value] : options) {
      if (!holds_assignment(value) && !SecretPatterns::get().value(value)) continue;
      replace(value, redacted(value), json::pointer_join(pointer, key));
    }
  }

  void mounts(const std::vector<docker::Mount>& mounts, std::string_view parent) {
    for (std::size_t i = 0; i < mounts.size(); ++i) {
      if (!mounts[i].volume_options) continue;
      const std::string pointer = json::pointer_join(parent, i) + "/VolumeOptions";
      map(mounts[i].volume_options->labels, pointer + "/Labels");
      const auto& driver = mounts[i].volume_options->driver_config;
      if (driver) volume_options(driver->options, pointer + "/DriverConfig/Options");
    }
  }

  // "seccomp={…}" and "seccomp:{…}"; the words for the built-in profiles are no text to hide.
  void profiles(const StringList& list, std::string_view pointer) {
    if (!list) return;
    for (std::size_t i = 0; i < list->size(); ++i) {
      const std::string& entry = (*list)[i];
      constexpr std::string_view kName = "seccomp";
      if (!entry.starts_with(kName) || entry.size() <= kName.size() + 1) continue;
      const std::string_view value = std::string_view(entry).substr(kName.size() + 1);
      if (value == "unconfined" || value == "builtin") continue;
      replace(entry, "seccomp=<profile sha256:" + sha256_hex(value) + ">",
              json::pointer_join(pointer, i));
    }
  }

  void words(const StringList& list, std::string_view pointer) {
    if (!list) return;
    bool follows_flag = false;
    for (std::size_t i = 0; i < list->size(); ++i) {
      const std::string& word = (*list)[i];
      const bool flag = is_secret_flag(word);
      if (!flag && !word.empty()) {
        std::optional<std::string> hidden =
            follows_flag ? std::optional(redacted(word)) : hide(word);
        if (hidden) replace(word, *std::move(hidden), json::pointer_join(pointer, i));
      }
      follows_flag = flag;
    }
  }

  // Flags join their words with dashes, variables with underscores.
  static bool is_secret_name(std::string_view name) {
    std::string spelt(name);
    std::replace(spelt.begin(), spelt.end(), '-', '_');
    return SecretPatterns::get().name(spelt);
  }

  // "--password", "-p", "--db-token": the next word is the secret.
  static bool is_secret_flag(std::string_view word) {
    if (word.size() < 2 || word[0] != '-' || word.find('=') != std::string_view::npos) return false;
    if (word == "-p") return true;
    const std::size_t start = word.find_first_not_of('-');
    return start != std::string_view::npos && is_secret_name(word.substr(start));
  }

  // What is recorded of a word that carries its secret with it; nothing for other words.
  static std::optional<std::string> hide(const std::string& word) {
    const std::size_t equals = word.find('=');
    const std::size_t start = std::min(word.find_first_not_of('-'), word.size());
    const bool shell = word.find_first_of(" \t\n") != std::string::npos;
    if (!shell && equals != std::string::npos && equals > start && equals + 1 < word.size() &&
        is_secret_name(std::string_view(word).substr(start, equals - start))) {
      return with_value_redacted(word, equals + 1);
    }
    if (!(shell && holds_assignment(word)) && !SecretPatterns::get().value(word)) {
      return std::nullopt;
    }
    return redacted(word);
  }

  // "password=…", "--token …" inside a line of shell or a list of options.
  static bool holds_assignment(std::string_view text) {
    constexpr std::array<std::string_view, 6> kWords{"pass", "token", "secret",
                                                     "cred", "key=",  "pwd"};
    const auto same = [](char a, char b) {
      return b == (a >= 'A' && a <= 'Z' ? static_cast<char>(a + ('a' - 'A')) : a);
    };
    return std::any_of(kWords.begin(), kWords.end(), [&](std::string_view word) {
      return std::search(text.begin(), text.end(), word.begin(), word.end(), same) != text.end();
    });
  }
};

// `encoded` with the pieces in place of what they stand for.
std::string spliced(std::string_view encoded, std::span<const json::Written> trace,
                    std::vector<Redaction::Piece>& pieces) {
  using Piece = Redaction::Piece;
  std::sort(pieces.begin(), pieces.end(), [](const Piece& a, const Piece& b) {
    return std::less<>()(a.source, b.source);
  });
  std::string out;
  out.reserve(encoded.size() + kLongestTag * pieces.size());
  std::size_t done = 0;
  std::size_t placed = 0;
  for (const json::Written& written : trace) {
    const auto piece =
        std::lower_bound(pieces.begin(), pieces.end(), written.source,
                         [](const Piece& a, const std::string* b) {
                           return std::less<>()(a.source, b);
                         });
    if (piece == pieces.end() || piece->source != written.source) continue;
    out.append(encoded, done, written.at - done);
    json::append_string(out, piece->text);
    done = written.at + written.size;
    ++placed;
  }
  // INVARIANT: every string of a body is written once; a record that shows a secret is worse than
  // a request that fails.
  if (placed != pieces.size()) throw std::logic_error("a secret was not found in the encoded body");
  out.append(encoded, done);
  return out;
}

}  // namespace

std::string redacted(std::string_view secret) {
  std::string out;
  append_redacted(out, secret);
  return out;
}

RedactedBody redact_body(const docker::Request& request, std::string_view encoded,
                         std::span<const json::Written> trace) {
  Redaction redaction;
  std::visit([&redaction](const auto& body) { redaction.body(body); }, request.body);
  return {spliced(encoded, trace, redaction.pieces), std::move(redaction.pointers)};
}

}  // namespace dockreeve::policy
