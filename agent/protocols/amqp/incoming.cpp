#include "protocols/amqp/incoming.h"

#include <utility>

#include "base/big_endian.h"

namespace leat::amqp {
namespace {

constexpr size_t kContentHead = 12;  // class, weight, size of the body [AMQP §4.2.6.1]
constexpr size_t kKeptBody = 64 * 1024;

}  // namespace

void Incoming::keep(std::string_view exchange, std::string_view key, std::string_view text) {
  names_.assign(exchange).append(key).append(text);
  const std::string_view all(names_);
  message_.exchange = all.substr(0, exchange.size());
  message_.routing_key = all.substr(exchange.size(), key.size());
  message_.reply_text = all.substr(exchange.size() + key.size());
  state_ = State::kHeader;
}

void Incoming::begin(const amqp_basic_deliver_t& deliver) {
  message_ = {};
  message_.delivery_tag = deliver.delivery_tag;
  message_.redelivered = deliver.redelivered != 0;
  keep(text_of(deliver.exchange), text_of(deliver.routing_key), {});
}

void Incoming::begin(const amqp_basic_return_t& returned) {
  message_ = {};
  message_.returned = true;
  message_.reply_code = returned.reply_code;
  keep(text_of(returned.exchange), text_of(returned.routing_key), text_of(returned.reply_text));
}

void Incoming::reset() {
  state_ = State::kNone;
  std::string().swap(names_);
  std::string().swap(properties_);
  std::string().swap(body_);
}

Result<bool> Incoming::add(const Frame& frame) {
  if (state_ == State::kWhole) return hand_on(body_);  // it was not taken before
  if (frame.type == AMQP_FRAME_HEADER && state_ == State::kHeader) return add_header(frame);
  if (frame.type == AMQP_FRAME_BODY && state_ == State::kBody) return add_body(frame);
  return fail(ErrorKind::kData, "a frame in the middle of a message");
}

Result<bool> Incoming::add_header(const Frame& frame) {
  const std::string_view payload = frame.payload;
  if (payload.size() < kContentHead + 2 || read_big_endian<uint16_t>(payload.data()) != kBasicClass)
    return fail(ErrorKind::kData, "a malformed header of a message");
  message_.size = read_big_endian<uint64_t>(payload.data() + 4);
  message_.cut = message_.size > largest_;
  properties_.assign(payload.substr(kContentHead));
  message_.properties = properties_;
  body_.clear();
  come_ = 0;
  if (message_.size == 0) return hand_on({});
  state_ = State::kBody;
  return true;
}

Result<bool> Incoming::add_body(const Frame& frame) {
  const std::string_view piece = frame.payload;
  if (piece.size() > message_.size - come_)
    return fail(ErrorKind::kData, "more of a message than its header says");
  // Whole in one frame, as most are: it is not copied. Else it comes again when it is not taken.
  if (come_ == 0 && piece.size() == message_.size && !message_.cut) return hand_on(piece);
  if (come_ == 0 && !message_.cut) body_.reserve(message_.size);
  come_ += piece.size();
  if (!message_.cut) body_.append(piece);
  if (come_ < message_.size) return true;
  state_ = State::kWhole;
  return hand_on(body_);
}

// A frame that completes a message which is not taken is offered again, and so is the message.
Result<bool> Incoming::hand_on(std::string_view body) {
  message_.body = body;
  Result<bool> taken = take_(message_);
  if (!taken || !*taken) return taken;
  state_ = State::kNone;
  if (body_.capacity() > kKeptBody) std::string().swap(body_);
  return true;
}

}  // namespace leat::amqp
