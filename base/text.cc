#include "base/text.h"

#include <algorithm>
#include <cstdint>
#include <optional>

namespace dockreeve::text {
namespace {

constexpr std::size_t kQuoteLimit = 80;
constexpr std::size_t kMaxEdits = 2;
constexpr std::size_t kMinSharedPrefix = 4;

bool is_continuation(char c) {
  return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

// Length of the well-formed sequence at the front of `bytes`, or 0; sets `code` to its value.
std::size_t decode_one(std::string_view bytes, std::uint32_t& code) {
  const auto lead = static_cast<unsigned char>(bytes.front());
  if (lead < 0x80U) {
    code = lead;
    return 1;
  }
  std::size_t length = 0;
  std::uint32_t least = 0;
  if (lead >= 0xC2U && lead < 0xE0U) {
    length = 2, least = 0x80, code = lead & 0x1FU;
  } else if (lead >= 0xE0U && lead < 0xF0U) {
    length = 3, least = 0x800, code = lead & 0x0FU;
  } else if (lead >= 0xF0U && lead < 0xF5U) {
    length = 4, least = 0x10000, code = lead & 0x07U;
  } else {
    return 0;
  }
  if (bytes.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if (!is_continuation(bytes[i])) return 0;
    code = (code << 6U) | (static_cast<unsigned char>(bytes[i]) & 0x3FU);
  }
  const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
  return code < least || code > 0x10FFFF || surrogate ? 0 : length;
}

bool is_control(std::uint32_t code) {
  return code < 0x20 || (code >= 0x7F && code < 0xA0) || code == 0x2028 || code == 0x2029;
}

std::size_t shared_prefix(std::string_view a, std::string_view b) {
  const auto [end, other] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  return static_cast<std::size_t>(end - a.begin());
}

// How far `word` is from `candidate`, smaller is nearer; nothing when it is not a likely slip.
std::optional<std::size_t> closeness(std::string_view word, std::string_view candidate) {
  const auto [shortest, longest] = std::minmax({word.size(), candidate.size()});
  // The lengths are compared first: a word can be as long as a file.
  if (longest - shortest <= kMaxEdits) {
    const std::size_t edits = edit_distance(word, candidate);
    if (edits <= kMaxEdits && edits < shortest) return edits;
  }
  // A different case throughout, or a word cut short or run on.
  if (to_lower(word) == to_lower(candidate)) return kMaxEdits + 1;
  const std::size_t prefix = shared_prefix(word, candidate);
  if (prefix >= kMinSharedPrefix && 2 * prefix >= longest) {
    return kMaxEdits + 2 + candidate.size() - prefix;
  }
  return std::nullopt;
}

template <class T>
std::string best(std::string_view word, std::span<const T> candidates) {
  std::string_view chosen;
  std::size_t distance = SIZE_MAX;
  for (const T& candidate : candidates) {
    const auto near = closeness(word, candidate);
    if (near && *near < distance) {
      distance = *near;
      chosen = candidate;
    }
  }
  return std::string(chosen);
}

std::string as_question(const std::string& suggestion) {
  return suggestion.empty() ? std::string() : "did you mean " + quoted(suggestion) + "?";
}

}  // namespace

bool glob_match(std::string_view pattern, std::string_view text) {
  // reach[i]: the pattern read so far can match the first i characters of the text.
  std::vector<char> reach(text.size() + 1, 0);
  reach[0] = 1;
  for (std::size_t p = 0; p < pattern.size();) {
    if (pattern[p] == '*') {
      std::size_t stars = 0;
      while (p < pattern.size() && pattern[p] == '*')
        ++p, ++stars;
      for (std::size_t i = 1; i < reach.size(); ++i) {
        const bool may_extend = stars > 1 || text[i - 1] != '/';
        if (may_extend && reach[i - 1] != 0) reach[i] = 1;
      }
      continue;
    }
    for (std::size_t i = reach.size() - 1; i > 0; --i) {
      reach[i] = static_cast<char>(reach[i - 1] != 0 && text[i - 1] == pattern[p]);
    }
    reach[0] = 0;
    ++p;
  }
  return reach.back() != 0;
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  const std::size_t width = b.size() + 1;
  std::vector<std::size_t> before(width), above(width), row(width);
  for (std::size_t j = 0; j < width; ++j)
    above[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j < width; ++j) {
      const std::size_t change = above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, change});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
    std::swap(before, above);
    std::swap(above, row);
  }
  return above[b.size()];
}

std::string suggest(std::string_view word, std::span<const std::string> candidates) {
  return best(word, candidates);
}
std::string suggest(std::string_view word, std::span<const std::string_view> candidates) {
  return best(word, candidates);
}
std::string did_you_mean(std::string_view word, std::span<const std::string> candidates) {
  return as_question(best(word, candidates));
}
std::string did_you_mean(std::string_view word, std::span<const std::string_view> candidates) {
  return as_question(best(word, candidates));
}

bool is_utf8(std::string_view bytes) {
  std::uint32_t code = 0;
  while (!bytes.empty()) {
    const std::size_t length = decode_one(bytes, code);
    if (length == 0) return false;
    bytes.remove_prefix(length);
  }
  return true;
}

bool is_printable(std::string_view text) {
  std::uint32_t code = 0;
  while (!text.empty()) {
    const std::size_t length = decode_one(text, code);
    if (length == 0 || is_control(code)) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  std::uint32_t code = 0;
  while (!text.empty()) {
    const std::size_t length = decode_one(text, code);
    if (out.size() + length > kQuoteLimit) {
      out += "...";
      break;
    }
    if (length == 0 || is_control(code)) {
      out += '?';
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out + '"';
}

std::string to_lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::string join(std::span<const std::string> items, std::string_view separator) {
  std::string out;
  for (const std::string& item : items) {
    if (&item != items.data()) out += separator;
    out += item;
  }
  return out;
}

std::string replace_all(std::string_view text, std::string_view from, std::string_view to) {
  std::string out;
  for (;;) {
    const std::size_t at = text.find(from);
    out += text.substr(0, at);
    if (at == std::string_view::npos) return out;
    out += to;
    text.remove_prefix(at + from.size());
  }
}

}  // namespace dockreeve::text
