#include "docker/answer_splitter.h"

#include <array>

namespace dockreeve::docker {
namespace {

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

bool ends_scalar(char c) {
  return c == ',' || c == ']' || c == '}' || is_space(c);
}

// Bytes that mean something outside and inside of texts.
constexpr std::array<bool, 256> marks(std::string_view bytes) {
  std::array<bool, 256> out{};
  for (const char c : bytes)
    out[static_cast<unsigned char>(c)] = true;
  return out;
}
constexpr std::array<bool, 256> kOutside = marks("{}[]\"");
constexpr std::array<bool, 256> kInside = marks("\"\\");

}  // namespace

bool AnswerSplitter::feed(std::string_view data) {
  while (!data.empty() && state_ != State::Bad) {
    if (token_ != Token::None) {
      const std::size_t used = scan(data);
      if (text_.size() + used > max_piece_) {
        state_ = State::Bad;
        break;
      }
      text_.append(data.substr(0, used));
      data.remove_prefix(used);
      if (token_complete_) token_done();
    } else {
      if (!is_space(data.front()) && !begin_token(data.front())) {
        structure(data.front());
        data.remove_prefix(1);
      } else if (token_ == Token::None) {
        data.remove_prefix(1);
      }
    }
  }
  return state_ != State::Bad;
}

bool AnswerSplitter::finish() {
  // Nothing ends a number but what follows it.
  if (token_ == Token::Scalar && !text_.empty()) token_done();
  if (token_ != Token::None) return false;
  return state_ == State::End || (shape_ == Shape::Sequence && state_ == State::Start);
}

// Whether `c`, which is not consumed, starts a piece, a key or a value here.
bool AnswerSplitter::begin_token(char c) {
  switch (state_) {
    case State::Start:
      if ((shape_ == Shape::List && c == '[') || (shape_ == Shape::Members && c == '{')) return false;
      break;
    case State::ListFirst:
      if (c == ']') return false;
      break;
    case State::KeyFirst:
    case State::KeyNext:
      if (c != '"') return false;
      break;
    case State::MemberStart:
      if (c == '[') return false;
      break;
    case State::ListNext:
      break;
    case State::AfterPiece:
    case State::AfterKey:
    case State::AfterMember:
    case State::End:
    case State::Bad:
      return false;
  }
  if (c == ',' || c == ':' || c == ']' || c == '}') return false;
  token_ = c == '{' || c == '[' ? Token::Nested : c == '"' ? Token::Text : Token::Scalar;
  token_complete_ = in_text_ = escaped_ = false;
  depth_ = 0;
  return true;
}

// How many bytes of `data` belong to the token; sets token_complete_ when it ends with them.
std::size_t AnswerSplitter::scan(std::string_view data) {
  if (token_ == Token::Scalar) {
    std::size_t at = 0;
    while (at < data.size() && !ends_scalar(data[at])) ++at;
    token_complete_ = at < data.size();
    return at;
  }
  for (std::size_t at = 0; at < data.size(); ++at) {
    const char c = data[at];
    if (escaped_) {
      escaped_ = false;
      continue;
    }
    if (!(in_text_ ? kInside : kOutside)[static_cast<unsigned char>(c)]) continue;
    if (c == '\\') {
      escaped_ = true;
      continue;
    }
    if (c == '"') {
      in_text_ = !in_text_;
    } else if (c == '{' || c == '[') {
      ++depth_;
    } else {
      --depth_;
    }
    token_complete_ = !in_text_ && depth_ == 0;
    if (token_complete_) return at + 1;
  }
  return data.size();
}

void AnswerSplitter::token_done() {
  std::string text;
  text.swap(text_);
  token_ = Token::None;
  switch (state_) {
    case State::Start:
      if (shape_ == Shape::Sequence) {
        visitor_.piece({}, text);
      } else {
        visitor_.value({}, text);
        state_ = State::End;
      }
      break;
    case State::ListFirst:
    case State::ListNext:
      visitor_.piece(key_, text);
      state_ = State::AfterPiece;
      break;
    case State::KeyFirst:
    case State::KeyNext:
      // The engine's member names hold nothing that would be escaped.
      key_ = text.substr(1, text.size() - 2);
      state_ = key_.find('\\') == std::string::npos ? State::AfterKey : State::Bad;
      break;
    case State::MemberStart:
      visitor_.value(key_, text);
      state_ = State::AfterMember;
      break;
    case State::AfterPiece:
    case State::AfterKey:
    case State::AfterMember:
    case State::End:
    case State::Bad:
      break;
  }
  text.clear();
  // Pieces are of one size: the next one will want the room again.
  if (text.capacity() <= 64 * 1024) text_.swap(text);
}

void AnswerSplitter::structure(char c) {
  const State before = state_;
  state_ = State::Bad;
  switch (before) {
    case State::Start:
      if (shape_ == Shape::List && c == '[') open_list();
      if (shape_ == Shape::Members && c == '{') state_ = State::KeyFirst;
      break;
    case State::ListFirst:
      if (c == ']') close_list();
      break;
    case State::AfterPiece:
      if (c == ',') state_ = State::ListNext;
      if (c == ']') close_list();
      break;
    case State::KeyFirst:
      if (c == '}') state_ = State::End;
      break;
    case State::AfterKey:
      if (c == ':') state_ = State::MemberStart;
      break;
    case State::MemberStart:
      if (c == '[') open_list();
      break;
    case State::AfterMember:
      if (c == ',') state_ = State::KeyNext;
      if (c == '}') state_ = State::End;
      break;
    case State::ListNext:
    case State::KeyNext:
    case State::End:
    case State::Bad:
      break;
  }
}

void AnswerSplitter::open_list() {
  visitor_.list_begins(key_);
  state_ = State::ListFirst;
}

void AnswerSplitter::close_list() {
  visitor_.list_ends(key_);
  state_ = shape_ == Shape::Members ? State::AfterMember : State::End;
}

}  // namespace dockreeve::docker
