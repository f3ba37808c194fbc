// The settings of a line as the kernel takes them: termios2, which has any baud rate. In a file of
// its own since <asm/termbits.h> and the C library's <termios.h> cannot be seen together.
#pragma once

#include <string>

#include "base/result.h"
#include "connectors/serial/port.h"

namespace leat::serial {

// Fails with kUsage when `fd` is no serial port. Otherwise what the driver did not take of
// `settings`, for people; "" when it took all. `name` is for messages.
Result<std::string> set_line(int fd, const std::string& name, const LineSettings& settings);

}  // namespace leat::serial
