// A table of the server for a table::TableSource: what blocks (table_page.h) is done on a thread of
// its own; here the rows of a page become records, as the pipeline takes them.
//
// Thread: the loop's.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "connectors/mysql/table_page.h"
#include "loop/job_thread.h"
#include "loop/timer.h"
#include "memory/budget.h"
#include "net/tls.h"
#include "table/database.h"

namespace leat::mysql {

class TableReader final : public table::Database {
 public:
  explicit TableReader(ReadConfig config);
  ~TableReader() override;

  Status open(SourceContext& context) override;
  Status open(Loop& loop, const std::string& pipeline) override;
  void look(std::function<void(Result<table::Look>)> done) override;
  std::string found() const override { return pages_->found(); }
  void read(table::Page page, table::Rows& rows, std::function<void(Result<bool>)> done) override;
  void go_on() override;
  bool answers() const override { return answers_; }
  void list(const std::vector<std::string>& names,
            std::function<void(table::Tables)> done) override;
  void divide(const std::vector<std::string>& cursor, size_t parts,
              std::function<void(Result<std::vector<table::Key>>)> done) override;
  void close(std::function<void()> closed) override;

 private:
  void take(Result<PageRows> rows);
  void give();

  const ReadConfig config_;
  Charge charge_;                    // for page_, and what the library holds
  std::unique_ptr<TlsContext> tls_;  // used on the thread; outlives pages_
  table::Key behind_;                // the row that was given last
  bool answers_ = false;
  ShapeRef shape_;
  PageRows page_;
  size_t key_columns_ = 0;
  size_t given_ = 0;  // of its rows
  size_t at_ = 0;     // in its values
  size_t long_ = 0;   // of its rows that are too long
  table::Rows* rows_ = nullptr;
  std::function<void(Result<bool>)> read_;
  bool closing_ = false;
  std::optional<Timer> later_;
  std::unique_ptr<TablePages> pages_;
  std::unique_ptr<JobThread> thread_;  // last: its destructor waits for a job that uses the rest
};

}  // namespace leat::mysql
