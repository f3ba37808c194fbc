// What a task tells about itself.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/units.h"
#include "delivery/latencies.h"
#include "task/stage_status.h"

namespace leat {

// Further loops that transforms run on (`parallel`).
struct ParallelStatus {
  uint64_t loops = 0;     // now
  uint64_t most = 0;      // at any time
  uint64_t breaches = 0;  // of the threshold
};

// Of this run. Records, at every moment:
//
//   read + resumed + made = delivered + filtered + dead letters + dropped + spool_dropped
//                           + spool_lost + waiting
struct TaskStatus {
  uint64_t bytes_read = 0;
  std::optional<uint64_t> bytes_total;
  uint64_t records = 0;  // read: before any transform, and those that could not be decoded, too
  uint64_t resumed = 0;  // found in the spool at the start, from an earlier run
  uint64_t made = 0;     // by transforms that gave more than they were given
  uint64_t delivered = 0;
  uint64_t filtered = 0;      // removed by transforms on purpose
  uint64_t dead_letters = 0;  // kept as that
  uint64_t dropped = 0;       // failed in a transform with onError = drop
  uint64_t waiting = 0;       // in memory or in the journal
  uint64_t keys_evicted = 0;  // by transforms that remember, for want of room
  uint64_t retries = 0;
  uint64_t circuit_openings = 0;
  // The source waited for its sink, memory or limits; of several tasks together.
  Milliseconds back_pressure{0};
  uint64_t spooled = 0;         // of those read, went through the journal
  uint64_t spool_dropped = 0;   // of those spooled, for want of room
  uint64_t spool_lost = 0;      // of those spooled or resumed, with damaged parts of the journal
  uint64_t spool_bytes = 0;     // in the journal now, as stored
  uint64_t without_credit = 0;  // batches that the source gave without having been asked
  std::string trouble;          // why the sink takes nothing now; "" when all is well
  bool opened = false;          // source and sink: it runs, or did
  bool spooling = false;        // what comes goes to the journal, since the sink is in trouble
  bool circuit_open = false;
  std::optional<Milliseconds> next_attempt_in;   // until the sink is tried again
  std::optional<Milliseconds> since_read;        // a batch came from the source
  std::optional<Milliseconds> oldest_waits_for;  // of what is in memory, from its arrival
  std::optional<Milliseconds> spool_full_in;     // if it goes on as in the last minute
  Latencies latencies;                           // of `delivered`
  std::optional<ParallelStatus> parallel;        // where it is configured
  std::vector<StageStatus> stages;               // source, the steps of the chain, sink

  // Of several tasks together; the trouble is that of the first that has any, what is true of one
  // is true of all, and of times the most pressing one counts.
  TaskStatus& operator+=(const TaskStatus& other);
};

}  // namespace leat
