// Quantities as people write them in policies: bytes, durations, CPUs. Everything is exact integer
// arithmetic, because a limit that rounds is a limit that can be stepped over.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace dockreeve {

// Bytes from "1024", "512m", "1.5g", "2GiB": a decimal number and an optional unit b, k, m, g, t, p
// in any case, also as kb or kib; all are powers of 1024, as in the docker CLI. A fraction of a
// byte is cut off. Refuses signs, spaces and anything beyond int64.
Result<std::int64_t> parse_bytes(std::string_view input);

// Seconds from "30s", "15m", "12h", "90d", "4w" or a falling sequence of them such as "1h30m".
Result<std::int64_t> parse_duration(std::string_view input);

// Nano-CPUs (1e-9 of one CPU, the engine's unit) from a decimal such as "4" or "0.25". Refuses more
// than nine digits after the point.
Result<std::int64_t> parse_cpus(std::string_view input);

// The shortest exact spelling that the matching parser reads back: "8g", "1536m", "100".
std::string format_bytes(std::int64_t bytes);
// "90d", "4w", "1h30m", "0s".
std::string format_duration(std::int64_t seconds);
// "1.5" for 1500000000.
std::string format_cpus(std::int64_t nano_cpus);

}  // namespace dockreeve
