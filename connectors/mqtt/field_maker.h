// Makes fields of what a message brings beside its payload (Batch::message_fields), as the options
// `topicFields` and `fields` say.
//
// Thread: the loop's thread.
#pragma once

#include <string_view>
#include <vector>

#include "base/result.h"
#include "options/options.h"
#include "protocols/mqtt/packets.h"
#include "protocols/mqtt/topic.h"
#include "record/batch.h"

namespace leat::mqtt {

class FieldMaker {
 public:
  // Errors are kUsage and begin with the option's path.
  static Result<FieldMaker> from(const Options& options);

  // True when messages can have fields.
  bool any() const { return !patterns_.empty() || !extras_.empty(); }
  // Adds the fields of a message whose slice ends at `end_offset`. A topic that is like none of the
  // patterns brings no levels.
  void add(Batch& batch, const Publish& publish, uint32_t end_offset);
  // A new batch has adopted nothing yet.
  void begin_batch() { adopted_.assign(adopted_.size(), false); }

 private:
  enum class Extra { kTopic, kQos, kRetained, kUserProperties };

  Value value_of(Extra extra, Batch& batch, const Publish& publish, std::string_view topic);

  std::vector<TopicPattern> patterns_;
  std::vector<Extra> extras_;
  std::vector<ShapeRef> shapes_;  // one for each pattern, and one for topics like none of them
  std::vector<bool> adopted_;     // by the batch at hand
  std::vector<std::string_view> levels_;
};

}  // namespace leat::mqtt
