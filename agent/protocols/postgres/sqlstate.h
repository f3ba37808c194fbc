// What an error of the server means for a delivery
// (https://www.postgresql.org/docs/current/errcodes-appendix.html).
#pragma once

#include <string_view>

namespace leat::postgres {

enum class Verdict {
  kRetry,      // it may pass by itself, or by somebody's work on the server
  kReconnect,  // the same, and this connection is of no use for it
  kRejected,   // something in the data is bad
  kDrift,      // the table is not as we believe: look again; if it is, it is kFailed or kRejected
  kFailed,     // a person must change the configuration
  kUnclear,    // a code that nobody knows, as triggers and policies may raise; else kRetry
};

// What heals by itself or by a person on the server's side is never kFailed, and data is never
// rejected for it.
Verdict verdict_on(std::string_view sqlstate);
// 42501 says that a right is missing, which a person will grant; or that a policy or a trigger does
// not want this row. The server's source tells them apart.
bool refuses_row(std::string_view sqlstate, std::string_view routine);
// Connections, transactions that met another, resources, locks, shutdowns: whoever raises one of
// these says that it may work later.
bool passes_by_itself(std::string_view sqlstate);

// A CREATE or ALTER TABLE made from records was refused for what is in them: their fields' names,
// or how many there are.
bool blames_definition(std::string_view sqlstate);

// What a person should look at, "" when the server's own words say it all.
std::string_view advice_on(std::string_view sqlstate);

}  // namespace leat::postgres
