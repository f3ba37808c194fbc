// What is to be published by the control topic, until the broker has acknowledged it: over lost
// connections, and from one connection to the next. Bounded: of what waits too long the oldest
// goes; but what is retained on a topic stays, as its newest message alone.
//
// Thread: the main loop's. Pure: no I/O.
#pragma once

#include <cstdint>
#include <deque>
#include <string>

namespace leat::control {

struct OutMessage {
  std::string topic;
  std::string payload;
  bool retain = false;
  std::string correlation_data = {};  // MQTT 5
};

class OutQueue {
 public:
  static constexpr size_t kMostBytes = 2 << 20;  // that wait
  static constexpr size_t kMostMessages = 1'000;

  void add(OutMessage message);
  bool empty() const { return items_.empty(); }
  size_t size() const { return items_.size(); }
  size_t dropped() const { return dropped_; }  // since the start

  // The next that is not under way; null: none. sent() or forget() follows.
  const OutMessage* next() const;
  size_t under_way() const { return under_way_; }
  // That next one is under way, and acked() tells its end. 0: it has none (QoS 0).
  void sent(uint16_t id);
  // It can never be sent.
  void forget();
  // Null: none of that id is under way.
  const OutMessage* sent_as(uint16_t id) const;
  // False: the same.
  bool acked(uint16_t id);
  // What was under way is sent again, in the same order.
  void connection_lost();

 private:
  struct Item {
    OutMessage message;
    uint16_t id = 0;  // 0: not under way
  };
  std::deque<Item>::iterator waiting();
  void drop(std::deque<Item>::iterator at);

  std::deque<Item> items_;
  size_t bytes_ = 0;
  size_t under_way_ = 0;
  size_t dropped_ = 0;
};

}  // namespace leat::control
