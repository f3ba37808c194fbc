// A query over a batch, and its rows as a new batch.
//
// Thread: the pipeline's loop thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "record/batch.h"
#include "transform/sql_engine.h"

namespace leat {

class SqlQuery {
 public:
  // `path` is that of the option. kUsage when the query is wrong.
  static Result<std::unique_ptr<SqlQuery>> make(std::string query, std::string path,
                                                int64_t max_steps);

  // For a query with `*`: follows the fields of the batch's records. To be called before run().
  Status follow_fields(const Batch& batch);

  // The rows for the records of `in` in [from, to), as a batch with the positions of `in`. kData:
  // the query failed over these records.
  Result<BatchRef> run(Batch& in, size_t from, size_t to);
  // The last run() failed because rows, or what the query held to make them, took too much memory.
  bool too_large() const;

  bool has_star() const { return star_; }
  SqlEngine& engine() { return *engine_; }

 private:
  // Where a result column goes.
  struct Output {
    bool event_time = false;  // not a field
    int plain_column = -1;    // the input column it shows unchanged, or -1
  };

  SqlQuery(std::string query, std::string path, std::unique_ptr<SqlEngine> engine)
      : query_(std::move(query)), path_(std::move(path)), engine_(std::move(engine)) {}
  SqlText text() const { return {.before = {}, .user = query_, .after = {}, .path = path_}; }

  Status prepare();
  Status collect(Batch& out, int64_t default_time_us);
  Status read_row(Batch& out, int64_t default_time_us);
  size_t most(const Batch& in, size_t records) const;
  void restore_types(Batch& out);

  const std::string query_;
  const std::string path_;
  std::unique_ptr<SqlEngine> engine_;  // before the statement, which is finalized first
  Statement statement_;
  bool star_ = false;
  size_t most_ = 0;  // bytes that the rows of this run may take
  bool too_large_ = false;
  std::vector<Output> outputs_;
  ShapeRef shape_;
};

}  // namespace leat
