// The canned answers of the upstream, in the engine's words and framing.
#pragma once

#include <string>

namespace bench {

// Every answer, made once: whole HTTP/1.1 messages, except `mebibyte`.
struct CannedAnswers {
  // `many`: the container list is that of a host with 500 containers, 50 of them team bench's.
  explicit CannedAnswers(bool many);

  std::string ping, ping_head, version, info, list, created, exec_created, container, image,
      network, exec, empty, not_found, archive_stat, upgraded;
  std::string archive;   // the head of a chunked tar
  std::string mebibyte;  // that much of its payload, in the 32 KiB chunks that Go writes
};

// An answer with a body of known length.
std::string json_answer(const std::string& status, const std::string& body);

}  // namespace bench
