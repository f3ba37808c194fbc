// How long records took from their arrival to the sink's acknowledgement: a histogram with fixed
// bounds, so that those of several runs, tasks and agents can be added.
//
// Thread: any; of one at a time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace leat {

struct Latencies {
  static constexpr std::array<int64_t, 10> kBoundsMs = {10,    50,     100,    500,     1'000,
                                                        5'000, 10'000, 60'000, 600'000, 3'600'000};

  std::array<uint64_t, kBoundsMs.size() + 1> counts = {};  // up to each bound, and beyond
  double sum_seconds = 0;

  // A clock that was set back meanwhile makes it 0.
  void add(uint64_t records, int64_t took_us) {
    if (took_us < 0) took_us = 0;
    size_t bucket = 0;
    while (bucket < kBoundsMs.size() && took_us > kBoundsMs[bucket] * 1000) ++bucket;
    counts[bucket] += records;
    sum_seconds += static_cast<double>(took_us) / 1e6 * static_cast<double>(records);
  }
  Latencies& operator+=(const Latencies& other) {
    for (size_t i = 0; i < counts.size(); ++i) counts[i] += other.counts[i];
    sum_seconds += other.sum_seconds;
    return *this;
  }
};

}  // namespace leat
