// Makes fields of what a message brings beside its payload (Batch::message_fields), as the option
// `fields` says; and its metadata, for dead letters.
//
// Thread: the loop's thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "options/options.h"
#include "protocols/amqp/codec.h"
#include "protocols/amqp/inbox.h"
#include "protocols/amqp/incoming.h"
#include "record/batch.h"

namespace leat::amqp {

// The offset that a stream gives a message in its headers (encoded; also such as are not decoded).
std::optional<uint64_t> stream_offset(std::string_view properties);

// As a JSON object: exchange, routing key, and what it has of properties and headers.
std::string metadata_json(const Inbox::Brought& brought);

class FieldMaker {
 public:
  // Errors are kUsage and begin with the option's path.
  static Result<FieldMaker> from(const Options& options);

  // What a message brings, in the order of kFieldChoices.
  enum class Extra {
    kExchange,
    kRoutingKey,
    kRedelivered,
    kMessageId,
    kCorrelationId,
    kReplyTo,
    kType,
    kAppId,
    kUserId,
    kPriority,
    kTimestamp,
    kExpiration,
    kContentType,
    kContentEncoding,
    kHeaders,
    kOffset
  };

  // True when messages have fields.
  bool any() const { return !extras_.empty(); }
  // Adds the fields of a message whose slice ends at `end_offset`.
  void add(Batch& batch, const Message& message, const amqp_basic_properties_t& properties,
           uint32_t end_offset);
  // A new batch has adopted nothing yet.
  void begin_batch() { adopted_ = false; }

 private:
  std::vector<Extra> extras_;
  ShapeRef shape_;
  bool adopted_ = false;  // by the batch at hand
};

}  // namespace leat::amqp
