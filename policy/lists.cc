// Named lists of a policy and how they are spliced into others and into parameters.
#include "base/text.h"
#include "policy/setting_reader.h"

namespace dockreeve::policy {

Lists::Lists(const yaml::Entry& lists, Reporter& reporter) {
  if (!expect_map(lists, reporter)) return;
  for (const yaml::Entry& list : lists.value.entries) {
    if (!is_name(list.key)) {
      reporter.error(reporter.spot(list), "E108", text::quoted(list.key) + " is no name for a list",
                     "lower-case letters, digits, \".\" and \"-\", at most 63");
    }
    lists_[list.key].source = &list;
  }
  for (const yaml::Entry& list : lists.value.entries)
    resolve(lists_[list.key], reporter);
}

void Lists::resolve(List& list, Reporter& reporter) {
  if (list.done) return;
  list.open = true;
  if (expect_list(*list.source, reporter)) append(*list.source, list.values, reporter);
  list.open = false;
  list.done = true;
}

Lists::List* Lists::find(std::string_view reference, const yaml::Node& at, Reporter& reporter) {
  const auto it = lists_.find(reference.substr(1));
  if (it != lists_.end()) return &it->second;
  std::vector<std::string> names;
  for (const auto& [name, list] : lists_)
    names.push_back(name);
  reporter.error(reporter.spot(at), "E301", "unknown list " + text::quoted(reference.substr(1)),
                 text::did_you_mean(reference.substr(1), names));
  return nullptr;
}

bool Lists::append(const yaml::Entry& list, std::vector<std::string>& values, Reporter& reporter) {
  constexpr std::size_t kMaxValues = 10000;  // lists of lists grow fast
  bool good = true;
  for (const yaml::Node& item : list.value.items) {
    const auto text = yaml::as_text(item);
    if (!text) {
      wrong_type({list.key, list.at, list.width, item}, "a list of text", reporter);
      good = false;
      continue;
    }
    if (!text->starts_with('$')) {
      values.push_back(*text);
      continue;
    }
    List* const other = find(*text, item, reporter);
    if (other == nullptr) {
      good = false;
      continue;
    }
    other->used = true;
    if (other->open) {
      reporter.error(reporter.spot(item), "E306",
                     "list " + text::quoted(text->substr(1)) + " contains itself");
      good = false;
      continue;
    }
    resolve(*other, reporter);
    values.insert(values.end(), other->values.begin(), other->values.end());
    if (values.size() > kMaxValues) {
      reporter.error(reporter.spot(item), "E306",
                     "more than " + std::to_string(kMaxValues) + " values");
      values.clear();
      return false;
    }
  }
  return good;
}

std::optional<std::vector<std::string>> Lists::splice(const yaml::Entry& list, Reporter& reporter) {
  if (!list.value.is_list()) {
    const bool reference = list.value.is_scalar() && list.value.text.starts_with('$');
    reporter.error(
        reporter.spot(list.value), "E106",
        text::quoted(list.key) + " must be a list, this is " + std::string(name(list.value.kind)),
        reference ? "write [" + list.value.text + "]" : std::string());
    return std::nullopt;
  }
  std::vector<std::string> values;
  if (!append(list, values, reporter)) return std::nullopt;
  return values;
}

void Lists::report_unused(Reporter& reporter) const {
  for (const auto& [name, list] : lists_) {
    if (!list.used) {
      reporter.warning(reporter.spot(*list.source), "W201",
                       "list " + text::quoted(name) + " is not used");
    }
  }
}

}  // namespace dockreeve::policy
