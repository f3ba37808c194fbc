// Bytes as people write them in a configuration. Pure code.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace leat::serial {

// "0x0D0A": bytes in hex, two digits each. Anything else is text in which "\" begins an escape: r,
// n, t, 0, another backslash, or xHH. Fails with kUsage; the message says what is wrong, without
// the option's path.
Result<std::string> parse_byte_text(std::string_view text);

}  // namespace leat::serial
