#include "docker/commit.h"

#include <algorithm>
#include <array>

#include "base/json.h"

namespace dockreeve::docker {
namespace {

constexpr std::array<std::string_view, 11> kInstructions{
    "CMD",     "ENTRYPOINT", "ENV",  "EXPOSE", "HEALTHCHECK", "LABEL",
    "ONBUILD", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR"};

std::string upper(std::string_view word) {
  std::string out(word);
  for (char& c : out) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return out;
}

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// Why this is not one complete line, or nothing.
std::string_view problem(std::string_view line) {
  if (std::any_of(line.begin(), line.end(), [](char c) {
        return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
      })) {
    return "a change is one line without control characters";
  }
  if (line.starts_with('#')) return "a comment is no change";
  // Either may be the escape character.
  if (line.ends_with('\\') || line.ends_with('`')) return "a change may not go on in the next line";
  return {};
}

}  // namespace

Parsed<std::vector<Change>> read_changes(const Query& query) {
  std::vector<Change> out;
  std::size_t index = 0;
  for (const auto& [key, value] : query) {
    if (key != "changes") continue;
    const std::string pointer = json::pointer_join("query/changes", index++);
    const std::string_view line = trim(value);
    if (const std::string_view why = problem(line); !why.empty()) {
      return tl::unexpected(Refusal::ambiguous(pointer, std::string(why)));
    }
    const std::size_t end = std::min(line.find_first_of(" \t"), line.size());
    Change change{upper(line.substr(0, end)), std::string(trim(line.substr(end)))};
    if (std::find(kInstructions.begin(), kInstructions.end(), change.instruction) ==
        kInstructions.end()) {
      return tl::unexpected(Refusal::ambiguous(
          pointer, "a change must be one of the instructions that commit takes"));
    }
    if (change.instruction == "ONBUILD" && change.arguments.find("<<") != std::string::npos) {
      return tl::unexpected(Refusal::ambiguous(pointer, "a change may not have a here-document"));
    }
    out.push_back(std::move(change));
  }
  return out;
}

}  // namespace dockreeve::docker
