// Reply codes of AMQP 0-9-1 [AMQP §1.1 "constants"], in words, and what a person can do.
//
// Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace leat::amqp {

inline constexpr uint16_t kNoRoute = 312;
inline constexpr uint16_t kConnectionForced = 320;
inline constexpr uint16_t kAccessRefused = 403;
inline constexpr uint16_t kNotFound = 404;
inline constexpr uint16_t kPreconditionFailed = 406;
inline constexpr uint16_t kNotAllowed = 530;

// "404 NOT_FOUND - no queue 'q' in vhost '/'", in one line and not too long; the text of RabbitMQ
// has the name of the code in it, that of others may not.
std::string reply_words(uint16_t code, std::string_view text);

}  // namespace leat::amqp
