// See verify.h.

#include "audit/verify.h"

#include <nlohmann/json.hpp>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <deque>
#include <fstream>
#include <string_view>

#include "audit/record.h"
#include "audit/tail.h"

namespace dockreeve::audit {
namespace {

using Json = nlohmann::json;

Result<std::ifstream> open_log(const std::string& path) {
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  if (in && in.peek() != std::ifstream::traits_type::eof()) return in;
  const int error = errno;
  if (in.eof() && error == 0) {
    in.clear();
    return in;  // an empty file
  }
  if (error == ENOENT) return fail(path, "not found");
  return fail(path, std::string("cannot be read: ") + std::strerror(error != 0 ? error : EIO));
}

const std::string& text_of(const Json& object, const char* key) {
  static const std::string kNone;
  if (!object.is_object()) return kNone;
  const auto it = object.find(key);
  return it != object.end() && it->is_string() ? it->get_ref<const std::string&>() : kNone;
}

std::optional<std::uint64_t> number_of(const Json& object, const char* key) {
  if (!object.is_object()) return std::nullopt;
  const auto it = object.find(key);
  if (it == object.end() || !it->is_number_unsigned()) return std::nullopt;
  return it->get<std::uint64_t>();
}

// Microseconds since year 0, good for comparing; nothing unless "YYYY-MM-DDTHH:MM:SS.ffffffZ".
std::optional<std::int64_t> time_of(std::string_view ts) {
  static constexpr std::string_view kShape = "dddd-dd-ddTdd:dd:dd.ddddddZ";
  if (ts.size() != kShape.size()) return std::nullopt;
  for (std::size_t i = 0; i < ts.size(); ++i) {
    const bool digit = ts[i] >= '0' && ts[i] <= '9';
    if (kShape[i] == 'd' ? !digit : ts[i] != kShape[i]) return std::nullopt;
  }
  const auto part = [&](std::size_t at, std::size_t size) {
    std::int64_t number = 0;
    std::from_chars(ts.data() + at, ts.data() + at + size, number);
    return number;
  };
  // Days of a civil date, counted from March so that the leap day comes last.
  const std::int64_t month = part(5, 2);
  const std::int64_t year = part(0, 4) - (month <= 2 ? 1 : 0);
  const std::int64_t march_month = (month + 9) % 12;
  const std::int64_t days =
      365 * year + year / 4 - year / 100 + year / 400 + (153 * march_month + 2) / 5 + part(8, 2);
  const std::int64_t seconds = ((days * 24 + part(11, 2)) * 60 + part(14, 2)) * 60 + part(17, 2);
  return seconds * 1000000 + part(20, 6);
}

std::string printable_hash(const std::string& hash) {
  return hash.size() == 64 ? hash.substr(0, 12) + "…" : "\"" + hash.substr(0, 12) + "\"";
}

// The state of one walk through one file.
class Walk {
 public:
  Walk(FileReport& report, LineHash& hash) : report_(report), hash_(hash) {}

  // Goes on from the end of another file.
  void continue_from(std::uint64_t seq, std::string hash, std::string file) {
    seq_ = seq;
    previous_ = std::move(hash);
    before_ = std::move(file);
  }

  // Returns whether the walk can go on.
  bool line(const std::string& text, bool complete) {
    ++number_;
    const bool good = judge(text, complete);
    if (good) previous_ = hash_.hex(text);
    return good;
  }

  // Returns whether nothing was left open.
  bool finish() {
    if (torn_.empty()) return true;
    return bad(torn_.front().line, "no record, and no gateway record after it accounts for it");
  }

 private:
  struct Torn {
    std::uint64_t line = 0;
    TornLine facts;
  };

  bool bad(std::uint64_t line, std::string problem) {
    report_.bad_line = line;
    report_.problem = std::move(problem);
    return false;
  }

  bool judge(const std::string& text, bool complete) {
    const Json json = text.size() < kMaxLineBytes ? Json::parse(text, nullptr, false) : Json();
    const auto seq = number_of(json, "seq");
    if (!complete) return bad(number_, "the last line is torn: it has no end yet");
    if (!json.is_object() || !seq || text_of(json, "prev").empty()) {
      // Left by a crash, or damaged: the next record has to say which.
      torn_.push_back({number_, {text.size(), hash_.hex(text)}});
      return true;
    }
    if (number_of(json, "v") != 1u) return bad(number_, "not a record of format version 1");
    if (!in_chain(json, *seq) || !in_time(json)) return false;
    if (!torn_.empty() && !accounts_for_torn(json)) {
      return bad(torn_.front().line, "no record, and the record after it does not account for it");
    }
    if (text_of(json.value("note", Json()), "event") == "records-lost") {
      report_.lost += number_of(json["note"], "lost").value_or(0);
    }
    if (report_.records++ == 0) report_.first_seq = *seq;
    report_.last_seq = *seq;
    seq_ = *seq;
    return true;
  }

  bool in_chain(const Json& json, std::uint64_t seq) {
    const std::string& prev = text_of(json, "prev");
    if (seq_ && seq != *seq_ + 1) {
      const std::string after = before_.empty() ? "" : " after " + before_;
      if (seq > *seq_ + 1) {
        const std::string from = std::to_string(*seq_ + 1);
        const std::string to = std::to_string(seq - 1);
        const std::string which =
            from == to ? "record " + from + " is" : "records " + from + " to " + to + " are";
        return bad(number_, which + " missing" + after);
      }
      return bad(number_, "seq " + std::to_string(seq) + " does not follow " +
                              std::to_string(*seq_) + after);
    }
    if (previous_ && prev != *previous_) {
      return bad(number_, "the line before was changed: its hash is " + printable_hash(*previous_) +
                              ", this record says " + printable_hash(prev));
    }
    if (!seq_ && seq == 1 && !previous_ && prev != kChainStart) {
      return bad(number_, "the first record of a log has a predecessor");
    }
    before_.clear();
    return true;
  }

  bool in_time(const Json& json) {
    const std::string& ts = text_of(json, "ts");
    const auto time = time_of(ts);
    if (!time) return bad(number_, "no valid ts");
    static constexpr std::int64_t kSlack = 1000000;
    if (latest_ && *time < *latest_ - kSlack) {
      return bad(number_, "the clock went backwards: " + ts + " after " + latest_text_);
    }
    if (!latest_ || *time > *latest_) {
      latest_ = time;
      latest_text_ = ts;
    }
    return true;
  }

  bool accounts_for_torn(const Json& json) {
    const Json note = json.value("note", Json());
    const TornLine& torn = torn_.front().facts;
    if (text_of(json, "kind") != "gateway" || text_of(note, "event") != "torn-line" ||
        number_of(note, "length") != torn.length || text_of(note, "sha256") != torn.sha256) {
      return false;
    }
    torn_.pop_front();
    ++report_.torn_lines;
    return true;
  }

  FileReport& report_;
  LineHash& hash_;
  std::uint64_t number_ = 0;
  std::optional<std::uint64_t> seq_;
  std::optional<std::string> previous_;  // hash of the line before
  std::string before_;                   // the file the chain comes from, until its first record
  std::optional<std::int64_t> latest_;
  std::string latest_text_;
  std::deque<Torn> torn_;
};

}  // namespace

Result<FileReport> Verifier::check(const std::string& path) {
  Result<std::ifstream> in = open_log(path);
  if (!in) return tl::unexpected(in.error());
  FileReport report;
  report.file = path;
  Walk walk(report, hash_);
  if (end_) walk.continue_from(end_->seq, end_->hash, end_->file);
  std::string text;
  bool sound = true;
  std::string last;
  while (sound && std::getline(*in, text)) {
    sound = walk.line(text, !in->eof());
    last.swap(text);
  }
  if (sound && in->bad()) return fail(path, "cannot be read to its end");
  if (sound) sound = walk.finish();
  if (sound && report.records > 0) {
    report.head = hash_.hex(last);
    end_ = Position{report.last_seq, report.head, path};
  } else if (!sound) {
    end_.reset();
  }
  return report;
}

Result<std::vector<std::string>> find_records(const std::string& path, const std::string& id) {
  Result<std::ifstream> in = open_log(path);
  if (!in) return tl::unexpected(in.error());
  std::vector<std::string> found;
  for (std::string text; std::getline(*in, text);) {
    if (text.find(id) == std::string::npos) continue;  // most lines are not worth parsing
    const Json json = Json::parse(text, nullptr, false);
    if (!json.is_object()) continue;
    if (text_of(json, "id") == id || text_of(json.value("request", Json()), "id") == id) {
      found.push_back(text);
    }
  }
  if (in->bad()) return fail(path, "cannot be read to its end");
  return found;
}

}  // namespace dockreeve::audit
