// Moves bytes once a request was admitted: the answer down, an opaque body up, or both at once
// after a hijack. One buffer's worth at a time: a slow reader stops the writer.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "docker/archive_scan.h"
#include "proxy/head.h"
#include "proxy/stream.h"

namespace dockreeve::proxy {

// How the body of an answer ends.
struct BodyFraming {
  enum class Kind : std::uint8_t {
    None,
    Length,
    Chunked,      // passed on as it is framed
    Unchunk,      // the same, for a client that does not know chunks: payload only, then the end
    UntilClose
  } kind = Kind::None;
  std::uint64_t length = 0;
};

struct RelayLimits {
  Millis idle_ms = 0;       // 0: no limit between two bytes
  bool watch_client = true; // end when the client goes away while the engine is silent
  bool abort_on_eof = true; // a client's half-close cancels the exchange (long answers)
};

struct RelayEnd {
  bool client_usable = false;   // the answer was delivered completely and framed
  bool engine_usable = false;   // the engine's connection can carry another request
};

// What a client did while it waits for its answer.
enum class ClientNews : std::uint8_t { Nothing, HalfClosed, Full, Gone };
// Looks, without waiting; what it sent is appended to `input` (at most 64 KiB are held).
ClientNews look_at_client(Stream& client, std::string& input);

// Sends `head` and the body that follows it. `early` is what was already read behind the engine's
// head; bytes the client sends meanwhile (pipelining) are appended to `client_input`.
Task<RelayEnd> relay_response(Stream& client, Stream& engine, std::string head, std::string early,
                              BodyFraming framing, RelayLimits limits, std::string& client_input);

// Bytes both ways until both ends closed their side, one broke, or the idle limit passed.
// `to_engine` are client bytes that came before the engine's 101; `to_client` the head and what
// followed it.
Task<void> relay_hijacked(Stream& client, Stream& engine, std::string to_client, std::string to_engine,
                          Millis idle_ms);

// The request body of an opaque route, read with its own framing and written with ours. Only plain
// tar may pass: engines before 29.5.1 start xz and unpigz from the container's own files, as root of
// the host (CVE-2026-41567).
struct Upload {
  bool chunked = false;          // else `length` bytes
  std::uint64_t length = 0;
  Millis idle_ms = 0;            // a client that sends nothing for this long is cut
  bool complete = false;         // out: the whole body was passed on
  bool bad = false;              // out: the client's framing was malformed, or it went away
  bool compressed = false;       // out: refused before a byte of it was passed on
  Event done;                    // out: the pump has ended
};
Task<void> pump_upload(Stream& client, Stream& engine, std::string& client_input, Upload& upload);

}  // namespace dockreeve::proxy
