#include "task/task_status.h"

namespace leat {

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
  retries += other.retries;
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
  return *this;
}

}  // namespace leat
