// Gives each record the fields of the message it was decoded from (Batch::message_fields). A field
// that the payload has, too, gets the message's value: who names a topic level "site" means it.
//
// Thread: the pipeline's loop thread.
#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "record/batch.h"

namespace leat {

class MessageFieldAdder {
 public:
  void run(Batch& batch);
  // Bytes kept from batch to batch.
  size_t held() const { return held_; }

 private:
  // How a message's fields join those of a payload.
  struct Join {
    ShapeRef payload, message;  // keeps both addresses from coming to mean other shapes
    ShapeRef joined;
    std::vector<uint32_t> target;  // for each field of the message, its place in `joined`
    uint64_t adopted_in = 0;       // number of the batch that keeps `joined` alive
  };
  Join& join(Batch& batch, const Shape* payload, const Shape* message);

  std::map<std::pair<const Shape*, const Shape*>, Join> joins_;
  size_t held_ = 0;
  uint64_t batch_number_ = 0;
};

}  // namespace leat
