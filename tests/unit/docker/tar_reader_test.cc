#include "docker/tar_reader.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <vector>

#include "docker/archive_scan.h"
#include "tests/unit/docker/tar_support.h"

namespace dockreeve::docker {
namespace {

using namespace testing;

// "kind:path=content;" of every entry.
class Recorder : public TarVisitor {
 public:
  std::string seen;
  std::string entry(const TarEntry& entry, bool& wanted) override {
    constexpr std::string_view kKinds = "fdsho";
    seen += (seen.empty() ? "" : ";");
    seen += kKinds[static_cast<std::size_t>(entry.kind)];
    seen += ":" + entry.path + "=";
    wanted = true;
    return entry.path == "unwanted" ? "unwanted" : "";
  }
  std::string content(std::string_view piece) override {
    seen += piece;
    return {};
  }
};

// What an archive holds, or "! reason"; fed in pieces of `step` bytes.
std::string read(const std::string& archive, std::size_t step = 0, std::uint64_t limit = 1 << 24) {
  Recorder recorder;
  ArchiveScan scan(recorder, limit);
  bool fine = true;
  for (std::size_t at = 0; fine && at < archive.size(); at += step == 0 ? archive.size() : step) {
    fine = scan.feed(std::string_view(archive).substr(at, step == 0 ? archive.size() : step));
  }
  return fine && scan.finish() ? recorder.seen : "! " + scan.error();
}

std::string gzip(const std::string& text) {
  z_stream stream{};
  deflateInit2(&stream, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  std::string in = text;
  std::string out(deflateBound(&stream, in.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(out.size() - stream.avail_out);
  deflateEnd(&stream);
  return out;
}

std::string gnu(std::string header) {
  header.replace(257, 8, std::string("ustar  \0", 8));
  return sealed(header);
}

TEST(Tar, ReadsWhatIsThere) {
  const std::string archive = header("./", '5', 0) + file("./a//b", "text") +
                              header("l", '2', 0, "a/b") + header("h", '1', 0, "a/b") +
                              file("/c", std::string(600, 'x')) + kEnd + kEnd;
  const std::string want = "d:=;f:a/b=text;s:l=;h:h=;f:c=" + std::string(600, 'x');
  for (const std::size_t step : {0u, 1u, 7u, 511u, 512u, 513u}) EXPECT_EQ(read(archive, step), want) << step;
  EXPECT_EQ(read(gzip(archive)), want);
  EXPECT_EQ(read(gzip(archive), 3), want);
}

TEST(Tar, LongNames) {
  const std::string name = std::string(120, 'n') + "/Dockerfile";
  EXPECT_EQ(read(extended('x', pax("path", name)) + file("short", "t") + kEnd), "f:" + name + "=t");
  EXPECT_EQ(read(gnu(extended('L', name + '\0').substr(0, 512)) + padded(name) + file("s", "t") + kEnd),
            "f:" + name + "=t");
  std::string prefixed = header("tail", '0', 0);
  prefixed.replace(345, 4, "head");
  EXPECT_EQ(read(sealed(prefixed) + kEnd), "f:head/tail=");
  // Without the ustar magic the same bytes are no prefix, and nothing else either.
  EXPECT_TRUE(read(gnu(prefixed) + kEnd).starts_with("! "));
}

TEST(Tar, SizesOfExtendedHeadersCount) {
  EXPECT_EQ(read(extended('x', pax("size", "3")) + header("f", '0', 0) + padded("abc") + kEnd),
            "f:f=abc");
  std::string large = header("f", '0', 0);
  large.replace(124, 12, std::string("\x80\0\0\0\0\0\0\0\0\0\0\x02", 12));
  EXPECT_EQ(read(sealed(large) + padded("ab") + kEnd), "f:f=ab");
}

TEST(Tar, CommentOfGit) {
  EXPECT_EQ(read(extended('g', pax("comment", "0123")) + file("f", "x") + kEnd), "f:f=x");
  EXPECT_TRUE(read(extended('g', pax("path", "y")) + file("f", "x") + kEnd).starts_with("! "));
}

TEST(Tar, Refuses) {
  std::string sum = file("f", "x");
  sum[0] = 'g';
  std::string negative = header("f", '0', 0);
  negative[124] = '-';
  std::string garbage = header("f", '0', 0);
  garbage.replace(0, 5, std::string("f\0bad", 5));
  std::string star = header("f", '0', 0);
  star.replace(508, 3, "tar");
  std::string times = header("f", '0', 0);
  times.replace(345, 4, "evil");
  const std::vector<std::pair<std::string, std::string>> cases{
      {"checksum", sum + kEnd},
      {"size", sealed(negative) + kEnd},
      {"garbage behind a name", sealed(garbage) + kEnd},
      {"star", sealed(star) + kEnd},
      {"GNU times that are none", gnu(times) + kEnd},
      {"no end", file("f", "x")},
      {"half an end", file("f", "x") + kEnd.substr(512)},
      {"entry after an end mark", file("f", "x") + kEnd.substr(512) + file("g", "y") + kEnd},
      {"second archive", file("f", "x") + kEnd + file("f", "y") + kEnd},
      {"up", file("a/../f", "x") + kEnd},
      {"below a link", header("s", '2', 0, ".") + file("s/f", "x") + kEnd},
      {"deep below a link", header("a/s", '2', 0, ".") + file("a/s/b/f", "x") + kEnd},
      {"directory over a link", header("s", '2', 0, ".") + header("s/", '5', 0) + kEnd},
      {"root is a file", file("./.", "x") + kEnd},
      {"file with slash", header("f/", '0', 0) + kEnd},
      {"sparse", header("f", 'S', 0) + kEnd},
      {"pax sparse", extended('x', pax("GNU.sparse.name", "f")) + file("g", "x") + kEnd},
      {"contiguous", header("f", '7', 0) + kEnd},
      {"unknown type", header("f", 'Z', 0) + kEnd},
      {"link with content", header("f", '1', 5, "x") + padded("12345") + kEnd},
      {"two pax", extended('x', pax("path", "a")) + extended('x', pax("path", "b")) + file("f", "x") + kEnd},
      {"pax and GNU", extended('x', pax("path", "a")) + extended('L', "b") + file("f", "x") + kEnd},
      {"key twice", extended('x', pax("path", "a") + pax("path", "b")) + file("f", "x") + kEnd},
      {"NUL in a name", extended('x', pax("path", std::string("a\0b", 3))) + file("f", "x") + kEnd},
      {"pax without an entry", extended('x', pax("path", "a")) + kEnd},
      {"pax length", extended('x', "8 path=a\n") + file("f", "x") + kEnd},
      {"pax length with zeros", extended('x', "011 path=a\n") + file("f", "x") + kEnd},
      {"visitor", file("unwanted", "x") + kEnd},
      {"empty", ""},
      {"text", "FROM busybox\n"},
      {"bzip2", "BZh91AY&SY"},
      {"xz", std::string("\xfd" "7zXZ\0abcd", 10)},
      {"zstd", std::string("\x28\xb5\x2f\xfd" "abcdef", 10)},
      {"two members", gzip(file("f", "x") + kEnd) + gzip(kEnd)},
      {"behind gzip", gzip(file("f", "x") + kEnd) + std::string(8, '\0')},
      {"cut gzip", gzip(file("f", "x") + kEnd).substr(0, 60)},
      {"gzip in gzip", gzip(gzip(file("f", "x") + kEnd))},
  };
  for (const auto& [name, archive] : cases) {
    for (const std::size_t step : {0u, 1u, 100u}) {
      EXPECT_TRUE(read(archive, step).starts_with("! ")) << name << ": " << read(archive, step);
    }
  }
}

TEST(Tar, BombsAreCut) {
  const std::string packed = gzip(header("f", '0', 1 << 22) + std::string(1 << 22, '\0') + kEnd);
  EXPECT_LT(packed.size(), std::size_t{1} << 14);
  EXPECT_TRUE(read(packed, 0, 1 << 20).starts_with("! the archive has more than"));
  EXPECT_TRUE(read(packed).starts_with("f:f="));
}

TEST(Tar, CleanPath) {
  std::string out;
  EXPECT_TRUE(clean_tar_path("/./a//b/.", out));
  EXPECT_EQ(out, "a/b");
  EXPECT_FALSE(clean_tar_path("a/..", out));
}

}  // namespace
}  // namespace dockreeve::docker
