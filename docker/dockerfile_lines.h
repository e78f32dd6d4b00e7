// The first half of reading a Dockerfile: lines into instructions.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace dockreeve::docker {

struct Instruction {
  std::string command;             // "FROM": upper case, known
  std::vector<std::string> flags;  // "--from=x", without quotes
  std::string rest;                // what follows, without spaces around
  std::size_t line = 0;            // counted from 1
};

struct Instructions {
  std::vector<Instruction> list;
  char escape = '\\';
};

// Refuses text that is not UTF-8, lines that the engine's scanner cannot hold, an escape directive
// that only some versions see, unknown commands, quotes and escapes in flags, here-documents.
Result<Instructions> split_instructions(std::string_view text);

// One instruction from a joined line, e.g. what follows ONBUILD.
Result<Instruction> split_instruction(std::string_view line, std::size_t number);

// Without white space (ASCII) at both ends; the first word of `text`, which is taken off.
std::string_view trim_line(std::string_view text);
std::string_view take_word(std::string_view& text);

}  // namespace dockreeve::docker
