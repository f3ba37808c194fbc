// What a broker sends, as bytes.
#pragma once

#include <string>
#include <string_view>

#include "protocols/amqp/codec.h"
#include "protocols/amqp/session.h"

namespace leat::testing {

struct Delivered {
  uint64_t tag = 1;
  std::string_view routing_key = "key";
  std::string_view message_id = "";
  bool redelivered = false;
};

inline std::string deliver_method(const Delivered& what) {
  const amqp_basic_deliver_t deliver{.consumer_tag = amqp::bytes_of("tag"),
                                     .delivery_tag = what.tag,
                                     .redelivered = what.redelivered,
                                     .exchange = amqp::bytes_of("exchange"),
                                     .routing_key = amqp::bytes_of(what.routing_key)};
  std::string out;
  amqp::append_method(out, amqp::kChannel, AMQP_BASIC_DELIVER_METHOD, &deliver);
  return out;
}

inline std::string content(std::string_view body, size_t largest_frame = 4096,
                           std::string_view message_id = "") {
  amqp_basic_properties_t properties{};
  if (!message_id.empty()) {
    properties._flags = AMQP_BASIC_MESSAGE_ID_FLAG;
    properties.message_id = amqp::bytes_of(message_id);
  }
  std::string out;
  amqp::append_content(out, amqp::kChannel, properties, body, largest_frame);
  return out;
}

}  // namespace leat::testing
