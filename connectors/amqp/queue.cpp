#include "connectors/amqp/queue.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/text.h"
#include "base/time_format.h"
#include "options/option_errors.h"
#include "protocols/amqp/codec.h"
#include "protocols/amqp/session.h"

namespace leat::amqp {
namespace {

bool is_number(std::string_view text) {
  return !text.empty() && text.size() < 19 &&
         std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// As RabbitMQ has an age: "7D".
bool is_age(std::string_view text) {
  return text.size() > 1 && is_number(text.substr(0, text.size() - 1)) &&
         std::string_view("YMDhms").find(text.back()) != std::string_view::npos;
}

}  // namespace

Result<Queue> Queue::from(const Options& options) {
  Queue out;
  OptionErrors errors;
  out.name_ = options.string("queue");
  if (out.name_.empty() || out.name_.size() > kLongestShortText)
    errors.add(options, "queue", "must be of 1 to 255 bytes");
  const Options& declare = options.object("declare");
  out.declares_ = options.has("declare");
  if (out.declares_) {
    const std::string& type = declare.string("type");
    out.stream_ = type == "stream";
    out.durable_ = declare.boolean("durable");
    out.exclusive_ = declare.boolean("exclusive");
    out.auto_delete_ = declare.boolean("autoDelete");
    if (type != "classic" && (!out.durable_ || out.exclusive_ || out.auto_delete_))
      errors.add(options, "declare",
                 "a " + type + " queue is durable, and neither exclusive nor deleted by itself");
    out.arguments_ = Arguments(declare.map("arguments"));
    if (out.arguments_.has("x-queue-type"))
      errors.add(options, "declare.arguments", "the type of the queue is \"type\"");
    out.arguments_.add("x-queue-type", type);
  }
  const std::vector<Options>& bindings = options.objects("bindings");
  for (const Options& one : bindings) {
    for (std::string_view name : {"exchange", "routingKey"})
      if (one.string(name).size() > kLongestShortText)
        errors.add(one, name, "longer than 255 bytes");
    if (one.string("exchange").empty())
      errors.add(one, "exchange", "the default exchange has every queue bound by its name already");
    out.bindings_.push_back(
        {one.string("exchange"), one.string("routingKey"), Arguments(one.map("arguments"))});
  }
  out.exclusive_consumer_ = options.boolean("exclusive");
  if (options.has("priority")) out.priority_ = options.integer("priority");
  if (options.has("offset")) {
    const std::string& offset = options.string("offset");
    out.offset_ = offset;
    const std::optional<int64_t> time = TimeFormat::parse("rfc3339")->read(offset);
    if (time) out.offset_time_ = std::max<int64_t>(*time / 1'000'000, 0);
    if (!out.stream_)
      errors.add(options, "offset", "is of a stream: \"declare\": {\"type\": \"stream\"}");
    else if (offset != "first" && offset != "last" && offset != "next" && !is_number(offset) &&
             !is_age(offset) && !time)
      errors.add(
          options, "offset",
          "must be \"first\", \"last\", \"next\", an offset, a time or an age such as \"7D\"");
  }
  if (out.stream_ && (out.exclusive_consumer_ || out.priority_))
    errors.add(options, out.priority_ ? "priority" : "exclusive", "a stream has no such consumers");
  if (Status status = errors.status(); !status) return fail(status.error());
  return out;
}

bool Queue::append_declare(std::string& out, bool passive) const {
  const amqp_queue_declare_t declare{
      .ticket = 0,
      .queue = bytes_of(name_),
      .passive = passive,
      .durable = durable_,
      .exclusive = exclusive_,
      .auto_delete = auto_delete_,
      .nowait = 0,
      .arguments = passive ? amqp_table_t{0, nullptr} : arguments_.table()};
  return append_method(out, kChannel, AMQP_QUEUE_DECLARE_METHOD, &declare);
}

bool Queue::append_question(std::string& out) const {
  return append_declare(out, true);
}

std::optional<int64_t> Queue::since(int64_t now) const {
  if (!stream_) return std::nullopt;
  if (offset_.empty() || offset_ == "next") return now;
  if (!is_age(offset_)) return std::nullopt;
  // As RabbitMQ has them.
  constexpr std::pair<char, int64_t> kSeconds[] = {
      {'Y', 365 * 86'400}, {'M', 30 * 86'400}, {'D', 86'400}, {'h', 3'600}, {'m', 60}, {'s', 1}};
  int64_t count = 0;
  std::from_chars(offset_.data(), offset_.data() + offset_.size() - 1, count);
  for (const auto& [unit, seconds] : kSeconds)
    if (offset_.back() == unit)
      return std::max<int64_t>(0, now - std::min(count, now / seconds) * seconds);
  return std::nullopt;
}

bool Queue::append_consume(std::string& out, const From& from) const {
  std::vector<amqp_table_entry_t> arguments;
  const auto add = [&arguments](const char* name, uint8_t kind) -> amqp_field_value_t& {
    arguments.push_back({amqp_cstring_bytes(name), {}});
    arguments.back().value.kind = kind;
    return arguments.back().value;
  };
  if (priority_) add("x-priority", AMQP_FIELD_KIND_I64).value.i64 = *priority_;
  const std::optional<int64_t>& time = from.since ? from.since : offset_time_;
  if (from.offset) {
    add("x-stream-offset", AMQP_FIELD_KIND_I64).value.i64 = static_cast<int64_t>(*from.offset);
  } else if (time) {
    add("x-stream-offset", AMQP_FIELD_KIND_TIMESTAMP).value.u64 = static_cast<uint64_t>(*time);
  } else if (is_number(offset_)) {
    std::from_chars(offset_.data(), offset_.data() + offset_.size(),
                    add("x-stream-offset", AMQP_FIELD_KIND_I64).value.i64);
  } else if (!offset_.empty()) {
    add("x-stream-offset", AMQP_FIELD_KIND_UTF8).value.bytes = bytes_of(offset_);
  }
  const amqp_basic_consume_t consume{
      .ticket = 0,
      .queue = bytes_of(name_),
      .consumer_tag = {},
      .no_local = 0,
      .no_ack = 0,
      .exclusive = exclusive_consumer_,
      .nowait = 0,
      .arguments = {static_cast<int>(arguments.size()), arguments.data()}};
  return append_method(out, kChannel, AMQP_BASIC_CONSUME_METHOD, &consume);
}

bool Queue::append_all(std::string& out, uint16_t prefetch, const From& from) const {
  if (!append_declare(out, !declares_)) return false;
  for (const Binding& binding : bindings_) {
    const amqp_queue_bind_t bind{.ticket = 0,
                                 .queue = bytes_of(name_),
                                 .exchange = bytes_of(binding.exchange),
                                 .routing_key = bytes_of(binding.routing_key),
                                 .nowait = 0,
                                 .arguments = binding.arguments.table()};
    if (!append_method(out, kChannel, AMQP_QUEUE_BIND_METHOD, &bind)) return false;
  }
  const amqp_basic_qos_t qos{.prefetch_size = 0, .prefetch_count = prefetch, .global = 0};
  return append_method(out, kChannel, AMQP_BASIC_QOS_METHOD, &qos) && append_consume(out, from);
}

std::string Queue::step(size_t answered) const {
  const std::string queue = "queue " + json_quoted(name_);
  if (answered == 0) return declares_ ? "declaring the " + queue : "asking for the " + queue;
  if (answered <= bindings_.size())
    return "binding the " + queue + " to " + json_quoted(bindings_[answered - 1].exchange);
  return answered == answers() - 1 ? "consuming the " + queue : "setting the prefetch count";
}

}  // namespace leat::amqp
