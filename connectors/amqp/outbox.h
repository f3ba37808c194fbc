// The messages of deliveries on their way to the broker: made at once for each delivery, published
// in order as the window allows, confirmed in any order, and answered in order.
//
// Several deliveries may be under way, so that the broker has work while one is finished and the
// next is made. Their order is that of add(), so a record that cannot be sent is left out and
// rejected when the rest of its delivery is settled, not before: what is behind would overtake it.
//
// A broker confirms what no queue is bound for, and sends it back before that, without saying which
// of those under way it is. So it is looked for: the first that is like it. Of two that are alike
// in everything it does not matter which.
//
// Thread: the loop's thread. Pure: no I/O. The deliveries live until they are answered.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "connectors/amqp/properties.h"
#include "protocols/amqp/incoming.h"
#include "record/template.h"
#include "stage/settled_records.h"
#include "stage/sink.h"

namespace leat::amqp {

struct OutboxConfig {
  std::string exchange;
  Template routing_key;
  std::optional<Template> payload;  // without: the record as JSON
  PropertyMaker properties;
  bool mandatory = true;
};

class Outbox {
 public:
  using Answered = std::pair<Sink::Done, Answer>;

  explicit Outbox(OutboxConfig config) : config_(std::move(config)) {}

  // Takes a delivery, behind those that are there.
  void add(const Delivery& delivery, Sink::Done done);
  bool empty() const { return parcels_.empty(); }

  // A channel is open: delivery tags begin anew.
  void connected(size_t largest_frame);
  // Appends messages while fewer than `window` of them are unsettled and `out` is short. Those of
  // records that the broker has already are left out.
  void append(std::string& out, size_t window);
  // Messages that wait for the broker's confirmation.
  size_t in_flight() const { return in_flight_; }

  // The broker has taken them, or could not (basic.nack). False: no message has such a tag.
  bool confirm(uint64_t tag, bool multiple, bool good);
  // basic.return. False: no message under way is like it.
  bool returned(const Message& message);
  // The oldest delivery, when it is done with.
  std::optional<Answered> finished();

  // The connection is lost, or is not to be had. All are answered with "not now"; what was
  // confirmed is remembered, so that it is not sent again.
  std::vector<Answered> give_up(const std::string& why);
  // The broker has closed the channel at the one message that was in flight: it is taken for
  // refused, and with the next connection those behind it follow. False: it was not one.
  bool refuse(uint16_t code, const std::string& why);
  void drop_all() {
    parcels_.clear();
    flying_.clear();
    in_flight_ = 0;
  }

  // Bytes held.
  size_t footprint() const;

 private:
  struct Sent {
    size_t start = 0;   // in Parcel::frames
    size_t size = 0;    // of all frames
    size_t header = 0;  // from start to the frame of the header
    uint32_t record = 0;
    bool settled = false;   // the broker has it
    bool done = false;      // settled or refused
    bool returned = false;  // refused, though it is confirmed
  };
  using Bad = SettledRecords::Bad;
  // One delivery.
  struct Parcel {
    const Delivery* delivery = nullptr;
    Sink::Done done;
    bool made = false;
    std::string frames;  // of all messages, one behind the other
    std::vector<Sent> messages;
    size_t next = 0;              // to append
    size_t open = 0;              // appended and not done
    bool others_settled = false;  // by an earlier attempt
    std::vector<Bad> bad;
    std::vector<Bad> refused;  // for what may as well be about all that comes
    std::string retry_why;
  };
  struct Flying {
    Parcel* parcel = nullptr;  // null: it is settled
    size_t message = 0;
  };

  void make(Parcel& parcel);
  Status make(Parcel& parcel, const Record& record);
  void settle(Flying& flying, bool good);
  Flying* like(const Message& message, bool with_properties);
  bool is_like(const Flying& flying, const Message& message, bool with_properties) const;
  Answer result(Parcel& parcel);
  void remember(const Parcel& parcel);

  OutboxConfig config_;
  size_t largest_frame_ = kLeastFrame;
  std::deque<Parcel> parcels_;
  std::deque<Flying> flying_;  // by delivery tag, from first_tag_ on
  uint64_t first_tag_ = 1;
  size_t in_flight_ = 0;
  size_t look_from_ = 0;     // in flying_: behind the one that came back last
  std::string routing_key_;  // scratch
  std::string payload_;      // scratch
  SettledRecords known_;
};

}  // namespace leat::amqp
