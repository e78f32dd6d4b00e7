// The seeds of the create-body fuzzer as a list of what clients really send (accept-*) and of
// bodies that two parsers would read differently (refuse-*). A bypass is mended by adding its bytes
// there first.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "docker/decode.h"

namespace dockreeve::docker {
namespace {

std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(CreateCorpus, AcceptsClientsAndRefusesDoubleReadings) {
  int accepted = 0;
  int refused = 0;
  const std::filesystem::path folder =
      std::filesystem::path(DOCKREEVE_SOURCE_DIR) / "tests/fuzz/corpus/decode_create";
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    UnknownFields unknown;
    const auto parsed = decode_create_container(read_file(entry.path()), unknown);
    if (name.starts_with("accept-")) {
      ++accepted;
      ASSERT_TRUE(parsed) << name << ": " << parsed.error().pointer << " " << parsed.error().detail;
      UnknownFields none;
      const auto again = decode_create_container(encode(*parsed), none);
      ASSERT_TRUE(again) << name;
      EXPECT_EQ(*again, *parsed) << name;
      EXPECT_TRUE(none.empty()) << name;
    } else {
      ASSERT_TRUE(name.starts_with("refuse-")) << name;
      ++refused;
      ASSERT_FALSE(parsed) << name;
      EXPECT_EQ(parsed.error().status, 400) << name;
      EXPECT_EQ(parsed.error().rule, name.starts_with("refuse-toplevel-")
                                         ? "legacy-toplevel-hostconfig"
                                         : "ambiguous-request")
          << name;
    }
  }
  EXPECT_GE(accepted, 12);
  EXPECT_GE(refused, 40);
}

}  // namespace
}  // namespace dockreeve::docker
