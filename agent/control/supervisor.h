// Owns the loops, the journal and the pipelines, and alone changes what runs.
//
// A change is computed first, as data (control/change.h). Then all that is new is made and opened
// beside what runs, as far as two can be open at once (control/run.h); only then is what is
// old let go. What goes wrong leaves what was:
//   - A configuration of which a pipeline cannot be made changes nothing.
//   - A pipeline whose new configuration cannot be opened, before the old one is let go or after
//   it,
//     runs on with its old configuration, and Snapshot says so. Others are changed as they should
//     be.
// A pipeline that is not part of a change goes on undisturbed but for its share of the memory,
// which is cut anew whenever their number changes.
//
// Changes and commands count in the order in which they were asked. A change is made in the order
// of its turn, when all that is new has been opened; a command acts at once, on what runs and on
// every change that was asked before it and is not made yet: what was told to end is not started by
// it, and what was removed is no part of it any more.
//
// What has a schedule is started by that, and by an operator's word; of runs that came due
// meanwhile one is made up.
//
// What is exclusive in a group of agents (agent.cluster) is made when its lease is there, and ends
// with that (control/leases.h).
//
// What is told by name (paused, stopped, unmounted) holds over every change and restart of the
// agent (control/standing.h). Nothing of such a pipeline is made or opened meanwhile.
//
// Thread: the main loop's, on which all callbacks come, too. Each pipeline lives on the loop that
// has the fewest when it is made; but those that meet in channels and caches all live on the main
// one (connectors/channel/README.md, "One loop").
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "cache/caches.h"
#include "channel/channels.h"
#include "control/change.h"
#include "control/entry.h"
#include "control/events/event_feed.h"
#include "control/leases.h"
#include "control/loop_host.h"
#include "control/loop_load.h"
#include "control/loop_probe.h"
#include "control/managed_pipeline.h"
#include "control/network_budget.h"
#include "control/run.h"
#include "control/run_history.h"
#include "control/schedules.h"
#include "control/snapshot.h"
#include "control/standing.h"
#include "journal/journal.h"
#include "journal/journal_usage.h"
#include "loop/clock_watch.h"
#include "loop/handles.h"
#include "tools/operations.h"

namespace leat {

// A pipeline has come to its end, or never began.
struct PipelineEnd {
  std::string name;
  Status status;
  PipelineStatus counters = {};
  Milliseconds elapsed{0};
  // It was told to end for another configuration, or by name; an error says what it left.
  bool told = false;
  // Its older configuration runs on, or again.
  bool old_one_goes_on = false;
  // When it is started again, since the reason may pass, or by its schedule; 0: it is not.
  Milliseconds again_in{0};
  bool own = false;  // PipelineConfig::own
};

inline std::unique_ptr<Loop> make_real_loop(const Clock& clock) {
  return std::make_unique<Loop>(clock);
}

struct SupervisorSetup {
  const Clock& clock;
  std::string data_dir;
  int workers = 1;
  std::string version = {};  // of the program; only to be shown
  std::string config_file = {};
  MakePipeline make = make_real_pipeline;
  // The main one comes first.
  std::function<std::unique_ptr<Loop>(const Clock&)> make_loop = make_real_loop;
  MakeLeases make_leases = nullptr;  // null: this build knows no groups
  // What a snapshot shows may be different now.
  std::function<void()> on_change = [] {};
  // Whether trouble at a sink counts for that: it is told at the moment, at the cost of a wakeup.
  bool tells_trouble = false;
  std::function<void(const PipelineEnd&)> on_end = [](const PipelineEnd&) {};
  // Nothing runs, and nothing is on its way to; but for pipelines of the agent's own, which keep
  // nothing going.
  std::function<void()> on_idle = [] {};
  // A pipeline without end that failed for a reason that may pass is started again after this, and
  // twice as long each time that does not help, up to 64 times.
  Milliseconds first_retry{1'000};
};

class Supervisor {
 public:
  // Makes the data folder, and opens the journal. Errors: kUsage, kUnavailable.
  static Result<std::unique_ptr<Supervisor>> open(SupervisorSetup setup);
  ~Supervisor();

  // Pipelines that have something spooled in the journal. Before begin().
  Result<std::vector<std::string>> spooled_pipelines() { return journal_->spooled_pipelines(); }
  // Starts the journal, and the loops but for the main one, which run() turns until quit().
  void begin();
  void run() { main_->loop().run(); }
  void quit();
  // Of all that runs on them: the loops, then the journal's file. False when something on the
  // thread pool does not come back: the process should then end without waiting for it.
  // `journal`: as Journal::finish() says.
  bool close(Status& journal);

  Loop& loop() { return main_->loop(); }
  JournalClient& journal() { return main_->journal(); }  // of that loop
  JournalUsage& usage() { return usage_; }
  // What happens to the pipelines, and to the agent.
  EventFeed& events() { return *events_; }

  // Makes this what runs: of the agent, its id, memory, drainTimeout and journal; dataDir and
  // workers are as they were at the start. Several are taken in turn. Fails when a pipeline cannot
  // be made, or all is being stopped. `done` comes before anything old is let go.
  using Applied = std::function<void(const Result<Change>&)>;
  void apply(AgentConfig desired, Applied done);
  // As was applied last.
  const AgentConfig& config() const { return config_; }
  const std::string& data_dir() const { return setup_.data_dir; }
  const std::string& version() const { return setup_.version; }  // of the program

  // One pipeline. Fails with kUsage when none of that name is wanted, or this cannot be done with
  // it as it is now.
  Status start(const std::string& name);   // again, when it has ended or was stopped
  Status drain(const std::string& name);   // it ends when all that it has read is delivered
  Status remove(const std::string& name);  // it is drained, and then forgotten
  // Each is drained, and started by nothing but its counterpart: resume(), start(), mount(). It has
  // each new configuration then.
  Status pause(const std::string& name);
  Status stop(const std::string& name);
  Status stop_now(const std::string& name);  // it is not drained
  Status unmount(const std::string& name);
  Status resume(const std::string& name);
  Status mount(const std::string& name);
  // One more run of it, which ends by itself, with this configuration: `config` is its own, with
  // the parameters in their places. It has positions, counters and an entry in snapshots of its
  // own, by the name "PIPELINE~NUMBER", by which it can be stopped. `done` has the number when it
  // is in the journal.
  void provision(const std::string& pipeline, PipelineConfig config, RunParameters parameters,
                 std::function<void(Result<uint64_t>)> done);
  // As the operation "runs" (tools/operations.h) with those that go on.
  void list_runs(const std::string& pipeline, std::function<void(Result<std::string>)> done);
  // As the operation "tasks", in the same way.
  void list_tasks(const std::string& pipeline, std::function<void(Result<std::string>)> done);
  // It is opened anew, and then started in the place of what runs.
  Status restart(const std::string& name);
  // What it waits for is tried now: its sink, or, when it has failed, itself.
  Status kick(const std::string& name);

  // Shows records of a running pipeline as they pass (Task::tap), also of the runs that take its
  // place; what it cannot show, `done` says, once for each of them. Until untap(), or until it does
  // not run any more: then only `lines` go.
  Status tap(const std::string& name, uint64_t id, TapRequest request,
             std::shared_ptr<TapLines> lines, std::function<void(Status)> done);
  void untap(const std::string& name, uint64_t id);

  // Gives a running pipeline records of somebody else, too (Task::feed), or the run that is about
  // to take its place. `done` as Run::feed().
  Status feed(const std::string& name, MakeFeed make, std::function<void(Status)> done);

  // What an operator asks of the journal. Where that leaves word for a pipeline's next start, it is
  // started anew; the answer then says so ("restarted").
  void work_on_journal(const Operation& operation, OperationRequest request,
                       std::function<void(Result<std::string>)> done);

  // All of them, for good: nothing is started from now on. What is not drained in time is stopped.
  void drain_all(Milliseconds at_most);
  void stop_all(const std::string& why);
  // After on_idle: what has ended by itself stays so.
  void start_nothing_more() { stopping_ = true; }
  bool stopping() const { return stopping_; }
  // After on_idle, which comes again then: those of the agent's own that still run tell what they
  // have to, for a while. False: none does.
  bool flush_own();

  // Which configuration runs, for snapshots.
  void set_config_status(ConfigStatus status) { config_status_ = std::move(status); }
  // So does the control topic, while there is one.
  void ask_control(std::function<std::optional<ControlStatus>()> ask) {
    control_status_ = std::move(ask);
  }
  // Comes when each loop has answered; never, when one is stuck.
  void snapshot(std::function<void(const Snapshot&)> done);
  // A pipeline runs that ends by itself.
  bool runs_bounded() const;
  // The wall clock was put forward or back.
  void clock_stepped();

 private:
  struct Proposal {
    AgentConfig desired;
    Applied done;
    std::string only = {};  // what runs, with this one anew; `desired` says nothing
    Change change = {};
    std::set<std::string> told_to_end = {};  // by name, since this was asked: not to be started

    void remove(const std::string& name);
  };

  Supervisor(SupervisorSetup setup, std::unique_ptr<Journal> journal);

  void loaded();
  void apply_next();
  Change change_to(const Proposal& proposal) const;
  std::vector<Preparing> preparations(const AgentConfig& desired, const Change& change);
  Preparing preparation(const Run::Config& config, LoopHost& host, const std::string& agent,
                        size_t memory);
  AskAgent asking_from(LoopHost& host);
  LoopLoad load_without(const std::vector<std::string>& names) const;
  LoopHost& choose_loop(LoopLoad& load, const PipelineConfig& config) const;
  void prepared(std::vector<Prepared> all);
  void commit(Proposal& proposal, std::vector<Prepared> all);
  void take_over(Prepared one, Proposal& proposal, std::vector<PipelineEnd>& failures);
  void adopt(const PipelineConfig& config);
  void relaunch(const std::string& name, const Run::Config& config);
  void relaunched(const std::string& name, Prepared one);

  void settle(const std::string& name);
  void start_next(const std::string& name);
  void ended(const std::string& name, const Status& status, const PipelineStatus& counters);
  void discard(std::unique_ptr<Run> run);
  void gone(bool own);
  size_t& live_of(const Run::Config& config) { return config->own ? own_live_ : live_; }
  static size_t share_of(const AgentConfig& config, size_t pipelines, bool own);
  void share_memory();
  void hold_by_budget();
  Milliseconds start_later(const std::string& name);
  bool waits_for_its_time(const PipelineConfig& config);
  void keep_schedules();
  void await_its_time(const std::string& name);
  Milliseconds await_next(const std::string& name, const Status& status, Milliseconds elapsed);
  Milliseconds not_opened(const std::string& name, const Status& status);
  void make_leases();
  bool needs_lease(const PipelineConfig& config) const;
  void await_lease(const std::string& name);
  void lease_granted(LeaseGrant grant);
  void begin_with_lease(const std::string& name, uint64_t fence);
  void lease_lost(const std::string& name, const std::string& why);
  void give_lease_back(const std::string& name);
  void ended_with_lease(const std::string& name, const Status& status);
  void show_job(const std::string& name, const Entry& entry, PipelineSnapshot& out) const;
  void begin_job(const std::string& name);
  void job_goes_on(const std::string& name);
  void lead_job(const LeaseGrant& grant);
  bool run_is_open(const std::string& name, Entry& entry);
  void read_plan(const std::string& name, const std::string& task);
  Milliseconds run_of_job_is_over(const std::string& name, const Status& status,
                                  Milliseconds elapsed);
  void close_run_of_job(const std::string& name);
  std::vector<SharedTask> tasks_of_job(const std::string& name, const Entry& entry) const;
  void job_is_over(const std::string& name, const Status& status);
  void end_job(const std::string& name);
  Entry* task_entry(const std::string& name);
  void watch_positions(const std::string& name, LoopHost& host, uint64_t fence);
  bool leases_are_quiet();
  std::string agent_of(const PipelineConfig& config, const std::string& agent) const;
  bool is_asked_to_start(const std::string& name) const;
  bool idle() const;
  void check_idle();
  Result<Entry*> find(const std::string& name);
  Entry& entry_of(const std::string& name);
  bool held(const PipelineConfig& config) const;
  void say(const std::string& name, const Standing& standing);
  Result<Entry*> find_any(const std::string& name);
  void tell_channels();
  void keep_caches();
  void drain_in_order();
  bool has_producers(const Entry& entry) const;
  void wind_down(Entry& entry, const std::string& why);
  void wind_down_runs_of(const std::string& pipeline, const std::string& why);
  static bool tells(const Entry& entry, const Run& run, const Status& status,
                    const PipelineStatus& counters);
  void note_end(const Entry& entry, const Status& status, const PipelineStatus& counters);
  size_t runs_of(const std::string& pipeline) const;
  void run_is_over(Entry& entry, const std::string& name);
  Status halt(const std::string& name, const Standing& standing, const std::string& why);
  Status set_going(const std::string& name, const Standing& standing);

  SupervisorSetup setup_;
  const int64_t begun_us_;
  AgentConfig config_;
  int64_t config_loaded_us_ = 0;  // unix
  ConfigStatus config_status_;
  std::function<std::optional<ControlStatus>()> control_status_;
  JournalUsage usage_;
  std::unique_ptr<Journal> journal_;
  std::vector<std::unique_ptr<LoopHost>> hosts_;
  LoopHost* main_ = nullptr;  // the first of them
  std::unique_ptr<EventFeed> events_;
  Channels channels_;
  Caches caches_;
  std::map<std::string, Entry> entries_;
  std::deque<Proposal> proposals_;  // the first is under way
  std::unique_ptr<LoopProbe> probe_;
  std::unique_ptr<Timer> idle_timer_;
  std::unique_ptr<Standings> standings_;
  std::unique_ptr<RunHistory> history_;
  std::unique_ptr<NetworkBudget> budget_;
  std::unique_ptr<Schedules> schedules_;
  std::unique_ptr<Leases> leases_;           // null: this build knows no groups
  std::unique_ptr<ClockWatch> clock_watch_;  // since something waits for its time
  int to_load_ = 4;                          // of these: nothing is applied before
  std::unique_ptr<Timer> flush_timer_;       // once flush_own() was called
  RunId next_id_ = 1;
  size_t live_ = 0;       // runs that are made, and not gone yet
  size_t own_live_ = 0;   // those of the agent's own
  size_t preparing_ = 0;  // what may become runs
  bool stopping_ = false;
  std::optional<Milliseconds> drained_by_;  // all, on the loop's clock
  std::string when_late_;                   // what is said of those that are not
};

}  // namespace leat
