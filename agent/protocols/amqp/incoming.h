// Puts a message together that the broker sends: its method (basic.deliver or basic.return), its
// header and the pieces of its body. Bounded by `largest`: the body of a larger message is let go
// as it comes.
//
// Thread: the loop's thread. Pure: no I/O.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "protocols/amqp/codec.h"
#include "protocols/amqp/framer.h"

namespace leat::amqp {

// A message that has come. What it points to is valid during the call only.
struct Message {
  bool returned = false;  // basic.return: no queue was there for it
  uint64_t delivery_tag = 0;
  bool redelivered = false;
  uint16_t reply_code = 0;  // why it was returned
  std::string_view reply_text;
  std::string_view exchange;
  std::string_view routing_key;
  std::string_view properties;  // encoded; see decode_properties()
  std::string_view body;        // "" when it was cut
  uint64_t size = 0;            // of the body
  bool cut = false;             // the body is larger than is taken
};

class Incoming {
 public:
  // As Framer::Take.
  using Take = std::function<Result<bool>(const Message&)>;

  Incoming(size_t largest, Take take) : largest_(largest), take_(std::move(take)) {}

  void begin(const amqp_basic_deliver_t& deliver);
  void begin(const amqp_basic_return_t& returned);
  // The next frame of the channel when open(): a header, or a piece of the body. As Framer::Take.
  Result<bool> add(const Frame& frame);
  // A method came, and more of it is to come.
  bool open() const { return state_ != State::kNone; }
  void reset();
  // Bytes held.
  size_t footprint() const { return names_.capacity() + properties_.capacity() + body_.capacity(); }

 private:
  enum class State { kNone, kHeader, kBody, kWhole };

  void keep(std::string_view exchange, std::string_view key, std::string_view text);
  Result<bool> add_header(const Frame& frame);
  Result<bool> add_body(const Frame& frame);
  Result<bool> hand_on(std::string_view body);

  const size_t largest_;
  const Take take_;
  State state_ = State::kNone;
  Message message_;
  std::string names_;  // what the strings of the method point to
  std::string properties_;
  std::string body_;   // of a message of several pieces
  uint64_t come_ = 0;  // bytes of the body
};

}  // namespace leat::amqp
