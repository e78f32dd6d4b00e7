// Checks a log after the fact: is it whole, in order and unchanged?
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "audit/chain.h"
#include "base/result.h"

namespace dockreeve::audit {

struct FileReport {
  std::string file;
  std::uint64_t records = 0;  // that were read and found in order
  std::uint64_t first_seq = 0, last_seq = 0;
  std::uint64_t torn_lines = 0;  // accounted for
  std::uint64_t lost = 0;        // records the log says could not be written
  std::string head;              // hash of the last line, for comparison off the host
  std::uint64_t bad_line = 0;    // 1-based; 0: none
  std::string problem;           // what is wrong there
  bool intact() const { return bad_line == 0; }
};

// Reads log files one after the other, as rotation made them: each must continue the one before.
class Verifier {
 public:
  // Stops at the first bad line of the file. Fails when the file cannot be read; `where` is its
  // path, and the message starts with "not found" when it does not exist.
  Result<FileReport> check(const std::string& path);

 private:
  struct Position {
    std::uint64_t seq = 0;
    std::string hash;
    std::string file;
  };
  std::optional<Position> end_;  // of the previous file; empty when that was broken or is the first
  LineHash hash_;
};

// The lines of one file whose record or request has that id, in file order.
Result<std::vector<std::string>> find_records(const std::string& path, const std::string& id);

// A record (JSON text) in words, for a terminal: outcome, who, what, every finding with its way
// out. Nothing in it can steer the terminal. Fails when it is no record.
Result<std::string> describe_record(const std::string& line);

}  // namespace dockreeve::audit
