// See text.h.

#include "audit/text.h"

#include <algorithm>
#include <array>

#include "base/json_scan.h"

namespace dockreeve::audit {
namespace {

bool all_plain(std::string_view text) {
  const char* const end = text.data() + text.size();
  return json::scan::skip_plain(text.data(), end) == end;
}

constexpr std::string_view kEllipsis = "\xe2\x80\xa6";
constexpr std::string_view kReplacement = "\xef\xbf\xbd";

bool breaks_lines(char32_t point) {
  return point < 0x20 || (point >= 0x7f && point < 0xa0) || point == 0x2028 || point == 0x2029;
}

}  // namespace

std::size_t decode_utf8(std::string_view text, char32_t& point) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  point = lead;
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < length) return 0;
  point = lead & (0x7fu >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
    point = (point << 6) | (byte(i) & 0x3fu);
  }
  constexpr std::array<char32_t, 5> kSmallest{0, 0, 0x80, 0x800, 0x10000};
  const bool overlong = point < kSmallest[length];
  return overlong || point > 0x10ffff || (point >= 0xd800 && point < 0xe000) ? 0 : length;
}

bool append_text(std::string& out, std::string_view text, std::size_t max) {
  out += '"';
  if (text.size() <= max && all_plain(text)) {
    out += text;
    out += '"';
    return true;
  }
  const std::size_t start = out.size();
  std::size_t safe_cut = start;  // a place to cut that leaves room for the ellipsis
  while (!text.empty()) {
    const std::size_t used = out.size() - start;
    if (used > max) break;
    if (used + kEllipsis.size() <= max) safe_cut = out.size();
    char32_t point = 0;
    const std::size_t length = decode_utf8(text, point);
    if (length == 0) {
      out += kReplacement;
    } else if (point == '"' || point == '\\') {
      out += '\\';
      out += static_cast<char>(point);
    } else if (breaks_lines(point)) {
      static constexpr char kHex[] = "0123456789abcdef";
      out += "\\u";
      for (int shift = 12; shift >= 0; shift -= 4)
        out += kHex[(point >> shift) & 15];
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  const bool whole = out.size() - start <= max;
  if (!whole) {
    out.resize(safe_cut);
    out += kEllipsis;
  }
  out += '"';
  return whole;
}

}  // namespace dockreeve::audit
