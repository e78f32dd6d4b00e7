// Facts about how the engine reads archives: Go archive/tar (Reader.next, readHeader, mergePAX,
// parser.parseNumeric) and moby pkg/archive (Unpack). Global pax headers are entries of their own
// there and change nothing, other readers apply them to all that follows.
#include "docker/tar_reader.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>

namespace dockreeve::docker {
namespace {

constexpr std::size_t kBlock = 512;
constexpr std::size_t kMaxExtension = 64 * 1024;
constexpr std::size_t kMaxSymlinks = 256 * 1024;
constexpr std::size_t kMaxPath = 4096;

struct Field {
  std::size_t at, size;
};
constexpr Field kName{0, 100}, kSize{124, 12}, kChecksum{148, 8}, kLink{157, 100}, kPrefix{345, 155};
constexpr std::size_t kType = 156, kMagic = 257;

enum class Format : std::uint8_t { V7, Ustar, Gnu };

std::string_view field(const char* block, Field f) {
  return {block + f.at, f.size};
}

bool all_zero(std::string_view text) {
  return text.find_first_not_of('\0') == std::string_view::npos;
}

// Text up to the first NUL; behind it only NULs.
std::optional<std::string> text_of(std::string_view f) {
  const std::size_t end = std::min(f.find('\0'), f.size());
  if (!all_zero(f.substr(end))) return std::nullopt;
  return std::string(f.substr(0, end));
}

// Octal digits with spaces in front and NUL or space behind, or GNU's base 256 for what is large.
std::optional<std::uint64_t> number_of(std::string_view f) {
  std::uint64_t value = 0;
  if (static_cast<unsigned char>(f[0]) == 0x80) {
    for (const char c : f.substr(1)) {
      if (value >> 54 != 0) return std::nullopt;
      value = value << 8 | static_cast<unsigned char>(c);
    }
    return value;
  }
  std::size_t at = std::min(f.find_first_not_of(' '), f.size());
  for (; at < f.size() && f[at] >= '0' && f[at] <= '7'; ++at)
    value = value << 3 | static_cast<std::uint64_t>(f[at] - '0');
  if (f.substr(at).find_first_not_of(std::string_view(" \0", 2)) != std::string_view::npos) {
    return std::nullopt;
  }
  return value;
}

std::uint64_t checksum_of(const char* block) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < kBlock; ++i) {
    const bool own = i >= kChecksum.at && i < kChecksum.at + kChecksum.size;
    sum += own ? std::uint64_t{' '} : static_cast<unsigned char>(block[i]);
  }
  return sum;
}

std::optional<Format> format_of(const char* block) {
  const std::string_view magic(block + kMagic, 8);
  if (magic == std::string_view("ustar\0" "00", 8)) return Format::Ustar;
  if (magic == std::string_view("ustar  \0", 8)) return Format::Gnu;
  if (all_zero(magic)) return Format::V7;
  return std::nullopt;
}

std::optional<std::uint64_t> decimal(std::string_view text) {
  if (text.empty() || text.size() > 18) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return value;
}

// Collisions refuse an archive that is fine; they never let one pass.
std::uint64_t hash_of(std::string_view path) {
  return std::hash<std::string_view>()(path);
}

}  // namespace

bool clean_tar_path(std::string_view path, std::string& out) {
  out.clear();
  while (!path.empty()) {
    const std::size_t end = std::min(path.find('/'), path.size());
    const std::string_view part = path.substr(0, end);
    path.remove_prefix(std::min(end + 1, path.size()));
    if (part == "..") return false;
    if (part.empty() || part == ".") continue;
    if (!out.empty()) out += '/';
    out += part;
  }
  return true;
}

bool TarReader::fail(std::string detail) {
  if (error_.empty()) error_ = std::move(detail);
  return false;
}

bool TarReader::feed(std::string_view data) {
  if (!error_.empty()) return false;
  while (!data.empty()) {
    if (part_ == Part::End) {
      return all_zero(data) || fail("something follows the end of the archive");
    }
    if (left_ > 0) {
      const std::string_view piece = data.substr(0, std::min<std::uint64_t>(left_, data.size()));
      data.remove_prefix(piece.size());
      left_ -= piece.size();
      if (part_ == Part::Extension) {
        extension_text_.append(piece);
      } else if (wanted_) {
        std::string refused = visitor_.content(piece);
        if (!refused.empty()) return fail(std::move(refused));
      }
      continue;
    }
    if (padding_ > 0) {
      const std::size_t used = std::min<std::uint64_t>(padding_, data.size());
      data.remove_prefix(used);
      padding_ -= used;
      if (padding_ > 0) continue;
    }
    if (part_ == Part::Extension && !extension_done()) return false;
    part_ = Part::Header;
    const std::size_t used = std::min(kBlock - block_.size(), data.size());
    block_.append(data.substr(0, used));
    data.remove_prefix(used);
    if (block_.size() < kBlock) return true;
    if (!header(block_.data())) return false;
    block_.clear();
  }
  return true;
}

bool TarReader::finish() {
  if (!error_.empty()) return false;
  return part_ == Part::End || fail("the archive breaks off before its end");
}

bool TarReader::header(const char* block) {
  if (all_zero({block, kBlock})) {
    if (has_pax_ || has_long_name_ || has_long_link_) {
      return fail("an extended header describes nothing");
    }
    if (++zero_blocks_ == 2) part_ = Part::End;
    return true;
  }
  if (zero_blocks_ > 0) return fail("an entry follows an end mark");
  const auto sum = number_of(field(block, kChecksum));
  if (!sum || *sum != checksum_of(block)) return fail("a header has a wrong checksum");
  const auto size = number_of(field(block, kSize));
  if (!size || *size > (std::uint64_t{1} << 60)) return fail("a header has a malformed size");
  const char type = block[kType];
  switch (type) {
    case 'x':
    case 'L':
    case 'K': {
      const bool twice = type == 'x' ? has_pax_ : type == 'L' ? has_long_name_ : has_long_link_;
      const bool mixed = type == 'x' ? has_long_name_ || has_long_link_ : has_pax_;
      if (twice || mixed) return fail("an entry has two extended headers of its kind");
      if (*size == 0 || *size > kMaxExtension) return fail("an extended header has an odd size");
      (type == 'x' ? has_pax_ : type == 'L' ? has_long_name_ : has_long_link_) = true;
      extension_ = type;
      break;
    }
    case 'g':
      // git writes one with the commit's id; everything else could change what follows.
      if (text_of(field(block, kName)) != "pax_global_header" || *size > kMaxExtension ||
          has_pax_ || has_long_name_ || has_long_link_) {
        return fail("a global extended header is not one that git writes");
      }
      extension_ = type;
      break;
    default:
      return entry(block, type, *size);
  }
  part_ = Part::Extension;
  extension_text_.clear();
  left_ = *size;
  padding_ = (kBlock - *size % kBlock) % kBlock;
  return true;
}

bool TarReader::extension_done() {
  if (extension_ == 'x' || extension_ == 'g') return read_pax(extension_text_);
  const auto text = text_of(extension_text_);
  if (!text || text->empty() || text->size() > kMaxPath) return fail("a long name is malformed");
  if (extension_ == 'L') {
    path_ = *text;
    has_path_ = true;
  }
  return true;
}

// Records "LENGTH KEY=VALUE\n".
bool TarReader::read_pax(std::string_view text) {
  std::unordered_set<std::string> seen;
  while (!text.empty()) {
    const std::size_t space = text.find(' ');
    const auto length = decimal(text.substr(0, space));
    if (space == std::string_view::npos || text[0] == '0' || !length || *length > text.size() ||
        *length <= space + 1 || text[*length - 1] != '\n') {
      return fail("an extended header is malformed");
    }
    const std::string_view record = text.substr(space + 1, *length - space - 2);
    text.remove_prefix(*length);
    const std::size_t equals = record.find('=');
    if (equals == std::string_view::npos || equals == 0) {
      return fail("an extended header is malformed");
    }
    const std::string_view key = record.substr(0, equals);
    const std::string_view value = record.substr(equals + 1);
    if (!seen.insert(std::string(key)).second) return fail("an extended header says a thing twice");
    if (extension_ == 'g') {
      if (key != "comment") return fail("a global extended header says more than a comment");
      continue;
    }
    if (key.starts_with("GNU.sparse")) return fail("sparse files are not accepted");
    if (key == "path" || key == "linkpath") {
      if (value.empty() || value.size() > kMaxPath || value.find('\0') != std::string_view::npos) {
        return fail("an extended header has a malformed name");
      }
      if (key != "path") continue;
      path_ = value;
      has_path_ = true;
    } else if (key == "size") {
      const auto size = decimal(value);
      if (!size || *size > (std::uint64_t{1} << 60)) {
        return fail("an extended header has a malformed size");
      }
      size_ = *size;
      has_size_ = true;
    }
  }
  return true;
}

bool TarReader::take_name(const char* block, std::string& name) {
  const auto format = format_of(block);
  if (!format) return fail("a header is neither ustar nor GNU");
  const auto own = text_of(field(block, kName));
  if (!own || !text_of(field(block, kLink))) return fail("a name is not padded with zeros");
  name = *own;
  if (*format == Format::Ustar) {
    const auto prefix = text_of(field(block, kPrefix));
    if (!prefix) return fail("a name is not padded with zeros");
    if (!all_zero({block + 500, 12})) return fail("a header has something in its padding");
    if (!prefix->empty()) name = *prefix + "/" + name;
    return true;
  }
  // GNU keeps times at the place of the prefix; one that is no number would be read as a prefix.
  const bool times = *format == Format::Gnu && number_of(field(block, {345, 12})) &&
                     number_of(field(block, {357, 12}));
  const std::size_t from = times ? 369 : *format == Format::V7 ? kMagic : kPrefix.at;
  return all_zero({block + from, kBlock - from}) || fail("a header has something in its padding");
}

bool TarReader::entry(const char* block, char type, std::uint64_t size) {
  TarEntry out;
  std::string name;
  if (!take_name(block, name)) return false;
  if (has_path_) name = std::move(path_);
  if (has_size_) size = size_;
  has_pax_ = has_long_name_ = has_long_link_ = has_path_ = has_size_ = false;
  switch (type) {
    case '\0':
    case '0': out.kind = TarKind::File; break;
    case '1': out.kind = TarKind::HardLink; break;
    case '2': out.kind = TarKind::Symlink; break;
    case '3':
    case '4':
    case '6': out.kind = TarKind::Other; break;
    case '5': out.kind = TarKind::Directory; break;
    case 'S': return fail("sparse files are not accepted");
    default: return fail("an entry has a type that is not accepted");
  }
  if (out.kind != TarKind::File && size != 0) return fail("an entry without content has a size");
  if (name.empty()) return fail("an entry has no name");
  if (out.kind != TarKind::Directory && name.ends_with('/')) {
    return fail("an entry that is no directory has a name that ends in a slash");
  }
  if (!clean_tar_path(name, out.path)) return fail("a name goes up with `..`");
  if (out.path.empty() && out.kind != TarKind::Directory) {
    return fail("the top of the archive is no directory");
  }
  if (!check_path(out)) return false;
  out.size = size;
  wanted_ = false;
  std::string refused = visitor_.entry(out, wanted_);
  if (!refused.empty()) return fail(std::move(refused));
  part_ = Part::Content;
  left_ = size;
  padding_ = (kBlock - size % kBlock) % kBlock;
  return true;
}

// What lies below a symbolic link would be written to somewhere else than its name says.
bool TarReader::check_path(const TarEntry& entry) {
  if (!symlinks_.empty()) {
    const std::string_view path = entry.path;
    for (std::size_t at = path.find('/'); at != std::string_view::npos; at = path.find('/', at + 1)) {
      if (symlinks_.contains(hash_of(path.substr(0, at)))) {
        return fail("an entry lies below a symbolic link");
      }
    }
    // Whether the link or the directory is there in the end would depend on the reader.
    if (entry.kind == TarKind::Directory && symlinks_.contains(hash_of(path))) {
      return fail("a directory has the name of a symbolic link");
    }
  }
  if (entry.kind == TarKind::Symlink) {
    if (symlinks_.size() >= kMaxSymlinks) return fail("the archive has too many symbolic links");
    symlinks_.insert(hash_of(entry.path));
  }
  return true;
}

}  // namespace dockreeve::docker
