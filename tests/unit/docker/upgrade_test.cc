// The headers of a WebSocket handshake and of a BuildKit session.
#include "docker/upgrade.h"

#include <gtest/gtest.h>

#include <string>

namespace dockreeve::docker {
namespace {

using Sent = std::vector<std::pair<std::string_view, std::string_view>>;

const Route& route(Method method, std::string_view target) {
  return *classify(method, target)->route;
}
const Route& websocket() {
  return route(Method::Get, "/containers/web/attach/ws");
}
const Route& session() {
  return route(Method::Post, "/session");
}

constexpr std::string_view kKey = "dGhlIHNhbXBsZSBub25jZQ==";

TEST(UpgradeHeaders, AreKeptInOneSpelling) {
  const auto got = upgrade_headers(websocket(), {{"sec-websocket-version", "13"},
                                                 {"SEC-WEBSOCKET-KEY", kKey},
                                                 {"Sec-WebSocket-Protocol", "chat"},
                                                 {"X-Docker-Expose-Session-Uuid", "u"}});
  ASSERT_TRUE(got);
  EXPECT_EQ(*got, (HeaderList{{"Sec-WebSocket-Key", std::string(kKey)},
                              {"Sec-WebSocket-Version", "13"},
                              {"Sec-WebSocket-Protocol", "chat"}}));
  const auto exposed =
      upgrade_headers(session(), {{"X-Docker-Expose-Session-Grpc-Method", "/a/b"},
                                  {"x-docker-expose-session-name", ""},
                                  {"x-docker-expose-session-uuid", "u1"},
                                  {"X-Docker-Expose-Session-Grpc-Method", "/c/d"}});
  ASSERT_TRUE(exposed);
  EXPECT_EQ(*exposed, (HeaderList{{"X-Docker-Expose-Session-Uuid", "u1"},
                                  {"X-Docker-Expose-Session-Grpc-Method", "/a/b"},
                                  {"X-Docker-Expose-Session-Grpc-Method", "/c/d"}}));
  EXPECT_EQ(upgrade_headers(route(Method::Post, "/grpc"), {{"X-Docker-Expose-Session-Uuid", "u"}}),
            HeaderList{});
}

TEST(UpgradeHeaders, RefusesHandshakesThatNoClientSends) {
  const std::string long_value(600, 'x');
  for (const Sent& sent : {Sent{}, Sent{{"Sec-WebSocket-Key", kKey}},
                           Sent{{"Sec-WebSocket-Key", kKey}, {"Sec-WebSocket-Version", "8"}},
                           Sent{{"Sec-WebSocket-Key", "short"}, {"Sec-WebSocket-Version", "13"}},
                           Sent{{"Sec-WebSocket-Key", kKey},
                                {"Sec-WebSocket-Key", kKey},
                                {"Sec-WebSocket-Version", "13"}}}) {
    EXPECT_FALSE(upgrade_headers(websocket(), sent));
  }
  for (const Sent& sent : {Sent{}, Sent{{"X-Docker-Expose-Session-Uuid", ""}},
                           Sent{{"X-Docker-Expose-Session-Uuid", long_value}},
                           Sent{{"X-Docker-Expose-Session-Uuid", "\xc3\xa9"}}}) {
    EXPECT_FALSE(upgrade_headers(session(), sent));
  }
  Sent many{{"X-Docker-Expose-Session-Uuid", "u"}};
  many.insert(many.end(), 65, {"X-Docker-Expose-Session-Grpc-Method", "/a/b"});
  EXPECT_FALSE(upgrade_headers(session(), many));
}

TEST(UpgradeHeaders, EachRouteSpeaksOneProtocol) {
  EXPECT_EQ(upgrade_protocol(websocket()), "websocket");
  EXPECT_EQ(upgrade_protocol(session()), "h2c");
  EXPECT_EQ(upgrade_protocol(route(Method::Post, "/grpc")), "h2c");
  EXPECT_EQ(upgrade_protocol(route(Method::Post, "/containers/web/attach")), "tcp");
}

}  // namespace
}  // namespace dockreeve::docker
