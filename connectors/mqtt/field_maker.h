// Makes fields of what a message brings beside its payload (Batch::message_fields), as the options
// `topicFields` and `fields` say.
//
// Thread: the loop's thread.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "options/options.h"
#include "protocols/mqtt/packets.h"
#include "protocols/mqtt/topic.h"
#include "record/batch.h"

namespace leat::mqtt {

// As a JSON object. They may have a name twice [MQTT5 §3.3.2.3.7]; an object may not, so the last
// counts. `properties`: Properties::text.
std::string user_properties(std::string_view properties);

class FieldMaker {
 public:
  // Errors are kUsage and begin with the option's path.
  static Result<FieldMaker> from(const Options& options);

  // What a message brings, in the order of kFieldChoices.
  enum class Extra { kTopic, kQos, kRetained, kRetain, kSubscriptions, kUserProperties };

  // True when messages can have fields.
  bool any() const { return !patterns_.empty() || !extras_.empty(); }
  bool wants(Extra extra) const;
  // Adds the fields of a message whose slice ends at `end_offset`; `filters`: of the subscriptions
  // that it came for, as far as the broker says. A topic that is like none of the patterns brings
  // no levels.
  void add(Batch& batch, const Publish& publish, Version version,
           std::span<const std::string_view> filters, uint32_t end_offset);
  // A new batch has adopted nothing yet.
  void begin_batch() { adopted_.assign(adopted_.size(), false); }

 private:
  struct Message {
    const Publish& publish;
    Version version;
    std::span<const std::string_view> filters;
    std::string_view topic;  // in the batch
  };
  Value value_of(Extra extra, Batch& batch, const Message& message);

  std::vector<TopicPattern> patterns_;
  std::vector<Extra> extras_;
  std::vector<ShapeRef> shapes_;  // one for each pattern, and one for topics like none of them
  std::vector<bool> adopted_;     // by the batch at hand
  std::vector<std::string_view> levels_;
};

}  // namespace leat::mqtt
