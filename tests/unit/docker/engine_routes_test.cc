// The route table against the engine's own routers (tests/golden/engine_routes.txt) and against
// what docs/routes.md says of it.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "docker/route.h"

namespace dockreeve::docker {
namespace {

struct Line {
  bool left_out = false;
  std::string method, pattern;
};

std::vector<Line> engine_routes() {
  std::ifstream file(DOCKREEVE_SOURCE_DIR "/tests/golden/engine_routes.txt");
  std::vector<Line> out;
  for (std::string text; std::getline(file, text);) {
    if (text.empty() || text.starts_with('#')) continue;
    Line line;
    line.left_out = text.starts_with("! ");
    std::istringstream words(line.left_out ? text.substr(2) : text);
    words >> line.method >> line.pattern;
    out.push_back(std::move(line));
  }
  return out;
}

// A path that the pattern stands for.
std::string example(std::string pattern, const std::string& open_name) {
  for (std::size_t open = pattern.find('{'); open != std::string::npos; open = pattern.find('{')) {
    const std::size_t close = pattern.find('}', open);
    const std::string name = pattern.substr(open + 1, close - open - 1);
    const std::string value = name == "exec"        ? std::string(64, 'e')
                              : name.ends_with('*') ? open_name
                                                    : "some-name";
    pattern.replace(open, close - open + 1, value);
  }
  return pattern;
}

TEST(EngineRoutes, EachHasItsRow) {
  std::set<std::string_view> reached;
  std::size_t count = 0;
  for (const Line& line : engine_routes()) {
    SCOPED_TRACE(line.method + " " + line.pattern);
    ++count;
    const auto method = parse_method(line.method);
    for (const std::string open_name : {"one", "r.example:5000/two/three:tag"}) {
      const std::string path = example(line.pattern, open_name);
      const bool known = method && classify(*method, path);
      ASSERT_EQ(known, !line.left_out);
      if (!known) continue;
      const Route& route = *classify(*method, path)->route;
      reached.insert(route.name);
      // The row has the shape of the pattern: as many segments, literals and names alike.
      const auto shape = [](std::string_view pattern) {
        std::string out;
        bool inside = false;
        for (const char c : pattern) {
          inside = c == '{' || (inside && c != '}');
          if (!inside) out += c;
        }
        return out;
      };
      if (route.name == "debug") continue;
      EXPECT_EQ(shape(route.pattern), shape(line.pattern));
    }
  }
  EXPECT_EQ(count, 127U);
  for (const Route& route : routes())
    EXPECT_TRUE(reached.contains(route.name)) << route.name << " is no route of the engine";
}

std::string_view openness(const Route& route) {
  switch (route.access) {
    case Access::Free:
      return "every identity";
    case Access::Read:
      return "open, shows";
    case Access::Change:
      return "open, changes";
    case Access::OptIn:
      return "by name";
    case Access::Closed:
      break;
  }
  return "closed";
}

std::string_view object_word(Object object) {
  constexpr std::string_view kWords[] = {"",       "container", "exec",   "image",
                                         "volume", "network",   "plugin", "service",
                                         "node",   "task",      "secret", "config"};
  return kWords[static_cast<std::size_t>(object)];
}

std::string table() {
  std::string out = "| route | request | openness | acts on |\n|---|---|---|---|\n";
  for (const Route& route : routes()) {
    out += "| `" + std::string(route.name) + "` | `" + std::string(name(route.method)) + " " +
           std::string(route.pattern) + "` | " + std::string(openness(route)) + " | " +
           std::string(object_word(route.object)) + " |\n";
  }
  return out;
}

// DOCKREEVE_WRITE_DOCS=1 writes the table anew instead of comparing it.
TEST(EngineRoutes, DocumentationHasTheTable) {
  const std::string path = DOCKREEVE_SOURCE_DIR "/docs/routes.md";
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  const std::string page = text.str();
  const std::size_t start = page.find("| route |");
  ASSERT_NE(start, std::string::npos);
  const std::size_t end = std::min(page.find("\n\n", start), page.size() - 1) + 1;
  if (std::getenv("DOCKREEVE_WRITE_DOCS")) {
    std::ofstream(path) << page.substr(0, start) + table() + page.substr(end);
    GTEST_SKIP() << "written";
  }
  EXPECT_EQ(page.substr(start, end - start), table());
}

}  // namespace
}  // namespace dockreeve::docker
