// Where decisions are written down before anything else happens.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"

namespace dockreeve::audit {

enum class Sync : std::uint8_t {
  Now,    // the caller waits until fdatasync covers the record
  Later   // written soon; not waited for
};

struct Stats {
  std::uint64_t records = 0, syncs = 0, failures = 0;
  bool healthy = true;
};

struct FileOptions {
  std::string path;
  enum class Policy : std::uint8_t { Always, Interval, Os } policy = Policy::Always;
  int interval_ms = 200;
  std::size_t max_queue_bytes = 64u << 20;
};

// Takes records from any thread, numbers them, chains them by hash, writes them in order, and
// groups fdatasync calls. `seq` and `prev` are added here: a record arrives as the JSON object text
// without them.
class Sink {
 public:
  virtual ~Sink() = default;
  // Called on the sink's own thread once the record is safe (true) or cannot be (false). With
  // Sync::Later `done` may be empty. Never blocks the caller on disk; when the queue is full the
  // record is refused: done(false) is called at once on the calling thread.
  virtual void write(std::string record, Sync sync, std::function<void(bool recorded)> done) = 0;
  // False while records cannot be written; turns true again by itself when they can.
  virtual bool healthy() const = 0;
  virtual Stats stats() const = 0;
  // Closes and opens the file again (log rotation by rename), on the sink's thread.
  virtual void reopen() = 0;
  // Writes and syncs everything queued. Blocks.
  virtual void flush() = 0;
};

// Opens (0640, O_APPEND|O_CLOEXEC), reads the last line to go on with seq and prev; a torn last
// line is kept and reported by a `gateway` record. Fails when the file cannot be opened or locked
// (flock, exclusive: two gateways never share a file).
Result<std::unique_ptr<Sink>> open_file_sink(const FileOptions& options);

}  // namespace dockreeve::audit
