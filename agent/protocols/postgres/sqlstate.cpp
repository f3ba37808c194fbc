#include "protocols/postgres/sqlstate.h"

#include <algorithm>
#include <iterator>

namespace leat::postgres {
namespace {

struct Rule {
  std::string_view start;  // of the code: a class (two characters) or a whole code
  Verdict verdict;
};

// Whole codes stand before their class.
constexpr Rule kRules[] = {
    {"08", Verdict::kReconnect},     // connection exceptions
    {"25006", Verdict::kReconnect},  // read-only: after a failover the primary is elsewhere
    {"25P03", Verdict::kReconnect},  // idle_in_transaction_session_timeout
    {"25P04", Verdict::kReconnect},  // transaction_timeout
    {"25001", Verdict::kFailed},     // a statement that must not run in a transaction
    {"25", Verdict::kReconnect},    {"57014", Verdict::kRetry},  // cancelled, or statement_timeout
    {"57", Verdict::kReconnect},  // shutting down, starting up, crashed
    {"53", Verdict::kRetry},      // disk full, out of memory, too many connections
    {"40", Verdict::kRetry},      // serialization failure, deadlock
    {"55P03", Verdict::kRetry},   // lock_timeout
    {"55006", Verdict::kRetry},   // object in use
    {"55", Verdict::kFailed},  // object not in the state needed: a sequence that cannot be used, …
    {"58", Verdict::kRetry},   // I/O errors of the server
    {"XX000", Verdict::kUnclear},  // internal errors; and whatever an extension does not like
    {"XX", Verdict::kRetry},       // damaged data
    {"72", Verdict::kRetry},       // snapshot too old
    {"HV", Verdict::kRetry},       // a foreign table's server is away
    {"28", Verdict::kReconnect},   // wrong password, no pg_hba.conf entry: passwords get renewed
    {"3D", Verdict::kReconnect},   // no such database: it may be under restoration
    {"42501", Verdict::kRetry},    // a GRANT is missing
    {"22P04", Verdict::kDrift},    // COPY data with another number of columns
    {"42703", Verdict::kDrift},    // no such column
    {"42P01", Verdict::kDrift},    // no such table
    {"42804", Verdict::kDrift},    // type mismatch
    {"42P10", Verdict::kDrift},    // no unique index fits ON CONFLICT
    {"428C9", Verdict::kDrift},    // the column has become a generated one
    {"42809", Verdict::kDrift},    // a view where a table was
    {"3F000", Verdict::kDrift},    // no such schema
    {"0A000", Verdict::kDrift},    // not supported for this kind of table
    {"42", Verdict::kFailed},      // syntax error, …: in preSql, mergeSql, postSql
    {"22", Verdict::kRejected},    // data exceptions
    {"23", Verdict::kRejected},    // constraints
    {"21", Verdict::kRejected},    // a row hit twice by ON CONFLICT
    {"44", Verdict::kRejected},    // WITH CHECK OPTION of a view
    {"54", Verdict::kRejected},    // too big for an index row, …
    {"P0", Verdict::kRejected},    // RAISE in a trigger
    {"20", Verdict::kRejected},    // CASE not found in a trigger
    {"27", Verdict::kRejected},    // triggered data change violation
    {"09", Verdict::kRejected},    // triggered action exception
    {"2F", Verdict::kRejected},    // exceptions in functions
    {"38", Verdict::kRejected},     {"39", Verdict::kRejected},
    {"0", Verdict::kFailed},        {"2D", Verdict::kFailed},  // COMMIT where there must be none
    {"34", Verdict::kFailed},       {"3", Verdict::kFailed},
};

struct Advice {
  std::string_view start;
  std::string_view text;
};

constexpr Advice kAdvice[] = {
    {"28P01", "check the user and the password in \"url\""},
    {"28", "check the user in \"url\", its rights to log in, and the server's pg_hba.conf"},
    {"3D000", "check the database in \"url\""},
    {"42501", "the user in \"url\" lacks a right"},
    {"25006", "the server is a standby, or read-only"},
    {"53100", "the server's disk is full"},
    {"53300", "the server has too many connections"},
    {"55P03", "another session holds a lock on the table for longer than \"timeout\""},
    {"57014", "it was cancelled, or took longer than \"timeout\""},
};

}  // namespace

Verdict verdict_on(std::string_view sqlstate) {
  for (const Rule& rule : kRules)
    if (sqlstate.starts_with(rule.start)) return rule.verdict;
  return Verdict::kUnclear;
}

bool refuses_row(std::string_view sqlstate, std::string_view routine) {
  return sqlstate == "42501" && (routine == "ExecWithCheckOptions" || routine == "exec_stmt_raise");
}

bool passes_by_itself(std::string_view sqlstate) {
  static constexpr std::string_view kCodes[] = {"08", "40", "53", "55006", "55P03", "57", "58"};
  return std::any_of(std::begin(kCodes), std::end(kCodes),
                     [sqlstate](std::string_view start) { return sqlstate.starts_with(start); });
}

bool blames_definition(std::string_view sqlstate) {
  static constexpr std::string_view kCodes[] = {
      "54",     // more than 1,600 columns (54011), …
      "22",     // a name that the database's encoding cannot hold
      "42701",  // a system column has that name
      "42602",  // invalid name
      "42611",  // invalid definition of a column
      "42622",  // name too long
      "42P16",  // invalid definition of a table
  };
  return std::any_of(std::begin(kCodes), std::end(kCodes),
                     [sqlstate](std::string_view start) { return sqlstate.starts_with(start); });
}

std::string_view advice_on(std::string_view sqlstate) {
  for (const Advice& advice : kAdvice)
    if (sqlstate.starts_with(advice.start)) return advice.text;
  return "";
}

}  // namespace leat::postgres
