// The promise behind every denial: once answered with true, a record survives SIGKILL at any
// moment.

#include <chrono>
#include <fcntl.h>
#include <random>
#include <set>
#include <signal.h>
#include <sys/wait.h>
#include <thread>

#include "tests/unit/audit/audit_support.h"

namespace dockreeve::audit::testing {
namespace {

constexpr int kRounds = 30;
constexpr std::size_t kIdBytes = 26;

// Four threads record as fast as they are answered and pass every answered id on, until killed.
[[noreturn]] void record_until_killed(const std::string& path, int acknowledged) {
  auto sink = open_or_die({.path = path, .interval_ms = 1});
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      while (true) {
        const std::string id = new_ulid();
        sink->write(note("noise"), Sync::Later, {});
        sink->write(note(id + std::string(500, '.')), Sync::Now, [acknowledged, id](bool recorded) {
          // One write of a few bytes to a pipe is whole or not at all.
          if (recorded && write(acknowledged, id.data(), id.size()) < 0) _exit(3);
        });
        std::this_thread::sleep_for(std::chrono::microseconds(100));
      }
    });
  }
  for (auto& thread : threads)
    thread.join();
  _exit(4);
}

TEST(KillTest, AcknowledgedRecordsSurvive) {
  const TempFolder folder;
  const std::string path = folder.file("a.jsonl");
  std::mt19937 random(20261122);
  std::size_t promised = 0;
  std::size_t torn = 0;
  for (int round = 0; round < kRounds; ++round) {
    if (round % 5 == 0) {  // a file that only grows would make the later rounds slow
      std::filesystem::remove(path);
      torn = 0;
    }
    int ends[2];
    ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      close(ends[0]);
      record_until_killed(path, ends[1]);
    }
    close(ends[1]);
    std::thread killer([&] {
      const int delay = std::uniform_int_distribution<int>(5000, 50000)(random);
      std::this_thread::sleep_for(std::chrono::microseconds(delay));
      kill(child, SIGKILL);
    });
    std::set<std::string> acknowledged;
    std::string received;
    char buffer[4096];
    for (ssize_t got = 0; (got = read(ends[0], buffer, sizeof buffer)) > 0;) {
      received.append(buffer, static_cast<std::size_t>(got));
    }
    killer.join();
    close(ends[0]);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the child ended by itself: " << WEXITSTATUS(status);
    ASSERT_EQ(received.size() % kIdBytes, 0u);
    for (std::size_t at = 0; at < received.size(); at += kIdBytes) {
      acknowledged.insert(received.substr(at, kIdBytes));
    }
    promised += acknowledged.size();

    // The next run takes the file over; half of the time the machine died in the middle of a line.
    if (round % 2 == 0) {
      std::ofstream(path, std::ios::app | std::ios::binary) << R"({"v":1,"seq":)";
      ++torn;
    }
    open_or_die({.path = path}).reset();
    Verifier verifier;
    const auto report = verifier.check(path);
    ASSERT_TRUE(report);
    ASSERT_EQ(report->problem, "") << "round " << round << ", line " << report->bad_line;
    ASSERT_GE(report->torn_lines, torn);
    for (const std::string& line : lines_of(path))
      acknowledged.erase(detail_of(line).substr(0, kIdBytes));
    ASSERT_EQ(acknowledged.size(), 0u) << "lost in round " << round;
  }
  EXPECT_GT(promised, std::size_t{kRounds});  // the rounds were long enough to mean something
}

}  // namespace
}  // namespace dockreeve::audit::testing
