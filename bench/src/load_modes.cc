// The load client of bench/run: one thread, nonblocking, OpenSSL straight on the socket, so that
// its own cost is small and the proxy under test is what limits the figures.
//
//   bench_load MODE --to PORT --cert F --key F --ca F [--name value]...
//
//   requests   keep-alive requests on --conns connections, each sends the next one at once
//   connect    TCP + full TLS handshake (never resumed) + one request + close, again and again
//   down, up   one long answer, or one long chunked request body, repeated
//   idle       opens --conns connections, one request on each, holds them
//   hijack     opens --conns connections that a 101 answer turns into raw streams, holds them
//
// The proxy's CPU time (--pids) is taken over the measured window only, after --warm seconds. The
// holding modes ping through one more connection before and while they hold, and prove at the end
// that every held connection still works. One JSON object on stdout; exit 1 when the run was no
// measurement (refused, cut off, wrong status). Nothing here runs longer than its options say.
#include <algorithm>
#include <cstdio>
#include <exception>
#include <signal.h>
#include <sys/resource.h>

#include "bench/src/load.h"
#include "bench/src/process_stats.h"

namespace bench {
namespace {

constexpr int kSidePings = 400;
constexpr double kHoldingSeconds = 40;  // for opening, and again for rechecking; see --limit

// Percentile in microseconds.
double percentile(std::vector<float>& samples, double share) {
  if (samples.empty()) {
    return 0;
  }
  const auto at = static_cast<std::ptrdiff_t>(share * static_cast<double>(samples.size() - 1));
  std::nth_element(samples.begin(), samples.begin() + at, samples.end());
  return static_cast<double>(samples[static_cast<std::size_t>(at)]);
}

}  // namespace

int Load::measure() {
  const std::vector<int> pids = options_.pids();
  for (std::size_t i = 0; i + 1 < connections_.size(); ++i) {
    open(connections_[i]);
  }
  const auto usable = [this] { return failures_ < kMostFailures; };
  turn_while(options_.number("--warm", 0.2), usable);
  const auto most = static_cast<std::size_t>(options_.number("--count", 1e9));
  const std::int64_t cpu_before = cpu_nanoseconds(pids);
  const std::int64_t began = now_ns();
  measuring_ = true;
  turn_while(options_.number("--seconds", 1), [&] { return usable() && samples_.size() < most; });
  measuring_ = false;
  over_ = true;
  const double seconds = static_cast<double>(now_ns() - began) / 1e9;
  const double cpu_us = static_cast<double>(cpu_nanoseconds(pids) - cpu_before) / 1e3;
  const bool bulk = mode_ == "down" || mode_ == "up";
  const auto count = static_cast<double>(samples_.size());
  const auto gigabytes = static_cast<double>(bytes_) / 1e9;
  std::printf(
      "{\"mode\":\"%s\",\"n\":%zu,\"seconds\":%.3f,\"rate\":%.1f,\"cpu_us\":%.3f,\"p50_us\":%.1f,"
      "\"p99_us\":%.1f,\"cpu_share\":%.3f,\"gigabytes\":%.4f,\"cpu_s_per_gb\":%.4f,"
      "\"failures\":%zu,\"wrong_status\":%zu,\"last_status\":%d,\"failure\":\"%s\",\"tls\":\"%s\"}"
      "\n",
      mode_.c_str(), samples_.size(), seconds, count / seconds, count > 0 ? cpu_us / count : 0,
      percentile(samples_, 0.5), percentile(samples_, 0.99), cpu_us / 1e6 / seconds, gigabytes,
      gigabytes > 0 ? cpu_us / 1e6 / gigabytes : 0, failures_, wrong_status_, last_status_,
      first_failure_.c_str(), tls_.c_str());
  const bool measured = bulk ? gigabytes > 0 : count > 0;
  return measured && failures_ == 0 && wrong_status_ == 0 ? 0 : 1;
}

void Load::ping_aside(std::vector<float>& samples) {
  side_samples_ = &samples;
  side_left_ = kSidePings;
  open(connections_.back());
  turn_while(10, [this] { return connections_.back().phase != Phase::Closed; });
  close(connections_.back());
  if (!samples.empty()) {
    samples.erase(samples.begin());  // the one that paid for the handshake
  }
}

// Uses every held connection once more; returns how many answered.
std::size_t Load::recheck() {
  rechecked_ = 0;
  next_to_open_ = connections_.size();  // nothing new is opened from here on
  std::size_t asked = 0;
  for (std::size_t i = 0; i + 1 < connections_.size(); ++i) {
    Connection& c = connections_[i];
    if (c.phase != Phase::Held) {
      continue;
    }
    ++asked;
    if (mode_ == "hijack") {
      c.sent = 0;
      c.echoed = 0;
      c.phase = Phase::Echoing;
    } else {
      --held_;
      begin_request(c);
    }
    step(c);
    if (asked % kOpenAtOnce == 0) {
      turn(now_ns());
    }
  }
  const std::size_t failed_before = failures_;
  turn_while(options_.number("--limit", kHoldingSeconds),
             [&] { return rechecked_ + (failures_ - failed_before) < asked; });
  return rechecked_;
}

int Load::hold() {
  const std::vector<int> pids = options_.pids();
  const std::size_t wanted = connections_.size() - 1;
  std::vector<float> before;
  std::vector<float> during;
  ping_aside(before);
  const std::int64_t resident_before = resident_bytes(pids);
  const std::int64_t began = now_ns();
  next_to_open_ = std::min(kOpenAtOnce, wanted);
  for (std::size_t i = 0, first = next_to_open_; i < first; ++i) {
    open(connections_[i]);
  }
  turn_while(options_.number("--limit", kHoldingSeconds),
             [&] { return held_ + failures_ < wanted && failures_ < kMostFailures; });
  const double opening = static_cast<double>(now_ns() - began) / 1e9;
  turn_while(options_.number("--settle", 0.5), [] { return true; });
  const std::int64_t resident_after = resident_bytes(pids);
  const std::size_t held = held_;
  ping_aside(during);
  const std::size_t works = recheck();
  const double each = static_cast<double>(resident_after - resident_before) / 1024 /
                      static_cast<double>(std::max<std::size_t>(held, 1));
  std::printf(
      "{\"mode\":\"%s\",\"wanted\":%zu,\"held\":%zu,\"works\":%zu,\"open_s\":%.2f,"
      "\"kib_each\":%.2f,\"resident_mib\":%.1f,\"side_before\":%zu,\"side_before_p50_us\":%.1f,"
      "\"side_before_p99_us\":%.1f,\"side\":%zu,\"side_p50_us\":%.1f,\"side_p99_us\":%.1f,"
      "\"failures\":%zu,\"wrong_status\":%zu,\"last_status\":%d,\"failure\":\"%s\",\"tls\":\"%s\"}"
      "\n",
      mode_.c_str(), wanted, held, works, opening, each,
      static_cast<double>(resident_after) / (1 << 20), before.size(), percentile(before, 0.5),
      percentile(before, 0.99), during.size(), percentile(during, 0.5), percentile(during, 0.99),
      failures_, wrong_status_, last_status_, first_failure_.c_str(), tls_.c_str());
  const bool all = held == wanted && works == wanted && during.size() == kSidePings - 1;
  over_ = true;
  return all && wrong_status_ == 0 ? 0 : 1;
}

int Load::run() {
  return holds() ? hold() : measure();
}

}  // namespace bench

int main(int argc, char** argv) {
  const std::string mode = argc > 1 ? argv[1] : "";
  if (mode != "requests" && mode != "connect" && mode != "down" && mode != "up" && mode != "idle" &&
      mode != "hijack") {
    std::fprintf(stderr, "usage: bench_load requests|connect|down|up|idle|hijack --to PORT ...\n");
    return 2;
  }
  signal(SIGPIPE, SIG_IGN);
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
  }
  try {
    return bench::Load(mode, bench::Options(argc, argv)).run();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_load: %s\n", error.what());
    return 2;
  }
}
