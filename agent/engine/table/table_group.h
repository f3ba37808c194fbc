// Several tables in one source, or the ranges of one, as the tasks of one job: `concurrency` of
// them are read at once, each over a connection of its own, and each is a partition with positions
// of its own, so a run that was cut short goes on in the tables where it was, and what is done is
// not repeated. To its sink the whole is one job.
//
// One that cannot be read does not keep the others from it. With `failover` it waits and is begun
// again, from behind its last row; in the end, where any has failed for good, the whole has, and
// says which. Only where the database itself is away nothing new is begun, until one that failed
// of that has found it there again. What names and patterns mean (table_list.h), and how a table is
// divided (table_split.h), is asked when a run begins.
//
// Each is read into a lane: a context, with the data path behind it. Mostly there is one, which all
// share, with its credit and memory; there may be as many as are read at once. Their batches are so
// much smaller, and more than one is read only while half of the memory is free.
//
// Thread and lifetime: as of any source.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/backoff.h"
#include "base/lifetime.h"
#include "loop/timer.h"
#include "memory/budget.h"
#include "stage/source.h"
#include "table/position.h"
#include "table/question.h"
#include "table/settings.h"
#include "table/table_task.h"

namespace leat::table {

class TableGroup final : public Source, private TableTaskOwner {
 public:
  // Of a connector's options for one table.
  using MakeDatabase = Result<std::unique_ptr<Database>> (*)(const Options& options);
  // With several `tables`, `split` or `failover`, a group; else a source of one.
  static Result<std::unique_ptr<Source>> make(const Options& options, MakeDatabase make_database);
  // How many tasks are under way at once.
  static size_t at_once(const Options& options);

  ~TableGroup() override;

  Status open(SourceContext& context) override;
  void resume() override;
  void stop(std::function<void()> closed) override;
  void acked(const Position& position) override;
  SavedPosition saved_position(const Position& position) override;
  std::string describe(const Position& position) override;
  SourceTasks tasks() const override;
  std::optional<uint64_t> task_changes() const override { return changes_; }
  std::unique_ptr<Source> lane() override;

 private:
  class LaneSource;
  struct Lane {
    SourceContext* context = nullptr;
    size_t open = 0;  // what is to be closed before this is
    std::function<void()> on_closed = nullptr;
  };

  TableGroup(const Options& options, MakeDatabase make_database);
  static Status check(const Options& options);
  void add(const std::string& table, Part part = {}, uint64_t expected = 0);
  void wake();
  void turn();
  void ask(std::unique_ptr<Question> question);
  void close_question();
  void list();
  void listed(const Tables& tables);
  void split();
  void divided(Result<Division> division);
  void add_ranges(Division division);
  void note_tasks(std::vector<SavedPosition> with, const std::vector<std::string>& tasks);
  void ask_no_more(const Status& status);
  std::string counted(size_t tasks) const;
  TableTask* next_to_begin();
  void begin(TableTask& task);
  void failed(TableTask& task, const Error& error);
  void wait_for_the_failed();
  void close(TableTask& task);
  void closed(size_t lane);
  void say_it_is_over();
  size_t lane_of(size_t reader) const { return reader % lanes_.size(); }
  void resume_lane(size_t lane);
  void stop_lane(size_t lane, std::function<void()> closed);
  Status result() const;

  // TableTaskOwner.
  void ended(TableTask& task, const Status& status) override;
  void gave() override { away_ = false; }
  void has_read(uint64_t bytes) override;

  const Options options_;
  const MakeDatabase make_database_;
  const size_t at_once_;
  const size_t attempts_;           // more, of a task that failed
  std::vector<std::string> names_;  // of `tables`, that are to be read
  StageShare share_;
  std::vector<Lane> lanes_ = std::vector<Lane>(1);
  SourceContext* context_ = nullptr;  // of the first lane
  std::optional<Timer> timer_;        // none before open() and after stop()

  bool to_list_ = false;                // which tables there are is not known yet
  bool to_split_ = false;               // the ranges are not
  std::unique_ptr<Question> question_;  // of one of these
  bool asks_ = false;                   // it is open
  Status asking_;

  std::vector<std::unique_ptr<TableTask>> tasks_;  // by their numbers as partitions
  Charge charge_;                                  // for them
  size_t next_ = 0;                                // to begin
  std::vector<TableTask*> again_;                  // that failed, and wait to be begun once more
  std::vector<TableTask*> reading_;                // by their numbers as readers; null: free
  std::vector<TableTask*> to_close_;
  Backoff backoff_;
  uint64_t bytes_ = 0;    // read, of all
  uint64_t changes_ = 0;  // tasks that began or ended
  size_t first_to_resume_ = 0;
  bool away_ = false;
  bool over_ = false;  // that was said
  Lifetime lifetime_;
};

}  // namespace leat::table
