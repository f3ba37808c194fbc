#include "task/source_queue.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace leat {
namespace {

size_t source_bytes_of(const Batch& batch) {
  return static_cast<size_t>(batch.end.offset - batch.begin.offset);
}

}  // namespace

SourceQueue::SourceQueue(Loop& loop, RateLimit& limit, std::function<void()> go_on)
    : loop_(loop), limit_(limit), go_on_(std::move(go_on)), hold_back_(loop) {}

BatchRef SourceQueue::grant(size_t reader, BlockPool& pool, Content content) {
  BatchRef batch = BatchRef::make(pool, content);
  if (reader >= granted_.size()) granted_.resize(reader + 1);
  // Where one was that somebody has thrown away another may be now.
  std::ranges::replace(granted_, &*batch, nullptr);
  granted_[reader] = &*batch;
  return batch;
}

bool SourceQueue::add(BatchRef batch) {
  const auto of_reader = std::ranges::find(granted_, &*batch);
  const bool granted = of_reader != granted_.end();
  if (granted) *of_reader = nullptr;
  last_read_ = loop_.now();
  batches_.push_back(std::move(batch));
  return granted || without_credit_++ > 0;
}

void SourceQueue::progress(uint64_t bytes_done, std::optional<uint64_t> bytes_total) {
  bytes_read_ = bytes_done;
  bytes_total_ = bytes_total;
}

size_t SourceQueue::bytes_next() const {
  return batches_.empty() ? 0 : source_bytes_of(*batches_.front());
}

BatchRef SourceQueue::take(uint64_t records) {
  BatchRef batch = std::move(batches_.front());
  batches_.pop_front();
  if (batch->preamble) return batch;
  lines_.begin(*batch);
  taken_ = {.rejected = batch->rejected.empty() ? BatchRef() : batch,
            .source_bytes = source_bytes_of(*batch),
            .records = records};
  return batch;
}

void SourceQueue::other_taken(const Batch& batch, uint64_t records) {
  taken_ = {.rejected = {}, .source_bytes = source_bytes_of(batch), .records = records};
}

void SourceQueue::taken_ends(const Position& end, uint64_t records, const Reject& reject) {
  Taken taken = std::exchange(taken_, {});
  if (taken.rejected) {
    const std::vector<Rejected>& rejected = taken.rejected->rejected;
    std::vector<uint64_t> behind = lines_.end(end, rejected);
    rejected_ += rejected.size();
    const uint64_t begin = taken.rejected->begin.offset;
    for (size_t i = 0; i < rejected.size(); ++i) {
      const uint64_t own = begin + rejected[i].end_offset;
      reject(rejected[i], {end.partition, own > begin ? own : end.offset, behind[i], end.last});
    }
  } else {
    lines_.end(end);
  }
  if (!limit_.any()) return;
  Milliseconds wait =
      limit_.wait_after(taken.source_bytes, records - taken.records, loop_.clock().monotonic_us());
  hold_back_.start(wait, [this] {
    hold_back_.stop();
    go_on_();
  });
}

std::optional<Milliseconds> SourceQueue::since_read() const {
  if (!last_read_) return std::nullopt;
  return loop_.now() - *last_read_;
}

std::optional<int64_t> SourceQueue::oldest_arrival_us() const {
  if (batches_.empty()) return std::nullopt;
  return batches_.front()->arrival_us;
}

}  // namespace leat
