// What the stages of a chain tell about themselves.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace leat {

// Records of this run. Before records are made (split, decode) `in` counts what became of it.
struct StageCounters {
  uint64_t in = 0;
  uint64_t out = 0;
  uint64_t filtered = 0;  // on purpose
  uint64_t failed = 0;    // dead letters, and those dropped with onError
  // How long some of its turns took, and how many records went in there.
  uint64_t timed_us = 0;
  uint64_t timed_records = 0;

  StageCounters& operator+=(const StageCounters& other) {
    in += other.in;
    out += other.out;
    filtered += other.filtered;
    failed += other.failed;
    timed_us += other.timed_us;
    timed_records += other.timed_records;
    return *this;
  }
};

struct StageStatus {
  std::string name;  // as in the plan: "decode json", "filter"
  StageCounters counters;
  size_t held = 0;  // bytes that it keeps from batch to batch
};

}  // namespace leat
