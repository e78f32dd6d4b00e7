#include "app/files.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <sstream>

namespace dockreeve::app {

Result<std::string> read_input(const std::string& path) {
  if (path == "-") {
    return std::string(std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>());
  }
  std::ifstream in(path, std::ios::binary);
  if (!in) return fail(path, std::strerror(errno));
  std::ostringstream text;
  text << in.rdbuf();
  if (in.bad()) return fail(path, "cannot be read");
  return std::move(text).str();
}

int print_diagnostics(const std::vector<policy::Diagnostic>& diagnostics) {
  std::map<std::string, std::string> sources;
  int errors = 0;
  for (const policy::Diagnostic& diagnostic : diagnostics) {
    auto [source, added] = sources.try_emplace(diagnostic.file);
    if (added) {
      if (auto text = read_input(diagnostic.file)) source->second = *std::move(text);
    }
    std::cerr << policy::render(diagnostic, source->second);
    errors += diagnostic.error ? 1 : 0;
  }
  return errors;
}

}  // namespace dockreeve::app
