// leat status, pause, resume, restart: what is asked of the agent of this machine.
#pragma once

#include <string>

#include "base/clock.h"

namespace leat {

constexpr int kExitNotRunning = 3;

struct StatusRequest {
  const Clock& clock;
  std::string data_dir;
  std::string pipeline;  // "" for all
  bool json = false;     // as the agent says it
  bool watch = false;    // anew each second, until a signal ends the process
};

// Prints it. 0: all is well; 1: some pipeline is in trouble; kExitNotRunning; 2: there is no such
// pipeline, or this user may not ask.
int show_status(const StatusRequest& request);

// Tells it to `command` ("pause", "resume" or "restart") one pipeline. 0: it does; else as above.
int tell_pipeline(const Clock& clock, const std::string& data_dir, const std::string& command,
                  const std::string& pipeline);

}  // namespace leat
