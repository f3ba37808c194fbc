// What happens to this agent and its pipelines, for a source that tells of it.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "options/options.h"

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
  kClockStepped,
  kDiskNearlyFull,
  kCertificateEnds,  // within 14 days
  kBudget,           // 80 % or all of agent.limits.budget is used, or it is there anew
};

// "pipelineFailed": as configurations and messages have it; in the order of EventKind.
inline constexpr std::array<std::string_view, 15> kEventNames = {
    "pipelineFailed",  "pipelineRecovered", "pipelineState",  "circuitOpened",   "circuitClosed",
    "spoolNearlyFull", "recordsDropped",    "deadLetters",    "configChanged",   "configRolledBack",
    "commandRefused",  "clockStepped",      "diskNearlyFull", "certificateEnds", "budget"};

// Of the source that tells of them, and of who has it made (agent.notify).
inline constexpr Option kEventsOption{
    .name = "events",
    .type = OptionType::kStrings,
    .help = "Which events are told. Default: all but pipelineState.",
    .choices = kEventNames};
inline constexpr Option kMinIntervalOption{
    .name = "minInterval",
    .type = OptionType::kDuration,
    .fallback = "5m",
    .help =
        "An event that repeats in the same pipeline is told at most so often; those in between "
        "are counted, and told together."};

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
