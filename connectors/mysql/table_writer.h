// Writes deliveries into the table, one transaction each, in statements of many rows.
//
// Thread: one at a time (the sink's job thread); cancel() from any.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "connectors/mysql/client.h"
#include "connectors/mysql/columns.h"
#include "connectors/mysql/job_database.h"
#include "connectors/mysql/statement.h"
#include "connectors/mysql/table_name.h"
#include "stage/sink.h"

namespace leat::mysql {

enum class WriteMode : uint8_t { kInsert, kUpsert, kReplace };

struct WriteConfig {
  ConnectionSettings connection;
  TableName table;
  WriteMode mode = WriteMode::kInsert;
  // Field → column, as the user wrote it. Empty: a field goes into the column of its name.
  std::vector<std::pair<std::string, std::string>> columns;
  table::JobStatements job;
  bool reject_unknown = false;  // records with fields that have no column
};

class TableWriter {
 public:
  // `config` and `tls` (null: none) outlive it. `most_bytes`: of a statement, but for a row that is
  // longer by itself.
  TableWriter(const WriteConfig& config, TlsContext* tls, std::string agent, std::string pipeline,
              size_t most_bytes);

  // All of it, or nothing.
  Answer write(const Delivery& delivery);
  // As table::JobRun::finish().
  Status finish(bool also_empty);
  void close();
  void cancel() { client_.cancel(); }
  // For a probe: "table readings with 5 columns".
  Result<std::string> look();

 private:
  struct Column : ReadColumn {
    bool generated = false;  // its value is the database's
  };
  // For records of one shape in which the same fields are absent.
  struct Plan {
    ShapeRef shape;
    std::vector<bool> absent;                       // of each field
    std::vector<std::pair<size_t, size_t>> fields;  // field, and its column
    std::string unknown;                            // the first field that goes nowhere
    std::string why_unknown;
    std::string head;  // INSERT … VALUES
    std::string tail;  // ON DUPLICATE KEY …

    bool fits(const Record& record) const;
  };
  using Bad = std::vector<std::pair<uint32_t, Why>>;

  Status begin_job();
  Status open();
  Status learn_packet();
  Status learn_table();
  // Valid until the next call.
  const Plan& plan_for(const Batch& batch, const Record& record);
  Plan make_plan(const Batch& batch, const Record& record) const;
  // Its place in columns_, or their number where it has none.
  size_t column_of(std::string_view field) const;
  Result<std::string> row_sql(const Plan& plan, const Record& record) const;
  Status write_records(const Delivery& delivery, Bad& bad);
  Status send(const Statement& statement, Bad& bad);
  Status send_each(const Statement& statement, Bad& bad);
  bool was_of_row() const;  // the last failure
  void tell_unknown(const Plan& plan);

  // Records that all look different are slow, not unbounded.
  static constexpr size_t kMostPlans = 32;

  const WriteConfig& config_;
  const std::string pipeline_;
  const size_t most_bytes_;  // of a statement of several rows
  Client client_;
  JobDatabase job_database_;
  table::JobRun job_;
  size_t longest_ = 0;           // a statement that the server takes from this session
  std::vector<Column> columns_;  // of the table; none: not known
  std::vector<Plan> plans_;      // the one used last is the first
  bool drifted_ = false;         // the last delivery met other columns
  std::set<std::string> told_;   // fields that go nowhere
};

}  // namespace leat::mysql
