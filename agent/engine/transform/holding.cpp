#include "transform/holding.h"

#include <algorithm>

namespace leat {

Status Holding::run(BatchRef& batch, DeadLetters& dead) {
  batch_ = &*batch;
  enough_ = batch->made + std::min(batch->quantum, SIZE_MAX - batch->made);
  out_.clear();
  begin();
  for (size_t i = 0; i < batch->records.size(); ++i) {
    step_to(*batch, i);
    end_offset_ = batch->records[i].end_offset;
    end_line_ = batch->records[i].end_line;
    take(i, dead);
    if ((dead.full() || !may_give()) && batch->may_cut(i + 1)) batch->leave_records(i + 1);
  }
  end_offset_ = static_cast<uint32_t>(batch->end.offset - batch->begin.offset);
  end_line_ = static_cast<uint32_t>(batch->end.line - batch->begin.line);
  give_due();
  batch->records.swap(out_);
  keys_.trim(*batch);
  return {};
}

void Holding::give(std::string_view held) {
  Record record = records_.take(held, *batch_);
  record.end_offset = end_offset_;
  record.end_line = end_line_;
  out_.push_back(record);
}

}  // namespace leat
