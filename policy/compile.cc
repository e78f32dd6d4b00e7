// The policy set: loaded, linked, and compiled once per combination of callers that asks for it.
#include <algorithm>
#include <filesystem>
#include <memory>
#include <mutex>
#include <tuple>
#include <unordered_map>

#include "base/text.h"
#include "policy/digest.h"
#include "policy/linker.h"
#include "policy/templates.h"

namespace dockreeve::policy {
namespace {

using Files = std::vector<std::pair<std::string, std::string>>;

constexpr std::size_t kMaxCached =
    4096;  // combinations of callers; beyond it each is compiled anew

// Over the base names, so that a folder can be moved without becoming another policy. Every part
// goes in with its length: no two sets of files give the same input.
std::string hash_of(const Files& files) {
  std::string input;
  const auto add = [&](std::string_view part) {
    input += std::to_string(part.size()) + ':';
    input += part;
  };
  add(catalogue_text());
  for (const auto& [name, text] : files) {
    add(std::filesystem::path(name).filename().string());
    add(text);
  }
  return sha256_hex(input);
}

// How close a binding is to a caller; later ones override.
enum class Rank : std::uint8_t { Everyone, Team, Role, Identity };

bool names_any(const std::vector<Ref>& refs, const std::vector<std::string>& names) {
  return std::ranges::any_of(
      refs, [&](const Ref& ref) { return std::ranges::find(names, ref.name) != names.end(); });
}

std::optional<Rank> rank_of(const Subjects& subjects, const Identity& who) {
  if (subjects.except && rank_of(*subjects.except, who)) return std::nullopt;
  const bool named = std::ranges::any_of(
      subjects.identities, [&](const Ref& glob) { return text::glob_match(glob.name, who.name); });
  if (named) return Rank::Identity;
  if (names_any(subjects.roles, who.roles)) return Rank::Role;
  if (names_any(subjects.teams, who.teams)) return Rank::Team;
  if (subjects.everyone) return Rank::Everyone;
  return std::nullopt;
}

struct Step {
  Rank rank = Rank::Everyone;
  std::size_t binding = 0;
  auto operator<=>(const Step&) const = default;
};

class LoadedSet final : public PolicySet {
 public:
  LoadedSet(Identities identities, std::vector<Bound> bounds, std::string hash)
      : identities_(std::move(identities)), bounds_(std::move(bounds)), hash_(std::move(hash)) {
    for (const Bound& bound : bounds_) {
      for (const auto& [rule, partial] : bound.layer) {
        for (const ParamDef& param : catalogue()[rule].params)
          templates_ |= uses(param.fallback);
        for (const auto& [name, value] : partial.params)
          templates_ |= uses(value);
      }
    }
  }

  std::optional<Identity> identify(const certs::Caller& caller) const override {
    return identities_.identify(caller);
  }

  Identity named(std::string name, std::vector<std::string> teams) const override {
    return identities_.named(std::move(name), std::move(teams));
  }

  std::shared_ptr<const Ruleset> rules_for(const Identity& who) const override {
    const std::vector<Step> steps = steps_for(who);
    if (steps.empty()) return nullptr;
    const std::string key = cache_key(steps, who);
    {
      const std::lock_guard lock(mutex_);
      const auto it = cache_.find(key);
      if (it != cache_.end()) return it->second;
    }
    // Compiled without the lock: two threads may do it twice, nobody waits.
    auto ruleset = compile(steps, who);
    const std::lock_guard lock(mutex_);
    if (cache_.size() >= kMaxCached) return ruleset;
    return cache_.try_emplace(key, std::move(ruleset)).first->second;
  }

  const std::string& hash() const override { return hash_; }

 private:
  // Bindings that apply, weakest first, in file order within a rank.
  std::vector<Step> steps_for(const Identity& who) const {
    std::vector<Step> steps;
    for (std::size_t i = 0; i < bounds_.size(); ++i) {
      if (const auto rank = rank_of(bounds_[i].subjects, who)) steps.push_back({*rank, i});
    }
    std::ranges::sort(steps);
    return steps;
  }

  // Everything the ruleset depends on, and nothing else, so that callers share it.
  std::string cache_key(const std::vector<Step>& steps, const Identity& who) const {
    std::string key;
    for (const Step& step : steps)
      key += std::to_string(step.binding) + ',';
    const auto add = [&](std::string_view part) {
      key += std::to_string(part.size()) + ':';
      key += part;
    };
    const auto add_all = [&](const std::vector<std::string>& names) {
      key += '/' + std::to_string(names.size()) + '/';
      for (const std::string& name : names)
        add(name);
    };
    if (templates_.team) add_all(who.teams);
    if (templates_.role) add_all(who.roles);
    if (templates_.identity) add(who.name);
    return key;
  }

  std::shared_ptr<const Ruleset> compile(const std::vector<Step>& steps,
                                         const Identity& who) const {
    auto ruleset = std::make_shared<Ruleset>();
    Layer layer;
    for (const Step& step : steps) {
      const Bound& bound = bounds_[step.binding];
      fold(layer, bound.layer);
      ruleset->bindings.push_back(bound.name);
      for (const std::string& policy : bound.policies) {
        const auto known = std::ranges::find(ruleset->policies, policy);
        if (known == ruleset->policies.end()) ruleset->policies.push_back(policy);
      }
    }
    ruleset->rules = compile_rules(layer, who);
    return ruleset;
  }

  const Identities identities_;
  const std::vector<Bound> bounds_;
  const std::string hash_;
  Uses templates_;
  mutable std::mutex mutex_;
  mutable std::unordered_map<std::string, std::shared_ptr<const Ruleset>> cache_;
};

bool has_errors(const std::vector<Diagnostic>& diagnostics) {
  return std::ranges::any_of(diagnostics, &Diagnostic::error);
}

// Warnings that an error elsewhere may have caused: a misspelt name leaves its policy unbound.
bool is_consequence(const Diagnostic& diagnostic) {
  return diagnostic.code == "W202" || diagnostic.code == "W206";
}

void check_whole(const Documents& documents, const Files& files,
                 std::vector<Diagnostic>& diagnostics) {
  const std::string where = files.size() == 1 ? files.front().first : "policies";
  Reporter reporter(where, diagnostics);
  const auto missing = [&](const std::string& kind, const std::string& why) {
    reporter.error(reporter.whole_file(), "E118", "there is no document of kind " + kind, why);
  };
  if (!documents.identities) missing("Identities", "without it nobody has a name");
  if (documents.policies.empty()) missing("Policy", "without it there is nothing to enforce");
  if (documents.bindings.empty()) missing("Binding", "without it no policy applies to anybody");
}

bool is_policy_file(const std::filesystem::path& path) {
  const std::string name = path.filename().string();
  return !name.starts_with('.') && (name.ends_with(".yaml") || name.ends_with(".yml"));
}

// The files a path stands for, in name order. A folder without any is a mistake worth an error.
std::vector<std::string> expand_path(const std::string& path,
                                     std::vector<Diagnostic>& diagnostics) {
  std::error_code failure;
  if (!std::filesystem::is_directory(path, failure)) return {path};
  std::vector<std::string> files;
  for (std::filesystem::directory_iterator it(path, failure), end; !failure && it != end;
       it.increment(failure)) {
    if (is_policy_file(it->path()) && !it->is_directory()) files.push_back(it->path().string());
  }
  Reporter reporter(path, diagnostics);
  if (failure) {
    reporter.error(reporter.whole_file(), "E012", "cannot be listed: " + failure.message());
  } else if (files.empty()) {
    reporter.error(reporter.whole_file(), "E012", "the folder has no .yaml or .yml file");
  }
  std::ranges::sort(files);
  return files;
}

}  // namespace

std::shared_ptr<const PolicySet> load_policy_texts(const Files& files,
                                                   std::vector<Diagnostic>& diagnostics) {
  std::vector<Diagnostic> found;
  Documents documents = read_documents(files, found);
  std::vector<Bound> bounds;
  if (documents.complete) {
    check_whole(documents, files, found);
    bounds = link(documents, found);
  }
  const bool failed = has_errors(found);
  if (failed) std::erase_if(found, is_consequence);
  std::ranges::stable_sort(found, [&](const Diagnostic& a, const Diagnostic& b) {
    const auto order = [&](const Diagnostic& diagnostic) {
      const auto it = std::ranges::find(files, diagnostic.file, &Files::value_type::first);
      return std::tuple(it - files.begin(), diagnostic.line, diagnostic.column);
    };
    return order(a) < order(b);
  });
  std::ranges::move(found, std::back_inserter(diagnostics));
  if (failed || !documents.complete) return nullptr;
  return std::make_shared<LoadedSet>(*std::move(documents.identities), std::move(bounds),
                                     hash_of(files));
}

std::shared_ptr<const PolicySet> load_policies(const std::vector<std::string>& paths,
                                               std::vector<Diagnostic>& diagnostics) {
  std::vector<Diagnostic> unreadable;
  Files files;
  for (const std::string& path : paths) {
    for (const std::string& file : expand_path(path, unreadable)) {
      auto text = read_file(file);
      if (text) {
        files.emplace_back(file, *std::move(text));
        continue;
      }
      Reporter reporter(file, unreadable);
      reporter.error(reporter.whole_file(), "E012", text.error().message);
    }
  }
  if (!unreadable.empty()) {
    // What is missing from the rest may stand in what could not be read.
    std::ranges::move(unreadable, std::back_inserter(diagnostics));
    read_documents(files, diagnostics);
    return nullptr;
  }
  return load_policy_texts(files, diagnostics);
}

}  // namespace dockreeve::policy
