// An answer as a server sends it, and what the client makes of it, in words.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "protocols/http/response.h"

namespace leat::http {

// "…" in an input stands where the connection ends.
inline constexpr std::string_view kEnd = "…";

// "200 body" and what is kept of the head; with " close" when no other request may follow on the
// connection, " more" when it is not complete, or the error. `step`: bytes fed at once.
inline std::string outcome_of(std::string_view input, size_t step) {
  const bool ends = input.ends_with(kEnd);
  if (ends) input.remove_suffix(kEnd.size());
  ResponseParser parser;
  bool complete = false;
  for (size_t at = 0; at < input.size() && !complete; at += step) {
    std::string_view piece = input.substr(at, step);
    // Alone in memory, so that a read beyond it is seen.
    std::vector<char> bytes(piece.begin(), piece.end());
    Result<bool> fed = parser.feed(bytes);
    if (!fed) return fed.error().message();
    complete = *fed;
    // What comes behind it in another read is the connection's business (Client).
    if (complete && step == 1 && at + 1 < input.size()) break;
  }
  if (!complete && ends) complete = parser.end();
  if (!complete) return "more";
  const Response& response = parser.response();
  std::string out = std::to_string(response.status);
  if (!response.reason.empty()) out += " '" + response.reason + "'";
  if (!response.body_start.empty()) out += " " + response.body_start;
  for (const std::string& value : {response.retry_after, response.date, response.location})
    if (!value.empty()) out += " [" + value + "]";
  return out + (parser.keep_alive() ? "" : " close");
}

}  // namespace leat::http
