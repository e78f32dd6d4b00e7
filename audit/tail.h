// The end of a log that an earlier run left behind.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "audit/chain.h"
#include "base/result.h"

namespace dockreeve::audit {

// A line that is no record, most likely because the machine stopped in the middle of it.
struct TornLine {
  std::uint64_t length = 0;  // bytes, without a newline
  std::string sha256;
};

struct Tail {
  ChainHead head;              // where a new record goes on
  bool empty = false;          // nothing in the file
  bool needs_newline = false;  // the last line has no end yet
  std::vector<TornLine> torn;  // lines after the last record, in file order
};

// Reads backwards from the end of a regular file to its last record. A file without any record
// starts a new chain after its torn lines. Fails on read errors, and when what follows the last
// record is larger than 16 MiB: that is no audit log.
Result<Tail> read_tail(int fd);

// The note that accounts for a torn line, as JSON text; see docs/audit.md.
std::string torn_note(const TornLine& line);

}  // namespace dockreeve::audit
