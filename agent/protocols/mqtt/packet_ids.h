// The packet identifiers that the client of a connection gives to its SUBSCRIBE, UNSUBSCRIBE and
// PUBLISH packets: from one store, so that none is used for two things at once [MQTT-2.2.1-3]. The
// broker's own are another matter.
//
// Thread: the loop's.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace leat::mqtt {

class PacketIds {
 public:
  // As many as may be in use at once: 0 is none.
  static constexpr size_t kMost = 65'535;

  // One that is not in use, each in its turn. Fewer than kMost are in use.
  uint16_t take() {
    if (2 * in_use_ >= used_.size())
      used_.resize(std::clamp<size_t>(2 * used_.size(), 64, kMost + 1));
    do {
      last_ = last_ + 1 < used_.size() ? last_ + 1 : 1;
    } while (used_[last_]);
    used_[last_] = true;
    ++in_use_;
    return static_cast<uint16_t>(last_);
  }
  // It is acknowledged.
  void give_back(uint16_t id) {
    in_use_ -= used_[id] ? 1 : 0;
    used_[id] = false;
  }
  // A new connection: nothing is under way.
  void give_back_all() {
    used_.assign(used_.size(), false);
    in_use_ = 0;
  }

 private:
  std::vector<bool> used_;  // grows with what is in use, up to 8 KiB
  size_t in_use_ = 0;
  size_t last_ = 0;
};

}  // namespace leat::mqtt
