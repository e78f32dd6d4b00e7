// How the loaders of policies and of the gateway file say what is wrong, and where.
//
// Codes: E001-E012 YAML and files, E1xx structure, E3xx references, W2xx lint. They are permanent.
#pragma once

#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/yaml_reader.h"
#include "policy/policy_set.h"

namespace dockreeve::policy {

// A stretch of one line of a file.
struct Spot {
  std::string file;
  yaml::Position at;
  int width = 1;
};

// "02-restricted.yaml:21": the file without its folders, for records and cross-references.
std::string short_origin(const Spot& spot);

// Where findings about one file go. Keeps a reference to `out`.
class Reporter {
 public:
  Reporter(std::string file, std::vector<Diagnostic>& out) : file_(std::move(file)), out_(out) {}

  void error(const Spot& spot, std::string code, std::string message, std::string hint = {});
  void warning(const Spot& spot, std::string code, std::string message, std::string hint = {});
  // Everything the reader of the YAML itself objected to.
  void add(const std::vector<yaml::Problem>& problems);

  Spot spot(const yaml::Node& node) const { return {file_, node.at, node.width}; }
  Spot spot(const yaml::Entry& entry) const { return {file_, entry.at, entry.width}; }
  Spot whole_file() const { return {file_, {}, 1}; }
  const std::string& file() const { return file_; }
  std::size_t reported() const { return out_.size(); }  // so far, for all files

 private:
  std::string file_;
  std::vector<Diagnostic>& out_;
};

// The keys of one map. The constructor reports what is no map (E106) and every key that is not in
// `known` (E102); what is left can be asked for.
class Fields {
 public:
  // `owner` is where to point when a required key is missing, `what` its name in messages.
  Fields(const yaml::Node& node, Spot owner, std::string what, Reporter& reporter,
         std::span<const std::string_view> known);
  Fields(const yaml::Node& node, Spot owner, std::string what, Reporter& reporter,
         std::initializer_list<std::string_view> known)
      : Fields(node, std::move(owner), std::move(what), reporter,
               std::span<const std::string_view>(known.begin(), known.size())) {}

  // Null when absent.
  const yaml::Entry* get(std::string_view key) const { return map_ ? map_->find(key) : nullptr; }
  // Null when absent, which is reported (E103) unless it has been already, as a misspelt key.
  const yaml::Entry* require(std::string_view key) const;
  bool is_map() const { return map_ != nullptr; }

 private:
  const yaml::Node* map_ = nullptr;
  Spot owner_;
  std::string what_;
  std::vector<std::string> meant_;  // keys that unknown ones were taken for
  Reporter& reporter_;
};

// Typed readings of a key's value; a value of another type is reported (E106) and nothing.
std::optional<std::string> read_text(const yaml::Entry& entry, Reporter& reporter);
std::optional<bool> read_bool(const yaml::Entry& entry, Reporter& reporter);
std::optional<std::vector<std::string>> read_text_list(const yaml::Entry& entry,
                                                       Reporter& reporter);
// Text that must be one of `words` (E107).
std::optional<std::string> read_word(const yaml::Entry& entry, Reporter& reporter,
                                     std::span<const std::string_view> words);
bool expect_list(const yaml::Entry& entry, Reporter& reporter);
bool expect_map(const yaml::Entry& entry, Reporter& reporter);
// "`key` must be `expected`" (E106) at the value.
void wrong_type(const yaml::Entry& entry, std::string_view expected, Reporter& reporter);

// Key names and words for messages: "a, b, c".
std::string listing(std::span<const std::string_view> words);

// Text of a file; an Error says why not. Refuses more than yaml::kMaxBytes + 1 bytes of content by
// cutting there, so that the reader reports the size.
Result<std::string> read_file(const std::string& path);

}  // namespace dockreeve::policy
