// Atomic writes and guarded reads.
#include "certs/files.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "test_support.h"

namespace dockreeve::certs {
namespace {

using ::testing::HasSubstr;

TEST(Files, WriteReplacesContentAndMode) {
  const TempDir temp;
  const std::string path = temp / "file";
  ASSERT_TRUE(write_atomically(path, "one", 0644));
  ASSERT_TRUE(write_atomically(path, "two", 0600));
  EXPECT_EQ(*read_file(path), "two");
  EXPECT_EQ(*read_private_file(path), "two");
}

TEST(Files, WriteReplacesALinkNotItsTarget) {
  const TempDir temp;
  ASSERT_TRUE(write_atomically(temp / "target", "kept", 0644));
  ASSERT_EQ(::symlink((temp / "target").c_str(), (temp / "link").c_str()), 0);
  ASSERT_TRUE(write_atomically(temp / "link", "new", 0600));
  EXPECT_EQ(*read_file(temp / "target"), "kept");
  EXPECT_EQ(*read_file(temp / "link"), "new");
}

TEST(Files, AFailedWriteLeavesTheOldFileAndNothingElse) {
  const TempDir temp;
  const std::string path = temp / "taken";
  ASSERT_TRUE(make_private_folder(path + "/inside"));
  const Result<void> written = write_atomically(path, "x", 0600);  // a folder cannot be replaced
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().where, path);
  int entries = 0;
  for (const auto& entry : std::filesystem::directory_iterator(temp / "")) {
    EXPECT_EQ(entry.path().filename(), "taken");
    ++entries;
  }
  EXPECT_EQ(entries, 1);
  EXPECT_FALSE(write_atomically(temp / "absent/file", "x", 0600));
}

TEST(Files, ReadRefusesWhatIsNoFile) {
  const TempDir temp;
  const std::string fifo = temp / "fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_EQ(read_file(fifo).error().text(), fifo + ": is not a regular file");
  EXPECT_THAT(read_file(temp / "").error().text(), HasSubstr("is not a regular file"));
  const std::string large = temp / "large";
  spill(large, std::string((std::size_t{4} << 20U) + 1, 'x'));
  EXPECT_EQ(read_file(large).error().text(), large + ": is larger than 4 MiB");
}

TEST(Files, PrivateFolderLeavesAnExistingOneAlone) {
  const TempDir temp;
  ASSERT_EQ(::mkdir((temp / "open").c_str(), 0755), 0);
  EXPECT_TRUE(make_private_folder(temp / "open"));
  struct stat facts {};
  ASSERT_EQ(::stat((temp / "open").c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777U, 0755U);
  spill(temp / "file", "x");
  EXPECT_FALSE(make_private_folder(temp / "file"));
}

}  // namespace
}  // namespace dockreeve::certs
