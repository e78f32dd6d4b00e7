// Where decisions are written down before anything else happens.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"

namespace dockreeve::audit {

enum class Sync : std::uint8_t {
  Now,    // the caller waits until fdatasync covers the record (Policy::Always) or it is written
  Later   // written within interval_ms; not waited for
};

struct Stats {
  std::uint64_t records = 0;   // lines written, the sink's own notes included
  std::uint64_t syncs = 0;     // successful fdatasync calls
  std::uint64_t failures = 0;  // records answered with false
  bool healthy = true;
};

struct FileOptions {
  std::string path;
  enum class Policy : std::uint8_t {
    Always,    // fdatasync before a Now record is answered; Later records as with Interval
    Interval,  // fdatasync at most interval_ms after a write
    Os         // the kernel decides when
  } policy = Policy::Always;
  int interval_ms = 200;
  std::size_t max_queue_bytes = 64u << 20;
  std::string host_json = {};  // "host" of the sink's own notes; empty: this machine's name
};

// Takes records from any thread, numbers them, chains them by hash, writes them in order, and
// groups fdatasync calls. `v`, `seq` and `prev` are added here: a record arrives as the text of a
// JSON object without them, on one line.
//
// A batch that cannot be written is taken back from the file as a whole and each of its records is
// answered with false; the next batch that can be written starts with a `gateway` record saying how
// many were lost and why.
class Sink {
 public:
  virtual ~Sink() = default;
  // Called on the sink's own thread once the record is safe (true) or cannot be (false). With
  // Sync::Later `done` may be empty. Never blocks the caller on disk; when the queue is full the
  // record is refused: done(false) is called at once on the calling thread. The same happens to
  // text that is no object or longer than kMaxRecordBytes.
  virtual void write(std::string record, Sync sync, std::function<void(bool recorded)> done) = 0;
  // False while records cannot be written; turns true again by itself when they can.
  virtual bool healthy() const = 0;
  virtual Stats stats() const = 0;
  // Closes and opens the file again (log rotation by rename), on the sink's thread. The chain goes
  // on in the new file. When the path cannot be opened the old file stays in use, and it is tried
  // again every second.
  virtual void reopen() = 0;
  // Writes and syncs everything queued. Blocks; not to be called from a `done`.
  virtual void flush() = 0;
};

// Opens (0640, O_APPEND|O_CLOEXEC), reads the last line to go on with seq and prev; a torn last
// line is kept and reported by a `gateway` record. Fails when the file cannot be opened, read or
// locked (flock, exclusive: two gateways never share a file). A character device (/dev/null) is
// written to without lock, tail and fdatasync. The destructor writes and syncs what is queued.
Result<std::unique_ptr<Sink>> open_file_sink(const FileOptions& options);

}  // namespace dockreeve::audit
