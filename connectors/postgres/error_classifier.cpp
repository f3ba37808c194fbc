#include "connectors/postgres/error_classifier.h"

#include <utility>

#include "base/log.h"
#include "protocols/postgres/sqlstate.h"

namespace leat::postgres {
namespace {

// Who raises what it likes, it may be for a row: all but what says that it will pass. Its class
// says nothing then about a missing right, or a login.
bool is_raised(std::string_view sqlstate, std::string_view routine) {
  Verdict verdict = verdict_on(sqlstate);
  return routine == "exec_stmt_raise" && !passes_by_itself(sqlstate) &&
         (verdict == Verdict::kRetry || verdict == Verdict::kReconnect);
}

// When so many records in a row are refused for what need not be their fault, it is not: a trigger
// is broken, say.
constexpr int kMostSuspects = 20;

// The server stops at the first.
Answer rejected(const Refusal& refusal, const Attempt& attempt) {
  std::vector<uint32_t> bad;
  if (auto index = attempt.record_named(refusal)) bad.push_back(*index);
  Answer answer = Answer::rejected({refusal.error.message(), "sqlstate-" + refusal.error.sqlstate},
                                   std::move(bad));
  answer.only_the_first = true;
  return answer;
}

}  // namespace

void ErrorClassifier::judge(const Refusal& refusal, const Attempt* attempt, StepEnd end) {
  const ServerError& error = refusal.error;
  if (error.text.find(kLayoutChanged) != std::string::npos)
    return look_again(refusal, attempt, std::move(end));
  Verdict verdict = verdict_on(error.sqlstate);
  // What is wrong in the user's own SQL, or in our tables, is not wrong in the records.
  bool about_records = attempt != nullptr && attempt->rows().begun() && !error.fatal;
  if (!about_records) {
    // The first statement of a COPY already meets a table that has changed.
    if (verdict == Verdict::kDrift && attempt != nullptr)
      return look_again(refusal, attempt, std::move(end));
    return end(give_up(error, refusal.told()));
  }
  if (refuses_row(error.sqlstate, error.routine)) verdict = Verdict::kRejected;
  if (is_raised(error.sqlstate, error.routine)) verdict = Verdict::kUnclear;
  switch (verdict) {
    case Verdict::kRetry:
    case Verdict::kReconnect:
      return end(give_up(error, refusal.told()));
    case Verdict::kDrift:
      return look_again(refusal, attempt, std::move(end));
    case Verdict::kRejected:
      return confirm(refusal, *attempt, std::move(end));
    case Verdict::kFailed:
    case Verdict::kUnclear:
      return suspect(refusal, *attempt, std::move(end));
  }
}

void ErrorClassifier::judge_conversion_errors(const Attempt& attempt, StepEnd end) {
  if (looked_again_) return end(attempt.bad_records());
  table_.compare([this, &attempt, end](bool same) {
    if (same) return end(attempt.bad_records());
    looked_again_ = true;
    table_.forget();
    end({});
  });
}

Answer ErrorClassifier::give_up(const ServerError& error, std::string told) {
  switch (verdict_on(error.sqlstate)) {
    case Verdict::kReconnect:
      session_.close();
      [[fallthrough]];
    case Verdict::kRetry:
    case Verdict::kUnclear:
      return Answer::retry(std::move(told));
    default:
      return Answer::failed(std::move(told));
  }
}

void ErrorClassifier::suspect(const Refusal& refusal, const Attempt& attempt, StepEnd end) {
  const ServerError& error = refusal.error;
  bool named = attempt.record_named(refusal).has_value();
  const bool unknown = !named && !session_.connected();
  if (suspects_ >= kMostSuspects || unknown) return end(give_up(error, refusal.told()));
  if (!named) return try_without_records(refusal, attempt, std::move(end));
  ++suspects_;
  confirm(refusal, attempt, std::move(end));
}

void ErrorClassifier::try_without_records(const Refusal& refusal, const Attempt& attempt,
                                          StepEnd end) {
  session_.try_out(attempt.without_records(), [this, refusal, &attempt, end](const Reply& reply) {
    bool same = reply.error && reply.error->sqlstate == refusal.error.sqlstate;
    if (same) return end(give_up(refusal.error, refusal.told()));
    // An internal error that names no line may be anything, and pass: the engine finds out whether
    // it stays, and with which record.
    if (refusal.error.sqlstate.starts_with("XX")) return end(Answer::cut_off(refusal.told()));
    if (attempt.rows().delivery().records == 1) ++suspects_;
    end(rejected(refusal, attempt));
  });
}

void ErrorClassifier::confirm(const Refusal& refusal, const Attempt& attempt, StepEnd end) {
  if (looked_again_ || !session_.connected()) return end(rejected(refusal, attempt));
  table_.compare([this, refusal, &attempt, end](bool same) {
    if (same) return end(rejected(refusal, attempt));
    look_again(refusal, &attempt, end);
  });
}

// The table is not what we believed. The next attempt, at once, is made for what it is now; when
// that meets the same error, it is not the table.
void ErrorClassifier::look_again(const Refusal& refusal, const Attempt* attempt, StepEnd end) {
  if (std::exchange(looked_again_, true)) {
    if (attempt == nullptr || !attempt->rows().begun()) return end(Answer::failed(refusal.told()));
    if (refusal.error.sqlstate.starts_with("22")) return end(rejected(refusal, *attempt));
    return suspect(refusal, *attempt, std::move(end));
  }
  log::info(pipeline_, shown_ + ": the table " + table_.target().table + " may have changed (" +
                           refusal.error.message() + "): looking at it again");
  table_.forget();
  end({});
}

}  // namespace leat::postgres
