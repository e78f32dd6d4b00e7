// The log read back: every way of tampering is seen, and a decision is told in words.

#include <gmock/gmock.h>

#include "audit/tail.h"
#include "tests/unit/audit/audit_support.h"

namespace dockreeve::audit::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

std::string join_lines(const std::vector<std::string>& lines) {
  std::string out;
  for (const std::string& line : lines)
    out += line + "\n";
  return out;
}

// A log of `count` notes, as lines; continues `head`.
std::vector<std::string> log_lines(int count, ChainHead& head) {
  LineHash hash;
  std::vector<std::string> lines;
  for (int i = 0; i < count; ++i) {
    std::string line;
    append_line(line, note(std::to_string(i)), head, hash);
    line.pop_back();
    lines.push_back(line);
  }
  return lines;
}

std::vector<std::string> log_lines(int count) {
  ChainHead head;
  return log_lines(count, head);
}

// Chains records whose text after v, seq and prev is given.
std::string log_of(const std::vector<std::string>& records) {
  LineHash hash;
  ChainHead head;
  std::string out;
  for (const std::string& record : records)
    append_line(out, record, head, hash);
  return out;
}

std::string record_at(const std::string& ts) {
  return R"({"id":"01KB7Z3M5QW8V2T4N6R9XCDEFG","ts":")" + ts +
         R"(","kind":"gateway","stage":"n/a","host":{"name":"h","gateway":"dockreeve"}})";
}

class VerifyTest : public ::testing::Test {
 protected:
  std::string verdict_on(const std::string& bytes) {
    write_file(path_, bytes);
    return verdict(path_);
  }
  std::string verdict_on(const std::vector<std::string>& lines) {
    return verdict_on(join_lines(lines));
  }

  TempFolder folder_;
  std::string path_ = folder_.file("a.jsonl");
};

TEST_F(VerifyTest, AcceptsAWholeLog) {
  const auto lines = log_lines(20);
  EXPECT_EQ(verdict_on(lines), "");
  Verifier verifier;
  const auto report = verifier.check(path_);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->records, 20u);
  EXPECT_EQ(report->first_seq, 1u);
  EXPECT_EQ(report->last_seq, 20u);
  LineHash hash;
  EXPECT_EQ(report->head, hash.hex(lines.back()));
  EXPECT_EQ(verdict_on(std::string()), "");
}

TEST_F(VerifyTest, EveryChangedByteIsSeen) {
  const std::string whole = join_lines(log_lines(3));
  const std::size_t last_line = whole.rfind("{\"v\"");
  for (std::size_t i = 0; i < last_line; ++i) {
    std::string changed = whole;
    changed[i] = static_cast<char>(changed[i] ^ 0x02);
    ASSERT_NE(verdict_on(changed), "") << "byte " << i;
  }
}

TEST_F(VerifyTest, RemovedAddedAndSwappedLinesAreSeen) {
  const auto lines = log_lines(6);
  auto less = lines;
  less.erase(less.begin() + 2, less.begin() + 4);
  EXPECT_EQ(verdict_on(less), "3: records 3 to 4 are missing");
  auto more = lines;
  more.insert(more.begin() + 2, lines[1]);
  EXPECT_EQ(verdict_on(more), "3: seq 2 does not follow 2");
  auto swapped = lines;
  std::swap(swapped[1], swapped[2]);
  EXPECT_EQ(verdict_on(swapped), "2: record 2 is missing");
  auto inserted = lines;
  inserted.insert(inserted.begin() + 1, "{}");
  EXPECT_THAT(verdict_on(inserted), StartsWith("3: the line before was changed"));
  auto headless = lines;
  headless.erase(headless.begin());
  EXPECT_EQ(verdict_on(headless), "");  // a rotated file starts anywhere
}

TEST_F(VerifyTest, ForgedFirstRecordIsSeen) {
  auto lines = log_lines(2);
  lines[0].replace(lines[0].find("000000"), 6, "123456");
  EXPECT_EQ(verdict_on(lines), "1: the first record of a log has a predecessor");
}

TEST_F(VerifyTest, TornLineNeedsItsAccount) {
  const std::string torn = "{\"v\":1,\"se";
  LineHash hash;
  ChainHead head;
  std::string log;
  append_line(log, note("one"), head, hash);
  const std::string before = log + torn + "\n";
  EXPECT_EQ(verdict_on(before), "2: no record, and no gateway record after it accounts for it");

  head.prev = hash.hex(torn);
  const auto with_note = [&](const std::string& kind, std::size_t length, const std::string& sha) {
    std::string bytes = before;
    ChainHead at = head;
    append_line(bytes, note_record_raw(host_json(build_host()), kind, torn_note({length, sha})), at,
                hash);
    return bytes;
  };
  const std::string sha = hash.hex(torn);
  EXPECT_EQ(verdict_on(with_note("gateway", torn.size(), sha)), "");
  const std::string complaint = "2: no record, and the record after it does not account for it";
  EXPECT_EQ(verdict_on(with_note("policy", torn.size(), sha)), complaint);
  EXPECT_EQ(verdict_on(with_note("gateway", torn.size() + 1, sha)), complaint);
  EXPECT_EQ(verdict_on(with_note("gateway", torn.size(), hash.hex("other"))), complaint);
}

TEST_F(VerifyTest, ClockMayNotGoBackByMoreThanASecond) {
  const auto at = [](const char* time) { return record_at(time); };
  EXPECT_EQ(verdict_on(log_of({at("2026-11-22T15:31:07.500000Z"), at("2026-11-22T15:31:06.600000Z"),
                               at("2026-11-22T15:31:08.000000Z")})),
            "");
  EXPECT_EQ(
      verdict_on(log_of({at("2026-11-22T15:31:07.500000Z"), at("2026-11-22T15:31:06.400000Z")})),
      "2: the clock went backwards: 2026-11-22T15:31:06.400000Z after "
      "2026-11-22T15:31:07.500000Z");
  // Slowly is backwards too.
  EXPECT_THAT(
      verdict_on(log_of({at("2026-11-22T15:31:07.500000Z"), at("2026-11-22T15:31:06.700000Z"),
                         at("2026-11-22T15:31:06.000000Z")})),
      StartsWith("3: the clock went backwards"));
  EXPECT_EQ(verdict_on(log_of({at("2028-02-28T23:59:59.999999Z"), at("2028-02-29T00:00:00.000000Z"),
                               at("2028-03-01T00:00:00.000000Z"), at("2028-12-31T23:59:59.000000Z"),
                               at("2029-01-01T00:00:00.000000Z")})),
            "");
  EXPECT_EQ(verdict_on(log_of({at("2026-11-22 15:31")})), "1: no valid ts");
}

TEST_F(VerifyTest, OddFilesAreAnsweredCalmly) {
  EXPECT_THAT(verdict_on(std::string("hello\n")), HasSubstr("1: no record"));
  EXPECT_THAT(verdict_on(std::string("hello")), HasSubstr("1: the last line is torn"));
  EXPECT_THAT(verdict_on(std::string(R"({"seq":1,"prev":"x"})"
                                     "\n")),
              HasSubstr("format version 1"));
  EXPECT_THAT(verdict_on(std::string(200000, '[') + "\n"), HasSubstr("1: no record"));
  EXPECT_EQ(verdict(folder_.file("absent")), folder_.file("absent") + ": not found");
  EXPECT_THAT(verdict(folder_.file("")), HasSubstr("cannot be read"));
}

TEST_F(VerifyTest, FilesMustContinueEachOther) {
  ChainHead head;
  const std::string a = folder_.file("a"), b = folder_.file("b"), c = folder_.file("c");
  write_file(a, join_lines(log_lines(3, head)));
  write_file(b, join_lines(log_lines(3, head)));
  write_file(c, join_lines(log_lines(3, head)));
  const auto verdicts = [](const std::vector<std::string>& files) {
    Verifier verifier;
    std::vector<std::string> out;
    for (const auto& file : files) {
      const auto report = verifier.check(file);
      out.push_back(report ? report->problem : report.error().text());
    }
    return out;
  };
  EXPECT_THAT(verdicts({a, b, c}), ::testing::Each(IsEmpty()));
  EXPECT_EQ(verdicts({a, c})[1], "records 4 to 6 are missing after " + a);
  EXPECT_EQ(verdicts({b, a})[1], "seq 1 does not follow 6 after " + b);
  // A file that was rewritten as a whole, chain and all.
  ChainHead forged;
  write_file(a, join_lines(log_lines(3, forged)));
  std::string text = read_file(a);
  text.replace(text.rfind("\"detail\":\"2\""), 12, "\"detail\":\"9\"");
  write_file(a, text);
  EXPECT_THAT(verdicts({a, b})[1], StartsWith("the line before was changed"));
}

TEST_F(VerifyTest, LostRecordsAreCounted) {
  const std::string host = host_json(build_host());
  write_file(path_, log_of({note("x"), note_record_raw(host, "gateway",
                                                       R"({"event":"records-lost","lost":7})")}));
  Verifier verifier;
  const auto report = verifier.check(path_);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->lost, 7u);
}

class ShowTest : public VerifyTest {
 protected:
  std::string shown(const std::string& record) {
    const auto words = describe_record(record);
    return words ? *words : "error: " + words.error().text();
  }
};

TEST_F(ShowTest, DenialInWords) {
  const policy::Identity who = web_runner();
  const std::string record =
      decision_record(build_host(), create_request(), tls_caller(), &who, denied_decision(),
                      some_policy_set(), 212, "container", "web-1");
  write_file(path_, log_of({note("x"), record, note("y")}));
  const auto found = find_records(path_, create_request().id);
  ASSERT_TRUE(found);
  ASSERT_EQ(found->size(), 1u);
  const std::string words = shown(found->front());
  EXPECT_THAT(words,
              StartsWith("DENIED  container.create  POST /v1.41/containers/create  (HTTP 403)\n"));
  for (const char* part :
       {"id        01KB7Z3M5QW8V2T4N6R9XCDEFG\n", "web-runner-7, team web (by identities[0])",
        "tls 10.8.1.14:51522, certificate CN=web-runner-7,OU=web,O=Example serial 5f1102, "
        "listener teams",
        "what      container web-1",
        "2 findings:", "deny  [no-privileged] critical, at /HostConfig/Privileged, sent true",
        "Privileged mode is not allowed. Fix: --cap-add",
        "set by baseline@1 at build.yaml:16; cis-docker-1.6/5.5", "redacted  /Env/1"}) {
    EXPECT_THAT(words, HasSubstr(part));
  }
  EXPECT_TRUE(find_records(path_, "01KB7Z3M5QW8V2T4N6R9XCDEFH")->empty());
  EXPECT_FALSE(find_records(folder_.file("absent"), "x"));
}

TEST_F(ShowTest, UnknownCallerAndUnixPeer) {
  certs::Caller caller;
  caller.transport = certs::Transport::Unix;
  caller.peer = {4711, 1000, 999, "ann", {999}, {}};
  const std::string words = shown(decision_record(build_host(), create_request(), caller, nullptr,
                                                  denied_decision(), some_policy_set(), 1, "", ""));
  EXPECT_THAT(words, HasSubstr("nobody the configuration knows"));
  EXPECT_THAT(words, HasSubstr("unix socket, uid 1000 gid 999 pid 4711"));
}

TEST_F(ShowTest, NothingSteersTheTerminal) {
  RequestFacts request = create_request();
  request.path = "/\x1b[2J\u202e\u0085x\ny";
  const std::string words =
      shown(decision_record(build_host(), request, tls_caller(), nullptr, denied_decision(),
                            some_policy_set(), 1, "container", "\x1b]0;x\a"));
  EXPECT_THAT(words, Not(HasSubstr("\x1b")));
  EXPECT_THAT(words, Not(HasSubstr("\u202e")));
  EXPECT_THAT(words, HasSubstr("POST /\\u001b[2J\\u202e\\u0085x\\u000ay"));
}

TEST_F(ShowTest, StrangeRecordsDoNotThrow) {
  EXPECT_THAT(shown(note("hello")), HasSubstr(R"(note      {"detail":"hello","event":"test"})"));
  for (const char* record : {"", "[]", "{}", "null", "{\"kind\":1}"}) {
    EXPECT_EQ(shown(record), "error: not a record");
  }
  for (
      const char* record :
      {R"({"kind":"decision","request":[],"decision":7,"identity":"x","host":null})",
       R"({"kind":"decision","request":{"path":[1]},"source":{"tls":3},"decision":{"findings":[1,{}]}})"}) {
    EXPECT_THAT(shown(record), HasSubstr("RECORDED")) << record;
  }
}

}  // namespace
}  // namespace dockreeve::audit::testing
