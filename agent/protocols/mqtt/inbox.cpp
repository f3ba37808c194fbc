#include "protocols/mqtt/inbox.h"

#include <algorithm>
#include <charconv>
#include <functional>
#include <utility>
#include <vector>

namespace leat::mqtt {
namespace {

// With the packet identifier it tells a message that is sent again from one that brokers which
// number anew on each connection send under the same identifier.
uint64_t hash_of(const Publish& publish) {
  std::hash<std::string_view> hash;
  return hash(publish.payload) * 31 + hash(publish.topic);
}

std::unique_ptr<const std::string> properties_of(const Publish& publish) {
  const Properties& properties = publish.properties;
  if (properties.user_properties > Inbox::kMostUserProperties) return nullptr;
  if (properties.user_properties == 0 && properties.content_type.empty() &&
      properties.response_topic.empty())
    return nullptr;
  return std::make_unique<const std::string>(publish.properties.text);
}

}  // namespace

// --- what the broker sends ----------------------------------------------------------------------

Result<bool> Inbox::again(const Publish& publish, uint64_t ready_at) {
  slots_.push_back({ready_at, publish.id, publish.qos});
  return true;
}

Result<bool> Inbox::seen(const Publish& publish) {
  if (publish.qos == 0) return false;
  if (slots_.size() >= kMostInFlight)
    return fail(ErrorKind::kData, "more unacknowledged messages than there are identifiers");
  if (publish.qos == 2 && accepted_.count(publish.id) > 0) {
    if (publish.redelivered) return again(publish, 0);
    // An identifier in use again without PUBREL, which no broker may do: rather twice than lost.
    accepted_.erase(publish.id);
  }
  // Only what is sent again has DUP [MQTT-3.3.1-1, -2].
  if (!publish.redelivered) return false;
  const uint64_t hash = publish.qos == 1 ? hash_of(publish) : 0;
  if (const Message* message = sent_before(publish, hash)) return again(publish, message->end);
  auto unsaid = publish.qos == 1 ? unsaid_.find(publish.id) : unsaid_.end();
  if (unsaid != unsaid_.end() && unsaid->second == hash) return again(publish, 0);
  return false;
}

const Inbox::Message* Inbox::sent_before(const Publish& publish, uint64_t hash) {
  if (!std::exchange(knows_places_, true))
    for (const Message& message : messages_)
      if (message.id != 0) places_.emplace(message.id, message.end);
  auto [place, last] = places_.equal_range(publish.id);
  for (; place != last; ++place) {
    const Message& message = *at(place->second);
    if (message.qos == publish.qos && message.hash == hash) return &message;
  }
  return nullptr;
}

void Inbox::forget_places() {
  knows_places_ = false;
  places_.clear();
}

uint64_t Inbox::add(const Publish& publish) {
  offset_ += publish.size;
  const bool same_topic = last_topic_ && *last_topic_ == publish.topic;
  Message message{
      .end = offset_,
      .hash = publish.qos == 1 ? hash_of(publish) : 0,
      .topic = topic_of(publish.topic),
      .properties = properties_of(publish),
      .topic_bytes = same_topic ? uint16_t{0} : static_cast<uint16_t>(publish.topic.size()),
      .id = publish.id,
      .qos = publish.qos,
      .retained = publish.retained};
  message_bytes_ += message.bytes();
  messages_.push_back(std::move(message));
  if (publish.qos == 0) return offset_;
  if (knows_places_) places_.emplace(publish.id, offset_);
  slots_.push_back({offset_, publish.id, publish.qos});
  if (!unsaid_.empty()) unsaid_.erase(publish.id);
  return offset_;
}

bool Inbox::released(uint16_t id) {
  return accepted_.erase(id) > 0;
}

void Inbox::session_lost() {
  connection_lost();
  forget_places();
  for (Message& message : messages_) message.id = 0;
  unsaid_.clear();
  accepted_.clear();
}

// Neighbours often have the same topic.
Inbox::Topic Inbox::topic_of(std::string_view topic) {
  if (!last_topic_ || *last_topic_ != topic)
    last_topic_ = std::make_shared<const std::string>(topic);
  return last_topic_;
}

size_t Inbox::footprint() const {
  constexpr size_t kNode = 6 * sizeof(void*);  // of a map or a set, with what is in it
  return messages_.size() * sizeof(Message) + message_bytes_ + slots_.size() * sizeof(Slot) +
         (unsaid_.size() + accepted_.size() + places_.size()) * kNode;
}

std::deque<Inbox::Message>::const_iterator Inbox::at(uint64_t offset) const {
  return std::lower_bound(messages_.begin(), messages_.end(), offset,
                          [](const Message& m, uint64_t end) { return m.end < end; });
}

std::optional<Inbox::Brought> Inbox::brought_at(uint64_t offset) const {
  auto found = at(offset);
  if (found == messages_.end()) return std::nullopt;
  return Brought{*found->topic, found->properties ? std::string_view(*found->properties) : "",
                 found->qos, found->retained};
}

// --- what becomes of it here --------------------------------------------------------------------

void Inbox::acked(uint64_t offset) {
  acked_ = std::max(acked_, offset);
  while (!messages_.empty() && messages_.front().end <= acked_) {
    const Message& message = messages_.front();
    if (message.id != 0 && message.qos == 1) unsaid_[message.id] = message.hash;
    if (message.id != 0 && message.qos == 2) accepted_.insert(message.id);
    message_bytes_ -= message.bytes();
    if (knows_places_ && message.qos > 0) {
      auto [place, last] = places_.equal_range(message.id);
      while (place != last && place->second != message.end) ++place;
      if (place != last) places_.erase(place);
    }
    messages_.pop_front();
  }
  if (messages_.empty()) forget_places();
}

bool Inbox::append_acks(std::string& out, Version version) {
  bool any = false;
  for (; !slots_.empty() && slots_.front().ready_at <= acked_; slots_.pop_front()) {
    const Slot& slot = slots_.front();
    append_ack(out, version, slot.qos == 1 ? PacketType::kPuback : PacketType::kPubrec, slot.id);
    if (slot.qos == 1) unsaid_.erase(slot.id);
    any = true;
  }
  return any;
}

// --- QoS 2 across restarts ----------------------------------------------------------------------

std::string Inbox::accepted_ids(uint64_t offset) const {
  std::vector<uint16_t> ids(accepted_.begin(), accepted_.end());
  for (const Message& message : messages_) {
    if (message.end > offset) break;
    if (message.id != 0 && message.qos == 2) ids.push_back(message.id);
  }
  std::sort(ids.begin(), ids.end());
  std::string out;
  for (size_t i = 0; i < ids.size();) {
    size_t last = i;
    while (last + 1 < ids.size() && ids[last + 1] <= ids[last] + 1) ++last;
    if (!out.empty()) out += ',';
    out += std::to_string(ids[i]);
    if (ids[last] > ids[i]) out += '-' + std::to_string(ids[last]);
    i = last + 1;
  }
  return out;
}

void Inbox::restore(std::string_view ids) {
  const char* p = ids.data();
  const char* const end = p + ids.size();
  while (p < end) {
    uint16_t first = 0;
    auto read = std::from_chars(p, end, first);
    uint16_t last = first;
    if (read.ec == std::errc() && read.ptr < end && *read.ptr == '-')
      read = std::from_chars(read.ptr + 1, end, last);
    if (read.ec == std::errc() && first > 0)
      for (uint32_t id = first; id <= last; ++id) accepted_.insert(static_cast<uint16_t>(id));
    p = std::find(read.ptr, end, ',');
    if (p < end) ++p;
  }
}

}  // namespace leat::mqtt
