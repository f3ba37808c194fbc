#include "connectors/amqp/outbox.h"

#include <algorithm>
#include <utility>

#include "base/big_endian.h"
#include "base/text.h"
#include "base/units.h"
#include "protocols/amqp/reply.h"
#include "protocols/amqp/session.h"

namespace leat::amqp {
namespace {

// Bytes handed to the connection at once.
constexpr size_t kQuantum = 256 * 1024;
constexpr size_t kContentHead = 12;  // class, weight, size of the body [AMQP §4.2.6.1]

std::string code_word(uint16_t code) {
  return "amqp-" + std::to_string(code);
}

// The payload of the frame at the start of `frames`, which is taken off.
std::string_view take_frame(std::string_view& frames) {
  const size_t size = read_big_endian<uint32_t>(frames.data() + 3);
  const std::string_view payload = frames.substr(kFrameHead, size);
  frames.remove_prefix(size + kFrameOverhead);
  return payload;
}

}  // namespace

// --- making messages ----------------------------------------------------------------------------

void Outbox::add(const Delivery& delivery, Sink::Done done) {
  Parcel& parcel = parcels_.emplace_back();
  parcel.delivery = &delivery;
  parcel.done = std::move(done);
}

void Outbox::connected(size_t largest_frame) {
  largest_frame_ = largest_frame;
  flying_.clear();
  first_tag_ = 1;
  in_flight_ = look_from_ = 0;
}

void Outbox::make(Parcel& parcel) {
  parcel.made = true;
  uint32_t index = 0;
  parcel.delivery->each_record([&](const Record& record) {
    const uint32_t at = index++;
    if (known_.has(record)) {
      parcel.others_settled = true;
      return;
    }
    if (const Why* why = known_.refusal(record)) {
      parcel.refused.emplace_back(at, *why);
      return;
    }
    const size_t start = parcel.frames.size();
    if (Status status = make(parcel, record); !status) {
      parcel.frames.resize(start);
      parcel.bad.emplace_back(at, Why{status.error().message(), "message"});
      return;
    }
    parcel.messages.back().record = at;
  });
}

Status Outbox::make(Parcel& parcel, const Record& record) {
  routing_key_.clear();
  payload_.clear();
  if (Status status = config_.routing_key.append(routing_key_, record); !status) return status;
  if (routing_key_.size() > kLongestShortText)
    return fail(ErrorKind::kData, "a routing key of " + std::to_string(routing_key_.size()) +
                                      " bytes, more than 255: \"" + excerpt(routing_key_) + "\"");
  if (config_.payload) {
    if (Status status = config_.payload->append(payload_, record); !status) return status;
  } else {
    leat::append_json(payload_, record);
  }
  Result<const amqp_basic_properties_t*> properties = config_.properties.make(record);
  if (!properties) return fail(properties.error());
  std::string& frames = parcel.frames;
  Sent message{.start = frames.size()};
  const amqp_basic_publish_t publish{.ticket = 0,
                                     .exchange = bytes_of(config_.exchange),
                                     .routing_key = bytes_of(routing_key_),
                                     .mandatory = config_.mandatory,
                                     .immediate = 0};
  append_method(frames, kChannel, AMQP_BASIC_PUBLISH_METHOD, &publish);
  message.header = frames.size() - message.start;
  if (!append_content(frames, kChannel, **properties, payload_, largest_frame_))
    return fail(ErrorKind::kData, "properties and headers larger than a frame of the broker's (" +
                                      format_bytes(static_cast<int64_t>(largest_frame_)) + ")");
  message.size = frames.size() - message.start;
  parcel.messages.push_back(message);
  return {};
}

// --- sending ------------------------------------------------------------------------------------

void Outbox::append(std::string& out, size_t window) {
  for (Parcel& parcel : parcels_) {
    if (!parcel.made) make(parcel);
    for (; parcel.next < parcel.messages.size(); ++parcel.next) {
      if (out.size() >= kQuantum) return;
      const Sent& message = parcel.messages[parcel.next];
      if (message.done) continue;
      if (in_flight_ >= window) return;
      flying_.push_back({&parcel, parcel.next});
      ++in_flight_;
      ++parcel.open;
      out.append(parcel.frames, message.start, message.size);
    }
  }
}

bool Outbox::confirm(uint64_t tag, bool multiple, bool good) {
  // 0 with `multiple`: all that were published.
  const uint64_t end = tag == 0 && multiple ? first_tag_ + flying_.size() : tag + 1;
  if (end <= first_tag_) return multiple;
  if (end > first_tag_ + flying_.size()) return false;
  const size_t last = end - first_tag_;
  for (size_t i = multiple ? 0 : last - 1; i < last; ++i)
    if (flying_[i].parcel != nullptr) settle(flying_[i], good);
  while (!flying_.empty() && flying_.front().parcel == nullptr) {
    flying_.pop_front();
    ++first_tag_;
    if (look_from_ > 0) --look_from_;
  }
  return true;
}

void Outbox::settle(Flying& flying, bool good) {
  Parcel& parcel = *std::exchange(flying.parcel, nullptr);
  Sent& message = parcel.messages[flying.message];
  --in_flight_;
  --parcel.open;
  message.done = true;
  if (message.returned) return;
  message.settled = good;
  if (!good)
    parcel.retry_why =
        "the broker could not take a message (basic.nack): its queue is full, or has no leader";
}

bool Outbox::is_like(const Flying& flying, const Message& message, bool with_properties) const {
  if (flying.parcel == nullptr) return false;
  const Sent& sent = flying.parcel->messages[flying.message];
  if (sent.returned) return false;
  std::string_view frames = std::string_view(flying.parcel->frames).substr(sent.start, sent.size);
  const std::string_view method = frames.substr(0, sent.header);
  // The last but its bits: the routing key and, before it, its length.
  constexpr size_t kBehindKey = 2;  // the bits and the frame's end
  const std::string_view key = message.routing_key;
  if (method.size() < key.size() + kBehindKey + 1) return false;
  const size_t at = method.size() - kBehindKey - key.size();
  if (method.substr(at, key.size()) != key || static_cast<uint8_t>(method[at - 1]) != key.size())
    return false;
  frames.remove_prefix(sent.header);
  const std::string_view header = take_frame(frames);
  if (read_big_endian<uint64_t>(header.data() + 4) != message.size) return false;
  if (with_properties && header.substr(kContentHead) != message.properties) return false;
  if (message.cut) return true;
  for (std::string_view body = message.body; !body.empty();) {
    const std::string_view piece = take_frame(frames);
    if (!body.starts_with(piece)) return false;
    body.remove_prefix(piece.size());
  }
  return true;
}

Outbox::Flying* Outbox::like(const Message& message, bool with_properties) {
  // They come back in the order in which they were published.
  for (size_t i = look_from_; i < flying_.size(); ++i) {
    if (!is_like(flying_[i], message, with_properties)) continue;
    look_from_ = i + 1;
    return &flying_[i];
  }
  return nullptr;
}

bool Outbox::returned(const Message& message) {
  Flying* flying = like(message, true);
  if (flying == nullptr) flying = like(message, false);  // something on the way may add to them
  if (flying == nullptr) return false;
  Parcel& parcel = *flying->parcel;
  Sent& sent = parcel.messages[flying->message];
  sent.returned = true;  // its confirmation follows
  parcel.refused.emplace_back(
      sent.record, Why{"the broker sends a message back: " +
                           reply_words(message.reply_code, message.reply_text) + " (exchange " +
                           json_quoted(config_.exchange) + ", routing key " +
                           json_quoted(excerpt(message.routing_key)) + ")",
                       code_word(message.reply_code)});
  return true;
}

bool Outbox::refuse(uint16_t code, const std::string& why) {
  if (in_flight_ != 1) return false;
  const auto flying =
      std::ranges::find_if(flying_, [](const Flying& one) { return one.parcel != nullptr; });
  Parcel& parcel = *flying->parcel;
  Sent& sent = parcel.messages[flying->message];
  sent.done = true;
  parcel.refused.emplace_back(sent.record, Why{why, code_word(code)});
  parcel.open = 0;
  parcel.next = flying->message + 1;
  flying_.clear();
  in_flight_ = 0;
  return true;
}

// --- answering ----------------------------------------------------------------------------------

std::optional<Outbox::Answered> Outbox::finished() {
  if (parcels_.empty()) return std::nullopt;
  Parcel& parcel = parcels_.front();
  if (!parcel.made || parcel.open > 0 || parcel.next < parcel.messages.size()) return std::nullopt;
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
  if (!parcel.retry_why.empty()) return Answer::retry(std::move(parcel.retry_why));
  const bool any_settled =
      parcel.others_settled || std::ranges::any_of(parcel.messages, &Sent::settled);
  return known_.answer(*parcel.delivery, std::move(parcel.bad), parcel.refused, any_settled);
}

std::vector<Outbox::Answered> Outbox::give_up(const std::string& why) {
  std::vector<Answered> out;
  known_.forget_refusals();
  for (Parcel& parcel : parcels_) {
    parcel.refused.clear();
    remember(parcel);
    out.emplace_back(std::move(parcel.done), Answer::retry(why));
  }
  drop_all();
  return out;
}

void Outbox::remember(const Parcel& parcel) {
  std::vector<uint32_t> settled;
  for (const Sent& message : parcel.messages)
    if (message.settled) settled.push_back(message.record);
  known_.remember(*parcel.delivery, settled, parcel.refused);
}

size_t Outbox::footprint() const {
  size_t bytes = flying_.size() * sizeof(Flying) + known_.footprint();
  for (const Parcel& parcel : parcels_)
    bytes += parcel.frames.capacity() + parcel.messages.capacity() * sizeof(Sent);
  return bytes;
}

}  // namespace leat::amqp
