// From YAML to documents: structure, names and types. What a document refers to is looked up in
// compile.cc, when all of them are known.
#include <algorithm>
#include <array>

#include "base/text.h"
#include "policy/documents.h"
#include "policy/setting_reader.h"

namespace dockreeve::policy {
namespace {

constexpr std::string_view kApiVersion = "dockreeve/v1";
constexpr std::array<std::string_view, 4> kKinds = {"Policy", "Binding", "Identities", "Exception"};
constexpr std::string_view kNotYet = " not supported by this version";

class DocumentReader {
 public:
  DocumentReader(Documents& documents, Reporter& reporter)
      : documents_(documents), reporter_(reporter) {}

  void read(const yaml::Node& document) {
    if (!document.is_map()) {
      reporter_.error(reporter_.spot(document), "E106",
                      "a document must be a map, this is " + std::string(name(document.kind)));
      documents_.complete = false;
      return;
    }
    const bool version_known = check_version(document);
    const std::string kind = read_kind(document);
    if (!version_known || kind.empty()) {
      documents_.complete = false;
    } else if (kind == "Policy") {
      read_policy(document);
    } else if (kind == "Binding") {
      read_binding(document);
    } else if (kind == "Identities") {
      read_identities(document);
    } else {
      reporter_.error(reporter_.spot(*document.find("kind")), "E111",
                      "kind Exception is not supported by this version");
    }
  }

 private:
  bool check_version(const yaml::Node& document) {
    const yaml::Entry* const version = document.find("apiVersion");
    if (version == nullptr) {
      reporter_.error(reporter_.spot(document), "E100", "the document has no \"apiVersion\"",
                      "write apiVersion: " + std::string(kApiVersion));
      return false;
    }
    const auto text = read_text(*version, reporter_);
    if (!text || *text == kApiVersion) return text.has_value();
    reporter_.error(reporter_.spot(version->value), "E100",
                    "unknown apiVersion " + text::quoted(*text),
                    "this version reads " + std::string(kApiVersion));
    return false;
  }

  // Empty when missing or unknown.
  std::string read_kind(const yaml::Node& document) {
    const yaml::Entry* const kind = document.find("kind");
    if (kind == nullptr) {
      reporter_.error(reporter_.spot(document), "E101", "the document has no \"kind\"",
                      "one of: " + listing(kKinds));
      return {};
    }
    const auto text = read_text(*kind, reporter_);
    if (!text) return {};
    if (std::ranges::find(kKinds, *text) != kKinds.end()) return *text;
    const bool gateway = *text == "Gateway";
    std::string hint = text::did_you_mean(*text, kKinds);
    if (!hint.empty()) hint += ' ';
    reporter_.error(
        reporter_.spot(kind->value), "E101",
        gateway ? "kind Gateway does not belong among the policies"
                : "unknown kind " + text::quoted(*text),
        gateway ? "keep the gateway file in another folder" : hint + "one of: " + listing(kKinds));
    return {};
  }

  // The metadata's name; reported and empty when it is missing or no name.
  Ref read_metadata(const yaml::Entry* metadata) {
    if (metadata == nullptr) return {};
    const Fields fields(metadata->value, reporter_.spot(*metadata), "metadata", reporter_,
                        {"name", "description", "labels"});
    if (const auto* description = fields.get("description")) read_text(*description, reporter_);
    if (const auto* labels = fields.get("labels"); labels && expect_map(*labels, reporter_)) {
      for (const yaml::Entry& label : labels->value.entries)
        read_text(label, reporter_);
    }
    const yaml::Entry* const name = fields.require("name");
    const auto text = name ? read_text(*name, reporter_) : std::nullopt;
    if (!text) return {};
    if (!is_name(*text)) {
      reporter_.error(reporter_.spot(name->value), "E108",
                      text::quoted(*text) + " is no name for a document",
                      "lower-case letters, digits, \".\" and \"-\", at most 63");
    }
    return {*text, reporter_.spot(name->value)};
  }

  // Common frame of Policy and Binding; the spec, or null.
  const yaml::Entry* read_frame(const yaml::Node& document, std::string_view kind, Ref& name) {
    const Fields fields(document, reporter_.spot(document), "a " + std::string(kind), reporter_,
                        {"apiVersion", "kind", "metadata", "spec"});
    name = read_metadata(fields.require("metadata"));
    if (name.name.empty()) documents_.complete = false;
    return fields.require("spec");
  }

  // Keys that a later version will understand. Empty values are harmless.
  void refuse_unsupported(const Fields& fields, std::initializer_list<std::string_view> keys,
                          const std::string& what) {
    for (const std::string_view key : keys) {
      const yaml::Entry* const entry = fields.get(key);
      if (entry == nullptr) continue;
      const bool empty = (entry->value.is_map() && entry->value.entries.empty()) ||
                         (entry->value.is_list() && entry->value.items.empty());
      if (!empty) reporter_.error(reporter_.spot(*entry), "E111", what + std::string(kNotYet));
    }
  }

  std::vector<Ref> read_refs(const yaml::Entry* list) {
    std::vector<Ref> refs;
    if (list == nullptr || !read_text_list(*list, reporter_)) return refs;
    for (const yaml::Node& item : list->value.items) {
      if (std::ranges::find(refs, item.text, &Ref::name) != refs.end()) {
        reporter_.error(reporter_.spot(item), "E116", text::quoted(item.text) + " is listed twice");
        continue;
      }
      refs.push_back({item.text, reporter_.spot(item)});
    }
    return refs;
  }

  template <class T>
  void check_unique(const std::vector<T>& others, const Ref& name, std::string_view kind) {
    const auto it = std::ranges::find(others, name.name, &T::name);
    if (name.name.empty() || it == others.end()) return;
    reporter_.error(
        name.spot, "E116",
        "a " + std::string(kind) + " named " + text::quoted(name.name) + " exists already",
        "the first is in " + short_origin(it->spot));
  }

  void read_policy(const yaml::Node& document) {
    Ref name;
    const yaml::Entry* const spec = read_frame(document, "Policy", name);
    check_unique(documents_.policies, name, "Policy");
    PolicyDocument policy{name.name, name.spot, {}, {}};
    if (spec != nullptr) {
      const Fields fields(spec->value, reporter_.spot(*spec), "the spec of a Policy", reporter_,
                          {"extends", "lists", "rules", "vars", "custom", "external", "defaults"});
      const std::size_t before = reporter_.reported();
      refuse_unsupported(fields, {"vars", "custom"}, "custom conditions are");
      refuse_unsupported(fields, {"external"}, "an external decision point is");
      refuse_unsupported(fields, {"defaults"}, "injecting defaults is");
      policy.extends = read_refs(fields.get("extends"));
      const yaml::Entry* const entry = fields.get("lists");
      Lists lists = entry == nullptr ? Lists() : Lists(*entry, reporter_);
      if (const auto* rules = fields.get("rules")) {
        policy.rules = read_settings(*rules, lists, reporter_);
      }
      // A list whose only reader is broken would look unused.
      if (reporter_.reported() == before) lists.report_unused(reporter_);
    }
    documents_.policies.push_back(std::move(policy));
  }

  Subjects read_subjects(const yaml::Entry& entry) {
    const Fields fields(entry.value, reporter_.spot(entry), text::quoted(entry.key), reporter_,
                        {"everyone", "teams", "roles", "identities", "except"});
    Subjects subjects;
    if (const auto* everyone = fields.get("everyone")) {
      subjects.everyone = read_bool(*everyone, reporter_).value_or(true);
      if (!subjects.everyone) {
        reporter_.error(reporter_.spot(everyone->value), "E107", "\"everyone\" cannot be \"false\"",
                        "leave the key out");
      }
    }
    subjects.teams = read_refs(fields.get("teams"));
    subjects.roles = read_refs(fields.get("roles"));
    subjects.identities = read_refs(fields.get("identities"));
    if (const auto* except = fields.get("except")) {
      subjects.except = std::make_shared<const Subjects>(read_subjects(*except));
    }
    const auto& keys = entry.value.entries;
    const bool nobody =
        std::ranges::all_of(keys, [](const yaml::Entry& key) { return key.key == "except"; });
    if (fields.is_map() && nobody) {
      reporter_.error(reporter_.spot(entry), "E103", text::quoted(entry.key) + " names nobody",
                      "keys: everyone, teams, roles, identities");
    }
    return subjects;
  }

  void read_binding(const yaml::Node& document) {
    Ref name;
    const yaml::Entry* const spec = read_frame(document, "Binding", name);
    check_unique(documents_.bindings, name, "Binding");
    BindingDocument binding{name.name, name.spot, {}, {}, {}, {}};
    if (spec != nullptr) {
      const Fields fields(spec->value, reporter_.spot(*spec), "the spec of a Binding", reporter_,
                          {"subjects", "policies", "params", "mode", "shadow", "reason"});
      refuse_unsupported(fields, {"shadow"}, "shadow policies are");
      if (const auto* subjects = fields.require("subjects")) {
        binding.subjects = read_subjects(*subjects);
      }
      if (const auto* policies = fields.require("policies")) {
        binding.policies = read_refs(policies);
        if (policies->value.is_list() && policies->value.items.empty()) {
          reporter_.error(reporter_.spot(*policies), "E103", "\"policies\" is empty");
        }
      }
      if (const auto* params = fields.get("params")) {
        Lists none;
        binding.params = read_settings(*params, none, reporter_);
      }
      if (const auto* mode = fields.get("mode")) binding.cap = read_mode(*mode, reporter_);
      if (const auto* reason = fields.get("reason")) read_text(*reason, reporter_);
    }
    documents_.bindings.push_back(std::move(binding));
  }

  void read_identities(const yaml::Node& document) {
    const Fields fields(
        document, reporter_.spot(document), "Identities", reporter_,
        {"apiVersion", "kind", "metadata", "unknown", "identities", "teams", "roles"});
    read_metadata(fields.get("metadata"));
    if (documents_.identities) {
      reporter_.error(reporter_.spot(*document.find("kind")), "E117",
                      "a second Identities document", "put everything into one");
      return;
    }
    documents_.identities = Identities::read(document, reporter_);
  }

  Documents& documents_;
  Reporter& reporter_;
};

// After other problems the tree has holes, and what would be said about them misleads.
bool leaves_structure(const yaml::Problem& problem) {
  return problem.code == "E005" || problem.code == "E007" || problem.code == "E008";
}

}  // namespace

Documents read_documents(const std::vector<std::pair<std::string, std::string>>& files,
                         std::vector<Diagnostic>& diagnostics) {
  Documents documents;
  for (const auto& [name, text] : files) {
    Reporter reporter(name, diagnostics);
    const yaml::Stream stream = yaml::read(text);
    reporter.add(stream.problems);
    if (!stream.problems.empty()) documents.complete = false;
    if (!std::ranges::all_of(stream.problems, leaves_structure)) continue;
    DocumentReader reader(documents, reporter);
    for (const yaml::Node& document : stream.documents)
      reader.read(document);
  }
  return documents;
}

}  // namespace dockreeve::policy
