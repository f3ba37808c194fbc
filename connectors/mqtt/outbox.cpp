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

// Reasons that speak about the message; all others speak about the broker, its quotas, or what it
// permits this client, and may be gone tomorrow.
bool is_about_the_message(uint8_t reason) {
  return reason == kTopicNameInvalid || reason == kPacketTooLarge ||
         reason == kPayloadFormatInvalid;
}

}  // namespace

std::optional<Answer> Outbox::begin(const Delivery& delivery, Version version, size_t largest) {
  forget();
  parts_ = delivery.parts;
  std::vector<std::pair<uint32_t, std::string>> bad;
  uint32_t index = 0;
  delivery.each_record([&](const Record& record) {
    uint32_t at = index++;
    if (delivered_.count(&record) > 0) return;
    const size_t start = packets_.size();
    if (Status status = make(record, version, largest); !status) {
      packets_.resize(start);
      bad.emplace_back(at, status.error().message());
      return;
    }
    messages_.back().record = at;
  });
  if (bad.empty()) return std::nullopt;
  forget();
  return Answer::rejected(std::move(bad));
}

Status Outbox::make(const Record& record, Version version, size_t largest) {
  topic_.clear();
  payload_.clear();
  if (Status status = config_.topic.append(topic_, record); !status) return status;
  if (Status status = check_topic(topic_); !status)
    return fail(ErrorKind::kData,
                "topic " + json_quoted(excerpt(topic_)) + ": " + status.error().message());
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
  size_t size = publish_size(version, head, payload_.size());
  if (size > largest || size > kLongestPacket)
    return fail(ErrorKind::kData, "a message of " + format_bytes(static_cast<int64_t>(size)) +
                                      ", more than the broker takes");
  Message message{.start = packets_.size(), .size = size, .source = &record};
  append_publish(packets_, version, head, payload_);
  // Behind the fixed header and the topic [MQTT5 §3.3.2.2].
  size_t header = 2;
  while ((static_cast<uint8_t>(packets_[message.start + header - 1]) & 0x80) != 0) ++header;
  message.id_at = message.start + header + 2 + topic_.size();
  messages_.push_back(message);
  return {};
}

uint16_t Outbox::free_id() {
  do {
    if (++last_id_ == 0) ++last_id_;
  } while (in_flight_.count(last_id_) > 0);
  return last_id_;
}

void Outbox::append(std::string& out, size_t window) {
  window = std::min<size_t>(window, kMostInFlight - 1);
  for (; next_ < messages_.size() && out.size() < kQuantum; ++next_) {
    Message& message = messages_[next_];
    if (config_.qos > 0) {
      if (in_flight_.size() >= window) return;
      uint16_t id = free_id();
      packets_[message.id_at] = static_cast<char>(id >> 8);
      packets_[message.id_at + 1] = static_cast<char>(id & 0xFF);
      in_flight_.emplace(id, next_);
    }
    out.append(packets_, message.start, message.size);
  }
}

bool Outbox::on_ack(const Ack& ack, Version version, std::string& out) {
  auto found = in_flight_.find(ack.id);
  const bool expected = ack.type == PacketType::kPubcomp || ack.type == PacketType::kPubrec
                            ? config_.qos == 2
                            : config_.qos == 1;
  if (ack.type == PacketType::kPubrel || !expected) return false;
  if (ack.type == PacketType::kPubrec && ack.reason < 0x80) {
    append_ack(out, version, PacketType::kPubrel, ack.id,
               found == in_flight_.end() ? kPacketIdNotFound : kSuccess);
    return found != in_flight_.end();
  }
  if (found == in_flight_.end()) return false;
  settle(messages_[found->second], ack.type == PacketType::kPubcomp ? kSuccess : ack.reason,
         ack.text);
  in_flight_.erase(found);
  return true;
}

void Outbox::settle(Message& message, uint8_t reason, std::string_view words) {
  if (reason < 0x80) {
    message.settled = true;
    return;
  }
  std::string why = "the broker refuses a message: " + reason_text(reason) + broker_words(words);
  if (is_about_the_message(reason)) {
    bad_.emplace_back(message.record, std::move(why));
  } else {
    retry_why_ = std::move(why);
  }
}

Answer Outbox::finish() {
  if (!retry_why_.empty()) {
    std::string why = std::move(retry_why_);
    remember();
    return Answer::retry(std::move(why));
  }
  if (!bad_.empty()) {
    std::vector<std::pair<uint32_t, std::string>> bad = std::move(bad_);
    std::sort(bad.begin(), bad.end());
    remember();
    return Answer::rejected(std::move(bad));
  }
  forget();
  delivered_.clear();
  kept_.clear();
  return Answer::delivered();
}

void Outbox::give_up() {
  remember();
}

void Outbox::remember() {
  bool any = false;
  for (const Message& message : messages_) {
    if (!message.settled) continue;
    delivered_.insert(message.source);
    any = true;
  }
  if (any) kept_.insert(kept_.end(), parts_.begin(), parts_.end());
  forget();
}

void Outbox::forget() {
  std::string().swap(packets_);
  messages_.clear();
  parts_.clear();
  in_flight_.clear();
  bad_.clear();
  next_ = 0;
  retry_why_.clear();
}

}  // namespace leat::mqtt
