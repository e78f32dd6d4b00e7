// See tail.h.

#include "audit/tail.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/record.h"

namespace dockreeve::audit {
namespace {

constexpr std::size_t kMostRead = 16u << 20;

// The seq of a line that is a record.
std::optional<std::uint64_t> record_seq(std::string_view line) {
  if (line.size() >= kMaxLineBytes) return std::nullopt;
  const auto json = nlohmann::json::parse(line, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  const auto seq = json.find("seq");
  if (seq == json.end() || !seq->is_number_unsigned()) return std::nullopt;
  const auto prev = json.find("prev");
  if (prev == json.end() || !prev->is_string()) return std::nullopt;
  return seq->get<std::uint64_t>();
}

Result<void> read_at(int fd, char* out, std::size_t size, std::uint64_t offset) {
  while (size > 0) {
    const ssize_t got = pread(fd, out, size, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail("", std::string("cannot be read: ") + strerror(errno));
    if (got == 0) return fail("", "shrank while it was read");
    out += got;
    size -= static_cast<std::size_t>(got);
    offset += static_cast<std::uint64_t>(got);
  }
  return {};
}

}  // namespace

Result<Tail> read_tail(int fd) {
  struct stat status {};
  if (fstat(fd, &status) != 0) return fail("", std::string("cannot be read: ") + strerror(errno));
  const auto size = static_cast<std::uint64_t>(status.st_size);
  Tail tail;
  if (size == 0) {
    tail.empty = true;
    return tail;
  }
  LineHash hash;
  std::string end;  // the last bytes of the file, grown towards the front until they hold a record
  for (std::size_t want = 2 * kMaxLineBytes;; want *= 4) {
    const std::size_t have = end.size();
    if (have == kMostRead) return fail("", "does not end like an audit log");
    const std::size_t all =
        static_cast<std::size_t>(std::min<std::uint64_t>({size, want, std::uint64_t{kMostRead}}));
    std::string more(all - have, '\0');
    if (auto done = read_at(fd, more.data(), more.size(), size - all); !done) {
      return tl::unexpected(done.error());
    }
    end.insert(0, more);
    tail.torn.clear();
    tail.needs_newline = end.back() != '\n';
    const bool whole = all == size;  // the first line of `end` is a whole line
    std::string_view rest(end);
    if (!tail.needs_newline) rest.remove_suffix(1);
    for (bool last = true;; last = false) {
      const std::size_t newline = rest.rfind('\n');
      if (newline == std::string_view::npos && !whole) break;  // cut in front: read more
      const std::string_view line =
          newline == std::string_view::npos ? rest : rest.substr(newline + 1);
      const auto seq = record_seq(line);
      if (last) tail.head.prev = hash.hex(line);
      if (seq) {
        tail.head.next_seq = *seq + 1;
        std::reverse(tail.torn.begin(), tail.torn.end());
        return tail;
      }
      tail.torn.push_back({line.size(), hash.hex(line)});
      if (newline == std::string_view::npos) {
        std::reverse(tail.torn.begin(), tail.torn.end());
        return tail;
      }
      rest = rest.substr(0, newline);
    }
  }
}

std::string torn_note(const TornLine& line) {
  return R"({"event":"torn-line","length":)" + std::to_string(line.length) + R"(,"sha256":")" +
         line.sha256 + R"("})";
}

}  // namespace dockreeve::audit
