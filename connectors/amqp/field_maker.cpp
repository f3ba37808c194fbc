#include "connectors/amqp/field_maker.h"

#include <algorithm>

#include "base/text.h"
#include "connectors/amqp/options.h"
#include "options/option_errors.h"
#include "protocols/amqp/table.h"

namespace leat::amqp {
namespace {

using Extra = FieldMaker::Extra;

struct TextProperty {
  Extra extra;
  amqp_flags_t flag;
  amqp_bytes_t amqp_basic_properties_t::*member;
};
constexpr TextProperty kTextProperties[] = {
    {Extra::kMessageId, AMQP_BASIC_MESSAGE_ID_FLAG, &amqp_basic_properties_t::message_id},
    {Extra::kCorrelationId, AMQP_BASIC_CORRELATION_ID_FLAG,
     &amqp_basic_properties_t::correlation_id},
    {Extra::kReplyTo, AMQP_BASIC_REPLY_TO_FLAG, &amqp_basic_properties_t::reply_to},
    {Extra::kType, AMQP_BASIC_TYPE_FLAG, &amqp_basic_properties_t::type},
    {Extra::kAppId, AMQP_BASIC_APP_ID_FLAG, &amqp_basic_properties_t::app_id},
    {Extra::kUserId, AMQP_BASIC_USER_ID_FLAG, &amqp_basic_properties_t::user_id},
    {Extra::kExpiration, AMQP_BASIC_EXPIRATION_FLAG, &amqp_basic_properties_t::expiration},
    {Extra::kContentType, AMQP_BASIC_CONTENT_TYPE_FLAG, &amqp_basic_properties_t::content_type},
    {Extra::kContentEncoding, AMQP_BASIC_CONTENT_ENCODING_FLAG,
     &amqp_basic_properties_t::content_encoding}};

std::string_view name_of(Extra extra) {
  return kFieldChoices[static_cast<size_t>(extra)];
}

Value timestamp_of(const amqp_basic_properties_t& properties) {
  if ((properties._flags & AMQP_BASIC_TIMESTAMP_FLAG) == 0) return Value::null();
  const std::optional<int64_t> time = unix_us_of(properties.timestamp);
  return time ? Value::of_time(*time) : Value::null();
}

Value priority_of(const amqp_basic_properties_t& properties) {
  if ((properties._flags & AMQP_BASIC_PRIORITY_FLAG) == 0) return Value::null();
  return Value::of_integer(properties.priority);
}

std::string headers_json(const amqp_basic_properties_t& properties) {
  std::string out;
  const bool any = (properties._flags & AMQP_BASIC_HEADERS_FLAG) != 0;
  amqp::append_json(out, any ? properties.headers : amqp_table_t{0, nullptr});
  return out;
}

Value value_of(Extra extra, Batch& batch, const Message& message,
               const amqp_basic_properties_t& properties) {
  switch (extra) {
    case Extra::kExchange:
      return Value::of_text(Type::kString, batch.arena.copy(message.exchange));
    case Extra::kRoutingKey:
      return Value::of_text(Type::kString, batch.arena.copy(message.routing_key));
    case Extra::kRedelivered:
      return Value::boolean(message.redelivered);
    case Extra::kPriority:
      return priority_of(properties);
    case Extra::kTimestamp:
      return timestamp_of(properties);
    case Extra::kHeaders:
      return Value::of_text(Type::kJson, batch.arena.copy(headers_json(properties)));
    case Extra::kOffset: {
      const std::optional<uint64_t> offset = stream_offset(message.properties);
      return offset ? Value::of_integer(static_cast<int64_t>(*offset)) : Value::null();
    }
    default:
      break;
  }
  for (const TextProperty& one : kTextProperties)
    if (one.extra == extra && (properties._flags & one.flag) != 0)
      return Value::of_text(Type::kString, batch.arena.copy(text_of(properties.*one.member)));
  return Value::null();
}

}  // namespace

std::optional<uint64_t> stream_offset(std::string_view properties) {
  const std::optional<int64_t> offset = number_in_headers(properties, "x-stream-offset");
  return offset && *offset >= 0 ? std::optional(static_cast<uint64_t>(*offset)) : std::nullopt;
}

std::string metadata_json(const Inbox::Brought& brought) {
  std::string out = "{\"exchange\":" + json_quoted(brought.exchange) +
                    ",\"routingKey\":" + json_quoted(brought.routing_key);
  if (brought.redelivered) out += ",\"redelivered\":true";
  Pool pool;
  if (Result<const amqp_basic_properties_t*> all = decode_properties(brought.properties, pool)) {
    const amqp_basic_properties_t& properties = **all;
    for (const TextProperty& one : kTextProperties)
      if ((properties._flags & one.flag) != 0)
        out += ",\"" + std::string(name_of(one.extra)) +
               "\":" + json_quoted(text_of(properties.*one.member));
    for (const auto& [extra, value] : {std::pair{Extra::kPriority, priority_of(properties)},
                                       std::pair{Extra::kTimestamp, timestamp_of(properties)}}) {
      if (value.type == Type::kNull) continue;
      out += ",\"" + std::string(name_of(extra)) + "\":";
      leat::append_json(out, value);
    }
    if ((properties._flags & AMQP_BASIC_HEADERS_FLAG) != 0)
      out += ",\"headers\":" + headers_json(properties);
  }
  return out + '}';
}

Result<FieldMaker> FieldMaker::from(const Options& options) {
  FieldMaker out;
  OptionErrors errors;
  std::vector<std::string_view> names;
  const std::vector<std::string>& fields = options.strings("fields");
  for (size_t i = 0; i < fields.size(); ++i) {
    const auto* known = std::find(std::begin(kFieldChoices), std::end(kFieldChoices), fields[i]);
    if (known == std::end(kFieldChoices)) continue;  // the table says so already
    if (std::ranges::find(names, *known) != names.end()) {
      errors.add(options, path_of_index("fields", i), json_quoted(fields[i]) + " stands twice",
                 Problem::Kind::kTwice);
      continue;
    }
    out.extras_.push_back(static_cast<Extra>(known - std::begin(kFieldChoices)));
    names.push_back(*known);
  }
  if (Status status = errors.status(); !status) return fail(status.error());
  out.shape_ = std::make_shared<const Shape>(names);
  return out;
}

void FieldMaker::add(Batch& batch, const Message& message,
                     const amqp_basic_properties_t& properties, uint32_t end_offset) {
  if (!adopted_) batch.adopt(shape_);
  adopted_ = true;
  auto* values = batch.arena.array<Value>(shape_->size());
  Value* next = values;
  for (Extra extra : extras_) *next++ = amqp::value_of(extra, batch, message, properties);
  batch.message_fields.push_back({shape_.get(), values, end_offset});
}

}  // namespace leat::amqp
