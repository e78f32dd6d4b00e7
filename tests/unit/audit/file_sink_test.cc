// The audit file under use: order, chain, rotation, restarts, a disk that says no.

#include <atomic>
#include <chrono>
#include <fcntl.h>
#include <future>
#include <gmock/gmock.h>
#include <map>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>

#include "tests/unit/audit/audit_support.h"

namespace dockreeve::audit::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using namespace std::chrono_literals;

// Writes and waits for the answer.
bool write_now(Sink& sink, const std::string& record) {
  std::promise<bool> answer;
  sink.write(record, Sync::Now, [&](bool recorded) { answer.set_value(recorded); });
  return answer.get_future().get();
}

std::vector<std::string> details(const std::string& path) {
  std::vector<std::string> out;
  for (const std::string& line : lines_of(path))
    out.push_back(detail_of(line));
  return out;
}

nlohmann::json line_at(const std::string& path, std::size_t index) {
  const auto lines = lines_of(path);
  if (index >= lines.size()) {
    ADD_FAILURE() << path << " has only " << lines.size() << " lines";
    return nlohmann::json::object({{"note", nlohmann::json::object()}});
  }
  return nlohmann::json::parse(lines[index], nullptr, false);
}

// Whether `fact` becomes true in time.
template <class Fact>
bool eventually(Fact fact) {
  for (int i = 0; i < 500; ++i) {
    if (fact()) return true;
    std::this_thread::sleep_for(10ms);
  }
  return false;
}

TEST(FileSinkTest, NumbersAndChainsFromTheStart) {
  const TempFolder folder;
  const std::string path = folder.file("a.jsonl");
  {
    auto sink = open_or_die({.path = path});
    EXPECT_TRUE(write_now(*sink, note("one")));
    EXPECT_TRUE(write_now(*sink, note("two")));
    EXPECT_EQ(sink->stats().records, 2u);
    EXPECT_GE(sink->stats().syncs, 2u);
  }
  const auto lines = lines_of(path);
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_THAT(lines[0], ::testing::StartsWith(R"({"v":1,"seq":1,"prev":"000000)"));
  EXPECT_EQ(line_at(path, 1)["seq"], 2);
  LineHash hash;
  EXPECT_EQ(line_at(path, 1)["prev"], hash.hex(lines[0]));
  EXPECT_EQ(verdict(path), "");
  struct stat status {};
  ASSERT_EQ(stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0137u, 0u);  // nothing beyond 0640
}

TEST(FileSinkTest, KnownHash) {
  LineHash hash;
  EXPECT_EQ(hash.hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hash.hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(FileSinkTest, GoesOnAfterARestart) {
  const TempFolder folder;
  const std::string path = folder.file("a.jsonl");
  for (const char* text : {"one", "two", "three"}) {
    auto sink = open_or_die({.path = path});
    EXPECT_TRUE(write_now(*sink, note(text)));
  }
  EXPECT_THAT(details(path), ElementsAre("one", "two", "three"));
  EXPECT_EQ(line_at(path, 2)["seq"], 3);
  EXPECT_EQ(verdict(path), "");
}

TEST(FileSinkTest, LaterRecordsAreWrittenWithoutBeingWaitedFor) {
  const TempFolder folder;
  const std::string path = folder.file("a.jsonl");
  auto sink = open_or_die({.path = path, .interval_ms = 20});
  sink->write(note("x"), Sync::Later, {});
  EXPECT_TRUE(eventually([&] { return lines_of(path).size() == 1; }));
  EXPECT_TRUE(eventually([&] { return sink->stats().syncs == 1; }));
}

TEST(FileSinkTest, LaterRecordsWaitTogether) {
  const TempFolder folder;
  const std::string path = folder.file("a.jsonl");
  auto sink = open_or_die({.path = path, .interval_ms = 60000});
  for (int i = 0; i < 10; ++i)
    sink->write(note(std::to_string(i)), Sync::Later, {});
  std::this_thread::sleep_for(50ms);
  EXPECT_EQ(lines_of(path).size(), 0u);
  // Somebody who waits takes the others along, in order.
  EXPECT_TRUE(write_now(*sink, note("now")));
  const auto all = details(path);
  ASSERT_EQ(all.size(), 11u);
  EXPECT_EQ(all.front(), "0");
  EXPECT_EQ(all.back(), "now");
  EXPECT_EQ(sink->stats().syncs, 1u);
}

TEST(FileSinkTest, FlushAndDestructorLeaveNothingBehind) {
  const TempFolder folder;
  const std::string path = folder.file("a.jsonl");
  for (const auto policy :
       {FileOptions::Policy::Always, FileOptions::Policy::Interval, FileOptions::Policy::Os}) {
    std::filesystem::remove(path);
    {
      auto sink = open_or_die({.path = path, .policy = policy, .interval_ms = 60000});
      sink->write(note("one"), Sync::Later, {});
      sink->flush();
      EXPECT_THAT(details(path), ElementsAre("one"));
      EXPECT_EQ(sink->stats().syncs, 1u);
      sink->flush();
      EXPECT_EQ(sink->stats().syncs, 1u);
      sink->write(note("two"), Sync::Later, {});
    }
    EXPECT_THAT(details(path), ElementsAre("one", "two"));
  }
}

TEST(FileSinkTest, OsPolicyNeverSyncsByItself) {
  const TempFolder folder;
  auto sink = open_or_die(
      {.path = folder.file("a.jsonl"), .policy = FileOptions::Policy::Os, .interval_ms = 5});
  EXPECT_TRUE(write_now(*sink, note("x")));
  std::this_thread::sleep_for(50ms);
  EXPECT_EQ(sink->stats().syncs, 0u);
}

TEST(FileSinkTest, IntervalPolicySyncsByTheClock) {
  const TempFolder folder;
  auto sink = open_or_die({.path = folder.file("a.jsonl"),
                           .policy = FileOptions::Policy::Interval,
                           .interval_ms = 100});
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 200; ++i)
    ASSERT_TRUE(write_now(*sink, note("x")));
  const auto ticks = (std::chrono::steady_clock::now() - start) / 100ms;
  EXPECT_LE(sink->stats().syncs, static_cast<std::uint64_t>(ticks) + 1);
  EXPECT_TRUE(eventually([&] { return sink->stats().syncs >= 1; }));
}

TEST(FileSinkTest, ManyThreadsMakeOneChain) {
  constexpr int kThreads = 8;
  constexpr int kEach = 2000;
  const TempFolder folder;
  const std::string path = folder.file("a.jsonl");
  std::atomic<int> answered{0};
  {
    auto sink = open_or_die({.path = path, .interval_ms = 5});
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < kEach; ++i) {
          const std::string text = std::to_string(t) + "/" + std::to_string(i);
          sink->write(note(text), i % 50 == 0 ? Sync::Now : Sync::Later, [&](bool recorded) {
            if (recorded) answered.fetch_add(1);
          });
          EXPECT_TRUE(sink->healthy());
        }
      });
    }
    for (auto& thread : threads)
      thread.join();
    sink->flush();
    EXPECT_EQ(sink->stats().records, std::uint64_t{kThreads * kEach});
    EXPECT_EQ(sink->stats().failures, 0u);
  }
  EXPECT_EQ(answered.load(), kThreads * kEach);
  EXPECT_EQ(verdict(path), "");
  // Each thread's records are all there, in its own order.
  std::map<std::string, int> next;
  for (const std::string& text : details(path)) {
    const std::size_t slash = text.find('/');
    EXPECT_EQ(std::stoi(text.substr(slash + 1)), next[text.substr(0, slash)]++);
  }
  EXPECT_EQ(next.size(), std::size_t{kThreads});
  for (const auto& [thread, count] : next)
    EXPECT_EQ(count, kEach) << thread;
}

TEST(FileSinkTest, RotationByRenameContinuesTheChain) {
  const TempFolder folder;
  const std::string path = folder.file("audit.jsonl");
  const std::string old = folder.file("audit-1.jsonl");
  auto sink = open_or_die({.path = path, .interval_ms = 10});
  EXPECT_TRUE(write_now(*sink, note("one")));
  std::filesystem::rename(path, old);
  EXPECT_TRUE(write_now(*sink, note("two")));  // still the old file
  sink->reopen();
  ASSERT_TRUE(eventually([&] { return lines_of(path).size() == 1; }));  // before any record comes
  EXPECT_TRUE(write_now(*sink, note("three")));
  sink->reopen();  // nothing was renamed: nothing happens
  EXPECT_TRUE(write_now(*sink, note("four")));

  EXPECT_THAT(details(old), ElementsAre("one", "two"));
  EXPECT_THAT(details(path), ElementsAre("", "three", "four"));
  LineHash hash;
  const auto first = line_at(path, 0);
  EXPECT_EQ(first["seq"], 3);
  EXPECT_EQ(first["prev"], hash.hex(lines_of(old).back()));
  EXPECT_EQ(first["note"]["event"], "rotated");
  Verifier verifier;
  const auto report_old = verifier.check(old);
  const auto report_new = verifier.check(path);
  ASSERT_TRUE(report_old && report_new);
  EXPECT_EQ(report_old->problem + report_new->problem, "");
  EXPECT_EQ(report_new->last_seq, 5u);
  EXPECT_EQ(verdict(path), "");  // also on its own
}

TEST(FileSinkTest, RotationUnderLoadLosesNothing) {
  const TempFolder folder;
  const std::string path = folder.file("audit.jsonl");
  constexpr int kRecords = 4000;
  std::vector<std::string> files;
  {
    auto sink = open_or_die({.path = path, .interval_ms = 1});
    std::thread writer([&] {
      for (int i = 0; i < kRecords; ++i) {
        sink->write(note(std::to_string(i)), i % 10 == 0 ? Sync::Now : Sync::Later, {});
        if (i % 200 == 0) std::this_thread::sleep_for(1ms);
      }
    });
    for (int i = 0; i < 5; ++i) {
      files.push_back(folder.file("audit-" + std::to_string(i) + ".jsonl"));
      std::filesystem::rename(path, files.back());
      sink->reopen();
      ASSERT_TRUE(eventually([&] { return std::filesystem::exists(path); }));
    }
    writer.join();
  }
  files.push_back(path);
  Verifier verifier;
  int next = 0;
  for (const std::string& file : files) {
    const auto report = verifier.check(file);
    ASSERT_TRUE(report);
    EXPECT_EQ(report->problem, "") << file << ":" << report->bad_line;
    for (const std::string& text : details(file)) {
      if (text.empty()) continue;  // the note of the rotation
      EXPECT_EQ(text, std::to_string(next++));
    }
  }
  EXPECT_EQ(next, kRecords);
}

TEST(FileSinkTest, RemovedFileIsMadeAgain) {
  const TempFolder folder;
  const std::string path = folder.file("a.jsonl");
  auto sink = open_or_die({.path = path});
  EXPECT_TRUE(write_now(*sink, note("one")));
  std::filesystem::remove(path);
  EXPECT_TRUE(write_now(*sink, note("two")));
  EXPECT_THAT(details(path), ElementsAre("", "two"));
  EXPECT_EQ(line_at(path, 0)["note"]["previousSeq"], 1);
  EXPECT_EQ(verdict(path), "");
}

TEST(FileSinkTest, ReopenKeepsTheOldFileWhileTheNewCannotBe) {
  const TempFolder folder;
  const std::string path = folder.file("a.jsonl");
  auto sink = open_or_die({.path = path});
  EXPECT_TRUE(write_now(*sink, note("one")));
  std::filesystem::rename(path, folder.file("old.jsonl"));
  std::filesystem::create_directory(path);
  sink->reopen();
  EXPECT_TRUE(write_now(*sink, note("two")));
  EXPECT_THAT(details(folder.file("old.jsonl")), ElementsAre("one", "two"));
  std::filesystem::remove(path);
  EXPECT_TRUE(eventually([&] { return lines_of(path).size() == 1; }));
}

TEST(FileSinkTest, TornLastLineIsKeptAndAccountedFor) {
  const TempFolder folder;
  const std::string path = folder.file("a.jsonl");
  const std::string torn = R"({"v":1,"seq":3,"prev":"00)";
  {
    auto sink = open_or_die({.path = path});
    EXPECT_TRUE(write_now(*sink, note("one")));
    EXPECT_TRUE(write_now(*sink, note("two")));
  }
  write_file(path, read_file(path) + torn);
  EXPECT_THAT(verdict(path), HasSubstr("3: the last line is torn"));
  {
    auto sink = open_or_die({.path = path});
    EXPECT_TRUE(write_now(*sink, note("three")));
  }
  const auto lines = lines_of(path);
  ASSERT_EQ(lines.size(), 5u);
  EXPECT_EQ(lines[2], torn);
  LineHash hash;
  const auto account = line_at(path, 3);
  EXPECT_EQ(account["kind"], "gateway");
  EXPECT_EQ(account["note"],
            nlohmann::json(
                {{"event", "torn-line"}, {"length", torn.size()}, {"sha256", hash.hex(torn)}}));
  EXPECT_EQ(account["seq"], 3);
  EXPECT_EQ(account["prev"], hash.hex(torn));
  EXPECT_EQ(verdict(path), "");
}

TEST(FileSinkTest, WholeRecordWithoutItsNewlineIsCompleted) {
  const TempFolder folder;
  const std::string path = folder.file("a.jsonl");
  {
    auto sink = open_or_die({.path = path});
    EXPECT_TRUE(write_now(*sink, note("one")));
  }
  std::string bytes = read_file(path);
  bytes.pop_back();
  write_file(path, bytes);
  {
    auto sink = open_or_die({.path = path});
    EXPECT_TRUE(write_now(*sink, note("two")));
  }
  EXPECT_THAT(details(path), ElementsAre("one", "two"));
  EXPECT_EQ(verdict(path), "");
}

TEST(FileSinkTest, AnyTailIsPickedUp) {
  // What power loss can leave: zeroes, several broken lines, a file with no record at all.
  const TempFolder folder;
  const std::string path = folder.file("a.jsonl");
  const std::string long_line(300000, 'x');
  for (const std::string& tail :
       {std::string(5000, '\0'), std::string("x\ny\n\nz"), std::string("x\n"), std::string("\n"),
        long_line, long_line + "\n", std::string("{}\n"), std::string("[1]")}) {
    for (const bool with_record : {true, false}) {
      std::filesystem::remove(path);
      if (with_record) {
        auto sink = open_or_die({.path = path});
        EXPECT_TRUE(write_now(*sink, note("one")));
      }
      write_file(path, (with_record ? read_file(path) : "") + tail);
      for (int restart = 0; restart < 2; ++restart) {
        auto sink = open_or_die({.path = path});
        EXPECT_TRUE(write_now(*sink, note("next")));
      }
      EXPECT_EQ(verdict(path), "") << tail.substr(0, 10) << " " << with_record;
    }
  }
}

TEST(FileSinkTest, TwoGatewaysNeverShareAFile) {
  const TempFolder folder;
  const std::string path = folder.file("a.jsonl");
  auto sink = open_or_die({.path = path});
  const auto second = open_file_sink({.path = path});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().text(), path + ": is in use by another gateway");
  sink.reset();
  EXPECT_TRUE(open_file_sink({.path = path}));
}

TEST(FileSinkTest, PlacesThatAreNoFileAreRefused) {
  const TempFolder folder;
  EXPECT_THAT(open_file_sink({.path = folder.file("no/such/a.jsonl")}).error().text(),
              HasSubstr("No such file or directory"));
  EXPECT_THAT(open_file_sink({.path = folder.file("")}).error().text(), HasSubstr("is not a file"));
  ASSERT_EQ(mkfifo(folder.file("fifo").c_str(), 0600), 0);
  EXPECT_THAT(open_file_sink({.path = folder.file("fifo")}).error().text(),
              HasSubstr("is not a file"));
  write_file(folder.file("big"), std::string(17u << 20, 'x'));
  EXPECT_THAT(open_file_sink({.path = folder.file("big")}).error().text(),
              HasSubstr("does not end like an audit log"));
}

TEST(FileSinkTest, NullDeviceTakesEverything) {
  auto first = open_or_die({.path = "/dev/null"});
  auto second = open_or_die({.path = "/dev/null"});
  EXPECT_TRUE(write_now(*first, note("x")));
  EXPECT_TRUE(write_now(*second, note("x")));
}

TEST(FileSinkTest, RecordsThatWouldBreakTheLogAreRefused) {
  const TempFolder folder;
  const std::string path = folder.file("a.jsonl");
  auto sink = open_or_die({.path = path});
  const std::string too_long = R"({"x":")" + std::string(kMaxRecordBytes, 'x') + R"("})";
  for (const std::string& record : {std::string(), std::string("{}"), std::string("[1,2]"),
                                    std::string("{\"a\":1"), too_long}) {
    EXPECT_FALSE(write_now(*sink, record)) << record.substr(0, 10);
  }
  EXPECT_EQ(sink->stats().failures, 5u);
  EXPECT_TRUE(sink->healthy());
  // A newline between tokens would be two broken lines.
  std::string spread = note("x");
  spread.insert(1, "\n");
  EXPECT_TRUE(write_now(*sink, spread));
  EXPECT_EQ(verdict(path), "");
  EXPECT_EQ(line_at(path, 0)["note"]["event"], "records-lost");
  EXPECT_EQ(line_at(path, 0)["note"]["lost"], 5);
}

TEST(FileSinkTest, FullQueueRefusesAtOnceAndSaysSoLater) {
  const TempFolder folder;
  const std::string path = folder.file("a.jsonl");
  const std::string record = note("x");
  {
    auto sink = open_or_die(
        {.path = path, .interval_ms = 60000, .max_queue_bytes = 3 * record.size() + 10});
    for (int i = 0; i < 3; ++i)
      sink->write(record, Sync::Later, {});
    bool refused = false;
    const auto caller = std::this_thread::get_id();
    sink->write(record, Sync::Now, [&](bool recorded) {
      refused = !recorded && std::this_thread::get_id() == caller;
    });
    EXPECT_TRUE(refused);
    sink->flush();
    EXPECT_TRUE(write_now(*sink, record));
  }
  const auto first = line_at(path, 0);
  EXPECT_EQ(first["note"]["event"], "records-lost");
  EXPECT_EQ(first["note"]["lost"], 1);
  EXPECT_EQ(first["note"]["reason"], "the queue was full");
  EXPECT_EQ(lines_of(path).size(), 5u);
  EXPECT_EQ(verdict(path), "");
}

// What happens in a child whose files may not grow beyond `limit`; its exit status.
int in_limited_child(rlim_t limit, const std::function<bool()>& body) {
  const pid_t child = fork();
  if (child == 0) {
    // As in the gateway, SIGXFSZ keeps its default: the sink has to survive it by itself.
    const rlimit most{limit, RLIM_INFINITY};
    setrlimit(RLIMIT_FSIZE, &most);
    _exit(body() ? 0 : 1);
  }
  int status = -1;
  waitpid(child, &status, 0);
  return status;
}

TEST(FileSinkTest, FullDiskIsReportedAndLeavesNoTrace) {
  const TempFolder folder;
  const std::string path = folder.file("a.jsonl");
  const int status = in_limited_child(4096, [&] {
    auto sink = open_or_die({.path = path, .interval_ms = 10});
    int recorded = 0;
    while (write_now(*sink, note("r" + std::to_string(recorded))))
      ++recorded;
    const bool sick = !sink->healthy();
    const std::uint64_t failures = sink->stats().failures;
    const bool again = write_now(*sink, note("still full"));
    const bool chain = verdict(path).empty();  // the partly written line was taken back
    const bool all = lines_of(path).size() == static_cast<std::size_t>(recorded);
    // Room again: it finds out by itself.
    const rlimit more{1u << 20, RLIM_INFINITY};
    setrlimit(RLIMIT_FSIZE, &more);
    const bool well = eventually([&] { return sink->healthy(); });
    const bool after = write_now(*sink, note("after"));
    return recorded > 5 && sick && failures == 1 && !again && chain && all && well && after;
  });
  EXPECT_EQ(status, 0);
  EXPECT_EQ(verdict(path), "");
  const auto lines = lines_of(path);
  ASSERT_GT(lines.size(), 7u);
  const auto account = line_at(path, lines.size() - 2);
  EXPECT_EQ(account["note"]["event"], "records-lost");
  EXPECT_EQ(account["note"]["lost"], 2);
  EXPECT_EQ(account["note"]["reason"], "File too large");
  EXPECT_EQ(detail_of(lines.back()), "after");
  EXPECT_EQ(detail_of(lines[lines.size() - 3]), "r" + std::to_string(lines.size() - 3));
}

TEST(FileSinkTest, FullDiskAtTheStartIsSurvived) {
  const TempFolder folder;
  const std::string path = folder.file("a.jsonl");
  write_file(path, "torn");
  const int status = in_limited_child(4, [&] {
    auto sink = open_or_die({.path = path});
    const bool sick = !sink->healthy();
    const bool refused = !write_now(*sink, note("x"));
    const rlimit more{1u << 20, RLIM_INFINITY};
    setrlimit(RLIMIT_FSIZE, &more);
    const bool well = eventually([&] { return sink->healthy(); });
    return sick && refused && well && write_now(*sink, note("y"));
  });
  EXPECT_EQ(status, 0);
  EXPECT_EQ(verdict(path), "");
  EXPECT_EQ(lines_of(path)[0], "torn");
}

}  // namespace
}  // namespace dockreeve::audit::testing
