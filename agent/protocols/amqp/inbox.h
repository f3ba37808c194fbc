// What came from a queue and is not settled with the broker yet: which delivery tag may be
// acknowledged when, and what the broker delivers again is recognised.
//
// Acknowledged is in the order of arrival, so that one basic.ack with `multiple` speaks for all
// before it. When a connection is lost, the broker gives all that was not acknowledged to somebody
// again, marked as redelivered. What comes back here, and was emitted before, is not emitted once
// more: its new tag is acknowledged when the message that was emitted is. It is recognised by its
// message id, routing key and body together; a message may come back to somebody else, so of two
// that are alike in all of these it does not matter which; the later is taken, which is not
// acknowledged too soon.
//
// An acknowledgement that was written may be lost with the connection: what it spoke for comes
// again, too. It has arrived when a message came that the broker may send only then: never more
// than the prefetch count wait. The others are looked for until the first new message, which
// RabbitMQ puts behind what it delivers again; not longer, since one that is alike may come from
// another consumer.
//
// Offsets count the bytes of new messages since the start; or, of a stream, they are those of its
// messages, each of which ends at the next one's. Bounded by the prefetch count.
//
// Thread: the loop's thread. Pure: no I/O.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "protocols/amqp/codec.h"
#include "protocols/amqp/incoming.h"

namespace leat::amqp {

class Inbox {
 public:
  // Of the properties of a message that are kept, for its dead letter.
  static constexpr size_t kMostProperties = 16 * 1024;

  // The prefetch count; before anything comes.
  void set_window(size_t messages) { window_ = messages; }
  // True when the message was emitted before; its acknowledgement is arranged.
  bool seen(const Message& message, std::string_view message_id);
  // A new message; returns its end offset. `end`: that, of a stream.
  uint64_t add(const Message& message, std::string_view message_id,
               std::optional<uint64_t> end = std::nullopt);
  // Of a stream: what is before `offset` was read earlier.
  void begin_at(uint64_t offset) { offset_ = acked_ = offset; }

  // One that is not wanted: acknowledged, and no more.
  void pass(const Message& message) { push({0, message.delivery_tag, 0}); }

  // The connection is lost: its tags mean nothing any more. `comes_again`: what was not
  // acknowledged is delivered once more; of a stream, leat says where to go on.
  void connection_lost(bool comes_again);

  // Everything up to `offset` is delivered or durable.
  void acked(uint64_t offset);
  // Up to which delivery tag can be acknowledged now, when that is more than was said before.
  std::optional<uint64_t> take_tag();

  // Whether nothing waits to be delivered.
  bool empty() const { return messages_.empty(); }
  uint64_t offset() const { return offset_; }
  // Messages that the broker holds for want of an acknowledgement.
  size_t unacknowledged() const { return slots_.size(); }
  // Bytes held.
  size_t footprint() const;

  // What the message that ends at `offset` brought; nothing when that is not known any more.
  struct Brought {
    std::string_view exchange;
    std::string_view routing_key;
    std::string_view properties;  // encoded; "" when they are too many to be kept
    bool redelivered = false;
  };
  std::optional<Brought> brought_at(uint64_t offset) const;

 private:
  using Text = std::shared_ptr<const std::string>;
  struct Origin {  // of a message: shared by those that have it one after another
    Text exchange;
    Text routing_key;
    Text properties;
  };
  struct Kept {
    uint64_t end = 0;
    uint64_t hash = 0;
    Origin origin;
    uint32_t bytes = 0;  // of what the message before it does not have
    bool redelivered = false;
  };
  struct Slot {
    uint64_t ready_at = 0;  // when acked_ has come so far
    uint64_t tag = 0;
    uint64_t hash = 0;
  };

  struct Lost {
    uint64_t ready_at = 0;
    bool said = false;  // its acknowledgement was written
  };

  void push(const Slot& slot);
  std::deque<Kept>::const_iterator at(uint64_t offset) const;
  void share(Text& last, std::string_view text, uint32_t& bytes);

  uint64_t offset_ = 0;
  uint64_t acked_ = 0;
  std::deque<Kept> messages_;  // not acked, in order
  std::deque<Slot> slots_;     // of this connection, in the order of arrival
  std::deque<Slot> said_;      // of it, acknowledged, which the broker may not know yet
  size_t window_ = 0;
  // Of those before it: what was emitted and may be delivered again.
  std::unordered_multimap<uint64_t, Lost> lost_;
  bool lost_said_ = false;  // some of it may be Lost::said
  Origin last_;
  size_t bytes_ = 0;  // Kept::bytes of all messages_
};

}  // namespace leat::amqp
