#include "transform/watermark.h"

#include <algorithm>
#include <utility>

#include "base/clock_sync.h"

namespace leat {
namespace {

// For so long after the start of the machine its clock is what it was when it went off, unless
// somebody has put it right and says so.
constexpr int64_t kClockIsSetUs = 3'600'000'000;

}  // namespace

int64_t Watermark::limit() const {
  if (clock_ == nullptr) return INT64_MAX;
  const int64_t now_us = clock_->unix_us();
  const bool right = now_us >= kEarliestClockUs &&
                     (clock_->since_boot_us() >= kClockIsSetUs || clock_is_synchronised());
  return right ? now_us + max_ahead_us_ : INT64_MAX;
}

bool Watermark::begin(const Batch& batch, Milliseconds now) {
  limit_us_ = limit();
  const bool goes_on = !is_ahead(highest_us_);
  if (!goes_on) begin_anew();
  Partition& one = partition_of(batch);
  last_ = one.last = now;
  others_us_ = INT64_MAX;
  for (const Partition& other : partitions_)
    if (&other != &one && now - other.last < idle_)
      others_us_ = std::min(others_us_, other.highest_us);
  reading_ = &one;
  return goes_on;
}

Watermark::Partition& Watermark::partition_of(const Batch& batch) {
  const uint32_t number = batch.begin.partition;
  for (Partition& one : partitions_)
    if (one.known && one.number == number) return one;
  std::string name;
  if (batch.acknowledger != nullptr)
    name = batch.acknowledger->saved_position(batch.begin).partition;
  for (Partition& one : partitions_) {
    if (one.known || one.name != name || (name.empty() && one.number != number)) continue;
    one.known = true;
    one.number = number;
    return one;
  }
  if (partitions_.size() >= kMostPartitions) partitions_.erase(partitions_.begin());
  return partitions_.emplace_back(Partition{std::move(name), number});
}

void Watermark::end_partition(const Batch& batch) {
  std::erase_if(partitions_, [&batch](const Partition& one) {
    return one.known && one.number == batch.begin.partition;
  });
}

void Watermark::advance_in_silence(Milliseconds now) {
  if (highest_us_ == kNever || now - last_ < idle_) return;
  advance(highest_us_ + (now - last_).count() * 1000);
}

Milliseconds Watermark::reaches(int64_t time_us) const {
  if (time_us <= time_us_) return Milliseconds{0};
  if (highest_us_ == kNever) return last_ + idle_;
  return last_ + std::max(idle_, Milliseconds((time_us + lateness_us_ - highest_us_ + 999) / 1000));
}

void Watermark::begin_anew() {
  time_us_ = highest_us_ = kNever;
  partitions_.clear();
}

void Watermark::save(std::string& out) const {
  put_signed(out, time_us_);
  put_signed(out, highest_us_);
  for (const Partition& one : partitions_) {
    put_text(out, one.name);
    put_number(out, one.number);
    put_signed(out, one.highest_us);
  }
}

void Watermark::load(ByteReader& saved, Milliseconds now) {
  time_us_ = saved.signed_number();
  highest_us_ = saved.signed_number();
  partitions_.clear();
  last_ = now;
  while (!saved.rest.empty() && !saved.bad) {
    Partition one{std::string(saved.text()), static_cast<uint32_t>(saved.number()), false};
    one.highest_us = saved.signed_number();
    one.last = now;
    partitions_.push_back(std::move(one));
  }
}

}  // namespace leat
