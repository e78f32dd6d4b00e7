// Tar archives made by hand for the tests: every byte of a header can be spoilt.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>

namespace dockreeve::docker::testing {

inline std::string octal(std::size_t value, int digits) {
  char text[32];
  std::snprintf(text, sizeof text, "%0*zo", digits, value);
  return text;
}

inline std::string sealed(std::string header) {
  header.replace(148, 8, 8, ' ');
  unsigned sum = 0;
  for (const char c : header) sum += static_cast<unsigned char>(c);
  header.replace(148, 8, octal(sum, 6) + std::string("\0 ", 2));
  return header;
}

inline std::string header(std::string_view name, char type, std::size_t size,
                          std::string_view link = "") {
  std::string out(512, '\0');
  out.replace(0, name.size(), name);
  out.replace(100, 7, "0000644");
  out.replace(124, 11, octal(size, 11));
  out[156] = type;
  out.replace(157, link.size(), link);
  out.replace(257, 8, std::string("ustar\0" "00", 8));
  return sealed(out);
}

inline std::string padded(std::string text) {
  text.resize((text.size() + 511) / 512 * 512);
  return text;
}

inline std::string file(std::string_view name, const std::string& text) {
  return header(name, '0', text.size()) + padded(text);
}

inline std::string extended(char type, const std::string& text) {
  return header(type == 'g' ? "pax_global_header" : "x", type, text.size()) + padded(text);
}

inline std::string pax(std::string_view key, const std::string& value) {
  const std::string rest = " " + std::string(key) + "=" + value + "\n";
  std::size_t length = rest.size() + 1;
  while (std::to_string(length).size() + rest.size() != length) ++length;
  return std::to_string(length) + rest;
}

inline const std::string kEnd(1024, '\0');

}  // namespace dockreeve::docker::testing
