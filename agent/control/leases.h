// The right to run something in a group of agents (agent.cluster): who has the lease of a pipeline
// runs it, and nobody else. What the supervisor needs of it; control/cluster/cluster.h is behind it
// in earnest.
//
// Thread: the main loop's, on which all callbacks come, too, never from inside a call.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/units.h"
#include "journal/journal.h"
#include "loop/loop.h"
#include "plan/pipeline_config.h"
#include "plan/shared_job.h"

namespace leat {

#ifdef LEAT_CLUSTER
inline constexpr bool kCluster = true;
#else
inline constexpr bool kCluster = false;
#endif

// Its tasks run each by itself (plan/shared_job.h).
inline bool runs_shared(const PipelineConfig& config) {
#ifdef LEAT_CLUSTER
  return is_shared(config);
#else
  (void)config;
  return false;
#endif
}

// Among the positions that the group has of a pipeline: the state of its schedule. No source has
// such a partition.
inline constexpr std::string_view kGroupSchedule = "leat:schedule";

struct ClusterStatus {
  std::string group;
  bool joined = false;                    // its lease is good now
  std::string reason = {};                // why not, or why its database is not there; ""
  std::vector<std::string> members = {};  // ids of agents of which there is a good lease
  std::vector<std::string> holds = {};    // names of pipelines that run here by a lease
};

// One of a job that is shared, as the group has it.
struct SharedTask {
  enum class State : uint8_t { kWaiting, kRunning, kReassigning, kDone, kFailed };
  std::string name;  // as it was asked for
  std::string agent = {};
  State state = State::kWaiting;
  uint64_t records = 0;  // of one that has ended, or runs on this agent
  uint64_t bytes = 0;    // of the latter
  std::string reason = {};
};

struct LeaseGrant {
  std::string pipeline;
  uint64_t fence = 0;  // greater than that of whoever had it before
  // Nobody has ever kept a position of it there.
  bool first = false;
  std::vector<SavedPosition> positions;
};

class Leases {
 public:
  struct Setup {
    Loop& loop;
    JournalClient& journal;
    // It may run here from now on.
    std::function<void(LeaseGrant)> granted;
    // Not any more, at once: it ends soon, or somebody else has it already.
    std::function<void(const std::string& pipeline, const std::string& why)> lost;
    std::function<void()> changed;  // of status() or why()
    // tasks() of this job may be others by now.
    std::function<void(const std::string& job)> told;
    std::function<void()> quiet;  // busy() no more, or left
  };
  virtual ~Leases() = default;

  // As it is configured now; none: all leases are given back.
  virtual void set(const std::optional<ClusterConfig>& config, const std::string& agent) = 0;
  // Asks for it until it is granted, lost, or released.
  virtual void want(const std::string& pipeline) = 0;
  // 0: it is not held.
  virtual uint64_t fence(const std::string& pipeline) const = 0;
  // Positions of it, as they are by now; an empty value removes one. Kept in order, in the group's
  // database, for as long as the lease is ours; late is as good as never.
  virtual void save(const std::string& pipeline, std::vector<SavedPosition> positions) = 0;
  // It does not run here any more, or is not to: behind what was saved.
  virtual void release(const std::string& pipeline) = 0;
  // Takes tasks of a job that nobody has, so many at once, and is told of all of them; without
  // names, none any more. Each is granted, lost and released as a pipeline.
  virtual void share(const std::string& job, std::vector<std::string> names, size_t most) = 0;
  // What has failed of this job is to be done once more, before any more of it is taken.
  virtual void retry(const std::string& job) = 0;
  virtual const std::vector<SharedTask>& tasks(const std::string& job) const = 0;
  // What the group has of the positions of this task, whoever has saved them. `done` comes later;
  // not where the session is lost before that. Asked twice it is asked once.
  using Read = std::function<void(std::vector<SavedPosition>)>;
  virtual void read(const std::string& task, Read done) = 0;
  // Of a job whose lease is held: its tasks are all to be done once more, `anew` from their
  // beginnings, and run_of(job) is among them, waiting, with the number of the run in the place of
  // records; nothing where that is so already. Then: no run is open.
  virtual void open_run(const std::string& job, bool anew) = 0;
  virtual void close_run(const std::string& job) = 0;
  // In the place of release(): it has ended for good.
  virtual void settle(const std::string& task, bool done, const std::string& reason,
                      uint64_t records) = 0;
  // For people: why it does not run here. "" when there is nothing to say.
  virtual std::string why(const std::string& pipeline) const = 0;
  // Nobody knows whether anybody runs it: the database is away, or does not let us in.
  virtual bool in_trouble() const = 0;
  // By how much the database's clock is ahead of this machine's, microseconds.
  virtual int64_t ahead_us() const = 0;
  // Something is to be saved or released yet.
  virtual bool busy() const = 0;
  // The agent ends: true when all is given back, or that takes too long; else quiet() follows.
  virtual bool leave() = 0;
  virtual std::optional<ClusterStatus> status() const = 0;
};

using MakeLeases = std::function<std::unique_ptr<Leases>(const Leases::Setup&)>;

}  // namespace leat
