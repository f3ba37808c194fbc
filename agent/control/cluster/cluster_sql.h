// All SQL of the group's database. The tables, made by the first agent that needs them:
//
//   leat_cluster_members    an agent of a group, in one of its sessions, and until when it is there
//   leat_cluster_tasks      what is run by one agent of the group at a time: a pipeline, or a task
//                           of a job. Who has it is whose session is named here and among the
//                           members. `fence` grows by one whenever it is taken. A task that has
//                           ended has a `state`, and is not taken any more. Of a job with a
//                           schedule there is "JOB~(run)", which nobody takes: it has a `state`
//                           while no run is open, and as `records` the number of the last run
//   leat_cluster_positions  how far sources have been delivered; and what belongs to that
//
// Only the database's clock counts. A member whose time is over is removed by whoever sees it, and
// with that what it had is free: so a session that comes back late finds no row to renew, and
// knows. Each function is the text of one exchange, which is one transaction.
//
// What rows an answer has is said by their first column (kAlive …), since those of all statements
// come together.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/units.h"
#include "record/position.h"

namespace leat::cluster {

inline constexpr std::string_view kAlive = "alive";  // the session is good, by this exchange
inline constexpr std::string_view kHolds = "holds";  // pipeline, fence: it is ours
// name, agent, state, whether its session is there, records, reason: of a job
inline constexpr std::string_view kTask = "task";
inline constexpr std::string_view kOf = "of";          // pipeline, agent: whose it is
inline constexpr std::string_view kMember = "member";  // agent
inline constexpr std::string_view kClock = "clock";    // microseconds since 1970
inline constexpr std::string_view kMine = "mine";      // number: of rows that say it is ours
inline constexpr std::string_view kAt = "at";          // partition, value in hex

struct Me {
  std::string group;
  std::string agent;
  std::string instance;  // of its data folder
  uint64_t session = 0;  // below 2^63
  Milliseconds lease{0};
};

struct Lease {
  std::string pipeline;
  uint64_t fence = 0;
};

inline constexpr std::string_view kDone = "done";
inline constexpr std::string_view kFailed = "failed";

// How a task has ended.
struct Outcome {
  std::string state;  // kDone, kFailed; "": it is free again
  std::string reason = {};
  uint64_t records = 0;
};

// Tasks of a job of which this agent takes so many more.
struct Wanted {
  std::string job;  // "": each is a pipeline by itself
  std::vector<std::string> names;
  size_t most = 0;
  bool retry = false;  // what has failed of the job is free again
  bool tell = false;   // of all tasks of the job
};

std::string tables_exist_sql();  // one row, "t" or "f"
std::string create_tables_sql();
// Changes nothing. One row: whether the server takes only reads, whether the tables exist, whether
// this user may use them, whether it may make tables.
std::string rights_sql();
std::string members_sql(const std::string& group);  // one row: how many are there
// What goes before all else in a connection: nothing waits longer than this.
std::string set_up_sql(Milliseconds at_most);
// Renews the session, or with `join` begins it, unless another agent of this id is there; removes
// those whose time is over; takes what is free of `wanted`; and tells of all that.
std::string tick_sql(const Me& me, bool join, const std::vector<Wanted>& wanted);
std::string load_sql(const Me& me, const std::string& pipeline);
// Nothing is saved when it is not ours any more.
std::string save_sql(const Me& me, const Lease& lease, const std::vector<SavedPosition>& positions);
std::string release_sql(const Me& me, const Lease& lease, const Outcome& outcome);
std::string leave_sql(const Me& me);
// Leases::open_run and close_run, for who has the lease of the job. What they do is done once,
// however often they are asked.
std::string open_run_sql(const Me& me, const Lease& job, bool anew);
std::string close_run_sql(const Me& me, const Lease& job);

}  // namespace leat::cluster
