#include "task/message_fields.h"

#include <algorithm>
#include <cstdlib>
#include <string_view>

namespace leat {
namespace {

// Streams have a handful of shapes, or many small ones; one that has a new shape per record gains
// nothing from a cache.
constexpr size_t kShare = 16;  // of what the pipeline may hold
constexpr size_t kAlways = 16 * 1024;

ShapeRef owner(const Batch& batch, const Shape* shape) {
  for (const ShapeRef& ref : batch.shapes())
    if (ref.get() == shape) return ref;
  std::abort();  // a shape that nobody keeps alive: a bug in the stage that made it
}

}  // namespace

MessageFieldAdder::Join& MessageFieldAdder::join(Batch& batch, const Shape* payload,
                                                 const Shape* message) {
  auto [found, is_new] = joins_.try_emplace({payload, message});
  Join& join = found->second;
  if (is_new) {
    join.payload = owner(batch, payload);
    join.message = owner(batch, message);
    std::vector<std::string_view> names;
    for (size_t i = 0; i < payload->size(); ++i) names.push_back(payload->name(i));
    for (size_t i = 0; i < message->size(); ++i) {
      int known = payload->find(message->name(i));
      join.target.push_back(known >= 0 ? static_cast<uint32_t>(known)
                                       : static_cast<uint32_t>(names.size()));
      if (known < 0) names.push_back(message->name(i));
    }
    join.joined = std::make_shared<const Shape>(names);
    held_ += payload->footprint() + message->footprint() + join.joined->footprint() + sizeof(Join) +
             sizeof(uint32_t) * join.target.capacity();
  }
  if (join.adopted_in != batch_number_) {
    batch.adopt(join.joined);
    join.adopted_in = batch_number_;
  }
  return join;
}

void MessageFieldAdder::run(Batch& batch) {
  if (held_ > std::max(batch.pool().budget().limit() / kShare, kAlways)) {
    joins_.clear();
    held_ = 0;
  }
  ++batch_number_;
  auto message = batch.message_fields.begin();
  Join* last = nullptr;
  for (Record& record : batch.records) {
    while (message != batch.message_fields.end() && message->end_offset < record.end_offset)
      ++message;
    if (message == batch.message_fields.end()) break;
    if (message->end_offset != record.end_offset) continue;
    if (last == nullptr || last->payload.get() != record.shape ||
        last->message.get() != message->shape)
      last = &join(batch, record.shape, message->shape);
    auto* values = batch.arena.array<Value>(last->joined->size());
    std::fill(std::copy_n(record.values, record.shape->size(), values),
              values + last->joined->size(), Value::absent());
    for (size_t i = 0; i < last->target.size(); ++i) values[last->target[i]] = message->values[i];
    record.values = values;
    record.shape = last->joined.get();
  }
}

}  // namespace leat
