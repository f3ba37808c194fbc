#include "connectors/postgres/attempt.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "connectors/postgres/table.h"

namespace leat::postgres {
namespace {

// READ COMMITTED: each statement sees what is committed when it begins, which layout_check_sql()
// and Positions rely on. COPY itself may take as long as the line needs: it is we who wait then.
constexpr std::string_view kBegin =
    "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL statement_timeout = 0;";
constexpr std::string_view kCommit = "COMMIT";

// What an exchange came to that was to end in a COMMIT.
Answer committed(const Reply& reply) {
  auto ends = std::count_if(reply.tags.begin(), reply.tags.end(), [](const std::string& tag) {
    return tag == "COMMIT" || tag == "ROLLBACK" || tag == "PREPARE TRANSACTION";
  });
  if (ends > 1) return Answer::failed("mergeSql must not end the transaction it runs in");
  if (reply.in_transaction || reply.tags.empty() || reply.tags.back() != kCommit)
    return Answer::retry("the server did not commit");
  return Answer::delivered();
}

}  // namespace

Attempt::Attempt(Session& session, const Target& target, FieldText& text, const Delivery& delivery,
                 Milliseconds timeout, const std::string& save_positions)
    : session_(session),
      target_(target),
      set_timeout_("SET LOCAL statement_timeout = " + std::to_string(timeout.count()) + ";"),
      // The positions come first: a transaction that is on its way must end before a row of this
      // one meets one of its.
      rows_(target, text, delivery, std::string(kBegin) + save_positions, set_timeout_,
            std::string(kCommit)) {}

std::optional<Answer> Attempt::impossible(bool proved) const {
  std::string table = "table " + target_.table;
  if (rows_.empty()) return all_rejected(rows_.delivery(), rows_.no_columns());
  const Column* missing = rows_.missing_column();
  if (missing == nullptr || proved) return {};
  return Answer::failed("column " + excerpt(missing->name) + " of " + table +
                        " is NOT NULL without a default, and no record has a field for it: give it "
                        "a default, or name its field in \"columns\"");
}

void Attempt::run(StepEnd end, std::function<void()> bad) {
  if (target_.config->mode == WriteMode::kInsert) return insert(std::move(end), std::move(bad));
  session_.copy(rows_.begin_copy(), rows_, [end](const Reply& reply) { end(committed(reply)); });
}

void Attempt::insert(StepEnd end, std::function<void()> bad) {
  if (!rows_.next_insert(insert_))  // a record is bad, and a transaction may be open
    return session_.ask("", "ROLLBACK", [bad](const Reply&) { bad(); });
  session_.ask("", insert_, [this, end, bad](const Reply& reply) {
    if (rows_.complete()) return end(committed(reply));
    insert(end, bad);
  });
}

std::optional<uint32_t> Attempt::record_named(const Refusal& refusal) const {
  uint64_t line = copy_line(refusal.error, target_.relation_in_errors());
  int64_t index = rows_.record_at(refusal.copies, line);
  if (index < 0) return {};
  return static_cast<uint32_t>(index);
}

std::string Attempt::without_records() const {
  return std::string(kBegin) + set_timeout_ + rows_.without_records() + "\n; ROLLBACK";
}

void Attempt::save_positions(Session& session, const std::string& sql, StepEnd end) {
  session.ask("leat_positions", std::string(kBegin) + sql + std::string(kCommit),
              [end](const Reply& reply) { end(committed(reply)); });
}

}  // namespace leat::postgres
