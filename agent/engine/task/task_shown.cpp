// What is shown of a task.
#include <algorithm>

#include "task/task.h"

namespace leat {

// What is with the deliverer came before what is in the chain, and that before what waits for it.
std::optional<Milliseconds> Task::oldest_waits_for() const {
  std::optional<int64_t> arrival_us = deliverer_->oldest_arrival_us();
  if (!arrival_us && parallel() != nullptr) arrival_us = parallel()->oldest_arrival_us();
  if (!arrival_us) arrival_us = chain_->oldest_arrival_us();
  if (!arrival_us) arrival_us = queue_.oldest_arrival_us();
  if (!arrival_us) return std::nullopt;
  return Milliseconds(std::max<int64_t>(setup_.loop.clock().unix_us() - *arrival_us, 0) / 1000);
}

std::vector<StageStatus> Task::stages() const {
  const DeliveryCounters& delivery = deliverer_->counters();
  std::vector<StageStatus> out;
  out.push_back({std::string(setup_.config.source.type->name),
                 {.out = chain_->counters().read, .failed = queue_.rejected()}});
  chain_->add_stages(out);
  out.push_back({std::string(setup_.config.sink.type->name),
                 {.in = delivery.delivered + delivery.dead,
                  .out = delivery.delivered,
                  .failed = delivery.dead}});
  return out;
}

TaskStatus Task::status() const {
  TaskStatus out;
  out.bytes_read = queue_.bytes_read();
  out.bytes_total = queue_.bytes_total();
  out.records = chain_->counters().read + queue_.rejected();
  out.delivered = deliverer_->counters().delivered;
  out.filtered = chain_->counters().filtered;
  out.made = chain_->counters().made;
  out.dropped = chain_->counters().dropped;
  out.keys_evicted = chain_->keys_evicted();
  out.dead_letters = dead_letters_;
  out.resumed = point_.spool_left.records;
  out.retries = deliverer_->counters().retries;
  out.circuit_openings = deliverer_->retry_policy().openings();
  out.back_pressure = queue_.waited();
  out.waiting = chain_->waiting() + spool_->records_waiting();
  if (parallel() != nullptr) {
    out.waiting += parallel()->records();
    out.parallel = ParallelStatus{.loops = static_cast<uint64_t>(parallel()->load().loops()),
                                  .most = static_cast<uint64_t>(parallel()->load().most()),
                                  .breaches = parallel()->load().breaches()};
  }
  out.spooled = spool_->counters().spooled;
  out.spool_dropped = spool_->counters().dropped_oldest + spool_->counters().dropped_newest;
  out.spool_lost = spool_->lost();
  out.trouble = trouble();
  out.spool_bytes = spool_->bytes();
  out.without_credit = queue_.without_credit();
  out.opened = stages_.opened();
  out.spooling = spool_->in_use();
  out.circuit_open = deliverer_->retry_policy().circuit_open();
  out.next_attempt_in = resume_ ? resume_->next_attempt_in() : deliverer_->next_attempt_in();
  out.since_read = queue_.since_read();
  out.oldest_waits_for = oldest_waits_for();
  out.spool_full_in = spool_->full_in();
  out.latencies = deliverer_->counters().latencies;
  out.stages = stages();
  return out;
}

}  // namespace leat
