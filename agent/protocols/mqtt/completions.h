// The last step of QoS 2: PUBCOMP, and when it may go.
//
// After PUBCOMP the broker may use the packet identifier for another message [MQTT5 §4.3.3]. With
// exactlyOnce the identifiers that are in use are kept in the journal; so there the identifier must
// be gone before PUBCOMP goes, or a new message could be taken for the old one after a crash. It
// goes with the next commit of the engine (Source::saved_position), or, when none is to come, with
// a save of its own. PROTOCOL.md has the whole table.
//
// Thread: the loop's thread. Pure: no I/O.
#pragma once

#include <cstdint>
#include <deque>
#include <string>

#include "base/result.h"
#include "protocols/mqtt/protocol.h"
#include "protocols/mqtt/writer.h"

namespace leat::mqtt {

class Completions {
 public:
  // `durable`: exactlyOnce. Otherwise PUBCOMP may go at once.
  explicit Completions(bool durable) : durable_mode_(durable) {}

  // PUBREL came. `known`: of a message that was accepted.
  void released(uint16_t id, bool known);
  // The identifiers in use were written down for a commit that ends at `offset`; once that is
  // acknowledged, it is durable that those released until now are free.
  void formed(uint64_t offset);
  void acked(uint64_t offset);
  // What stands for all that was released until now, for a save of its own.
  uint64_t mark() const { return last_; }
  void saved(uint64_t mark);
  bool waiting() const { return !queue_.empty(); }
  size_t size() const { return queue_.size(); }
  // Bytes held.
  size_t footprint() const {
    return queue_.size() * sizeof(Item) + formed_.size() * sizeof(Formed);
  }

  // Appends what may go, in the order of the PUBRELs.
  void append(std::string& out, Version version);
  // The broker sends PUBREL again [MQTT-4.4.0-1].
  void connection_lost() { queue_.clear(); }

 private:
  struct Item {
    uint64_t number = 0;  // may go when safe_ has come so far
    uint16_t id = 0;
    uint8_t reason = 0;
  };
  struct Formed {
    uint64_t offset = 0;
    uint64_t number = 0;
  };

  const bool durable_mode_;
  uint64_t last_ = 0;  // numbers of PUBRELs
  uint64_t safe_ = 0;  // those up to here are durable
  std::deque<Item> queue_;
  std::deque<Formed> formed_;
};

}  // namespace leat::mqtt
