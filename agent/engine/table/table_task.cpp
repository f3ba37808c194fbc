#include "table/table_task.h"

#include <algorithm>
#include <utility>

namespace leat::table {
namespace {

// What several batches at once may aim at, in bytes: with less, what each costs would show.
constexpr size_t kLeastBatch = 64 * 1024;

}  // namespace

TableTask::TableTask(TableTaskOwner& owner, size_t number, std::string table, Part part,
                     uint64_t expected)
    : owner_(owner),
      number_(static_cast<uint32_t>(number)),
      table_(std::move(table)),
      part_(std::move(part)) {
  status_.name = part_.label(table_.empty() ? "query" : table_);
  status_.expected = expected;
}

Status TableTask::begin(std::unique_ptr<TableSource> source, const Place& place) {
  source_ = std::move(source);
  leave_for(*place.context);
  place_ = place;
  stopped_ = false;
  before_ = emitted_;
  bytes_ = 0;
  status_.state = SourceTask::State::kRunning;
  if (status_.started_us == 0) status_.started_us = loop().clock().unix_us();
  status_.ended_us = 0;
  status_.reason.clear();
  return source_->open(*this);
}

// What the lane where it was has not saved yet must not be saved behind what comes from there.
void TableTask::leave_for(SourceContext& other) {
  if (place_.context == nullptr || place_.context == &other || other.exactly_once()) return;
  if (!stands_at_.empty()) note(stands_at_, Survives::kKill, [](const Status&) {});
}

void TableTask::end(const Status& status) {
  status_.state = status ? SourceTask::State::kDone : SourceTask::State::kFailed;
  if (place_.context != nullptr) status_.ended_us = loop().clock().unix_us();
  if (status) return;
  ++failures_;
  status_.reason = status.error().message();
  kind_ = status.error().kind();
}

void TableTask::wait_until(Milliseconds due) {
  status_.state = SourceTask::State::kWaiting;
  due_ = due;
}

void TableTask::stopped() {
  stopped_ = true;
  let_go();
}

void TableTask::let_go() {
  if (!stopped_ || acked_ != emitted_ || source_ == nullptr) return;
  SavedPosition at = source_->saved_position({.offset = emitted_ - before_});
  if (!at.partition.empty()) stands_at_ = {std::move(at)};
  source_.reset();
}

// What one source calls its first row may be a later one of the task.
Position TableTask::of_source(Position position) const {
  position.offset -= before_;
  position.line -= before_;
  return position;
}

void TableTask::acked(const Position& position) {
  if (source_ == nullptr) return;
  source_->acked(of_source(position));
  acked_ = position.offset;
  let_go();
}

SavedPosition TableTask::saved_position(const Position& position) {
  return source_ == nullptr ? SavedPosition{} : source_->saved_position(of_source(position));
}

std::string TableTask::describe(const Position& position) {
  return source_ == nullptr ? "table " + status_.name : source_->describe(of_source(position));
}

size_t TableTask::batch_bytes() const {
  const size_t alone = place_.context->batch_bytes();
  if (place_.readers == 1) return alone;
  return std::max(alone / place_.readers, std::min(alone / 2, kLeastBatch));
}

const std::vector<SavedPosition>& TableTask::saved() {
  return stands_at_.empty() ? all().saved() : stands_at_;
}

const std::vector<SavedPosition>& TableTask::noted() {
  static const std::vector<SavedPosition> kNone;
  return stands_at_.empty() ? all().noted() : kNone;
}

void TableTask::emit(BatchRef batch) {
  for (Position* at : {&batch->begin, &batch->end}) {
    at->partition = number_;
    at->offset += before_;
    at->line += before_;
  }
  status_.records += batch->end.offset - emitted_;
  emitted_ = batch->end.offset;
  owner_.gave();
  all().emit(std::move(batch));
}

void TableTask::progress(uint64_t bytes_done, std::optional<uint64_t> /*bytes_total*/) {
  const uint64_t more = bytes_done - std::exchange(bytes_, bytes_done);
  status_.bytes += more;
  owner_.has_read(more);
}

}  // namespace leat::table
