#include "policy/linker.h"

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace dockreeve::policy {
namespace {

class Linker {
 public:
  Linker(const Documents& documents, std::vector<Diagnostic>& diagnostics)
      : documents_(documents), reporter_({}, diagnostics) {
    for (const PolicyDocument& policy : documents.policies) {
      policies_.emplace(policy.name, &policy);
      policy_names_.push_back(policy.name);
    }
  }

  std::vector<Bound> link() {
    for (const PolicyDocument& policy : documents_.policies)
      resolve(policy);
    std::vector<Bound> bounds;
    for (const BindingDocument& binding : documents_.bindings)
      bounds.push_back(bind(binding));
    check_locks(bounds);
    check_subjects();
    check_unused();
    return bounds;
  }

 private:
  static constexpr int kMaxDepth = 32;
  enum class State { Open, Done };
  struct Resolved {
    State state = State::Open;
    Layer layer;
  };

  void report_lock(const Spot& spot, std::size_t rule, const Spot& lock) {
    reporter_.error(spot, "E131",
                    text::quoted(catalogue()[rule].id) + " is locked by " + short_origin(lock));
  }

  // The layer of a reference; null after a report.
  const Layer* find_layer(const Ref& ref, bool may_be_preset) {
    const auto policy = policies_.find(ref.name);
    if (policy != policies_.end()) {
      used_.insert(ref.name);
      return resolve(*policy->second, &ref);
    }
    if (may_be_preset) return find_preset(ref);
    report_unknown(ref, policy_names_);
    return nullptr;
  }

  void report_unknown(const Ref& ref, const std::vector<std::string>& candidates) {
    reporter_.error(ref.spot, "E302", "unknown policy " + text::quoted(ref.name),
                    text::did_you_mean(ref.name, candidates));
  }

  const Layer* find_preset(const Ref& ref) {
    const std::vector<std::string> presets = preset_names();
    if (std::ranges::find(presets, ref.name) == presets.end()) {
      report_no_preset(ref, presets);
      return nullptr;
    }
    const auto [it, fresh] = presets_.try_emplace(ref.name);
    if (fresh) {
      std::string missing;
      it->second = preset_layer(ref.name, missing);
      if (!it->second) {
        reporter_.error(ref.spot, "E113",
                        "preset " + ref.name + " is not available in this version",
                        "rule " + missing + " is missing");
      }
    }
    return it->second ? &*it->second : nullptr;
  }

  void report_no_preset(const Ref& ref, const std::vector<std::string>& presets) {
    const std::string base = ref.name.substr(0, ref.name.find('@'));
    const auto same = std::ranges::find_if(
        presets, [&](const std::string& preset) { return preset.starts_with(base + "@"); });
    if (same != presets.end() && base == ref.name) {
      reporter_.error(ref.spot, "E303", "preset " + base + " needs a version", "write " + *same);
    } else if (base != ref.name) {
      std::string hint = text::did_you_mean(ref.name, presets);
      if (!hint.empty()) hint += ' ';
      reporter_.error(ref.spot, "E304", "unknown preset " + text::quoted(ref.name),
                      hint + "presets: " + text::join(presets, ", "));
    } else {
      std::vector<std::string> candidates = policy_names_;
      candidates.insert(candidates.end(), presets.begin(), presets.end());
      report_unknown(ref, candidates);
    }
  }

  // Folds what a policy extends, then its own rules. `from` is who asks, to point at in a cycle.
  const Layer* resolve(const PolicyDocument& policy, const Ref* from = nullptr) {
    const auto [it, fresh] = resolved_.try_emplace(&policy);
    Resolved& resolved = it->second;
    if (!fresh) {
      if (resolved.state == State::Done) return &resolved.layer;
      reporter_.error(from->spot, "E305",
                      "policy " + text::quoted(policy.name) + " extends itself");
      return nullptr;
    }
    bool complete = true;
    for (const Ref& ref : policy.extends) {
      const Layer* const layer = extend(ref);
      complete = complete && layer != nullptr;
      if (layer == nullptr) continue;
      fold(resolved.layer, *layer,
           [&](std::size_t rule, const Spot& lock) { report_lock(ref.spot, rule, lock); });
    }
    add_settings(policy.rules, policy.name, resolved.layer);
    for (const Setting& setting : policy.rules) {
      if (complete) check_reachable(setting, resolved.layer);
    }
    resolved.state = State::Done;
    return &resolved.layer;
  }

  const Layer* extend(const Ref& ref) {
    if (depth_ >= kMaxDepth) {
      reporter_.error(ref.spot, "E305",
                      "more than " + std::to_string(kMaxDepth) + " policies extend one another");
      return nullptr;
    }
    ++depth_;
    const Layer* const layer = find_layer(ref, true);
    --depth_;
    return layer;
  }

  void add_settings(const std::vector<Setting>& settings, const std::string& policy, Layer& layer) {
    for (const Setting& setting : settings) {
      const std::size_t index = rule_index(*setting.rule);
      const auto it = layer.find(index);
      if (it != layer.end() && it->second.locked) {
        report_lock(setting.spot, index, *it->second.locked);
      } else {
        fold(layer, {{index, to_partial(setting, policy)}});
      }
    }
  }

  void check_reachable(const Setting& setting, const Layer& layer) {
    const bool always = setting.rule->modes.at("baseline") == Mode::Always;
    const auto it = layer.find(rule_index(*setting.rule));
    if (always || setting.mode || it == layer.end() || it->second.mode) return;
    reporter_.warning(setting.spot, "W206",
                      "nothing here switches rule " + text::quoted(setting.rule->id) + " on",
                      "add a mode");
  }

  Bound bind(const BindingDocument& binding) {
    Bound bound{binding.name, binding.subjects, {}, {}};
    for (const Ref& ref : binding.policies) {
      const Layer* const layer = find_layer(ref, false);
      if (layer == nullptr) continue;
      bound.policies.push_back(ref.name);
      fold(bound.layer, *layer,
           [&](std::size_t rule, const Spot& lock) { report_lock(ref.spot, rule, lock); });
    }
    add_settings(binding.params, binding.name, bound.layer);
    if (binding.cap) apply_cap(binding, bound.layer);
    return bound;
  }

  // A cap never raises, and never reaches a locked rule: that is what the lock is for.
  void apply_cap(const BindingDocument& binding, Layer& layer) {
    std::string kept;
    for (auto& [index, partial] : layer) {
      if (!partial.mode || *partial.mode <= *binding.cap) continue;
      if (!partial.locked) {
        partial.mode = binding.cap;
        continue;
      }
      if (!kept.empty()) kept += ", ";
      kept += catalogue()[index].id;
    }
    if (kept.empty()) return;
    reporter_.warning(binding.spot, "W207",
                      "mode " + std::string(name(*binding.cap)) + " does not reach locked rules",
                      "still as strict as before: " + kept);
  }

  static bool share(const std::vector<Ref>& a, const std::vector<Ref>& b) {
    return std::ranges::any_of(
        a, [&](const Ref& ref) { return std::ranges::find(b, ref.name, &Ref::name) != b.end(); });
  }

  // Whether everybody, or somebody named in both, is sure to meet `weak` before `strong`.
  static bool comes_before(const Subjects& weak, const Subjects& strong, bool earlier) {
    if (weak.except) return false;
    if (weak.everyone) return !strong.everyone || earlier;
    return earlier && (share(weak.teams, strong.teams) || share(weak.roles, strong.roles) ||
                       share(weak.identities, strong.identities));
  }

  // Attempts of one binding on what another has locked. Where only some caller might meet both, the
  // lock simply wins when the time comes.
  void check_locks(const std::vector<Bound>& bounds) {
    std::set<std::pair<std::size_t, std::size_t>> reported;
    for (std::size_t weak = 0; weak < bounds.size(); ++weak) {
      for (std::size_t strong = 0; strong < bounds.size(); ++strong) {
        if (weak == strong ||
            !comes_before(bounds[weak].subjects, bounds[strong].subjects, weak < strong)) {
          continue;
        }
        Layer base = bounds[weak].layer;
        fold(base, uncapped(strong), [&](std::size_t rule, const Spot& lock) {
          if (reported.emplace(strong, rule).second) report_lock(attempt(strong, rule), rule, lock);
        });
      }
    }
  }

  // A cap is no attempt: on a locked rule it has no effect, which W207 says.
  Layer uncapped(std::size_t index) {
    Layer layer;
    for (const Ref& ref : documents_.bindings[index].policies) {
      const auto policy = policies_.find(ref.name);
      if (policy != policies_.end()) fold(layer, resolved_[policy->second].layer);
    }
    for (const Setting& setting : documents_.bindings[index].params) {
      fold(layer, {{rule_index(*setting.rule), to_partial(setting, {})}});
    }
    return layer;
  }

  Spot attempt(std::size_t index, std::size_t rule) const {
    const BindingDocument& binding = documents_.bindings[index];
    for (const Setting& setting : binding.params) {
      if (rule_index(*setting.rule) == rule) return setting.spot;
    }
    return binding.policies.empty() ? binding.spot : binding.policies.back().spot;
  }

  void check_names(const std::vector<Ref>& refs, const std::set<std::string>& known,
                   std::string_view what) {
    const std::vector<std::string> candidates(known.begin(), known.end());
    for (const Ref& ref : refs) {
      if (known.contains(ref.name)) continue;
      reporter_.warning(ref.spot, "W204",
                        std::string(what) + " " + text::quoted(ref.name) + " is defined nowhere",
                        text::did_you_mean(ref.name, candidates));
    }
  }

  void check_subject(const Subjects& subjects) {
    std::set<std::string> roles = documents_.identities->roles();
    roles.insert("guest");
    check_names(subjects.teams, documents_.identities->teams(), "team");
    check_names(subjects.roles, roles, "role");
    if (subjects.except) check_subject(*subjects.except);
  }

  void check_subjects() {
    if (!documents_.identities) return;
    for (const BindingDocument& binding : documents_.bindings)
      check_subject(binding.subjects);
  }

  void check_unused() {
    if (documents_.bindings.empty()) return;  // which is said elsewhere, once
    for (const PolicyDocument& policy : documents_.policies) {
      if (used_.contains(policy.name)) continue;
      reporter_.warning(policy.spot, "W202",
                        "policy " + text::quoted(policy.name) + " is bound to nobody",
                        "name it in a Binding");
    }
  }

  const Documents& documents_;
  Reporter reporter_;
  std::map<std::string, const PolicyDocument*, std::less<>> policies_;
  std::vector<std::string> policy_names_;
  std::map<const PolicyDocument*, Resolved> resolved_;
  std::map<std::string, std::optional<Layer>> presets_;
  std::set<std::string> used_;
  int depth_ = 0;  // of `extends`
};

}  // namespace

std::vector<Bound> link(const Documents& documents, std::vector<Diagnostic>& diagnostics) {
  return Linker(documents, diagnostics).link();
}

}  // namespace dockreeve::policy
