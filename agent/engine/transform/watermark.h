// How far event time has come: the highest of each partition of the source, less `lateness`. Of
// several partitions the one that is furthest behind counts, unless it is silent; when none gives
// anything any more, time goes on with the clock.
//
// One record whose clock is wrong would put it forward for all that come behind. So what is farther
// ahead of the machine's clock than `maxAhead` does not count, as the brokers of Kafka
// (log.message.timestamp.after.max.ms) and Azure Stream Analytics (early arrival) have it; and when
// that clock was put back by so much, time begins anew.
//
// Thread: the pipeline's loop thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/units.h"
#include "record/batch.h"
#include "record/shape_cache.h"
#include "state/bytes.h"

namespace leat {

// Of spans of this length that begin at multiples of it since 1970, the start of the one with it.
inline int64_t start_of_span(int64_t time_us, int64_t span_us) {
  const int64_t rest = time_us % span_us;
  return time_us - rest - (rest < 0 ? span_us : 0);
}

class Watermark {
 public:
  // `idle`: how long a partition may be silent before it holds nobody back.
  Watermark(Milliseconds lateness, Milliseconds idle, Milliseconds max_ahead)
      : lateness_us_(lateness.count() * 1000),
        idle_(idle),
        max_ahead_us_(max_ahead.count() * 1000) {}
  // The machine's, which outlives this. Without it nothing is too far ahead.
  void use(const Clock& clock) { clock_ = &clock; }

  // What ends here, or before, is closed.
  int64_t time_us() const { return time_us_; }

  // A batch with records, which all are of one partition; then seen() for each of them that is not
  // is_ahead(). False: the clock was put back, and time has begun anew.
  bool begin(const Batch& batch, Milliseconds now);
  bool is_ahead(int64_t time_us) const { return time_us > limit_us_; }
  static constexpr std::string_view kAhead =
      "its time is farther ahead of the machine's clock than maxAhead";
  void seen(int64_t time_us) {
    if (time_us <= reading_->highest_us) return;
    reading_->highest_us = time_us;
    highest_us_ = std::max(highest_us_, time_us);
    advance(std::min(time_us, others_us_));
  }
  void end_partition(const Batch& batch);
  // When nothing comes any more, time goes on as the clock does.
  void advance_in_silence(Milliseconds now);
  // On the clock, when this time is reached if nothing comes any more.
  Milliseconds reaches(int64_t time_us) const;

  // All there is closes.
  void end_of_input() { time_us_ = INT64_MAX; }
  bool is_at_end() const { return time_us_ == INT64_MAX; }
  void begin_anew();

  void save(std::string& out) const;
  void load(ByteReader& saved, Milliseconds now);
  size_t held() const { return heap_bytes_of(partitions_); }

 private:
  static constexpr int64_t kNever = INT64_MIN;
  // More would be files that are read no more.
  static constexpr size_t kMostPartitions = 1000;

  struct Partition {
    std::string name;  // of its saved position, which lasts; "" where it has none
    uint32_t number = 0;
    bool known = true;  // by its number, in this run
    int64_t highest_us = kNever;
    Milliseconds last{0};  // that anything came
    size_t heap_bytes() const { return name.capacity(); }
  };

  int64_t limit() const;
  Partition& partition_of(const Batch& batch);
  void advance(int64_t time_us) {
    if (time_us > INT64_MIN + lateness_us_) time_us_ = std::max(time_us_, time_us - lateness_us_);
  }

  const int64_t lateness_us_;
  const Milliseconds idle_;
  const int64_t max_ahead_us_;
  const Clock* clock_ = nullptr;
  int64_t limit_us_ = INT64_MAX;
  int64_t time_us_ = kNever;
  int64_t highest_us_ = kNever;
  Milliseconds last_{0};  // that anything came
  std::vector<Partition> partitions_;
  Partition* reading_ = nullptr;  // during a batch
  int64_t others_us_ = INT64_MAX;
};

}  // namespace leat
