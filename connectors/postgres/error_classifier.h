// Whose an error is: a record's, the table's, or nobody's who is here.
//
// It cannot be read off the SQLSTATE alone: input functions, triggers and policies raise what they
// like. What names a line of the COPY is that record's; of the rest, what goes wrong without any
// record, too, is none's. And bytes that were made for another type than a column has by now can
// look like any kind of bad data, so that the table is looked at before a record is blamed.
#pragma once

#include <string>

#include "connectors/postgres/attempt.h"
#include "connectors/postgres/session.h"
#include "connectors/postgres/step.h"
#include "connectors/postgres/table.h"

namespace leat::postgres {

class ErrorClassifier {
 public:
  // All outlive this; `shown`, the server's name, and `pipeline` are for the log.
  ErrorClassifier(Session& session, Table& table, const std::string& shown,
                  const std::string& pipeline)
      : session_(session), table_(table), shown_(shown), pipeline_(pipeline) {}

  void begin_delivery() { looked_again_ = false; }
  // Records were stored: nothing is wrong with the table.
  void stored() { suspects_ = 0; }

  // Of what the server refused. `attempt` is null when no record was on its way. Ends with nullopt
  // when the table is to be looked at again; it is forgotten then.
  void judge(const Refusal& refusal, const Attempt* attempt, StepEnd end);
  // Of records that do not fit the table, as it was when it was looked at.
  void judge_conversion_errors(const Attempt& attempt, StepEnd end);

 private:
  Answer give_up(const ServerError& error, std::string told);
  void suspect(const Refusal& refusal, const Attempt& attempt, StepEnd end);
  void try_without_records(const Refusal& refusal, const Attempt& attempt, StepEnd end);
  void confirm(const Refusal& refusal, const Attempt& attempt, StepEnd end);
  void look_again(const Refusal& refusal, const Attempt* attempt, StepEnd end);

  Session& session_;
  Table& table_;
  const std::string& shown_;
  const std::string& pipeline_;
  bool looked_again_ = false;
  int suspects_ = 0;  // records in a row, rejected for what may be the table's or the SQL's fault
};

}  // namespace leat::postgres
