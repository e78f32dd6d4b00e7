#include "base/units.h"

#include <gtest/gtest.h>

namespace dockreeve {
namespace {

TEST(Bytes, ReadsPowersOf1024) {
  EXPECT_EQ(parse_bytes("1024"), 1024);
  EXPECT_EQ(parse_bytes("0"), 0);
  EXPECT_EQ(parse_bytes("10b"), 10);
  EXPECT_EQ(parse_bytes("512m"), 512LL << 20);
  EXPECT_EQ(parse_bytes("512M"), 512LL << 20);
  EXPECT_EQ(parse_bytes("4MiB"), 4LL << 20);
  EXPECT_EQ(parse_bytes("2GiB"), 2LL << 30);
  EXPECT_EQ(parse_bytes("2gb"), 2LL << 30);
  EXPECT_EQ(parse_bytes("1.5g"), 3LL << 29);
  EXPECT_EQ(parse_bytes("1t"), 1LL << 40);
  EXPECT_EQ(parse_bytes("1p"), 1LL << 50);
  EXPECT_EQ(parse_bytes("0.1k"), 102);
  EXPECT_EQ(parse_bytes("0.999999999999999999p"), 1125899906842623LL);
  EXPECT_EQ(parse_bytes("9223372036854775807"), 9223372036854775807LL);
}

TEST(Bytes, RefusesTheRest) {
  for (const auto* text : {"", "m", "-1m", "+1", "1 m", "1.m", ".5g", "1x", "1mm", "1mib2", "1e3",
                           "0x10", "1,5g", "9223372036854775808", "8192p", "1.5.5g", "unlimited"}) {
    EXPECT_FALSE(parse_bytes(text)) << text;
  }
}

TEST(Duration, ReadsUnitsInFallingOrder) {
  EXPECT_EQ(parse_duration("30s"), 30);
  EXPECT_EQ(parse_duration("15m"), 900);
  EXPECT_EQ(parse_duration("12h"), 43200);
  EXPECT_EQ(parse_duration("90d"), 90 * 86400);
  EXPECT_EQ(parse_duration("4w"), 28 * 86400);
  EXPECT_EQ(parse_duration("1h30m"), 5400);
  EXPECT_EQ(parse_duration("0s"), 0);
  for (const auto* text : {"", "30", "s", "30m1h", "1h1h", "-1s", "1.5h", "1y", "10ms", "1h ", "1H",
                           "9223372036854775807w", "106751991167301d15h30m8s"}) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
}

TEST(Cpus, AreExact) {
  EXPECT_EQ(parse_cpus("4"), 4'000'000'000);
  EXPECT_EQ(parse_cpus("0.5"), 500'000'000);
  EXPECT_EQ(parse_cpus("4.000000001"), 4'000'000'001);
  for (const auto* text :
       {"", "4.0000000001", "-1", "1e1", "half", ".5", "1.", "9223372037", "2 "}) {
    EXPECT_FALSE(parse_cpus(text)) << text;
  }
}

TEST(Format, ReadsBack) {
  EXPECT_EQ(format_bytes(8LL << 30), "8g");
  EXPECT_EQ(format_bytes(3LL << 29), "1536m");
  EXPECT_EQ(format_bytes(1000), "1000");
  EXPECT_EQ(format_bytes(0), "0");
  EXPECT_EQ(format_bytes(1LL << 60), "1024p");
  EXPECT_EQ(format_duration(90 * 86400), "90d");
  EXPECT_EQ(format_duration(28 * 86400), "4w");
  EXPECT_EQ(format_duration(5400), "1h30m");
  EXPECT_EQ(format_duration(0), "0s");
  EXPECT_EQ(format_cpus(4'000'000'000), "4");
  EXPECT_EQ(format_cpus(1'500'000'000), "1.5");
  EXPECT_EQ(format_cpus(1), "0.000000001");
  EXPECT_EQ(format_cpus(0), "0");
  for (const std::int64_t value : {1LL, 7LL, 1023LL, 1024LL, 86399LL, 604800LL, 694861LL}) {
    EXPECT_EQ(parse_bytes(format_bytes(value)), value);
    EXPECT_EQ(parse_duration(format_duration(value)), value);
    EXPECT_EQ(parse_cpus(format_cpus(value)), value);
  }
}

}  // namespace
}  // namespace dockreeve
