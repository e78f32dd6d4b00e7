// Cuts a JSON answer of the engine into the pieces that ownership is decided about, while it
// arrives: one container of a list, one event of an endless stream. Only one piece is held at a
// time, whatever the length of the answer.
//
// It finds where pieces begin and end and no more; whoever takes a piece parses it strictly.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace dockreeve::docker {

class AnswerSplitter {
 public:
  enum class Shape : std::uint8_t {
    List,      // [piece, ...], or null
    Sequence,  // piece piece ...
    Members    // {"key": [piece, ...], "key": value, ...}
  };

  // Gets the pieces in order. Texts are valid during the call.
  class Visitor {
   public:
    // `key` is the member that a list belongs to; empty for other shapes.
    virtual void piece(std::string_view key, std::string_view text) = 0;
    // The value of a member that is no list, or what stands in the place of a list.
    virtual void value(std::string_view key, std::string_view text) = 0;
    virtual void list_begins(std::string_view key) = 0;
    virtual void list_ends(std::string_view key) = 0;

   protected:
    ~Visitor() = default;
  };

  AnswerSplitter(Shape shape, std::size_t max_piece, Visitor& visitor)
      : shape_(shape), max_piece_(max_piece), visitor_(visitor) {}

  // The next bytes. False, from then on: this is not the shape, or a piece is larger than allowed.
  bool feed(std::string_view data);
  // The answer has ended. False when it did so in the middle.
  bool finish();

 private:
  enum class State : std::uint8_t {
    Start, ListFirst, ListNext, AfterPiece, KeyFirst, KeyNext, AfterKey, MemberStart, AfterMember,
    End, Bad
  };
  enum class Token : std::uint8_t { None, Nested, Text, Scalar };

  bool begin_token(char c);
  std::size_t scan(std::string_view data);
  void token_done();
  void structure(char c);
  void open_list();
  void close_list();

  Shape shape_;
  std::size_t max_piece_;
  Visitor& visitor_;
  State state_ = State::Start;
  Token token_ = Token::None;
  bool token_complete_ = false;
  std::size_t depth_ = 0;
  bool in_text_ = false, escaped_ = false;
  std::string text_;  // of the token under way
  std::string key_;
};

}  // namespace dockreeve::docker
