#include "connectors/mqtt/outbox.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "base/units.h"
#include "protocols/mqtt/reason.h"
#include "protocols/mqtt/topic.h"

namespace leat::mqtt {
namespace {

// Bytes handed to the connection at once.
constexpr size_t kQuantum = 256 * 1024;
// A message at which the broker closes the connection so often, when it was the only one under way,
// is to blame.
constexpr int kCutsToBlame = 3;
// So many in a row without one that gets through are told before it goes on: they may speak about
// the broker, which is for the engine to find out.
constexpr int kMostBlamed = 10;

// Reasons that speak about the message; all others speak about the broker or its quotas, and may be
// gone tomorrow.
bool is_about_the_message(uint8_t reason) {
  return reason == kTopicNameInvalid || reason == kPacketTooLarge ||
         reason == kPayloadFormatInvalid;
}

// And those that may: what this client is not permitted to publish, or whatever.
bool may_be_about_the_message(uint8_t reason) {
  return reason == kUnspecified || reason == kImplementationSpecific || reason == kNotAuthorized;
}

}  // namespace

Outbox::Outbox(OutboxConfig config) : config_(std::move(config)), blames_left_(kMostBlamed) {}

// --- making messages ----------------------------------------------------------------------------

void Outbox::add(const Delivery& delivery, Sink::Done done) {
  Parcel& parcel = parcels_.emplace_back();
  parcel.delivery = &delivery;
  parcel.done = std::move(done);
}

void Outbox::connected(Version version, size_t largest, PacketIds& ids) {
  version_ = version;
  largest_ = largest;
  ids_ = &ids;
}

void Outbox::make(Parcel& parcel) {
  parcel.made = true;
  uint32_t index = 0;
  parcel.delivery->each_record([&](const Record& record) {
    uint32_t at = index++;
    if (known_.has(record)) {
      parcel.others_settled = true;
      return;
    }
    if (const Why* why = known_.refusal(record)) {
      parcel.refused.emplace_back(at, *why);
      return;
    }
    const size_t start = parcel.packets.size();
    if (Status status = make(parcel, record); !status) {
      parcel.packets.resize(start);
      parcel.bad.emplace_back(at, Why{status.error().message(), "message"});
      return;
    }
    parcel.messages.back().record = at;
  });
}

Status Outbox::make(Parcel& parcel, const Record& record) {
  topic_.clear();
  payload_.clear();
  if (Status status = config_.topic.append(topic_, record); !status) return status;
  if (Status status = check_topic(topic_); !status)
    return fail(ErrorKind::kData, "topic \"" + excerpt(topic_) + "\": " + status.error().message());
  if (config_.payload) {
    if (Status status = config_.payload->append(payload_, record); !status) return status;
  } else {
    append_json(payload_, record);
  }
  PublishHead head{.topic = topic_,
                   .qos = config_.qos,
                   .retain = config_.retain,
                   .message_expiry = config_.message_expiry,
                   .content_type = config_.content_type};
  size_t size = publish_size(version_, head, payload_.size());
  if (size > largest_ || size > kLongestPacket)
    return fail(ErrorKind::kData, "a message of " + format_bytes(static_cast<int64_t>(size)) +
                                      ", more than the broker takes");
  std::string& packets = parcel.packets;
  Message message{
      .start = packets.size(), .size = size, .topic_size = static_cast<uint16_t>(topic_.size())};
  append_publish(packets, version_, head, payload_);
  // Behind the fixed header and the topic [MQTT5 §3.3.2.2].
  size_t header = 2;
  while ((static_cast<uint8_t>(packets[message.start + header - 1]) & 0x80) != 0) ++header;
  message.id_at = message.start + header + 2 + topic_.size();
  parcel.messages.push_back(message);
  return {};
}

// --- sending ------------------------------------------------------------------------------------

void Outbox::append(std::string& out, size_t window) {
  window = std::min<size_t>(window, kMostInFlight - 16);  // some are for what else is sent
  for (Parcel& parcel : parcels_) {
    if (!parcel.made) make(parcel);
    if (stops(parcel)) return;
    for (; parcel.next < parcel.messages.size(); ++parcel.next) {
      if (out.size() >= kQuantum) return;
      const Message& message = parcel.messages[parcel.next];
      if (message.done) continue;
      if (config_.qos > 0) {
        if (in_flight_.size() >= window) return;
        uint16_t id = ids_->take();
        parcel.packets[message.id_at] = static_cast<char>(id >> 8);
        parcel.packets[message.id_at + 1] = static_cast<char>(id & 0xFF);
        in_flight_.emplace(id, Flying{&parcel, parcel.next, false});
        ++parcel.open;
      }
      out.append(parcel.packets, message.start, message.size);
    }
  }
}

Outbox::Effect Outbox::on_ack(const Ack& ack, std::string& out) {
  auto flying = in_flight_.find(ack.id);
  if (flying == in_flight_.end() || ack.type == PacketType::kPubrel) return Effect::kNone;
  bool expected = ack.type == PacketType::kPuback;
  if (config_.qos == 2)
    expected = flying->second.released ? ack.type == PacketType::kPubcomp
                                       : ack.type == PacketType::kPubrec;
  if (ack.type == PacketType::kPubrec && ack.reason < 0x80) {
    // Once for each message: PUBRECs without end must not become PUBRELs without end.
    if (flying->second.released) return Effect::kNone;
    append_ack(out, version_, PacketType::kPubrel, ack.id);
    flying->second.released = true;
    if (expected) return Effect::kExpected;
  }
  settle(flying, ack.type == PacketType::kPubcomp ? kSuccess : ack.reason, ack.text);
  return expected ? Effect::kExpected : Effect::kOdd;
}

void Outbox::settle(InFlight::iterator flying, uint8_t reason, std::string_view words) {
  Parcel& parcel = *flying->second.parcel;
  Message& message = parcel.messages[flying->second.message];
  ids_->give_back(flying->first);
  in_flight_.erase(flying);
  --parcel.open;
  blames_left_ = kMostBlamed;
  message.done = true;
  message.settled = reason < 0x80;
  refused_last_ = !message.settled;
  if (message.settled) return;
  std::string why = "the broker refuses a message: " + reason_text(reason) + broker_words(words);
  std::string code = "mqtt-" + std::to_string(reason);
  if (is_about_the_message(reason)) {
    parcel.bad.emplace_back(message.record, Why{std::move(why), std::move(code)});
  } else if (may_be_about_the_message(reason)) {
    why += " (topic \"" + excerpt(topic_of(parcel, message)) + "\")";
    parcel.refused.emplace_back(message.record, Why{std::move(why), std::move(code)});
  } else {
    parcel.retry_why = std::move(why);
  }
}

std::string_view Outbox::topic_of(const Parcel& parcel, const Message& message) {
  return std::string_view(parcel.packets)
      .substr(message.id_at - message.topic_size, message.topic_size);
}

void Outbox::send_again() {
  in_flight_.clear();
  for (Parcel& parcel : parcels_) {
    parcel.next = 0;
    parcel.open = 0;
  }
}

void Outbox::sent() {
  for (Parcel& parcel : parcels_)
    parcel.sent = parcel.made && parcel.next == parcel.messages.size();
}

bool Outbox::cut(const std::string& why) {
  if (in_flight_.size() != 1) return false;
  Parcel& parcel = *in_flight_.begin()->second.parcel;
  const size_t index = in_flight_.begin()->second.message;
  in_flight_.clear();
  parcel.open = 0;
  parcel.next = index;
  Message& message = parcel.messages[index];
  if (++message.cuts < kCutsToBlame) return true;
  if (blames_left_ > 0) --blames_left_;
  ++parcel.next;
  message.done = true;
  parcel.refused.emplace_back(
      message.record,
      Why{"the broker closes the connection at this message (\"" +
              excerpt(topic_of(parcel, message)) + "\", " +
              format_bytes(static_cast<int64_t>(message.size)) + "), each time it is sent: " + why,
          "cut-off"});
  return true;
}

// Too many were blamed in a row: the rest of it is not sent before these are told.
bool Outbox::stops(const Parcel& parcel) const {
  return blames_left_ == 0 && !parcel.refused.empty() && parcel.next < parcel.messages.size();
}

// --- answering ----------------------------------------------------------------------------------

std::optional<Outbox::Answered> Outbox::finished() {
  if (parcels_.empty()) return std::nullopt;
  Parcel& parcel = parcels_.front();
  if (!parcel.made || parcel.open > 0) return std::nullopt;
  if (parcel.next < parcel.messages.size() && !stops(parcel)) return std::nullopt;
  if (config_.qos == 0 && !parcel.messages.empty()) {
    if (!parcel.sent) return std::nullopt;
    // That is all that can be known of them; when others of it are bad they are not sent again.
    for (Message& message : parcel.messages) message.settled = true;
  }
  Answered out{std::move(parcel.done), result(parcel)};
  if (out.second.outcome == Outcome::kDelivered) {
    known_.forget(*parcel.delivery);
  } else {
    remember(parcel);
  }
  parcels_.pop_front();
  return out;
}

Answer Outbox::result(Parcel& parcel) {
  const bool any_settled =
      parcel.others_settled || std::any_of(parcel.messages.begin(), parcel.messages.end(),
                                           [](const Message& message) { return message.settled; });
  const bool stopped = stops(parcel);
  if (!parcel.retry_why.empty()) return Answer::retry(std::move(parcel.retry_why));
  Answer answer =
      known_.answer(*parcel.delivery, std::move(parcel.bad), parcel.refused, any_settled, stopped);
  if (answer.in_doubt) blames_left_ = kMostBlamed;
  return answer;
}

std::vector<Outbox::Answered> Outbox::give_up(const std::string& why) {
  std::vector<Answered> out;
  known_.forget_refusals();
  for (Parcel& parcel : parcels_) {
    parcel.refused.clear();
    remember(parcel);
    out.emplace_back(std::move(parcel.done), Answer::retry(why));
  }
  in_flight_.clear();
  parcels_.clear();
  return out;
}

void Outbox::remember(const Parcel& parcel) {
  std::vector<uint32_t> settled;
  for (const Message& message : parcel.messages)
    if (message.settled) settled.push_back(message.record);
  known_.remember(*parcel.delivery, settled, parcel.refused);
}

size_t Outbox::footprint() const {
  // A node of a hash table has about as much again beside what is in it.
  size_t bytes = in_flight_.size() * 2 * sizeof(InFlight::value_type) + known_.footprint();
  for (const Parcel& parcel : parcels_)
    bytes += parcel.packets.capacity() + parcel.messages.capacity() * sizeof(Message);
  return bytes;
}

}  // namespace leat::mqtt
