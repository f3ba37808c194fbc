// What happens to this agent and its pipelines, for a source that tells of it.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace leat {

enum class EventKind {
  kPipelineFailed,     // it has ended, and should not have; it may be started again by itself
  kPipelineRecovered,  // one that had failed runs again
  kPipelineState,      // it is in another state: "retrying", as `leat status` has it
  kCircuitOpened,
  kCircuitClosed,
  kSpoolNearlyFull,  // over 80 % of maxSpool
  kRecordsDropped,   // by overflow, by a transform's onError, or with a damaged journal
  kDeadLetters,
  kConfigChanged,  // another configuration runs
  kConfigRolledBack,
  kCommandRefused,
  kBudgetNearlyUsed,  // 80 % of limits.budget
  kBudgetUsed,
  kClockStepped,
  kDiskNearlyFull,
  kCertificateEnds,  // within 14 days
};

// "pipelineFailed": as configurations and messages have it; in the order of EventKind.
inline constexpr std::array<std::string_view, 16> kEventNames = {
    "pipelineFailed", "pipelineRecovered", "pipelineState",  "circuitOpened",
    "circuitClosed",  "spoolNearlyFull",   "recordsDropped", "deadLetters",
    "configChanged",  "configRolledBack",  "commandRefused", "budgetNearlyUsed",
    "budgetUsed",     "clockStepped",      "diskNearlyFull", "certificateEnds"};

constexpr std::string_view name_of(EventKind kind) {
  return kEventNames[static_cast<size_t>(kind)];
}

struct AgentEvent {
  EventKind kind = EventKind::kPipelineState;
  std::string pipeline = {};  // "": of the agent
  std::string text = {};      // one line, without the pipeline's name
  int64_t time_us = 0;        // unix
};

// Called on the listener's loop, in the order of the events. Null: the agent ends, and no more
// come.
using HearEvent = std::function<void(const AgentEvent* event)>;
// Asks for them, on a pipeline's loop, until its end: those since the process began that no earlier
// run of this pipeline was told of, as far as they are remembered, and then each as it happens.
using HearAgent = std::function<void(HearEvent heard)>;

}  // namespace leat
