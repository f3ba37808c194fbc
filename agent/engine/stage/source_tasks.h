// What a source has to read where that is several things (a hundred tables), each with an end of
// its own: the tasks of a job, as `leat tasks` shows them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace leat {

struct SourceTask {
  enum class State : uint8_t { kWaiting, kRunning, kDone, kFailed };
  static constexpr size_t kStates = 4;

  std::string name;
  State state = State::kWaiting;
  // Of this run.
  uint64_t records = 0;
  uint64_t bytes = 0;
  uint64_t expected = 0;    // records, as the database estimates them; 0: nobody knows
  std::string reason = {};  // why it failed
  // When this run has begun with it, and was through with it: unix time. 0: not yet.
  int64_t started_us = 0;
  int64_t ended_us = 0;
};

struct SourceTasks {
  static constexpr size_t kMostShown = 1000;

  std::vector<SourceTask> shown;  // when there are more: those that failed or run come first
  std::array<uint64_t, SourceTask::kStates> counts{};  // of all, by their state

  // Records of all of them together, as far as one can know before; 0: one cannot.
  uint64_t expected = 0;

  uint64_t count(SourceTask::State state) const { return counts[static_cast<size_t>(state)]; }
  bool none() const { return shown.empty(); }
};

}  // namespace leat
