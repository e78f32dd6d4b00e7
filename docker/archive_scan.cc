#include "docker/archive_scan.h"

#include <algorithm>
#include <array>
#include <utility>

#include <zlib.h>

namespace dockreeve::docker {

using namespace std::string_view_literals;

// zlib's state; ended with the object.
class ArchiveScan::Inflater {
 public:
  Inflater() { ready_ = inflateInit2(&stream_, 16 + MAX_WBITS) == Z_OK; }
  ~Inflater() {
    if (ready_) inflateEnd(&stream_);
  }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  enum class Got : std::uint8_t { More, End, Bad };
  void input(std::string_view data) {
    held_ = data;
    stream_.next_in = reinterpret_cast<Bytef*>(held_.data());
    stream_.avail_in = static_cast<uInt>(held_.size());
  }
  // The next piece of output; empty when the input is used up.
  Got next(std::string_view& piece) {
    piece = {};
    if (!ready_) return Got::Bad;
    stream_.next_out = buffer_.data();
    stream_.avail_out = static_cast<uInt>(buffer_.size());
    const int code = ::inflate(&stream_, Z_NO_FLUSH);
    piece = {reinterpret_cast<const char*>(buffer_.data()), buffer_.size() - stream_.avail_out};
    if (code == Z_STREAM_END) return Got::End;
    return code == Z_OK || code == Z_BUF_ERROR ? Got::More : Got::Bad;
  }
  bool has_input() const { return stream_.avail_in > 0; }
  bool ended = false;

 private:
  z_stream stream_{};
  bool ready_ = false;
  std::string held_;
  std::array<Bytef, 32 * 1024> buffer_{};
};

bool looks_compressed(std::string_view first) {
  for (const std::string_view magic : {"\x1f\x8b"sv, "BZh"sv, "\xfd\x37zXZ"sv, "\x28\xb5\x2f\xfd"sv}) {
    if (first.starts_with(magic)) return true;
  }
  // Zstandard's skippable frames: 50 to 5f, then 2a 4d 18.
  return first.size() >= 4 && (static_cast<unsigned char>(first[0]) & 0xf0u) == 0x50u &&
         first.substr(1, 3) == "\x2a\x4d\x18"sv;
}

ArchiveScan::ArchiveScan(TarVisitor& visitor, std::uint64_t max_bytes)
    : tar_(visitor), max_bytes_(max_bytes) {}
ArchiveScan::~ArchiveScan() = default;

bool ArchiveScan::fail(std::string detail) {
  if (error_.empty()) error_ = std::move(detail);
  return false;
}

bool ArchiveScan::feed(std::string_view data) {
  if (!error().empty()) return false;
  if (known_) return inflater_ ? inflate(data) : pass(data);
  first_.append(data);
  return first_.size() < kSniffBytes || start();
}

bool ArchiveScan::start() {
  known_ = true;
  const std::string first = std::exchange(first_, {});
  if (!looks_compressed(first)) return pass(first);
  if (!first.starts_with("\x1f\x8b\x08"sv)) {
    return fail("the archive is compressed with something else than gzip; send a plain or gzip tar");
  }
  inflater_ = std::make_unique<Inflater>();
  return inflate(first);
}

bool ArchiveScan::pass(std::string_view data) {
  seen_ += data.size();
  if (seen_ > max_bytes_) {
    return fail("the archive has more than " + std::to_string(max_bytes_) + " bytes unpacked");
  }
  return tar_.feed(data);
}

bool ArchiveScan::inflate(std::string_view data) {
  if (inflater_->ended) return data.empty() || fail("something follows the gzip stream");
  inflater_->input(data);
  for (;;) {
    std::string_view piece;
    const Inflater::Got got = inflater_->next(piece);
    if (got == Inflater::Got::Bad) return fail("the gzip stream is damaged");
    if (!piece.empty() && !pass(piece)) return false;
    if (got == Inflater::Got::End) {
      inflater_->ended = true;
      return !inflater_->has_input() || fail("something follows the gzip stream");
    }
    if (piece.empty()) return true;
  }
}

bool ArchiveScan::finish() {
  if (!error().empty()) return false;
  if (!known_ && !first_.empty() && !start()) return false;
  if (inflater_ && !inflater_->ended) return fail("the gzip stream breaks off");
  return tar_.finish();
}

}  // namespace dockreeve::docker
