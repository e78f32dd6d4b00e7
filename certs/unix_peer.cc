// Who is at the other end of a unix socket, from the kernel and the user database.
#include <cerrno>
#include <grp.h>
#include <pwd.h>
#include <string>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>
#include <vector>

#include "certs/peer.h"
#include "certs/tls_context.h"

namespace dockreeve::certs {
namespace {

constexpr std::size_t kFirstBufferBytes = 4096;
constexpr std::size_t kMaxBufferBytes = std::size_t{4} << 20U;  // a group may have many members
constexpr int kMaxGroups = 65536;                               // NGROUPS_MAX of Linux

// The values with which getpwuid_r(3) and getgrgid_r(3) may say "no such entry".
bool means_absent(int code) {
  return code == 0 || code == ENOENT || code == ESRCH || code == EBADF || code == EPERM;
}

tl::unexpected<Error> lookup_failure(const std::string& what, int code) {
  return fail("", "cannot look up " + what + ": " + std::generic_category().message(code));
}

// One of getpwuid_r or getgrgid_r with a buffer that grows; the entry's name, empty if absent.
template <class Entry, class Id, class Call>
Result<std::string> name_of(Call call, Id id, char* Entry::*name, const std::string& what) {
  std::vector<char> buffer(kFirstBufferBytes);
  for (;;) {
    Entry entry{};
    Entry* found = nullptr;
    const int code = call(id, &entry, buffer.data(), buffer.size(), &found);
    if (code == EINTR) continue;
    if (code == ERANGE && buffer.size() < kMaxBufferBytes) {
      buffer.resize(buffer.size() * 2);
      continue;
    }
    if (found != nullptr) return std::string(found->*name);
    if (means_absent(code)) return std::string();
    return lookup_failure(what + " " + std::to_string(id), code);
  }
}

Result<std::vector<gid_t>> groups_of(const std::string& user, gid_t primary) {
  std::vector<gid_t> gids(64);
  for (;;) {
    int count = static_cast<int>(gids.size());
    if (::getgrouplist(user.c_str(), primary, gids.data(), &count) >= 0) {
      gids.resize(static_cast<std::size_t>(count));
      return gids;
    }
    if (gids.size() >= kMaxGroups) return lookup_failure("the groups of " + user, E2BIG);
    gids.resize(gids.size() * 2);
  }
}

}  // namespace

Result<UnixPeer> unix_peer(int fd) {
  ucred credentials{};
  socklen_t length = sizeof credentials;
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0) {
    return lookup_failure("the credentials of the peer", errno);
  }
  // What Linux answers for a socket that is not a connected unix socket.
  if (length != sizeof credentials || credentials.uid == static_cast<uid_t>(-1)) {
    return fail("", "the socket has no peer credentials");
  }
  UnixPeer peer{.pid = credentials.pid,
                .uid = credentials.uid,
                .gid = credentials.gid,
                .user = {},
                .gids = {},
                .groups = {}};

  Result<std::string> user =
      name_of<passwd>(::getpwuid_r, credentials.uid, &passwd::pw_name, "uid");
  if (!user) return tl::unexpected(user.error());
  peer.user = *std::move(user);

  std::vector<gid_t> gids{credentials.gid};
  if (!peer.user.empty()) {
    Result<std::vector<gid_t>> all = groups_of(peer.user, credentials.gid);
    if (!all) return tl::unexpected(all.error());
    gids = *std::move(all);
  }
  for (const gid_t gid : gids) {
    Result<std::string> group = name_of<::group>(::getgrgid_r, gid, &::group::gr_name, "gid");
    if (!group) return tl::unexpected(group.error());
    peer.gids.push_back(gid);
    if (!group->empty()) peer.groups.push_back(*std::move(group));
  }
  return peer;
}

}  // namespace dockreeve::certs
