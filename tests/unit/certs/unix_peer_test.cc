// Who the kernel says is at the other end of a unix socket.
#include <gmock/gmock.h>
#include <grp.h>
#include <netinet/in.h>
#include <pwd.h>

#include "test_support.h"

namespace dockreeve::certs {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct Pair {
  Pair() { EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, fds.data()), 0); }
  Pair(const Pair&) = delete;
  Pair& operator=(const Pair&) = delete;
  ~Pair() {
    for (const int fd : fds)
      ::close(fd);
  }
  std::array<int, 2> fds{-1, -1};
};

TEST(UnixPeer, IsThisProcessOnAPairOfItsOwn) {
  const Pair pair;
  const Result<UnixPeer> peer = unix_peer(pair.fds[0]);
  ASSERT_TRUE(peer) << peer.error().text();
  EXPECT_EQ(peer->pid, ::getpid());
  EXPECT_EQ(peer->uid, ::geteuid());
  EXPECT_EQ(peer->gid, ::getegid());
  EXPECT_THAT(peer->gids, Contains(peer->gid));
  if (const passwd* user = ::getpwuid(::geteuid())) {
    EXPECT_EQ(peer->user, user->pw_name);
  }
  if (const group* primary = ::getgrgid(::getegid())) {
    EXPECT_THAT(peer->groups, Contains(primary->gr_name));
  }
}

TEST(UnixPeer, WithoutAccountHasNumbersOnly) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root to become someone else";
  constexpr uid_t kNobodyKnows = 54321;
  ASSERT_EQ(::getpwuid(kNobodyKnows), nullptr);
  ASSERT_EQ(::setegid(kNobodyKnows), 0);
  ASSERT_EQ(::seteuid(kNobodyKnows), 0);
  const Pair pair;
  ASSERT_EQ(::seteuid(0), 0);
  ASSERT_EQ(::setegid(0), 0);
  const Result<UnixPeer> peer = unix_peer(pair.fds[0]);
  ASSERT_TRUE(peer) << peer.error().text();
  EXPECT_EQ(peer->uid, kNobodyKnows);
  EXPECT_EQ(peer->user, "");
  EXPECT_THAT(peer->gids, ElementsAre(kNobodyKnows));
  EXPECT_THAT(peer->groups, IsEmpty());
}

TEST(UnixPeer, NeedsAConnectedUnixSocket) {
  const int tcp = ::socket(AF_INET, SOCK_STREAM, 0);
  const int alone = ::socket(AF_UNIX, SOCK_STREAM, 0);
  for (const int fd : {tcp, alone, -1})
    EXPECT_FALSE(unix_peer(fd)) << fd;
  ::close(tcp);
  ::close(alone);
}

}  // namespace
}  // namespace dockreeve::certs
