// How the pipelines of this agent do, for a source that tells of it.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace leat {

// Records, bytes and milliseconds. Counters are of all runs since the agent was started.
inline constexpr std::array<std::string_view, 14> kPipelineNumbers = {
    "read",        "delivered",          "filtered",  "dropped", "deadLetters", "waiting",
    "spooled",     "spoolDropped",       "spoolLost", "retries", "bytesRead",   "spoolBytes",
    "memoryBytes", "oldestUndeliveredMs"};

struct PipelineNumbers {
  std::string pipeline;
  std::string state;   // as `leat status` shows it
  std::string reason;  // "" when there is nothing to say
  std::array<int64_t, kPipelineNumbers.size()> numbers = {};
};

using AgentNumbers = std::vector<PipelineNumbers>;
// Asks for them, on a pipeline's loop; `done` comes on the same one, later.
using AskAgent = std::function<void(std::function<void(const AgentNumbers&)> done)>;

}  // namespace leat
