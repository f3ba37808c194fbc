#include "control/auth/key_watch.h"

#include <algorithm>

namespace leat::control {

bool KeyWatch::begin(const std::vector<ControlKey>& before, const std::vector<ControlKey>& now) {
  if (now == now_) return true;
  now_ = now;
  awaited_.clear();
  for (const ControlKey& key : now) {
    if (!may(key.role, Role::kConfigure)) continue;
    if (std::ranges::find(before, key) != before.end()) {
      awaited_.clear();
      return true;
    }
    awaited_.insert(key.id);
  }
  return !awaited_.empty();
}

void KeyWatch::end() {
  now_.clear();
  awaited_.clear();
}

void KeyWatch::used(std::string_view key) {
  if (awaited_.contains(key)) awaited_.clear();
}

std::string KeyWatch::verdict() const {
  if (awaited_.empty()) return "";
  std::string names;
  for (const std::string& one : awaited_) names += (names.empty() ? "" : ", ") + one;
  return "no command came that is signed with a key which may configure (" + names +
         "): they are new, and none of the old ones is left";
}

}  // namespace leat::control
