// RFC 9110 (HTTP Semantics), statement by statement, as far as a client meets it in answers. What
// an answer means for a delivery is asked in connector_http/answer_test.cpp.
#include <gtest/gtest.h>

#include <optional>

#include "protocol_http/response_script.h"
#include "protocols/http/retry_after.h"
#include "specification.h"

namespace leat::http {
namespace {

constexpr const char* kOfRequests = "asked in connector_http/request_test.cpp and url_test.cpp";
constexpr const char* kOfAnswers = "asked in connector_http/answer_test.cpp";

constexpr Statement kStatements[] = {
    {"2.5-1", "a minor version that is not known is read as the highest known", "RFC 9112, 2.3-2"},
    {"4-1", "http and https URLs", kOfRequests},
    {"5.3-1", "a field of one value that comes twice: both must not be made into one"},
    {"5.5-1", "a value does not begin or end with space"},
    {"5.6.2-1", "a token", kOfRequests},
    {"5.6.7-1", "a recipient MUST accept all three forms of a date"},
    {"5.6.7-2", "a year of two digits more than 50 years ahead is of the past century"},
    {"5.6.7-3", "a date is case-sensitive, and GMT"},
    {"5.6.7-4", "a minute may have a leap second"},
    {"6.5.1-1", "trailers are not merged into the head", "RFC 9112, 7.1.2-1"},
    {"6.6.1-1", "Date is when the answer was made: what it is about is held against that"},
    {"7.2-1", "Host", kOfRequests},
    {"7.8-1", "a server MUST NOT switch to a protocol that was not asked for"},
    {"7.8-2", "Upgrade in another answer than 101 only says what there is"},
    {"8.4-1", "Content-Encoding of an answer",
     "its body is not used, but for its start in messages"},
    {"8.6-1", "Content-Length", "RFC 9112, 6.3-5, -6"},
    {"9.2.2-1", "a client may repeat what is idempotent when the connection was lost",
     "asked in connector_http/sink_test.cpp; every request has an Idempotency-Key"},
    {"10.1.1-1", "Expect", "not sent"},
    {"10.2.2-1", "Location", kOfAnswers},
    {"10.2.3-1", "Retry-After is seconds or a date"},
    {"10.2.3-2", "the seconds count from when the answer came"},
    {"11-1", "authentication", kOfRequests},
    {"12-1", "content negotiation", "nothing is negotiated"},
    {"13-1", "conditional requests", "none is sent"},
    {"15-1", "the class of a status is its first digit", kOfAnswers},
    {"15-2", "an invalid status counts as a server's error"},
    {"15.2-1", "interim answers before the one that counts MUST be understood, asked for or not"},
    {"15.2-2", "an interim answer has no body, and what is in its head is not the answer's"},
};

struct Case {
  std::string_view statement;
  std::string_view input;
  std::string_view expected;
};

// As in rfc9112_test.cpp.
constexpr Case kCases[] = {
    {"5.3-1", "HTTP/1.1 503 Busy\r\nRetry-After: 1\r\nRetry-After: 2\r\nContent-Length: 0\r\n\r\n",
     "503 'Busy' [1]"},
    {"5.3-1",
     "HTTP/1.1 503 Busy\r\nDate: a\r\nRetry-After: 1\r\nX: y\r\nDate: b\r\nContent-Length: 0\r\n"
     "\r\n",
     "503 'Busy' [1] [a]"},
    {"5.5-1", "HTTP/1.1 503 Busy\r\nRetry-After: \t120 \t\r\nContent-Length: 0\r\n\r\n",
     "503 'Busy' [120]"},
    {"5.5-1", "HTTP/1.1 503 Busy\r\nRetry-After:  \r\nContent-Length: 0\r\n\r\n", "503 'Busy'"},
    {"7.8-1", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
     "the server switched to another protocol"},
    {"7.8-2",
     "HTTP/1.1 426 Upgrade Required\r\nUpgrade: HTTP/2\r\nConnection: upgrade\r\n"
     "Content-Length: 0\r\n\r\n",
     "426 'Upgrade Required'"},
    {"7.8-2", "HTTP/1.1 200 OK\r\nUpgrade: h2c\r\nContent-Length: 0\r\n\r\n", "200 'OK'"},
    {"15-2", "HTTP/1.1 099 Odd\r\nContent-Length: 0\r\n\r\n", "99 'Odd'"},
    {"15-2", "HTTP/1.1 000 Odd\r\nContent-Length: 0\r\n\r\n", "0 'Odd'"},
    {"15-2", "HTTP/1.1 600 Odd\r\nContent-Length: 0\r\n\r\n", "600 'Odd'"},
    {"15-2", "HTTP/1.1 999 Odd\r\nContent-Length: 2\r\n\r\nhi", "999 'Odd' hi"},
    {"15.2-1", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
     "200 'OK'"},
    {"15.2-1",
     "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 199 What\r\n\r\n"
     "HTTP/1.1 204 No Content\r\n\r\n",
     "204 'No Content'"},
    {"15.2-1", "HTTP/1.1 100 Continue\r\n\r\n", "more"},
    {"15.2-2",
     "HTTP/1.1 103 Early Hints\r\nRetry-After: 9\r\nLocation: /x\r\n\r\nHTTP/1.1 200 OK\r\n"
     "Content-Length: 0\r\n\r\n",
     "200 'OK'"},
    {"15.2-2",
     "HTTP/1.1 100 Continue\r\nTransfer-Encoding: chunked\r\n\r\nHTTP/1.1 200 OK\r\n"
     "Content-Length: 0\r\n\r\n",
     "200 'OK'"},
    {"15.2-2",
     "HTTP/1.1 100 Continue\r\nConnection: close\r\n\r\nHTTP/1.1 200 OK\r\n"
     "Content-Length: 0\r\n\r\n",
     "200 'OK'"},
};

constexpr int64_t kNow = 784'111'777;  // Sun, 06 Nov 1994 08:49:37 GMT, of the RFC
constexpr int64_t k2026 = 1'770'000'000;

struct Date {
  std::string_view statement;
  std::string_view text;
  std::optional<int64_t> expected;
  int64_t now = kNow;
};

constexpr Date kDates[] = {
    {"5.6.7-1", "Sun, 06 Nov 1994 08:49:37 GMT", kNow},
    {"5.6.7-1", "Sunday, 06-Nov-94 08:49:37 GMT", kNow},
    {"5.6.7-1", "Sun Nov  6 08:49:37 1994", kNow},
    {"5.6.7-1", "Tue Feb 29 00:00:00 2000", 951'782'400},
    {"5.6.7-1", "Tue, 29 Feb 2000 00:00:00 GMT", 951'782'400},
    {"5.6.7-1", "Wed, 29 Feb 2023 00:00:00 GMT", std::nullopt},
    {"5.6.7-1", "Sun, 06 Nov 1994 24:00:00 GMT", std::nullopt},
    {"5.6.7-1", "Sun, 06 Nov 1994 08:60:00 GMT", std::nullopt},
    {"5.6.7-1", "Sun, 06 Nov 1994 08:49 GMT", std::nullopt},
    {"5.6.7-1", "1994-11-06T08:49:37Z", std::nullopt},
    {"5.6.7-1", "", std::nullopt},
    {"5.6.7-2", "Thursday, 01-Jan-70 00:00:00 GMT", 3'155'760'000, k2026},
    {"5.6.7-2", "Friday, 01-Jan-76 00:00:00 GMT", 3'345'062'400, k2026},
    {"5.6.7-2", "Saturday, 01-Jan-77 00:00:00 GMT", 220'924'800, k2026},
    {"5.6.7-2", "Friday, 01-Jan-99 00:00:00 GMT", 915'148'800, k2026},
    {"5.6.7-3", "Sun, 06 nov 1994 08:49:37 GMT", std::nullopt},
    {"5.6.7-3", "Sun, 06 Nov 1994 08:49:37 gmt", std::nullopt},
    {"5.6.7-3", "Sun, 06 Nov 1994 08:49:37 UTC", std::nullopt},
    {"5.6.7-3", "Sun, 06 Nov 1994 08:49:37 +0000", std::nullopt},
    {"5.6.7-4", "Sat, 31 Dec 2016 23:59:60 GMT", 1'483'228'800},
    {"5.6.7-4", "Sat, 31 Dec 2016 23:59:61 GMT", std::nullopt},
};

struct Wait {
  std::string_view statement;
  std::string_view retry_after;
  std::string_view date;
  int64_t seconds;
};

constexpr Wait kWaits[] = {
    {"6.6.1-1", "Thu, 01 Jan 2026 00:00:05 GMT", "Thu, 01 Jan 2026 00:00:00 GMT", 5},
    {"6.6.1-1", "Sun, 06 Nov 1994 08:49:47 GMT", "", 10},
    {"6.6.1-1", "Sun, 06 Nov 1994 08:49:47 GMT", "soon", 10},
    {"10.2.3-1", "120", "", 120},
    {"10.2.3-1", "0", "", 0},
    {"10.2.3-1", "Sun, 06 Nov 1994 08:49:07 GMT", "", 0},
    {"10.2.3-1", "-1", "", 0},
    {"10.2.3-1", "+1", "", 0},
    {"10.2.3-1", "1.5", "", 0},
    {"10.2.3-1", "1 2", "", 0},
    {"10.2.3-1", "1, 2", "", 0},
    {"10.2.3-1", "soon", "", 0},
    {"10.2.3-1", "", "", 0},
    {"10.2.3-1", "99999999999999999999", "", 3600},
    {"10.2.3-2", "7", "Thu, 01 Jan 2026 00:00:00 GMT", 7},
};

TEST(Rfc9110, has_no_gap) {
  expect_no_gap(kStatements, kCases, kDates, kWaits);
}

TEST(Rfc9110, is_held_by_answers) {
  for (const Case& c : kCases) {
    SCOPED_TRACE(std::string(c.statement) + ": " + std::string(c.input));
    EXPECT_EQ(outcome_of(c.input, c.input.size()), c.expected);
    EXPECT_EQ(outcome_of(c.input, 1), c.expected) << "byte by byte";
  }
}

TEST(Rfc9110, is_held_by_dates) {
  for (const Date& date : kDates)
    EXPECT_EQ(parse_http_date(date.text, date.now), date.expected)
        << date.statement << ": " << date.text;
}

TEST(Rfc9110, is_held_by_waits) {
  for (const Wait& wait : kWaits)
    EXPECT_EQ(parse_retry_after(wait.retry_after, wait.date, kNow),
              Milliseconds(wait.seconds * 1000))
        << wait.statement << ": " << wait.retry_after;
}

}  // namespace
}  // namespace leat::http
