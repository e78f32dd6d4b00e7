#include "policy/redact.h"

#include <algorithm>
#include <array>
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

class Redaction {
 public:
  std::vector<std::string> pointers;

  void body(std::monostate&) {}
  void body(docker::ExecStart&) {}
  void body(docker::UpdateContainer&) {}
  void body(VolumeCreate& volume) {
    map(volume.labels, "/Labels");
    volume_options(volume.driver_opts, "/DriverOpts");
  }
  void body(ExecCreate& exec) {
    env(exec.env, "/Env");
    words(exec.cmd, "/Cmd");
  }
  void body(CreateContainer& create) {
    env(create.env, "/Env");
    words(create.cmd, "/Cmd");
    words(create.entrypoint, "/Entrypoint");
    if (create.healthcheck) words(create.healthcheck->test, "/Healthcheck/Test");
    map(create.labels, "/Labels");
    docker::HostConfig& host = create.host_config;
    map(host.annotations, "/HostConfig/Annotations");
    map(host.log_config.config, "/HostConfig/LogConfig/Config");
    profiles(host.security_opt, "/HostConfig/SecurityOpt");
    if (host.mounts) mounts(*host.mounts);
  }

 private:
  void replaced(std::string_view parent, std::size_t index) {
    pointers.push_back(json::pointer_join(parent, index));
  }

  // Every value: what a variable means is not known here.
  void env(StringList& list, std::string_view pointer) {
    if (!list) return;
    for (std::size_t i = 0; i < list->size(); ++i) {
      std::string& entry = (*list)[i];
      const std::size_t equals = entry.find('=');
      if (equals == std::string::npos || equals + 1 == entry.size()) continue;
      entry.replace(equals + 1, std::string::npos,
                    redacted(std::string_view(entry).substr(equals + 1)));
      replaced(pointer, i);
    }
  }

  void map(TextMap& map, std::string_view pointer) {
    for (auto& [key, value] : map) {
      if (value.empty()) continue;
      if (!SecretPatterns::get().name(key) && !SecretPatterns::get().value(value)) continue;
      value = redacted(value);
      pointers.push_back(json::pointer_join(pointer, key));
    }
  }

  // `o` of a network share holds "username=x,password=y".
  void volume_options(TextMap& options, std::string_view pointer) {
    for (auto& [key, value] : options) {
      if (!holds_assignment(value) && !SecretPatterns::get().value(value)) continue;
      value = redacted(value);
      pointers.push_back(json::pointer_join(pointer, key));
    }
  }

  void mounts(std::vector<docker::Mount>& mounts) {
    for (std::size_t i = 0; i < mounts.size(); ++i) {
      if (!mounts[i].volume_options) continue;
      const std::string pointer = json::pointer_join("/HostConfig/Mounts", i) + "/VolumeOptions";
      map(mounts[i].volume_options->labels, pointer + "/Labels");
      auto& driver = mounts[i].volume_options->driver_config;
      if (driver) volume_options(driver->options, pointer + "/DriverConfig/Options");
    }
  }

  // "seccomp={…}" and "seccomp:{…}"; the words for the built-in profiles are no text to hide.
  void profiles(StringList& list, std::string_view pointer) {
    if (!list) return;
    for (std::size_t i = 0; i < list->size(); ++i) {
      std::string& entry = (*list)[i];
      constexpr std::string_view kName = "seccomp";
      if (!entry.starts_with(kName) || entry.size() <= kName.size() + 1) continue;
      const std::string_view value = std::string_view(entry).substr(kName.size() + 1);
      if (value == "unconfined" || value == "builtin") continue;
      entry = "seccomp=<profile sha256:" + sha256_hex(value) + ">";
      replaced(pointer, i);
    }
  }

  void words(StringList& list, std::string_view pointer) {
    if (!list) return;
    bool follows_flag = false;
    for (std::size_t i = 0; i < list->size(); ++i) {
      std::string& word = (*list)[i];
      const bool flag = is_secret_flag(word);
      if (!flag && !word.empty() && (follows_flag || hide(word))) {
        if (follows_flag) word = redacted(word);
        replaced(pointer, i);
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

  // Redacts a word that carries its secret with it; whether it did.
  static bool hide(std::string& word) {
    const std::size_t equals = word.find('=');
    const std::size_t start = std::min(word.find_first_not_of('-'), word.size());
    const bool shell = word.find_first_of(" \t\n") != std::string::npos;
    if (!shell && equals != std::string::npos && equals > start && equals + 1 < word.size() &&
        is_secret_name(std::string_view(word).substr(start, equals - start))) {
      word.replace(equals + 1, std::string::npos,
                   redacted(std::string_view(word).substr(equals + 1)));
      return true;
    }
    if (!(shell && holds_assignment(word)) && !SecretPatterns::get().value(word)) return false;
    word = redacted(word);
    return true;
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

}  // namespace

std::string redacted(std::string_view secret) {
  return "<redacted:" + std::to_string(secret.size()) + ":" + secret_tag(secret) + ">";
}

RedactedBody redact_body(docker::Request request) {
  Redaction redaction;
  std::visit([&redaction](auto& body) { redaction.body(body); }, request.body);
  return {docker::encode_body(request), std::move(redaction.pointers)};
}

}  // namespace dockreeve::policy
