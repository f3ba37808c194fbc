#include "connectors/postgres/table_writer.h"

#include <utility>

#include "base/log.h"

namespace leat::postgres {
namespace {

// Longer than records wait for others (batch.linger), so that who has work keeps its session. A new
// one costs some milliseconds.
constexpr Milliseconds kRest{1'000};

}  // namespace

TableWriter::TableWriter(TableWriterConfig config)
    : config_(std::move(config)),
      shown_(config_.session.url.shown()),
      session_(config_.session, *this),
      job_(config_.job, session_),
      positions_(config_.job.agent, config_.job.pipeline, config_.lane, config_.fence, session_),
      table_(config_.table, session_, shown_, config_.job.pipeline),
      classifier_(session_, table_, shown_, config_.job.pipeline),
      finish_(*config_.session.loop, config_.job.pipeline),
      later_(*config_.session.loop) {}

TableWriter::~TableWriter() = default;

void TableWriter::deliver(const Delivery& delivery, std::function<void(Answer)> done) {
  delivery_ = &delivery;
  delivered_ = std::move(done);
  start(Goal::kDeliver);
}

void TableWriter::load_positions(std::function<void(Result<std::vector<SavedPosition>>)> done) {
  loaded_ = std::move(done);
  positions_.positions().begin_anew();
  start(Goal::kLoad);
}

void TableWriter::finish(bool all, std::function<void(Status)> done) {
  if (!config_.job.any()) return done({});
  empty_is_a_job_ = all;
  finish_.start(
      [this](table::JobFinish::Done end) {
        finished_ = std::move(end);
        start(Goal::kFinish);
      },
      std::move(done));
}

void TableWriter::start(Goal goal) {
  goal_ = goal;
  reconnected_ = fenced_ = false;
  table_.begin_delivery();
  classifier_.begin_delivery();
  attempt_.reset();
  // Not from inside the caller's call.
  later_.start_next_turn([this] { go(); });
}

void TableWriter::go() {
  if (!session_.ready()) return session_.make_ready([this] { go(); });
  switch (goal_) {
    case Goal::kNone:
      return;
    case Goal::kDeliver:
      return go_deliver();
    case Goal::kLoad:
      if (!positions_.ready()) return positions_.make_ready(step_end());
      if (positions_.positions().moved())
        return end(Answer::retry(shown_ + ": another session was faster"));
      return end(Answer::delivered());
    case Goal::kFinish:
      return job_.finish(empty_is_a_job_, step_end());
  }
}

void TableWriter::go_deliver() {
  Positions& positions = positions_.positions();
  if (!delivery_->positions.empty()) {
    if (!positions_.ready()) return positions_.make_ready(step_end());
    if (positions.moved()) return step_end()(positions_.moved_by_somebody());
    if (positions.was_stored(*delivery_)) return end(Answer::delivered());
    if (delivery_->records == 0)
      return Attempt::save_positions(session_, positions.save_sql(*delivery_), stored());
  }
  if (delivery_->records == 0) return end(Answer::delivered());
  if (!job_.begun()) {
    table_.forget();  // preSql may do anything to it
    return job_.begin(step_end());
  }
  if (config_.table.mapping.create) open_rows(*delivery_);  // columns are made from values
  if (!table_.ready_for(*delivery_)) return table_.prepare(*delivery_, step_end());
  write();
}

void TableWriter::write() {
  attempt_.emplace(session_, table_.target(), text_, *delivery_, config_.session.timeout,
                   positions_.positions().save_sql(*delivery_));
  table_.tell_unknown_fields(*delivery_);
  if (auto answer = attempt_->impossible(proved_)) return step_end()(std::move(answer));
  attempt_->run(stored(), [this] { widen_or_judge(); });
}

// Records that do not fit the table, of which nothing is stored.
void TableWriter::widen_or_judge() {
  auto judge = [this] { classifier_.judge_conversion_errors(*attempt_, step_end()); };
  if (!table_.can_widen(*delivery_, text_)) return judge();
  table_.widen(step_end(), judge);
}

// --- how steps end ------------------------------------------------------------------------------

StepEnd TableWriter::step_end() {
  return [this](std::optional<Answer> answer) {
    if (!answer) {
      attempt_.reset();
      return go();
    }
    if (answer->outcome == Outcome::kRetry || answer->outcome == Outcome::kFailed)
      answer->reason = shown_ + ": " + answer->reason;
    end(std::move(*answer));
  };
}

StepEnd TableWriter::stored() {
  return [this](std::optional<Answer> answer) {
    if (answer->outcome == Outcome::kDelivered) {
      positions_.positions().saved();
      if (delivery_->records > 0) {
        proved_ = true;
        classifier_.stored();
      }
    }
    step_end()(std::move(answer));
  };
}

// A session that ended while it was idle is no failure: nothing of this delivery has begun.
void TableWriter::lost(const Error& error, bool cut) {
  bool in_the_middle = attempt_ && attempt_->rows().begun();
  bool was_idle = session_.used() && !in_the_middle;
  positions_.positions().forget();
  attempt_.reset();
  if (was_idle && !std::exchange(reconnected_, true)) return go();
  const bool well_otherwise = cut && in_the_middle && goal_ == Goal::kDeliver;
  end(well_otherwise ? Answer::cut_off(error.message()) : Answer::retry(error.message()));
}

void TableWriter::refused(const Refusal& refusal) {
  if (attempt_ && attempt_->found_bad_records())  // and so the COPY was given up
    return widen_or_judge();
  if (refusal.error.text.find(Positions::kMoved) != std::string::npos) return position_moved();
  // Decoded, the same records tell which of them is to blame.
  if (attempt_ && attempt_->rows().pass() && session_.connected() && !refusal.error.fatal) {
    open_rows(*delivery_);
    return step_end()({});
  }
  classifier_.judge(refusal, attempt_ ? &*attempt_ : nullptr, [this](std::optional<Answer> answer) {
    if (!answer) positions_.look_again();
    step_end()(std::move(answer));
  });
}

// The positions are in other hands by now. go() looks in whose.
void TableWriter::position_moved() {
  positions_.positions().forget();
  if (std::exchange(fenced_, true))
    return end(Answer::retry(shown_ + ": the position in leat_positions does not hold still"));
  step_end()({});
}

void TableWriter::end(Answer answer) {
  later_.stop();
  if (config_.lane.run != 0) later_.start(kRest, [this] { give_back(); });
  attempt_.reset();
  Goal goal = std::exchange(goal_, Goal::kNone);
  if (goal == Goal::kDeliver) {
    auto done = std::exchange(delivered_, nullptr);
    return done(std::move(answer));
  }
  if (goal == Goal::kNone) return;
  const bool done = answer.outcome == Outcome::kDelivered;
  const bool may_pass = answer.outcome == Outcome::kRetry;
  const Error error(may_pass ? ErrorKind::kUnavailable : ErrorKind::kFatal,
                    std::move(answer.reason));
  if (goal == Goal::kFinish) {
    auto finished = std::exchange(finished_, nullptr);
    return finished(done ? Status{} : fail(error));
  }
  auto loaded = std::exchange(loaded_, nullptr);
  if (done) return loaded(positions_.positions().all());
  loaded(fail(error));
}

void TableWriter::give_back() {
  positions_.positions().forget();
  session_.close();
}

}  // namespace leat::postgres
