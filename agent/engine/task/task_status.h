// What a task tells about itself.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace leat {

struct TaskStatus {
  uint64_t bytes_read = 0;
  std::optional<uint64_t> bytes_total;
  uint64_t records = 0;  // read
  uint64_t delivered = 0;
  uint64_t filtered = 0;  // removed by transforms on purpose
  uint64_t dropped = 0;   // failed in a transform with onError = drop
  uint64_t retries = 0;
  uint64_t waiting = 0;         // read, not delivered yet
  uint64_t spooled = 0;         // of those read, went through the journal
  uint64_t spool_dropped = 0;   // of those spooled, for want of room
  uint64_t spool_bytes = 0;     // in the journal now, as stored
  uint64_t without_credit = 0;  // batches that the source gave without having been asked
  std::string trouble;          // why the sink takes nothing now; "" when all is well

  // Of several tasks together; the trouble is that of the first that has any.
  TaskStatus& operator+=(const TaskStatus& other);
};

}  // namespace leat
