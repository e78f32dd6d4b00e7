#include "docker/port.h"

#include <gtest/gtest.h>

#include "docker/net_address.h"

namespace dockreeve::docker {
namespace {

TEST(ContainerPort, ReadsKeysStrictly) {
  EXPECT_EQ(parse_container_port("80/tcp"), (ContainerPort{80, Protocol::Tcp}));
  EXPECT_EQ(parse_container_port("53/udp"), (ContainerPort{53, Protocol::Udp}));
  EXPECT_EQ(parse_container_port("65535/sctp"), (ContainerPort{65535, Protocol::Sctp}));
  EXPECT_EQ(name(Protocol::Sctp), "sctp");
  for (const auto* text : {"", "80", "80/TCP", "80/foo", "/tcp", "0/tcp", "080/tcp", "80/tcp/x",
                           "65536/tcp", "80-81/tcp", "+80/tcp", " 80/tcp", "80/", "-1/tcp"}) {
    EXPECT_FALSE(parse_container_port(text)) << text;
  }
}

TEST(HostPort, ReadsWhatTheEngineReads) {
  EXPECT_EQ(parse_host_port("8080"), (HostPort{8080, 8080}));
  EXPECT_EQ(parse_host_port("080"), (HostPort{80, 80}));
  EXPECT_EQ(parse_host_port("0022"), (HostPort{22, 22}));
  EXPECT_EQ(parse_host_port("8000-8010"), (HostPort{8000, 8010}));
  EXPECT_EQ(parse_host_port("22/udp"), (HostPort{22, 22}));
  EXPECT_EQ(parse_host_port("1000-2000/tcp"), (HostPort{1000, 2000}));
  for (const auto* text : {"", "0", "00", "0/tcp"}) {
    const Result<HostPort> got = parse_host_port(text);
    ASSERT_TRUE(got) << text;
    EXPECT_TRUE(got->ephemeral()) << text;
  }
  for (const auto* text :
       {"tcp/22", " 22", "22 ", "+22", "-22", "22-", "0x16", "2e1", "65536", "0-10", "20-10",
        "1-2-3", "22/foo", "22/tcp/udp", "/tcp", "a", "\xd9\xa2", "99999999999999999999"}) {
    EXPECT_FALSE(parse_host_port(text)) << text;
  }
}

TEST(PortRange, IsAPortOrARange) {
  EXPECT_EQ(parse_port_range("20000-29999"), (HostPort{20000, 29999}));
  EXPECT_EQ(parse_port_range("8080"), (HostPort{8080, 8080}));
  for (const auto* text : {"", "0", "0-1", "2-1", "8080/tcp"}) {
    EXPECT_FALSE(parse_port_range(text)) << text;
  }
}

TEST(IpAddress, ReadsLiteralsOnly) {
  EXPECT_EQ(IpAddress::parse("127.0.0.1")->text(), "127.0.0.1");
  EXPECT_EQ(IpAddress::parse("0:0:0:0:0:0:0:1")->text(), "::1");
  EXPECT_EQ(IpAddress::parse("::ffff:10.0.0.1")->text(), "10.0.0.1");
  EXPECT_TRUE(IpAddress::parse("::ffff:10.0.0.1")->is_v4());
  for (const auto* text : {"", "localhost", "127.1", "127.0.0.01", "1.2.3.4 ", "fe80::1%eth0",
                           "[::1]", "1.2.3.256", "host-gateway"}) {
    EXPECT_FALSE(IpAddress::parse(text)) << text;
  }
  EXPECT_FALSE(IpAddress::parse(std::string_view("1.2.3.4\0x", 9)));
}

TEST(IpAddress, KnowsTheSpecialOnes) {
  for (const auto* text : {"0.0.0.0", "::"})
    EXPECT_TRUE(IpAddress::parse(text)->is_unspecified()) << text;
  for (const auto* text : {"127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"}) {
    EXPECT_TRUE(IpAddress::parse(text)->is_loopback()) << text;
  }
  for (const auto* text : {"169.254.169.254", "fe80::1", "febf::1"}) {
    EXPECT_TRUE(IpAddress::parse(text)->is_link_local()) << text;
  }
  for (const auto* text : {"10.0.0.1", "fec0::1", "::2", "1::1", "128.0.0.1"}) {
    const Result<IpAddress> address = IpAddress::parse(text);
    ASSERT_TRUE(address) << text;
    EXPECT_FALSE(address->is_loopback() || address->is_link_local() || address->is_unspecified());
  }
}

TEST(Cidr, ContainsItsAddresses) {
  const auto contains = [](std::string_view block, std::string_view address) {
    return Cidr::parse(block)->contains(*IpAddress::parse(address));
  };
  EXPECT_TRUE(contains("10.0.0.0/8", "10.255.0.1"));
  EXPECT_FALSE(contains("10.0.0.0/8", "11.0.0.1"));
  EXPECT_TRUE(contains("10.1.2.3/31", "10.1.2.2"));
  EXPECT_FALSE(contains("10.1.2.3/31", "10.1.2.4"));
  EXPECT_TRUE(contains("0.0.0.0/0", "1.2.3.4"));
  EXPECT_FALSE(contains("0.0.0.0/0", "::1"));
  EXPECT_TRUE(contains("::1/128", "::1"));
  EXPECT_TRUE(contains("fe80::/10", "febf::1"));
  EXPECT_FALSE(contains("fe80::/10", "fec0::1"));
  EXPECT_TRUE(contains("::ffff:10.0.0.0/104", "10.9.9.9"));
  EXPECT_TRUE(contains("127.0.0.1", "127.0.0.1"));
  EXPECT_FALSE(contains("127.0.0.1", "127.0.0.2"));
  EXPECT_TRUE(contains("127.0.0.1/32", "::ffff:127.0.0.1"));
  EXPECT_EQ(Cidr::parse("10.1.2.3/8")->text(), "10.0.0.0/8");
  for (const auto* text : {"", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/08", "10.0.0.0/-1", "::/129",
                           "10.0.0.0/8/8", "x/8", "::ffff:10.0.0.0/64"}) {
    EXPECT_FALSE(Cidr::parse(text)) << text;
  }
}

}  // namespace
}  // namespace dockreeve::docker
