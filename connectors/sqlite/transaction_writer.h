// Writes deliveries to the database, one transaction each, and keeps positions beside the data for
// exactlyOnce.
//
// Thread: one at a time (the sink's job thread); cancel() from any.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "client.h"
#include "job.h"
#include "positions.h"
#include "stage/sink.h"
#include "table.h"

namespace leat::sqlite {

class TransactionWriter {
 public:
  TransactionWriter(Connection::Settings connection, Table::Settings table, std::string agent,
                    const std::string& pipeline, table::JobStatements job = {})
      : connection_(std::move(connection)),
        table_(connection_, std::move(table)),
        pipeline_(pipeline),
        positions_(connection_, agent, pipeline),
        job_(connection_, std::move(job), std::move(agent), pipeline) {}
  ~TransactionWriter() { close(); }

  // As Connection::set_cache().
  void set_cache(int64_t bytes) { connection_.set_cache(bytes); }
  // All of it, and its positions, or nothing.
  Answer write(const Delivery& delivery);
  Result<std::vector<SavedPosition>> load_positions();
  // As table::JobRun::finish().
  Status finish(bool also_empty);
  void close();
  // What is being written is given up as soon as possible. Any thread.
  void cancel() { connection_.cancel(); }

 private:
  // Records that cannot be stored, each for its own reason.
  struct Bad {
    std::vector<std::pair<uint32_t, Why>> records;
    bool in_doubt = false;  // so are all that there are, by the table's own code
  };
  Status begin_job();
  Status write_transaction(const Delivery& delivery, Bad& bad);
  Status commit(const Delivery& delivery);
  Status write_records(const Delivery& delivery, Bad& bad);
  void undo();
  void tell_of_readers();

  Connection connection_;
  Table table_;
  const std::string pipeline_;  // for log lines
  Positions positions_;
  Job job_;
  bool told_of_readers_ = false;
};

}  // namespace leat::sqlite
