#include "task/line_counter.h"

#include <algorithm>

namespace leat {

void LineCounter::begin(Batch& batch) {
  begin_ = lines_.try_emplace(batch.begin.partition, batch.begin.line).first->second;
  batch.begin.line = batch.end.line = begin_;
}

void LineCounter::end(const Position& end) {
  if (end.last) {
    lines_.erase(end.partition);
  } else {
    lines_[end.partition] = end.line;
  }
}

std::vector<uint64_t> LineCounter::end(const Position& end, const std::vector<Rejected>& rejected) {
  std::vector<uint64_t> behind;
  uint64_t line = end.line;
  for (const Rejected& piece : rejected) {
    behind.push_back(piece.end_line > 0 ? begin_ + piece.end_line : line + 1);
    line = std::max(line, behind.back());
  }
  Position after = end;
  after.line = line;
  this->end(after);
  return behind;
}

}  // namespace leat
