// Bodies of POST /containers/{id}/exec and POST /exec/{id}/start (moby api/types/container).
#pragma once

#include "docker/create_container.h"

namespace dockreeve::docker {

struct ExecCreate {
  std::string user;
  bool privileged = false, tty = false;
  std::optional<std::array<Int, 2>> console_size;
  bool attach_stdin = false, attach_stderr = false, attach_stdout = false, detach = false;
  std::string detach_keys;
  StringList env;
  std::string working_dir;
  StringList cmd;
  bool operator==(const ExecCreate&) const = default;
};

struct ExecStart {
  bool detach = false, tty = false;
  std::optional<std::array<Int, 2>> console_size;
  bool operator==(const ExecStart&) const = default;
};

}  // namespace dockreeve::docker
