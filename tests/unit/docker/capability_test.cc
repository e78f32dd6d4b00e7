#include "docker/capability.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

namespace dockreeve::docker {
namespace {

TEST(Capability, NormalisesCaseAndPrefix) {
  for (const auto* text : {"NET_ADMIN", "net_admin", "CAP_NET_ADMIN", "cap_Net_Admin"}) {
    EXPECT_EQ(normalise_capability(text).value_or("error"), "NET_ADMIN") << text;
  }
  EXPECT_EQ(normalise_capability("all").value_or("error"), "ALL");
  EXPECT_EQ(normalise_capability("ALL").value_or("error"), "ALL");
}

TEST(Capability, RefusesWhatIsNoCapability) {
  for (const auto* text : {"", "BOGUS", "CAP_", "CAP_ALL", "CAP_CAP_CHOWN", " SYS_ADMIN",
                           "SYS_ADMIN ", "SYS_ADMIN,CHOWN", "21", "SYS-ADMIN"}) {
    EXPECT_FALSE(normalise_capability(text)) << text;
  }
}

TEST(Capability, RefusesLettersThatUpperCaseIntoAscii) {
  for (const auto* text : {"\xc5\xbfYS_ADMIN", "sys_adm\xc4\xb1n", "SYS_ADM\xc4\xb0N"}) {
    const Result<std::string_view> got = normalise_capability(text);
    ASSERT_FALSE(got) << text;
    EXPECT_EQ(got.error().message, "capability names are plain ASCII");
  }
}

TEST(Capability, TablesAreComplete) {
  EXPECT_EQ(known_capabilities().size(), 41U);
  EXPECT_EQ(default_capabilities().size(), 14U);
  const std::set<std::string_view> known(known_capabilities().begin(), known_capabilities().end());
  EXPECT_EQ(known.size(), 41U);
  for (const std::string_view name : default_capabilities())
    EXPECT_TRUE(known.contains(name)) << name;
  for (const std::string_view name : known_capabilities()) {
    EXPECT_EQ(normalise_capability("cap_" + std::string(name)).value_or("error"), name);
  }
}

}  // namespace
}  // namespace dockreeve::docker
