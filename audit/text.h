// JSON strings from text that nobody has checked: paths, user agents, certificate names.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace dockreeve::audit {

// Appends `text` as a JSON string with quotes, in valid UTF-8 whatever the bytes are: each byte
// that is no UTF-8 becomes U+FFFD; control characters (C0, DEL, C1) and the Unicode line separators
// are escaped, so that no reader sees a line end. The string takes at most `max` bytes between the
// quotes; a longer one is cut and ends with "…". Returns whether it was whole.
bool append_text(std::string& out, std::string_view text, std::size_t max);

// Length of the UTF-8 sequence at the front of `text` (not empty), 0 when it is none, and its code
// point.
std::size_t decode_utf8(std::string_view text, char32_t& point);

}  // namespace dockreeve::audit
