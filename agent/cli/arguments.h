// The command line as a command and its options.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/result.h"

namespace leat {

struct Arguments {
  enum class Command {
    kRun,
    kCheck,
    kExplain,
    kPorts,
    kStatus,
    kPause,
    kResume,
    kRestart,
    kHelp,
    kVersion
  };

  Command command = Command::kHelp;
  std::string config;    // -c; "-" is standard input
  std::string data_dir;  // --data-dir
  log::Level log_level = log::Level::kInfo;
  std::string topic;  // help NAME; status, pause, resume, restart PIPELINE
  bool schema = false;
  bool markdown = false;
  bool json = false;     // check, status: for programs
  bool watch = false;    // status: again and again
  bool verbose = false;  // version: also the libraries
};

// `words` without the program's name. Fails with kUsage; the message says what to write instead.
Result<Arguments> parse_arguments(std::span<const std::string> words);

}  // namespace leat
