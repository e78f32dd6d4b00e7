// A tar archive read as a stream, strictly: what Go's archive/tar and other readers could take in
// two ways is refused, so that the files the gateway looked at are the files the engine gets.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_set>

namespace dockreeve::docker {

enum class TarKind : std::uint8_t { File, Directory, Symlink, HardLink, Other };

struct TarEntry {
  TarKind kind = TarKind::File;
  std::string path;        // cleaned: no leading slash, no "." and no empty parts; "" is the root
  std::uint64_t size = 0;  // of the content that follows; 0 for all but files
};

// Gets what is in the archive. Every function answers "" or one clause that refuses the archive.
class TarVisitor {
 public:
  TarVisitor() = default;
  TarVisitor(const TarVisitor&) = delete;
  TarVisitor& operator=(const TarVisitor&) = delete;
  virtual ~TarVisitor() = default;
  // `wanted`: whether content() is to be called with the pieces of this file.
  virtual std::string entry(const TarEntry& entry, bool& wanted) = 0;
  virtual std::string content(std::string_view piece) = 0;
};

// Constant memory apart from the hashes of symbolic link names. Refused: wrong checksums, numbers
// and names that are not padded as written, pax records twice or malformed, sparse files, unknown
// types, `..` in a name, entries below a symbolic link of the same archive, anything but zeros
// behind the end marks, and an archive without end marks.
class TarReader {
 public:
  explicit TarReader(TarVisitor& visitor) : visitor_(visitor) {}

  // False once the archive is refused; error() says why.
  bool feed(std::string_view data);
  // After the last byte.
  bool finish();
  const std::string& error() const { return error_; }

 private:
  enum class Part : std::uint8_t { Header, Content, Extension, End };
  bool fail(std::string detail);
  bool header(const char* block);
  bool entry(const char* block, char type, std::uint64_t size);
  bool extension_done();
  bool read_pax(std::string_view text);
  bool take_name(const char* block, std::string& name);
  bool check_path(const TarEntry& entry);

  TarVisitor& visitor_;
  std::string error_;
  Part part_ = Part::Header;
  std::string block_;             // a block that is not complete yet
  std::uint64_t left_ = 0;        // of the content
  std::uint64_t padding_ = 0;     // zeros behind the content
  bool wanted_ = false;
  int zero_blocks_ = 0;
  char extension_ = 0;            // type of the extension header being read
  std::string extension_text_;
  // What extension headers say about the next entry.
  bool has_pax_ = false, has_long_name_ = false, has_long_link_ = false;
  bool has_path_ = false, has_size_ = false;
  std::string path_;
  std::uint64_t size_ = 0;
  std::unordered_set<std::uint64_t> symlinks_;
};

// Lexical cleaning as the engine does it before it looks for a file. False for `..`.
bool clean_tar_path(std::string_view path, std::string& out);

}  // namespace dockreeve::docker
