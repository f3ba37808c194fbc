// What came in and is not settled with the broker yet: which message may be acknowledged when, and
// what the broker sends again is recognised. PROTOCOL.md says why it is right.
//
// Offsets count the bytes of new PUBLISH packets since the start. Bounded by what is in flight: the
// broker has at most 65,535 packet identifiers.
//
// Thread: the loop's thread. Pure: no I/O.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/result.h"
#include "protocols/mqtt/packets.h"
#include "protocols/mqtt/protocol.h"
#include "protocols/mqtt/writer.h"

namespace leat::mqtt {

class Inbox {
 public:
  // Of a message; of more none are kept, since an object of them would need many times the memory
  // of the packet to be made.
  static constexpr size_t kMostUserProperties = 1'000;

  // --- what the broker sends ---

  // True when the message is one that was emitted before: then its acknowledgement is all that it
  // needs, and that is arranged. An error when the broker exceeds what MQTT allows.
  Result<bool> seen(const Publish& publish);
  // A new message; returns its end offset.
  uint64_t add(const Publish& publish);
  // PUBREL: the broker has let go of the message. False when there was none of that id.
  bool released(uint16_t id);

  // The connection is lost: acknowledgements not sent yet are void; the broker will send those
  // messages again.
  void connection_lost() { slots_.clear(); }
  // The broker knows nothing of earlier messages any more.
  void session_lost();

  // --- what becomes of it here ---

  // Everything up to `offset` is delivered or durable.
  void acked(uint64_t offset);
  // Appends the acknowledgements that may go now, in the order in which the messages came
  // [MQTT-4.6.0-2, -3]. True when there were any.
  bool append_acks(std::string& out, Version version);

  uint64_t offset() const { return offset_; }
  // Messages of this connection that the broker holds for want of an acknowledgement.
  size_t unacknowledged() const { return slots_.size(); }
  // Messages that are neither delivered nor durable yet.
  bool empty() const { return messages_.empty(); }
  // Bytes held.
  size_t footprint() const;
  // What the message that ends at `offset` brought; nothing when that is not known any more.
  struct Brought {
    std::string_view topic;
    // Properties::text, where a user property, a content type or a response topic is among them.
    std::string_view properties;
    uint8_t qos = 0;
    bool retained = false;
  };
  std::optional<Brought> brought_at(uint64_t offset) const;

  // --- QoS 2 across restarts ---

  // Identifiers of the messages up to `offset` that were accepted and whose PUBREL has not come, as
  // text: "3,7-12".
  std::string accepted_ids(uint64_t offset) const;
  // Takes that text up again; nonsense in it is skipped.
  void restore(std::string_view ids);
  bool any_accepted() const { return !accepted_.empty(); }

 private:
  using Topic = std::shared_ptr<const std::string>;
  struct Message {
    uint64_t end = 0;
    uint64_t hash = 0;  // of topic and payload, QoS 1
    Topic topic;
    std::unique_ptr<const std::string> properties;  // as of Brought; mostly null
    uint16_t topic_bytes = 0;  // of a topic that the message before it does not have
    uint16_t id = 0;           // 0: nothing to acknowledge
    uint8_t qos = 0;
    bool retained = false;
    size_t bytes() const { return topic_bytes + (properties ? properties->capacity() : 0); }
  };
  // A PUBLISH of this connection whose acknowledgement has not been sent.
  struct Slot {
    uint64_t ready_at = 0;  // when acked_ has come so far
    uint16_t id = 0;
    uint8_t qos = 0;
  };

  Topic topic_of(std::string_view topic);
  // The message that ends at `offset`, or the first behind it.
  std::deque<Message>::const_iterator at(uint64_t offset) const;
  const Message* sent_before(const Publish& publish, uint64_t hash);
  void forget_places();
  Result<bool> again(const Publish& publish, uint64_t ready_at);

  uint64_t offset_ = 0;
  uint64_t acked_ = 0;
  std::deque<Message> messages_;  // not acked, in order
  // Their ends by identifier, while messages are sent again: tens of thousands may be.
  std::unordered_multimap<uint16_t, uint64_t> places_;
  bool knows_places_ = false;
  std::deque<Slot> slots_;  // in the order of arrival
  // QoS 1: acked, and PUBACK not sent: its hash.
  std::unordered_map<uint16_t, uint64_t> unsaid_;
  std::set<uint16_t> accepted_;  // QoS 2: acked, and PUBREL has not come
  Topic last_topic_;
  size_t message_bytes_ = 0;  // Message::bytes() of all messages_
};

}  // namespace leat::mqtt
