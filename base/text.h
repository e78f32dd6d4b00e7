// Small functions on text that several folders need: globs, spelling suggestions, quoting.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace dockreeve::text {

// Whether `text` as a whole matches the glob: `*` stands for any run without '/', `**` for any run
// at all; every other character, '?' and brackets included, stands for itself. Linear in
// pattern times text, so a hostile pattern or name cannot stall it.
bool glob_match(std::string_view pattern, std::string_view text);

// Edits (insert, delete, change, swap two neighbours) that turn one text into the other.
std::size_t edit_distance(std::string_view a, std::string_view b);

// The candidate the writer of `word` most likely meant: at most two edits away, or sharing a prefix
// long enough to be no accident. Empty when none is close.
std::string suggest(std::string_view word, std::span<const std::string> candidates);
std::string suggest(std::string_view word, std::span<const std::string_view> candidates);

// `did you mean "x"?` for suggest(), or nothing.
std::string did_you_mean(std::string_view word, std::span<const std::string> candidates);
std::string did_you_mean(std::string_view word, std::span<const std::string_view> candidates);

// Whether the bytes are UTF-8: no overlong forms, surrogates or values above U+10FFFF.
bool is_utf8(std::string_view bytes);

// Whether the text is UTF-8 without control characters (C0, DEL, C1) and line separators.
bool is_printable(std::string_view text);

// The text in double quotes for a message: control characters and bytes that are not UTF-8 become
// '?', anything beyond 80 bytes is cut.
std::string quoted(std::string_view text);

// ASCII only.
std::string to_lower(std::string_view text);

// Elements joined by `separator`.
std::string join(std::span<const std::string> items, std::string_view separator);

// `text` with every occurrence of `from` (not empty) replaced.
std::string replace_all(std::string_view text, std::string_view from, std::string_view to);

}  // namespace dockreeve::text
