// The messages of deliveries on their way to the broker: made at once for each delivery, sent in
// order as the window allows, settled in any order, and answered in order.
//
// Several deliveries may be under way, so that the broker has work while one is finished and the
// next is made. Their order is that of add(), so a record that cannot be sent is left out and
// rejected when the rest of its delivery is settled, not before: what is behind would overtake it.
//
// Thread: the loop's thread. Pure: no I/O. The deliveries live until they are answered.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "protocols/mqtt/packet_ids.h"
#include "protocols/mqtt/packets.h"
#include "protocols/mqtt/protocol.h"
#include "protocols/mqtt/writer.h"
#include "record/template.h"
#include "stage/settled_records.h"
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
  using Answered = std::pair<Sink::Done, Answer>;

  explicit Outbox(OutboxConfig config);

  // Takes a delivery, behind those that are there.
  void add(const Delivery& delivery, Sink::Done done);
  bool empty() const { return parcels_.empty(); }

  // A connection is up. `largest`: bytes of a packet that the broker takes.
  void connected(Version version, size_t largest, PacketIds& ids);
  // Appends messages while less than `window` of them are unsettled and `out` is short. Those of
  // records that the broker has already are left out.
  void append(std::string& out, size_t window);
  // Messages that wait for the broker's acknowledgement.
  size_t in_flight() const { return in_flight_.size(); }

  enum class Effect {
    kNone,      // no message waits for it
    kExpected,  // a step forward
    kOdd,       // so, too, but MQTT has another answer for this QoS
  };
  // An acknowledgement of the broker; appends PUBREL where that is the answer.
  Effect on_ack(const Ack& ack, std::string& out);
  // QoS 0: what was appended is with the kernel, which is all that can be known.
  void sent();
  // The oldest delivery, when it is done with.
  std::optional<Answered> finished();

  // The connection is lost. All are answered with "not now"; what was settled is remembered, so
  // that it is not sent again.
  std::vector<Answered> give_up(const std::string& why);
  // The broker has closed the connection at the one message that was in flight. It is sent again
  // with the next connection; at the third time it is taken for refused. False: it was not one.
  bool cut(const std::string& why);
  // Whether the broker has refused a message last, before it took another. Some close the
  // connection then (mosquitto, where it does not permit a message), and whose fault that is, is
  // known. Asked once.
  bool take_refusal() { return std::exchange(refused_last_, false); }
  // The connection is lost: with the next one goes on what waited for an acknowledgement.
  void send_again();
  void drop_all() { parcels_.clear(); }

  // Bytes held.
  size_t footprint() const;

 private:
  struct Message {
    size_t start = 0;  // in Parcel::packets
    size_t size = 0;
    size_t id_at = 0;  // of the packet identifier
    uint32_t record = 0;
    uint16_t topic_size = 0;
    uint8_t cuts = 0;
    bool settled = false;
    bool done = false;  // settled or refused
  };
  using Bad = SettledRecords::Bad;
  // One delivery.
  struct Parcel {
    const Delivery* delivery = nullptr;
    Sink::Done done;
    bool made = false;
    bool sent = false;    // QoS 0
    std::string packets;  // one behind the other, their identifiers still to be filled in
    std::vector<Message> messages;
    size_t next = 0;              // to append
    size_t open = 0;              // appended and not settled
    bool others_settled = false;  // by an earlier attempt
    std::vector<Bad> bad;
    std::vector<Bad> refused;  // for what may as well be about all that comes
    std::string retry_why;
  };
  struct Flying {
    Parcel* parcel;
    size_t message;
    bool released;  // QoS 2: PUBREL was sent
  };
  using InFlight = std::unordered_map<uint16_t, Flying>;

  void make(Parcel& parcel);
  Status make(Parcel& parcel, const Record& record);
  void settle(InFlight::iterator flying, uint8_t reason, std::string_view words);
  Answer result(Parcel& parcel);
  bool stops(const Parcel& parcel) const;
  static std::string_view topic_of(const Parcel& parcel, const Message& message);
  void remember(const Parcel& parcel);

  OutboxConfig config_;
  Version version_ = Version::k5;
  size_t largest_ = 0;
  std::deque<Parcel> parcels_;
  InFlight in_flight_;
  PacketIds* ids_ = nullptr;  // of the connection
  int blames_left_;           // messages at which the broker may close before one gets through
  std::string topic_;         // scratch
  std::string payload_;       // scratch
  SettledRecords known_;
  bool refused_last_ = false;
};

}  // namespace leat::mqtt
