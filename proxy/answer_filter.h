// Takes out of an answer of the engine what its reader may not see: whole objects of others, or
// their environment and bind paths (policy::AnswerScope says which).
//
// Pure: bytes in, bytes out, fuzzed. What is kept leaves as the engine wrote it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/json.h"
#include "docker/answer_splitter.h"
#include "policy/scope.h"

namespace dockreeve::proxy {

// A list answer larger than this, read or written, is not passed on.
inline constexpr std::size_t kMaxAnswer = std::size_t{64} << 20;

class AnswerFilter final : private docker::AnswerSplitter::Visitor {
 public:
  // `scope` must outlive the filter.
  explicit AnswerFilter(const policy::AnswerScope& scope);
  AnswerFilter(const AnswerFilter&) = delete;
  AnswerFilter& operator=(const AnswerFilter&) = delete;

  // The next bytes of the body, without its framing. False, from then on: the answer is not what
  // was expected and nothing of it may leave.
  bool feed(std::string_view data);
  // The body has ended. False when it is not complete.
  bool finish();
  // What has been let through since the last call. Complete events after each feed(); for every
  // other kind only after finish().
  std::string take();
  std::size_t pending() const { return out_.size(); }
  // After finish(): the one object that was asked for is somebody else's.
  bool absent() const { return absent_; }

 private:
  void piece(std::string_view key, std::string_view text) override;
  void value(std::string_view key, std::string_view text) override;
  void list_begins(std::string_view key) override;
  void list_ends(std::string_view key) override;

  void event(std::string_view text);
  void object(std::string_view text);
  void element(policy::AnswerKind kind, std::string_view text);
  void emit_element(std::string_view text);
  void emit_key(std::string_view key);
  bool owns(const json::Value& object, std::string_view labels) const;

  const policy::AnswerScope& scope_;
  docker::AnswerSplitter splitter_;
  std::string out_;
  bool bad_ = false, absent_ = false;
  bool any_member_ = false;
  bool skipping_ = false;        // inside a list that does not leave
  std::size_t objects_ = 0;      // of a one-object answer
  std::size_t kept_ = 0;         // elements of the list under way
};

}  // namespace dockreeve::proxy
