// The state of everything at one moment, as data: what is shown anywhere (progress, the log, the
// service manager) is made of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/units.h"
#include "cache/caches.h"
#include "control/leases.h"
#include "control/network_budget.h"
#include "pipeline/pipeline.h"

namespace leat {

enum class PipelineState {
  kStarting,  // not reading yet: it waits for the journal, the sink, or the end of its older run
  kRunning,
  kSpooling,     // the sink keeps up no more, and what comes goes to the journal
  kRetrying,     // the sink takes nothing now
  kCircuitOpen,  // nor for a while; of one with a schedule, that its runs fail
  kHeld,         // the sink is given nothing: agent.limits.budget is used up
  kDraining,     // it is told to end
  kFailed,       // it may be started again by itself after a while
  kRegistered,   // it is there, and is to be mounted before it runs
  kMounted,      // it runs only when it is asked for, with parameters
  kUnmounted,    // it was, and was told not to be any more
  kPaused,
  kStopped,    // by its name
  kScheduled,  // until it is time
  kStandby,    // another agent of the group runs it, or none may
  kEnded,      // it has done its work
};

// "circuit open"
std::string_view name_of(PipelineState state);

struct PipelineSnapshot {
  std::string name;
  PipelineState state = PipelineState::kStarting;
  // kRetrying, kCircuitOpen, kStarting: what the sink says; kFailed: why. "" when there is nothing
  // to say.
  std::string reason = {};
  // Why it runs with an older configuration than the one it has; "" when it does not.
  std::string refused = {};
  bool runs = false;     // it, or an older run of it, has not ended yet
  bool wanted = true;    // else it drains since it is not configured any more
  bool own = false;      // the agent's (agent.notify)
  bool bounded = false;  // it ends by itself
  size_t loop = 0;
  uint64_t run = 0;  // its number among those of the pipeline (control/run_history.h); 0: none
  Milliseconds running_for{0};
  // Until the sink is tried again, or, when it does not run, the pipeline started.
  std::optional<Milliseconds> next_attempt_in = {};
  PipelineStatus counters = {};  // of the run that is, or was last
  TaskStatus totals = {};  // of all its runs since the agent was started; only what is counted
  int64_t max_spool_bytes = 0;
  bool exclusive = false;                     // it runs on one agent of the group
  bool unknown = false;                       // kStandby: whether any agent runs it
  std::vector<SharedTask> shared_tasks = {};  // of a job of the group
  std::string schedule = {};                  // ScheduleConfig::text; "" when it has none
  int64_t next_run_us = 0;                    // unix; 0: none is planned, or one goes on
  uint64_t failed_runs = 0;                   // in a row
};

// Which configuration runs (control/config_versions.h).
struct ConfigStatus {
  uint64_t version = 0;  // 0: not known
  std::string origin = {};
  std::string author = {};
  bool probation = false;    // it may be taken back
  std::string trouble = {};  // it runs in the place of a file that cannot be used
};

// The control topic (agent.control), since the start of the agent.
struct ControlStatus {
  struct Ended {
    std::string command = {};  // "other": none of the table
    std::string_view state = {};
    uint64_t count = 0;
  };
  struct Refused {
    std::string_view reason = {};
    uint64_t count = 0;
  };
  bool connected = false;
  std::string seal_to = {};           // the agent's public key (PEM); "" while it is not known
  std::vector<Ended> ended = {};      // commands that were carried out, by what became of them
  std::vector<Refused> refused = {};  // by each reason that there is, be it 0
};

struct Snapshot {
  std::string id;
  std::string version = {};
  std::string config_file = {};
  int64_t config_loaded_us = 0;  // unix; 0: not yet
  ConfigStatus config = {};
  std::optional<ControlStatus> control = {};  // with agent.control
  std::optional<BudgetStatus> budget = {};    // with agent.limits.budget
  std::optional<ClusterStatus> cluster = {};  // with agent.cluster
  Milliseconds uptime{0};
  int64_t now_us = 0;  // unix
  bool stopping = false;
  size_t loops = 1;
  uint64_t journal_written_bytes = 0;            // since the start
  int64_t flash_endurance = 0;                   // bytes; 0: not configured
  std::vector<PipelineSnapshot> pipelines = {};  // by name
  std::vector<CacheStatus> caches = {};          // by name

  size_t running() const;  // pipelines that have not ended yet, but for the agent's own
  // How long the flash lasts at the rate since the start; nothing when it is not known, or too
  // early to tell.
  std::optional<Milliseconds> flash_life() const;
};

// As sources that tell of it give it.
AgentNumbers numbers_of(const Snapshot& snapshot);

}  // namespace leat
