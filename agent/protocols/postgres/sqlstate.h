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
};

// What heals by itself or by a person on the server's side is never kFailed, and data is never
// rejected for it. A code that nobody knows is kRetry: that loses nothing.
Verdict verdict_on(std::string_view sqlstate);

// A CREATE or ALTER TABLE made from records was refused for what is in them: their fields' names,
// or how many there are.
bool blames_definition(std::string_view sqlstate);

// What a person should look at, "" when the server's own words say it all.
std::string_view advice_on(std::string_view sqlstate);

}  // namespace leat::postgres
