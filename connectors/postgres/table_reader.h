// A table of the server, or a query, read page by page for a table::TableSource.
//
// Thread: the loop's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "connectors/postgres/binary_rows.h"
#include "connectors/postgres/layout.h"
#include "connectors/postgres/session.h"
#include "connectors/postgres/source_sql.h"
#include "loop/timer.h"
#include "memory/budget.h"
#include "net/tls.h"
#include "protocols/postgres/connection_settings.h"
#include "table/database.h"

namespace leat::postgres {

// What the options of a source amount to.
struct ReadPlan {
  ConnectionSettings connection;
  SessionConfig session;
  ReadConfig read;
};

class TableReader final : public table::Database, private Session::Listener, private RowSink {
 public:
  explicit TableReader(ReadPlan plan);
  ~TableReader() override;

  Status open(SourceContext& context) override;
  Status open(Loop& loop, const std::string& pipeline) override;
  void look(std::function<void(Result<table::Look>)> done) override;
  std::string found() const override;
  void read(table::Page page, table::Rows& rows, std::function<void(Result<bool>)> done) override;
  void go_on() override { session_->go_on(); }
  bool answers() const override { return session_->connected(); }
  void list(const std::vector<std::string>& names,
            std::function<void(table::Tables)> done) override;
  void divide(const std::vector<std::string>& cursor, size_t parts,
              std::function<void(Result<std::vector<table::Key>>)> done) override;
  void close(std::function<void()> closed) override;

 private:
  enum class Step : uint8_t { kDescribing, kLooking, kReading };

  // Steps of a look.
  void make_ready();
  void describe();
  void described();
  void ask_layout();
  void check_table(const Reply& reply);
  void choose_cursor(const Layout& layout);
  void ask_server();
  void ask_system();
  void choose_way();
  void ask_now();
  void ask_moment();
  bool has_other_columns(const Reply& reply);
  void ask_last();
  void answer(table::Look look);

  void ask_names(const std::string& sql);
  void page_done();
  void fails(const Error& error);
  Error null_in_cursor() const;
  bool has_constraints() const { return kind_ == 'r' || kind_ == 'p'; }
  bool can_tell_rows_apart(const Layout& layout) const;
  void find_keys();

  // Session::Listener.
  void lost(const Error& error, bool cut) override;
  void refused(const Refusal& refusal) override;
  // RowSink.
  void columns(std::vector<RowColumn> columns) override;
  bool row(std::string_view body) override;
  size_t longest_row() const override { return plan_.read.table.max_record; }
  bool long_row(std::string_view body, size_t bytes) override;
  bool binary() const override { return step_ == Step::kReading && form_ != nullptr; }
  bool take_apart(std::string_view body);
  void add_row(Batch& batch, std::string_view body);
  void read_page(const table::Page& page);

  const ReadPlan plan_;
  const SourceSql sql_;
  SessionConfig session_config_;
  std::string pipeline_;
  Charge charge_;
  std::unique_ptr<TlsContext> tls_;  // outlives the session
  std::optional<Session> session_;
  std::optional<Timer> closing_;

  Step step_ = Step::kLooking;
  std::function<void(Result<table::Look>)> looked_;
  std::function<void(Result<bool>)> read_;
  std::function<void(table::Tables)> listed_;
  std::function<void(Result<std::vector<table::Key>>)> divided_;

  // What is known of the table, in this session.
  uint64_t known_in_ = 0;  // the session's number; 0: nothing
  bool ever_known_ = false;
  std::vector<ReadColumn> columns_;
  std::vector<RowColumn> described_;
  ShapeRef shape_;
  bool passes_rows_ = false;
  std::shared_ptr<const BinaryRows> form_;  // in which they pass; null: they are decoded
  std::vector<std::string> cursor_;
  std::vector<std::string> hidden_;
  std::vector<size_t> keys_;  // where a row has the cursor columns; with form_, before all others
  uint32_t first_type_ = 0;   // of the first of them
  char kind_ = 'r';           // pg_class.relkind
  std::string columns_sql_;   // SourceSql::columns_of()
  std::string columns_were_;  // its answer
  int version_ = 0;
  bool in_recovery_ = false;
  bool numbered_ = false;
  bool was_numbered_ = false;  // in an earlier session
  std::string system_;
  bool said_way_ = false;

  // A page.
  table::Rows* rows_ = nullptr;
  table::Key behind_;  // the row that was given last
  int64_t given_ = 0;
  bool paused_ = false;
  std::string wrong_;  // with what arrives
  bool null_key_ = false;
  bool long_key_ = false;
  std::vector<std::string_view> fields_;  // without data where they are null
  std::vector<std::string_view> key_;
};

}  // namespace leat::postgres
