// What who commands may do: each role may all that the ones before it may. Keys of the control
// topic and tokens of agent.admin have one; so has each command, which needs at least that.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

namespace leat {

enum class Role {
  kRead,       // sees how it does, and records as they pass
  kOperate,    // also starts, stops, and changes what the journal keeps
  kConfigure,  // also changes what runs
};

// As they are written in configurations: "read", "operate", "configure".
inline constexpr std::array<std::string_view, 3> kRoleNames = {"read", "operate", "configure"};

constexpr std::string_view name_of(Role role) {
  return kRoleNames[static_cast<size_t>(role)];
}

constexpr std::optional<Role> role_named(std::string_view name) {
  for (size_t i = 0; i < kRoleNames.size(); ++i)
    if (kRoleNames[i] == name) return static_cast<Role>(i);
  return std::nullopt;
}

// Whether who has the role `has` may do what needs `needs`.
constexpr bool may(Role has, Role needs) {
  return has >= needs;
}

}  // namespace leat
