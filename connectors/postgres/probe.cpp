#include "connectors/postgres/probe.h"

#include <algorithm>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/text.h"
#include "base/units.h"
#include "connectors/postgres/mapping.h"
#include "connectors/postgres/positions.h"
#include "connectors/postgres/statements.h"
#include "net/tls.h"
#include "protocols/postgres/connection.h"
#include "protocols/postgres/sqlstate.h"

namespace leat::postgres {
namespace {

class PostgresProbe final : public PeerProbe {
 public:
  PostgresProbe(const ProbeContext& context, SinkPlan plan, std::unique_ptr<TlsContext> tls,
                Probed done)
      : plan_(std::move(plan)),
        exactly_once_(context.exactly_once),
        done_(std::move(done)),
        tls_(std::move(tls)),
        connection_({.loop = context.loop,
                     .url = &plan_.connection.url,
                     .sslmode = plan_.connection.sslmode,
                     .tls = tls_.get(),
                     .connect_timeout = plan_.connection.connect_timeout,
                     .timeout = plan_.writer.session.timeout},
                    password_) {
    connection_.open([this](Status status) {
      if (!status) return failed(status.error().message());
      look();
    });
  }

 private:
  void failed(const std::string& why) {
    done_(fail(ErrorKind::kUnavailable, plan_.connection.url.shown() + ": " + why));
  }

  void ask(const std::string& sql, std::function<void(const Reply&)> then) {
    connection_.query(sql, [this, then = std::move(then)](Result<Reply> reply) {
      if (!reply) return failed(reply.error().message());
      if (!reply->error) {
        auto call = then;  // the function may be destroyed by what it does
        return call(*reply);
      }
      const std::string_view advice = advice_on(reply->error->sqlstate);
      failed(reply->error->message() + (advice.empty() ? "" : ": " + std::string(advice)));
    });
  }

  void look() {
    ask("SELECT pg_catalog.current_setting('transaction_read_only') = 'on'",
        [this](const Reply& reply) {
          if (reply.says_true()) return failed("the server takes nothing but reads now");
          if (!exactly_once_) return look_at_table();
          ask(Positions::exists_sql(), [this](const Reply& there) {
            try_positions(there.says_true());
            look_at_table();
          });
        });
  }

  void look_at_table() {
    ask(layout_sql(plan_.writer.table.name), [this](const Reply& table) { looked(table); });
  }

  void looked(const Reply& reply) {
    const TableConfig& table = plan_.writer.table;
    Result<std::optional<Layout>> layout = read_layout(reply.rows);
    if (!layout) return failed(layout.error().message());
    if (!*layout) {
      if (!table.mapping.create) return failed("there is no table " + table.name.sql());
      found_ = "the table " + table.name.sql() + " is made with the first records";
      steps_.push_back("BEGIN; CREATE TABLE " + table.name.sql() + " (); ROLLBACK");
      return next();
    }
    layout_ = std::move(**layout);
    if (Status good = Mapping(table.mapping, layout_).check(); !good)
      return failed(good.error().message());
    found_ = "table " + excerpt(layout_.name) + " with " +
             format_count(layout_.columns.size(), "column");
    if (table.mapping.mode == WriteMode::kMerge) {
      found_ += "; mergeSql is not tried";
      steps_.push_back("BEGIN; " + staging_sql(layout_, false) + "; ROLLBACK");
      return next();
    }
    ask("SELECT attnum FROM pg_catalog.pg_attribute WHERE attrelid = " +
            std::to_string(layout_.oid) +
            " AND attnum > 0 AND NOT attisdropped AND"
            " pg_catalog.has_column_privilege(attrelid, attnum, 'INSERT')",
        [this](const Reply& permitted) { try_insert(permitted); });
  }

  // Into the columns that are named; where none are, into those that are permitted: it is not known
  // yet which are needed.
  void try_insert(const Reply& permitted) {
    const MappingConfig& mapping = plan_.writer.table.mapping;
    const std::string table = plan_.writer.table.name.sql();
    std::vector<int> columns;
    for (size_t i = 0; i < layout_.columns.size(); ++i) {
      const Column& column = layout_.columns[i];
      if (column.generated) continue;
      if (mapping.columns.empty() ? holds(permitted, column.number) : named(column.name))
        columns.push_back(static_cast<int>(i));
    }
    if (columns.empty() && !layout_.columns.empty())
      return failed("permission denied for table " + table + ": no column of it may be written to");
    // EXPLAIN looks at rights as the statement itself would, and fires no trigger.
    if (mapping.mode == WriteMode::kUpsert)
      steps_.push_back("BEGIN; " + staging_sql(layout_, true) + "; EXPLAIN " +
                       upsert_sql(table, layout_, columns, mapping.key) + "; ROLLBACK");
    else if (!columns.empty())
      steps_.push_back("EXPLAIN " + insert_nothing_sql(table, layout_, columns));
    next();
  }

  static bool holds(const Reply& permitted, int number) {
    const std::string text = std::to_string(number);
    return std::ranges::any_of(permitted.rows,
                               [&text](const Row& row) { return !row.empty() && row[0] == text; });
  }
  bool named(const std::string& column) const {
    return std::ranges::any_of(plan_.writer.table.mapping.columns,
                               [&column](const auto& pair) { return pair.second == column; });
  }

  // Where exactlyOnce keeps positions: with rights on it, or one to make it.
  void try_positions(bool there) {
    const std::string table(Positions::kTable);
    steps_.push_back(
        "BEGIN; " + (there ? "" : Positions::create_sql() + "; ") + "EXPLAIN INSERT INTO " + table +
        " SELECT * FROM " + table +
        " ON CONFLICT (agent, pipeline, partition) DO UPDATE SET value = ''; ROLLBACK");
  }

  void next() {
    if (steps_.empty()) return done_(plan_.connection.url.shown() + ": " + found_);
    const std::string sql = std::move(steps_.front());
    steps_.pop_front();
    ask(sql, [this](const Reply&) { next(); });
  }

  const SinkPlan plan_;
  const bool exactly_once_;
  const Probed done_;
  std::unique_ptr<TlsContext> tls_;  // outlives the connection
  SaltedPassword password_;
  Connection connection_;
  Layout layout_;
  std::deque<std::string> steps_;
  std::string found_;
};

}  // namespace

std::unique_ptr<PeerProbe> probe(Result<SinkPlan> plan, const ProbeContext& context, Probed done) {
  if (!plan) return probe_that_failed(context.loop, plan.error(), std::move(done));
  const ConnectionSettings& connection = plan->connection;
  std::unique_ptr<TlsContext> tls;
  if (Status opened =
          open_tls(tls, connection.uses_tls, connection.tls, context.pipeline, connection.verify);
      !opened)
    return probe_that_failed(context.loop, opened.error(), std::move(done));
  return std::make_unique<PostgresProbe>(context, std::move(*plan), std::move(tls),
                                         std::move(done));
}

}  // namespace leat::postgres
