#include "task/task_status.h"

#include <algorithm>

namespace leat {
namespace {

using Time = std::optional<Milliseconds>;

void take_smaller(Time& time, const Time& other) {
  if (other && (!time || *other < *time)) time = other;
}

}  // namespace

TaskStatus& TaskStatus::operator+=(const TaskStatus& other) {
  bytes_read += other.bytes_read;
  if (other.bytes_total) bytes_total = bytes_total.value_or(0) + *other.bytes_total;
  records += other.records;
  resumed += other.resumed;
  made += other.made;
  delivered += other.delivered;
  filtered += other.filtered;
  dead_letters += other.dead_letters;
  dropped += other.dropped;
  keys_evicted += other.keys_evicted;
  retries += other.retries;
  circuit_openings += other.circuit_openings;
  back_pressure += other.back_pressure;
  waiting += other.waiting;
  spooled += other.spooled;
  spool_dropped += other.spool_dropped;
  spool_lost += other.spool_lost;
  spool_bytes += other.spool_bytes;
  without_credit += other.without_credit;
  if (trouble.empty()) trouble = other.trouble;
  opened |= other.opened;
  spooling |= other.spooling;
  circuit_open |= other.circuit_open;
  take_smaller(next_attempt_in, other.next_attempt_in);
  take_smaller(since_read, other.since_read);
  take_smaller(spool_full_in, other.spool_full_in);
  if (other.oldest_waits_for > oldest_waits_for) oldest_waits_for = other.oldest_waits_for;
  latencies += other.latencies;
  if (other.parallel) {
    if (!parallel) parallel.emplace();
    parallel->loops += other.parallel->loops;
    parallel->most += other.parallel->most;
    parallel->breaches += other.parallel->breaches;
  }
  if (stages.empty()) {
    stages = other.stages;
    return *this;
  }
  // All tasks of a pipeline have the same chain.
  for (size_t i = 0; i < std::min(stages.size(), other.stages.size()); ++i) {
    stages[i].counters += other.stages[i].counters;
    stages[i].held += other.stages[i].held;
  }
  return *this;
}

}  // namespace leat
