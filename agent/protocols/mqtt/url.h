// The `url` option taken apart: mqtt://host[:1883], mqtts://host[:8883], unix:///path.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "net/address.h"

namespace leat::mqtt {

struct Url {
  bool tls = false;
  Address address;
  std::string shown;  // for messages: "mqtt://broker.example:1883"

  // Errors are kUsage and do not repeat the text, which may hold a password.
  static Result<Url> parse(std::string_view text);
};

}  // namespace leat::mqtt
