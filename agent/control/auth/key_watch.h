// Whether who configures from afar still can after a change of the keys: a key that nobody has, or
// a typing error in one, must not lock everybody out.
//
// Thread: the main loop's.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "plan/control_key.h"

namespace leat::control {

class KeyWatch {
 public:
  // A configuration came by a signed command: its keys, and those of the last good one. While one
  // that may configure is as it was, nothing is to be shown; else a command must come that is
  // signed with one of the new ones. What was shown of the same keys before counts. False: nobody
  // could configure any more.
  bool begin(const std::vector<ControlKey>& before, const std::vector<ControlKey>& now);
  // No such change is on probation (any more).
  void end();
  // A command signed with this key was admitted.
  void used(std::string_view key);

  bool waits() const { return !awaited_.empty(); }
  // At the end of the probation why it does not do; "" when nothing is waited for.
  std::string verdict() const;

 private:
  std::vector<ControlKey> now_;                 // that are being watched
  std::set<std::string, std::less<>> awaited_;  // one of these; empty when it has come
};

}  // namespace leat::control
