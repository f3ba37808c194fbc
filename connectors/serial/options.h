// The options of the source, and what they mean once checked.
#pragma once

#include <span>
#include <string>

#include "base/result.h"
#include "base/units.h"
#include "connectors/serial/framer.h"
#include "connectors/serial/poller.h"
#include "connectors/serial/port.h"
#include "options/options.h"

namespace leat::serial {

extern const std::span<const Option> kSourceOptions;

struct Settings {
  std::string port;  // an absolute path
  LineSettings line;
  FrameRules frames;
  Milliseconds gap{0};  // silence that ends a frame, or half of one; 0: silence means nothing
  PollRules poll;
};

// Fails with kUsage; the message begins with the option's path.
Result<Settings> read_settings(const Options& options);

}  // namespace leat::serial
