// What the broker's codes mean, in words for the person who must mend it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "protocols/mqtt/protocol.h"

namespace leat::mqtt {

// The meaning of a reason code of MQTT 5 [MQTT5 §2.4]: "not authorised".
std::string reason_text(uint8_t reason);
// Of the return code of a CONNACK of 3.1.1 [MQTT-3.1.1 §3.2.2.3], as the reason code of MQTT 5 that
// means the same.
uint8_t reason_of_return_code(uint8_t code);
// What to do about a refused connection: " (check "user" and "password")", or "".
std::string_view connect_hint(uint8_t reason);

// `text` of the broker, made safe for a log line: ": quota used up", or "".
std::string broker_words(std::string_view text);

}  // namespace leat::mqtt
