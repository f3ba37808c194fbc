#include "connectors/postgres/writer.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "connectors/postgres/new_table.h"
#include "connectors/postgres/statements.h"
#include "protocols/postgres/sqlstate.h"

namespace leat::postgres {
namespace {

// Routers forget connections without telling anybody; one that was idle for so long is asked first
// whether it is still there.
constexpr uint64_t kLongestIdleMs = 30'000;
// The server gives up first, by statement_timeout and lock_timeout, and says so.
constexpr Milliseconds kGrace{5000};
// A transaction holds the positions from its start. When we are gone without a goodbye (a power
// cut), the server is to notice it in half a minute instead of two hours.
constexpr std::string_view kNoticeOurEnd =
    "SELECT pg_catalog.set_config(name, CASE name WHEN 'tcp_keepalives_idle' THEN '15' "
    "WHEN 'tcp_keepalives_interval' THEN '5' ELSE '3' END, false) FROM pg_catalog.pg_settings "
    "WHERE name IN ('tcp_keepalives_idle', 'tcp_keepalives_interval', 'tcp_keepalives_count')";
constexpr Milliseconds kFirstFinishDelay{500};
constexpr Milliseconds kLongestFinishDelay{30'000};
constexpr size_t kMostUnknownTold = 100;

bool is_true(const Reply& reply) {
  return !reply.rows.empty() && !reply.rows[0].empty() && reply.rows[0][0] == "t";
}

}  // namespace

Writer::Writer(WriterConfig config)
    : config_(std::move(config)),
      shown_(config_.url.shown()),
      positions_(config_.job.agent, config_.job.pipeline),
      later_(config_.loop) {}

Writer::~Writer() = default;

void Writer::deliver(const Delivery& delivery, std::function<void(Answer)> done) {
  delivery_ = &delivery;
  delivered_ = std::move(done);
  start(Goal::kDeliver);
}

void Writer::load_positions(std::function<void(Result<std::vector<SavedPosition>>)> done) {
  loaded_ = std::move(done);
  positions_.begin_anew();
  start(Goal::kLoad);
}

void Writer::finish(std::function<void(Status)> done) {
  if (!config_.job.any()) return done({});
  finished_ = std::move(done);
  finish_delay_ = kFirstFinishDelay;
  start(Goal::kFinish);
}

void Writer::start(Goal goal) {
  goal_ = goal;
  reconnected_ = looked_again_ = created_ = widened_ = fenced_ = false;
  rows_.reset();
  // Not from inside the caller's call.
  later_.start(Milliseconds{0}, [this] { go(); });
}

void Writer::go() {
  if (!connection_ || connection_->lost()) return connect();
  if (!session_ready_) return set_up_session();
  if (stale()) return ping();
  switch (goal_) {
    case Goal::kNone:
      return;
    case Goal::kDeliver:
      return go_deliver();
    case Goal::kLoad:
      if (!positions_.known()) return find_positions();
      if (positions_.moved()) return end(Answer::retry(shown_ + ": another session was faster"));
      return end(Answer::delivered());
    case Goal::kFinish:
      return end_job();
  }
}

void Writer::go_deliver() {
  if (!delivery_->positions.empty()) {
    if (!positions_.known() || !positions_table_ready_) return find_positions();
    if (positions_.moved()) return end(moved_by_somebody());
    if (positions_.was_stored(*delivery_)) return end(Answer::delivered());
  }
  if (delivery_->records == 0) return write_positions_only();
  if (config_.job.any() && !job_begun_) return begin_job();
  if (!target_) return look();
  if (config_.mapping.create && !widened_ && !unknown_fields(*mapping_, *delivery_).empty())
    return widen_table();
  if (staged() && !staging_ready_) return make_staging();
  write();
}

bool Writer::staged() const {
  return config_.mapping.mode == WriteMode::kUpsert || config_.mapping.mode == WriteMode::kMerge;
}

bool Writer::stale() const {
  return uv_now(config_.loop) - connection_->idle_since() > kLongestIdleMs;
}

// --- the connection -----------------------------------------------------------------------------

void Writer::connect() {
  session_ready_ = session_used_ = staging_ready_ = false;
  // A transaction of the last one may have been carried out without our hearing of it.
  positions_.forget();
  connection_.emplace(ConnectionConfig{.loop = config_.loop,
                                       .url = &config_.url,
                                       .sslmode = config_.sslmode,
                                       .tls = config_.tls,
                                       .connect_timeout = config_.connect_timeout,
                                       .timeout = config_.timeout + kGrace},
                      password_);
  connection_->open([this](Status status) {
    if (!status) return lost(status.error());
    go();
  });
}

// Without the timeouts, each attempt that we give up would leave a session behind that still waits
// for the same lock. Notices nobody reads.
void Writer::set_up_session() {
  std::string ms = std::to_string(config_.timeout.count());
  ask("",
      "SET statement_timeout = " + ms + "; SET lock_timeout = " + ms +
          "; SET client_min_messages = warning",
      [this](const Reply&) {
        session_ready_ = true;
        go();
      });
}

void Writer::ping() {
  later_.start(config_.connect_timeout, [this] {
    connection_.reset();
    go();
  });
  ask("", "", [this](const Reply&) {
    later_.stop();
    go();
  });
}

void Writer::ask(std::string doing, std::string_view sql, Then then) {
  doing_ = std::move(doing);
  connection_->query(sql, [this, then = std::move(then)](Result<Reply> reply) {
    replied(std::move(reply), then);
  });
}

void Writer::replied(Result<Reply> reply, const Then& then) {
  if (!reply) return lost(reply.error());
  session_used_ = true;
  if (reply->error) {
    auto copies = std::count_if(reply->tags.begin(), reply->tags.end(),
                                [](const std::string& tag) { return tag.starts_with("COPY "); });
    return refused(*reply->error, reply->in_transaction, static_cast<size_t>(copies));
  }
  // The function may be destroyed by what it does.
  Then call = then;
  call(*reply);
}

void Writer::create(std::string doing, std::string_view sql, std::function<void()> then) {
  doing_ = std::move(doing);
  connection_->query(sql, [this, then = std::move(then)](Result<Reply> reply) {
    if (!reply) return lost(reply.error());
    static constexpr std::string_view kThere[] = {"23505", "42P07", "42710"};
    if (reply->error &&
        std::find(std::begin(kThere), std::end(kThere), reply->error->sqlstate) == std::end(kThere))
      return refused(*reply->error, reply->in_transaction, 0);
    std::function<void()> call = then;
    call();
  });
}

void Writer::define(std::string_view sql, std::function<void()> then) {
  doing_ = "createTable";
  connection_->query(sql, [this, then = std::move(then)](Result<Reply> reply) {
    if (!reply) return lost(reply.error());
    static constexpr std::string_view kThere[] = {"23505", "42P07", "42710"};
    if (!reply->error || std::find(std::begin(kThere), std::end(kThere), reply->error->sqlstate) !=
                             std::end(kThere)) {
      std::function<void()> call = then;
      return call();
    }
    if (!reply->error->fatal && blames_definition(reply->error->sqlstate))
      return end(Answer::rejected(doing_ + ": " + reply->error->message()));
    refused(*reply->error, reply->in_transaction, 0);
  });
}

// --- the job ------------------------------------------------------------------------------------

void Writer::begin_job() {
  ask("leat_jobs", Job::exists_sql(), [this](const Reply& reply) {
    if (!is_true(reply))
      return create("creating the table leat_jobs", Job::create_sql(), [this] { run_pre_sql(); });
    ask("leat_jobs", config_.job.begun_sql(), [this](const Reply& begun) {
      if (begun.rows.empty()) return run_pre_sql();
      job_begun_ = true;
      go();
    });
  });
}

void Writer::run_pre_sql() {
  ask("preSql", config_.job.begin_sql(), [this](const Reply& reply) {
    if (reply.in_transaction || reply.tags.empty() || reply.tags.back() != "COMMIT")
      return end(Answer::failed(shown_ + ": preSql must not begin or end transactions"));
    job_begun_ = true;
    target_.reset();
    mapping_.reset();
    go();
  });
}

void Writer::end_job() {
  ask("leat_jobs", Job::exists_sql(), [this](const Reply& reply) {
    if (!is_true(reply)) return end(Answer::delivered());
    ask("leat_jobs", config_.job.begun_sql(), [this](const Reply& begun) {
      if (begun.rows.empty()) return end(Answer::delivered());
      run_post_sql();
    });
  });
}

// Each by itself: some statements (VACUUM) do not run in a transaction.
void Writer::run_post_sql() {
  if (post_sql_done_ == config_.job.post_sql.size())
    return ask("leat_jobs", config_.job.end_sql(),
               [this](const Reply&) { end(Answer::delivered()); });
  ask("postSql", config_.job.post_sql[post_sql_done_], [this](const Reply& reply) {
    if (reply.in_transaction)
      return end(Answer::failed(shown_ + ": postSql must not leave a transaction open"));
    ++post_sql_done_;
    run_post_sql();
  });
}

// --- the table ----------------------------------------------------------------------------------

void Writer::look() {
  ask("looking at the table", layout_sql(config_.table),
      [this](const Reply& reply) { looked(reply); });
}

void Writer::looked(const Reply& reply) {
  Result<std::optional<Layout>> layout = read_layout(reply.rows);
  if (!layout) return end(Answer::retry(shown_ + ": " + layout.error().message()));
  if (!*layout && config_.mapping.create) return create_table();
  if (!*layout)
    return end(Answer::failed(shown_ + ": there is no table " + config_.table.sql() +
                              (config_.mapping.mode == WriteMode::kMerge
                                   ? ", which is to give the staging table its columns"
                                   : ", and createTable is false")));
  target_.emplace(Target{&config_.mapping, config_.table.sql(), config_.merge_sql,
                         std::move(**layout), nullptr});
  mapping_.emplace(config_.mapping, target_->layout);
  target_->mapping = &*mapping_;
  staging_ready_ = false;
  if (Status checked = mapping_->check(); !checked) {
    std::string why = shown_ + ": " + checked.error().message();
    target_.reset();
    mapping_.reset();
    return end(Answer::failed(std::move(why)));
  }
  go();
}

void Writer::create_table() {
  std::vector<NewColumn> columns = columns_for(config_.mapping, *delivery_);
  for (const std::string& key : config_.mapping.key)
    if (std::none_of(columns.begin(), columns.end(),
                     [&key](const NewColumn& column) { return column.name == key; }))
      return end(all_rejected("key column " + excerpt(key) + ": the field is absent"));
  if (columns.empty()) return end(all_rejected("the record has no fields"));
  if (std::exchange(created_, true))  // it was made, and is not there: by another search_path
    return end(Answer::failed(shown_ + ": the table " + config_.table.sql() +
                              " was created, but is not found; name its schema in \"table\""));
  define(create_table_sql(config_.table, columns, config_.mapping.key), [this] {
    log::info(config_.job.pipeline, shown_ + ": created the table " + config_.table.sql());
    go();
  });
}

void Writer::widen_table() {
  widened_ = true;
  std::vector<std::string> unknown = unknown_fields(*mapping_, *delivery_);
  std::vector<NewColumn> columns = columns_for(config_.mapping, *delivery_);
  std::erase_if(columns, [this](const NewColumn& column) {
    return target_->layout.find(column.name) != nullptr;
  });
  // By its other spelling a field may have a column: {"tempF": 1} goes into tempf.
  std::erase_if(columns, [this, &unknown](const NewColumn& column) {
    return config_.mapping.columns.empty() &&
           std::find(unknown.begin(), unknown.end(), column.name) == unknown.end();
  });
  if (columns.empty()) return go();
  define(add_columns_sql(config_.table, columns), [this, columns] {
    for (const NewColumn& column : columns)
      log::info(config_.job.pipeline, shown_ + ": added the column " + excerpt(column.name) + " (" +
                                          column.type + ") to " + config_.table.sql());
    target_.reset();
    mapping_.reset();
    go();
  });
}

void Writer::make_staging() {
  ask("creating the staging table", staging_sql(target_->layout, target_->numbered()),
      [this](const Reply&) {
        staging_ready_ = true;
        go();
      });
}

// Once for each name.
void Writer::tell_unknown_fields() {
  if (config_.mapping.reject_unknown || told_unknown_.size() >= kMostUnknownTold) return;
  for (const std::string& name : unknown_fields(*mapping_, *delivery_)) {
    if (told_unknown_.size() >= kMostUnknownTold || !told_unknown_.insert(name).second) continue;
    const Column* column = target_->layout.find(name);
    std::string what = column != nullptr && column->generated ? " is a generated column of table "
                       : config_.mapping.create               ? " cannot become a column of table "
                                                              : " has no column of table ";
    std::string why(impossible_column(name));
    log::warn(config_.job.pipeline, "postgres: field " + excerpt(name) + what +
                                        config_.table.sql() +
                                        (why.empty() ? "" : " (" + why + ")") + ": it is left out");
  }
}

// --- positions ----------------------------------------------------------------------------------

void Writer::find_positions() {
  std::string sql = Positions::exists_sql() + "; " + std::string(kNoticeOurEnd);
  ask("leat_positions", sql, [this](const Reply& reply) {
    positions_table_ready_ = is_true(reply);
    if (positions_table_ready_) return take_positions();
    create("creating the table leat_positions", Positions::create_sql(), [this] {
      positions_table_ready_ = true;
      take_positions();
    });
  });
}

void Writer::take_positions() {
  ask("leat_positions", positions_.owner_sql(), [this](const Reply& owner) {
    if (!positions_.found(owner.rows)) return end(moved_by_somebody());
    ask("leat_positions", positions_.take_sql(), [this](const Reply& reply) {
      if (Status status = positions_.taken(reply.rows); !status)
        return end(Answer::retry(shown_ + ": " + status.error().message()));
      go();
    });
  });
}

void Writer::end(Answer answer) {
  later_.stop();
  rows_.reset();
  insert_ = {};
  Goal goal = std::exchange(goal_, Goal::kNone);
  bool good = answer.outcome == Outcome::kDelivered;
  ErrorKind kind = answer.outcome == Outcome::kRetry ? ErrorKind::kUnavailable : ErrorKind::kFatal;
  if (goal == Goal::kDeliver) {
    auto done = std::exchange(delivered_, nullptr);
    return done(std::move(answer));
  }
  if (goal == Goal::kLoad) {
    auto done = std::exchange(loaded_, nullptr);
    if (!good) return done(fail(kind, std::move(answer.reason)));
    return done(positions_.all());
  }
  if (goal != Goal::kFinish) return;
  if (answer.outcome == Outcome::kRetry) {
    if (finish_delay_ == kFirstFinishDelay)
      log::warn(config_.job.pipeline, answer.reason +
                                          "; all is delivered, trying again until "
                                          "postSql is done, too");
    goal_ = Goal::kFinish;
    reconnected_ = false;
    later_.start(finish_delay_, [this] { go(); });
    finish_delay_ = std::min(finish_delay_ * 2, kLongestFinishDelay);
    return;
  }
  auto done = std::exchange(finished_, nullptr);
  if (!good) return done(fail(kind, std::move(answer.reason)));
  done({});
}

}  // namespace leat::postgres
