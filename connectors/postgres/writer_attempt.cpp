// One attempt at a delivery, and what the server's answer makes of it.
#include <algorithm>
#include <numeric>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "connectors/postgres/writer.h"
#include "protocols/postgres/sqlstate.h"

namespace leat::postgres {
namespace {

// READ COMMITTED: each statement sees what is committed when it begins, which layout_check_sql()
// and Positions rely on. COPY itself may take as long as the line needs: it is we who wait then.
constexpr std::string_view kBegin =
    "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL statement_timeout = 0;";
constexpr std::string_view kCommit = "COMMIT";

// When so many records in a row are refused for what need not be their fault, it is not: a trigger
// is broken, say.
constexpr int kMostSuspects = 20;

// The server stops at the first.
Answer rejected_by_server(std::string reason, std::vector<uint32_t> bad = {}) {
  Answer answer = Answer::rejected(std::move(reason), std::move(bad));
  answer.only_the_first = true;
  return answer;
}

}  // namespace

void Writer::write_positions_only() {
  if (delivery_->positions.empty()) return end(Answer::delivered());
  std::string sql = std::string(kBegin) + positions_.save_sql(*delivery_) + std::string(kCommit);
  ask("leat_positions", sql, [this](const Reply& reply) { written(reply); });
}

void Writer::write() {
  std::string timeout =
      "SET LOCAL statement_timeout = " + std::to_string(config_.timeout.count()) + ";";
  target_->after_copy = timeout;
  // The positions come first: a transaction that is on its way must end before a row of this one
  // meets one of its.
  rows_.emplace(*target_, text_, *delivery_, std::string(kBegin) + positions_.save_sql(*delivery_),
                std::string(kCommit));
  tell_unknown_fields();
  if (rows_->empty())
    return end(
        all_rejected("none of the record's fields has a column of table " + config_.table.sql()));
  // At the start this is a mistake in the configuration; later, of single records.
  if (const Column* missing = rows_->missing_column(); missing != nullptr && !proved_)
    return end(Answer::failed(
        shown_ + ": column " + excerpt(missing->name) + " of table " + config_.table.sql() +
        " is NOT NULL without a default, and no record has a field for it: give it a default, or "
        "name its field in \"columns\""));
  if (config_.mapping.mode == WriteMode::kInsert) return write_inserts();
  doing_ = "";
  connection_->run(
      rows_->begin_copy(),
      [this](Result<Reply> reply) {
        replied(std::move(reply), [this](const Reply& done) { written(done); });
      },
      &*rows_);
}

void Writer::write_inserts() {
  if (!rows_->next_insert(insert_)) {
    // A record is bad, and a transaction may be open.
    return ask("", "ROLLBACK", [this](const Reply&) {
      end(Answer::rejected(rows_->bad().reason, rows_->bad().indices));
    });
  }
  ask("", insert_, [this](const Reply& reply) {
    if (rows_->complete()) return written(reply);
    write_inserts();
  });
}

void Writer::written(const Reply& reply) {
  auto ends = std::count_if(reply.tags.begin(), reply.tags.end(), [](const std::string& tag) {
    return tag == "COMMIT" || tag == "ROLLBACK" || tag == "PREPARE TRANSACTION";
  });
  if (ends > 1)
    return end(Answer::failed(shown_ + ": mergeSql must not end the transaction it runs in"));
  if (reply.in_transaction || reply.tags.empty() || reply.tags.back() != kCommit)
    return end(Answer::retry(shown_ + ": the server did not commit"));
  positions_.saved();
  if (delivery_->records > 0) {
    proved_ = true;
    suspects_ = 0;
  }
  end(Answer::delivered());
}

Answer Writer::all_rejected(std::string reason) const {
  std::vector<uint32_t> all(delivery_->records);
  std::iota(all.begin(), all.end(), 0);
  return Answer::rejected(std::move(reason), std::move(all));
}

// The connection is gone, or never came to be.
void Writer::lost(const Error& error) {
  // A session that ended while it was idle is no failure: nothing of this delivery has begun.
  bool was_idle = session_used_ && !(rows_ && rows_->begun());
  connection_.reset();
  later_.stop();
  positions_.forget();
  rows_.reset();
  if (was_idle && !std::exchange(reconnected_, true)) return go();
  end(Answer::retry(error.message()));
}

void Writer::refused(const ServerError& error, bool in_transaction, size_t copies) {
  if (!in_transaction) return judge(error, copies);
  connection_->run("ROLLBACK", [this, error, copies](Result<Reply> reply) {
    if (!reply) connection_.reset();
    judge(error, copies);
  });
}

std::string Writer::told(const ServerError& error) const {
  std::string out = shown_ + ": " + (doing_.empty() ? "" : doing_ + ": ") + error.message();
  std::string_view advice = advice_on(error.sqlstate);
  if (!advice.empty()) out += ": " + std::string(advice);
  return out;
}

void Writer::judge(const ServerError& error, size_t copies) {
  if (rows_ && !rows_->bad().indices.empty())
    return end(Answer::rejected(rows_->bad().reason, rows_->bad().indices));
  if (error.text.find(Positions::kMoved) != std::string::npos) return position_moved();
  if (error.text.find(kLayoutChanged) != std::string::npos) return drifted(error, copies);
  Verdict verdict = verdict_on(error.sqlstate);
  // What is wrong in the user's own SQL, or in our tables, is not wrong in the records.
  bool about_records = rows_ && rows_->begun() && !error.fatal;
  if (!about_records) {
    // The first statement of a COPY already meets a table that has changed.
    if (verdict == Verdict::kDrift && rows_) return drifted(error, copies);
    return give_up(error);
  }
  // "Insufficient data left in message" is what the wrong type's receive function says; poolers use
  // the code for other things.
  if (error.sqlstate == "08P01" && !looked_again_) verdict = Verdict::kDrift;
  if (refuses_row(error.sqlstate, error.routine)) verdict = Verdict::kRejected;
  switch (verdict) {
    case Verdict::kRetry:
    case Verdict::kReconnect:
      return give_up(error);
    case Verdict::kDrift:
      return drifted(error, copies);
    case Verdict::kRejected:
      return confirm_table(error, copies);
    case Verdict::kFailed:
    case Verdict::kUnclear:
      return suspect(error, copies);
  }
}

void Writer::give_up(const ServerError& error) {
  switch (verdict_on(error.sqlstate)) {
    case Verdict::kReconnect:
      connection_.reset();
      positions_.forget();
      [[fallthrough]];
    case Verdict::kRetry:
    case Verdict::kUnclear:
      return end(Answer::retry(told(error)));
    default:
      return end(Answer::failed(told(error)));
  }
}

// Whose an error is cannot be read off its code alone: input functions, triggers and policies raise
// what they like. What names a line of the COPY is that record's; of the rest, what goes wrong
// without any record, too, is none's.
void Writer::suspect(const ServerError& error, size_t copies) {
  if (suspects_ >= kMostSuspects) return give_up(error);
  bool named = rows_->record_at(copies, copy_line(error, target_->relation_in_errors())) >= 0;
  // An internal error that names no line may be anything.
  if (!named && (!connection_ || error.sqlstate.starts_with("XX"))) return give_up(error);
  if (!named) return try_without_records(error);
  ++suspects_;
  confirm_table(error, copies);
}

void Writer::try_without_records(const ServerError& error) {
  std::string sql =
      std::string(kBegin) + target_->after_copy + rows_->without_records() + "\n; ROLLBACK";
  connection_->query(sql, [this, error](Result<Reply> reply) {
    if (!reply) return lost(reply.error());
    bool same = reply->error && reply->error->sqlstate == error.sqlstate;
    auto told_whose = [this, error, same](Result<Reply> ended) {
      if (!ended) return lost(ended.error());
      if (same) return give_up(error);
      if (delivery_->records == 1) ++suspects_;
      end(rejected_by_server(error.message()));
    };
    if (!reply->in_transaction) return told_whose(std::move(reply));
    connection_->query("ROLLBACK", std::move(told_whose));
  });
}

// Bytes made for another type than the column has by now can look like any kind of bad data.
void Writer::confirm_table(const ServerError& error, size_t copies) {
  if (looked_again_ || !connection_) return judge_rejected(error, copies);
  ask("looking at the table", layout_sql(config_.table), [this, error, copies](const Reply& reply) {
    Result<std::optional<Layout>> now = read_layout(reply.rows);
    if (now && *now && (*now)->same_columns(target_->layout)) return judge_rejected(error, copies);
    drifted(error, copies);
  });
}

void Writer::judge_rejected(const ServerError& error, size_t copies) {
  const std::string relation = target_->relation_in_errors();
  int64_t index = rows_->record_at(copies, copy_line(error, relation));
  std::vector<uint32_t> bad;
  if (index >= 0) bad.push_back(static_cast<uint32_t>(index));
  end(rejected_by_server(error.message(), std::move(bad)));
}

// The table is not what we believed. The next attempt, at once, is made for what it is now; when
// that meets the same error, it is not the table.
void Writer::drifted(const ServerError& error, size_t copies) {
  if (std::exchange(looked_again_, true)) {
    if (!rows_ || !rows_->begun()) return end(Answer::failed(told(error)));
    if (error.sqlstate.starts_with("22")) return judge_rejected(error, copies);
    return suspect(error, copies);
  }
  log::info(config_.job.pipeline, shown_ + ": the table " + config_.table.sql() +
                                      " may have changed (" + error.message() +
                                      "): looking at it again");
  rows_.reset();
  mapping_.reset();
  target_.reset();
  staging_ready_ = false;
  positions_table_ready_ = false;
  go();
}

// The positions are in other hands by now. go() looks in whose.
void Writer::position_moved() {
  positions_.forget();
  rows_.reset();
  if (std::exchange(fenced_, true))
    return end(Answer::retry(shown_ + ": the position in leat_positions does not hold still"));
  go();
}

Answer Writer::moved_by_somebody() const {
  return Answer::failed(shown_ +
                        ": the positions in leat_positions were changed by somebody else: does "
                        "another agent run with the id \"" +
                        excerpt(config_.job.agent) + "\" and the pipeline \"" +
                        excerpt(config_.job.pipeline) + "\"?");
}

}  // namespace leat::postgres
