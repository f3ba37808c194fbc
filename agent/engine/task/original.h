// What the source had given for a record that is a dead letter now, as far as its batch still has
// it: not behind an encoder, a query, or the spool.
//
// Thread: the pipeline's loop thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "record/batch.h"

namespace leat {

// Of record `index`, with the end of its line. Nothing where several records came of it: to have it
// again would repeat the others.
std::optional<std::string_view> payload_of(const Batch& batch, size_t index);

// Of the message whose slice ends there; null: it has no fields.
const MessageFields* message_at(const Batch& batch, uint32_t end_offset);

}  // namespace leat
