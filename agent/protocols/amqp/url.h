// One of the option `urls` taken apart: amqp://host[:5672], amqps://host[:5671].
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "net/address.h"

namespace leat::amqp {

struct Url {
  bool tls = false;
  Address address;
  std::string shown;  // for messages: "amqp://broker.example:5672"

  // Errors are kUsage and do not repeat the text, which may hold a password.
  static Result<Url> parse(std::string_view text);
};

}  // namespace leat::amqp
