// The messages of one delivery on their way to the broker: made at once, sent as the window allows,
// settled in any order.
//
// Thread: the loop's thread. Pure: no I/O.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "connectors/mqtt/template.h"
#include "protocols/mqtt/packets.h"
#include "protocols/mqtt/protocol.h"
#include "protocols/mqtt/writer.h"
#include "stage/sink.h"

namespace leat::mqtt {

struct OutboxConfig {
  Template topic;
  std::optional<Template> payload;  // without: the record as JSON
  uint8_t qos = 1;
  bool retain = false;
  uint32_t message_expiry = 0;
  std::string content_type;
};

class Outbox {
 public:
  explicit Outbox(OutboxConfig config) : config_(std::move(config)) {}

  // Makes the messages of a delivery; those of its records that the broker has already are left
  // out. kRejected when there are some that cannot be made: nothing is to be sent then. `largest`:
  // bytes of a packet that the broker takes.
  std::optional<Answer> begin(const Delivery& delivery, Version version, size_t largest);

  // Appends messages while less than `window` of them are unsettled and `out` is short.
  void append(std::string& out, size_t window);
  bool all_appended() const { return next_ == messages_.size(); }
  // An acknowledgement of the broker; appends PUBREL where that is the answer. False when no
  // message waits for it.
  bool on_ack(const Ack& ack, Version version, std::string& out);
  // All was settled; for QoS 0: sent.
  bool done() const { return all_appended() && in_flight_.empty(); }
  // What became of it, once done().
  Answer finish();
  // The connection is lost. What was settled is remembered, so that it is not sent again.
  void give_up();

  size_t bytes() const { return packets_.capacity(); }

 private:
  struct Message {
    size_t start = 0;  // in packets_
    size_t size = 0;
    size_t id_at = 0;  // of the packet identifier
    uint32_t record = 0;
    const Record* source = nullptr;
    bool settled = false;
  };

  Status make(const Record& record, Version version, size_t largest);
  void settle(Message& message, uint8_t reason, std::string_view words);
  uint16_t free_id();
  void remember();
  void forget();

  OutboxConfig config_;
  std::string packets_;  // one behind the other, their identifiers still to be filled in
  std::vector<Message> messages_;
  size_t next_ = 0;
  std::unordered_map<uint16_t, size_t> in_flight_;  // identifier → index of the message
  uint16_t last_id_ = 0;
  std::vector<std::pair<uint32_t, std::string>> bad_;  // records, each with why
  std::string retry_why_;
  std::string topic_;    // scratch
  std::string payload_;  // scratch
  // Records of deliveries that did not succeed as a whole, which the broker has all the same. Their
  // batches are kept, so that their addresses mean them.
  std::vector<Part> parts_;
  std::vector<Part> kept_;
  std::unordered_set<const Record*> delivered_;
};

}  // namespace leat::mqtt
