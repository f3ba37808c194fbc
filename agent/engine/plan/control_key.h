// `agent.control.keys`: by whom commands are signed that come from afar.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "plan/role.h"

namespace leat {

struct ControlKey {
  std::string id;          // is_plain_id(); `kid` of what it signs
  bool is_public = false;  // of ES256, in PEM format; else `key` is the secret of HS256
  std::string key = {};
  Role role = Role::kRead;
  bool operator==(const ControlKey&) const = default;
};

// 1 to 64 of the characters A-Z a-z 0-9 . _ -: names of keys, correlation ids.
constexpr bool is_plain_id(std::string_view text) {
  constexpr size_t kLongest = 64;
  if (text.empty() || text.size() > kLongest) return false;
  for (char c : text) {
    const bool plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                       c == '.' || c == '_' || c == '-';
    if (!plain) return false;
  }
  return true;
}

}  // namespace leat
