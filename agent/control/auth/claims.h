// What a signed command says (RFC 7519): to whom, which, when, and what. Any thread.
//
//   {"aud":"gw-17","jti":"c-42","counter":1732617600123456,"nbf":1732617600,"exp":1732621200,
//    "command":"pipeline.pause","arguments":{"pipeline":"press-line"}}
//
// `aud` may be a list of strings; `nbf` and `arguments` may be left out; other members are passed
// over.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocols/jws/strict_json.h"

namespace leat::control {

inline constexpr size_t kLongestCommand = 1 << 20;  // as it is sent, with its signature

struct Claims {
  std::vector<std::string> addressees;  // agents and groups; one at least
  std::string correlation;              // `jti`; is_plain_id()
  uint64_t counter = 0;                 // 1 to 2^53 - 1, the numbers that JSON keeps everywhere
  double not_before = 0;                // unix seconds; 0: at any time before
  double expires = 0;                   // unix seconds
  std::string command;
  jws::JsonTree arguments{nullptr, cJSON_Delete};  // an object
};

// Nullopt: something is missing, or of another type.
std::optional<Claims> read_claims(std::string_view payload);

}  // namespace leat::control
