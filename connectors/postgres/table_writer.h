// Brings deliveries to the server over one session, and does before the first what must be done:
// preSql, a look at the table, the staging table, positions.
//
// Each goal (a delivery, the positions, the end of the job) is reached by steps, each of which is
// the work of a part: Session, PositionTable, JobRun, Table, Attempt. When a step is done, go()
// looks at what is still missing. So it does not matter where the last attempt ended, nor what a
// new connection has forgotten.
//
// One that writes beside others (SinkLane) gives its session back when it has had nothing to do for
// a moment. A server may have fewer connections for them than there are, and those that wait for
// one hold the memory without which nothing more is read: the others would keep theirs for ever.
//
// Thread: the loop's thread. Lifetime: destroying it gives up what is under way (the server rolls
// back) without calling back.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "connectors/postgres/attempt.h"
#include "connectors/postgres/error_classifier.h"
#include "connectors/postgres/job_run.h"
#include "connectors/postgres/position_table.h"
#include "connectors/postgres/session.h"
#include "connectors/postgres/table.h"
#include "loop/handles.h"
#include "stage/sink.h"
#include "table/job_finish.h"

namespace leat::postgres {

struct TableWriterConfig {
  SessionConfig session;
  TableConfig table;
  Job job;
  SinkLane lane = {};
  uint64_t fence = 0;  // SinkContext::fence()
};

class TableWriter : private Session::Listener {
 public:
  explicit TableWriter(TableWriterConfig config);
  ~TableWriter() override;
  TableWriter(const TableWriter&) = delete;
  TableWriter& operator=(const TableWriter&) = delete;

  // One of these at a time; each calls back once, from the loop.
  void deliver(const Delivery& delivery, std::function<void(Answer)> done);
  void load_positions(std::function<void(Result<std::vector<SavedPosition>>)> done);
  // Runs postSql, if the job has begun; tries until the server is there. With `all`, what came, or
  // did not, is all that there is: without a record that is a job, too.
  void finish(bool all, std::function<void(Status)> done);

 private:
  enum class Goal { kNone, kDeliver, kLoad, kFinish };

  // Session::Listener.
  void lost(const Error& error, bool cut) override;
  void refused(const Refusal& refusal) override;

  void start(Goal goal);
  void go();
  void go_deliver();
  void write();
  void widen_or_judge();
  // Of any step.
  StepEnd step_end();
  StepEnd stored();
  void position_moved();
  void end(Answer answer);
  void give_back();

  const TableWriterConfig config_;
  const std::string shown_;  // of the URL, before messages
  Session session_;
  JobRun job_;
  PositionTable positions_;
  Table table_;
  ErrorClassifier classifier_;
  FieldText text_;
  std::optional<Attempt> attempt_;
  bool proved_ = false;  // records of this pipeline have been stored

  Goal goal_ = Goal::kNone;
  const Delivery* delivery_ = nullptr;
  std::function<void(Answer)> delivered_;
  std::function<void(Result<std::vector<SavedPosition>>)> loaded_;
  std::function<void(Status)> finished_;
  table::JobFinish finish_;
  Timer later_;  // to go on; or, when there is no goal, to give the session back
  // What was done for this goal already, and is not done twice.
  bool reconnected_ = false;
  bool fenced_ = false;
  bool empty_is_a_job_ = false;  // kFinish
};

}  // namespace leat::postgres
