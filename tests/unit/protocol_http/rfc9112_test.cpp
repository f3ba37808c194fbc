// RFC 9112 (HTTP/1.1), statement by statement, as far as a client meets it in answers; what goes
// into a request is asked in connector_http/request_test.cpp. The reading is http_parser's; what it
// leaves open, and what leat adds, is asked here all the same.
#include <gtest/gtest.h>

#include "protocol_http/response_script.h"
#include "specification.h"

namespace leat::http {
namespace {

using namespace std::string_literals;

constexpr const char* kOfServer = "of requests: asked in rfc9112_server_test.cpp";

constexpr Statement kStatements[] = {
    {"2.1-1", "a message is a start-line, fields, an empty line, a body"},
    {"2.2-1", "a recipient MAY take a single LF for a line's end"},
    {"2.2-2", "a bare CR within an element makes it invalid, or is replaced by a blank"},
    {"2.2-3", "a server ignores an empty line before a request", kOfServer},
    {"2.2-4", "space between the start-line and the first field: rejected, or skipped"},
    {"2.2-5", "what is not HTTP gets a 400, and the connection is closed"},
    {"2.3-1", "HTTP-version is \"HTTP/\" digit \".\" digit, in capitals"},
    {"2.3-2", "a version with the same major number is read as the highest minor one known"},
    {"3-1", "request-line, request-target, Host", "asked in connector_http/request_test.cpp"},
    {"4-1",
     "a status-line is version, blank, three digits, blank, reason; the reason may be empty"},
    {"4-2", "a client SHOULD ignore the reason"},
    {"5-1", "a field is a name, a colon, a value, without the blanks around the value"},
    {"5.1-1", "no blank stands between a name and its colon"},
    {"5.2-1", "a user agent MUST replace each obs-fold by blanks"},
    {"6-1", "a body is there when Transfer-Encoding or Content-Length says so, or by default"},
    {"6.1-1", "chunked is the last coding; a name of a coding is in either case"},
    {"6.1-2", "a client does not have to understand a coding that it did not ask for"},
    {"6.1-3", "Transfer-Encoding in HTTP/1.0: the framing is faulty, the connection is closed"},
    {"6.3-1", "no body for 1xx, 204 and 304, whatever the fields say"},
    {"6.3-2", "no body for a 2xx answer to CONNECT, nor for one to HEAD", "leat sends neither"},
    {"6.3-3", "both Transfer-Encoding and Content-Length ought to be taken for an error"},
    {"6.3-4a", "the last coding is chunked: its end is the body's"},
    {"6.3-4b", "another one is last: the end of the connection is the body's"},
    {"6.3-5",
     "an invalid or contradictory Content-Length: the answer is discarded, the connection "
     "closed"},
    {"6.3-6", "a valid Content-Length is the body's length; ended before, it is incomplete"},
    {"6.3-7", "a request without either has no body", kOfServer},
    {"6.3-8", "an answer without either ends with the connection"},
    {"7.1-1", "a chunk is a size in hexadecimal, a line end, the bytes, a line end; 0 is the last"},
    {"7.1-2", "sizes may be large: no overflow"},
    {"7.1.1-1", "a chunk extension that is not known MUST be ignored"},
    {"7.1.2-1", "trailers MUST NOT be merged into the head, and MAY be discarded"},
    {"7.2-1", "compress, deflate, gzip as transfer codings", "not asked for: there is no TE"},
    {"7.4-1", "TE", "not sent"},
    {"8-1", "an answer that is cut off is incomplete: not enough bytes, no last chunk"},
    {"8-2", "an answer whose head is not complete is none"},
    {"9.2-1", "bytes that nobody asked for are no answer: the connection is closed"},
    {"9.3-1", "HTTP/1.1 persists, but for \"close\""},
    {"9.3-2", "HTTP/1.0 persists with \"keep-alive\" only"},
    {"9.3-3", "each message must have a length of its own to persist"},
    {"9.3.2-1", "pipelining", "one request at a time on a connection"},
    {"9.6-1", "\"close\" is in either case, and may stand in a list"},
    {"9.7-1", "TLS", "asked in net/tls_test.cpp"},
    {"9.8-1", "TLS that ends without an alert",
     "the status has come by then; the body is not used"},
    {"L-1", "limits: a head of 16 KiB, with all interim answers before it"},
    {"L-2", "limits: 1 MiB of body; the status has said it all"},
};

struct Case {
  std::string_view statement;
  std::string input;
  std::string expected;
};

std::string many(std::string_view what, size_t times) {
  std::string out;
  for (size_t i = 0; i < times; ++i) out += what;
  return out;
}

const std::string kChunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

const Case kCases[] = {
    {"2.1-1", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", "200 'OK' hi"},
    {"2.1-1", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "200 'OK'"},
    {"2.2-1", "HTTP/1.1 200 OK\nContent-Length: 2\n\nhi", "200 'OK' hi"},
    // Taken for the end of the line: it is never complete, and tried again.
    {"2.2-2", "HTTP/1.1 200 OK\r\nRetry-After: 1\r2\r\nContent-Length: 0\r\n\r\n",
     "the answer is not HTTP: LF character expected"},
    {"2.2-2", "HTTP/1.1 200 O\rK\r\nContent-Length: 0\r\n\r\n", "more"},
    // Skipped: a name with a blank is none that is known.
    {"2.2-4", "HTTP/1.1 200 OK\r\n Retry-After: 9\r\nContent-Length: 0\r\n\r\n", "200 'OK'"},
    {"2.2-5", "SSH-2.0-OpenSSH_9.2\r\n", "the answer is not HTTP: invalid constant string"},
    {"2.2-5", "220 mail.example ESMTP\r\n", "the answer is not HTTP: invalid constant string"},
    {"2.2-5", "\x15\x03\x01\x00\x02\x02\x46"s, "the answer is not HTTP: invalid constant string"},
    {"2.2-5", "<html><body>hello</body></html>", "the answer is not HTTP: invalid constant string"},
    {"2.3-1", "http/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
     "the answer is not HTTP: invalid constant string"},
    {"2.3-1", "HTTP/11 200 OK\r\nContent-Length: 0\r\n\r\n",
     "the answer is not HTTP: invalid HTTP version"},
    {"2.3-1", "HTTP/1.x 200 OK\r\nContent-Length: 0\r\n\r\n",
     "the answer is not HTTP: invalid HTTP version"},
    {"2.3-2", "HTTP/1.2 200 OK\r\nContent-Length: 0\r\n\r\n", "200 'OK'"},
    {"2.3-2", "HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n",
     "the answer is of HTTP/2, not of HTTP/1"},
    {"2.3-2", "HTTP/0.9 200 OK\r\nContent-Length: 0\r\n\r\n",
     "the answer is of HTTP/0, not of HTTP/1"},
    {"4-1", "HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", "200"},
    {"4-1", "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", "200"},
    {"4-1", "HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n",
     "the answer is not HTTP: invalid HTTP status code"},
    {"4-1", "HTTP/1.1 abc OK\r\nContent-Length: 0\r\n\r\n",
     "the answer is not HTTP: invalid HTTP status code"},
    {"4-1", "HTTP/1.1  200 OK\r\nContent-Length: 0\r\n\r\n", "200 'OK'"},
    {"4-2", "HTTP/1.1 200 Not at all\r\nContent-Length: 0\r\n\r\n", "200 'Not at all'"},
    {"4-2",
     "HTTP/1.1 503 Betrieb \xFC"
     "berlastet\r\nContent-Length: 0\r\n\r\n",
     "503 'Betrieb \xFC"
     "berlastet'"},
    {"5-1", "HTTP/1.1 200 OK\r\nRetry-After:7\r\nContent-Length:0\r\n\r\n", "200 'OK' [7]"},
    {"5-1", "HTTP/1.1 200 OK\r\nRetry-After: \t 7 \t \r\nContent-Length: \t0 \r\n\r\n",
     "200 'OK' [7]"},
    {"5-1", "HTTP/1.1 200 OK\r\nRETRY-after: 7\r\ncontent-LENGTH: 0\r\n\r\n", "200 'OK' [7]"},
    {"5-1", "HTTP/1.1 200 OK\r\nRetry-After:\r\nContent-Length: 0\r\n\r\n", "200 'OK'"},
    {"5-1", "HTTP/1.1 200 OK\r\nLocation: a b\r\nContent-Length: 0\r\n\r\n", "200 'OK' [a b]"},
    {"5-1", "HTTP/1.1 200 OK\r\nno colon\r\nContent-Length: 0\r\n\r\n",
     "the answer is not HTTP: invalid character in header"},
    {"5-1", "HTTP/1.1 200 OK\r\n: no name\r\nContent-Length: 0\r\n\r\n",
     "the answer is not HTTP: invalid character in header"},
    {"5-1", "HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 0\r\n\r\n"s,
     "the answer is not HTTP: invalid character in header"},
    {"5.1-1", "HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n", "200 'OK'"},
    {"5.1-1", "HTTP/1.1 200 OK\r\nContent Length: 0\r\n\r\n…", "200 'OK' close"},
    {"5.2-1",
     "HTTP/1.1 503 Busy\r\nRetry-After: Sun, 06 Nov\r\n 1994\r\n\t 08:49:37 GMT\r\n"
     "Content-Length: 0\r\n\r\n",
     "503 'Busy' [Sun, 06 Nov 1994  08:49:37 GMT]"},
    {"5.2-1", "HTTP/1.1 503 Busy\r\nRetry-After:\r\n 7\r\nContent-Length: 0\r\n\r\n",
     "503 'Busy' [7]"},
    {"5.2-1", "HTTP/1.1 503 Busy\r\nRetry-After: 7\r\n \r\nContent-Length: 0\r\n\r\n",
     "503 'Busy' [7]"},
    {"6-1", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe", "more"},
    {"6-1", kChunked + "5\r\nhe", "more"},
    {"6-1", "HTTP/1.1 200 OK\r\n\r\nhe", "more"},
    {"6.1-1", "HTTP/1.1 200 OK\r\nTransfer-Encoding: CHUNKED\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
     "200 'OK' hi"},
    {"6.1-1", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
     "200 'OK' hi"},
    {"6.1-1",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n"
     "0\r\n\r\n",
     "200 'OK' hi"},
    {"6.1-2", "HTTP/1.1 200 OK\r\nTransfer-Encoding: x-zip\r\n\r\nhi…", "200 'OK' hi close"},
    {"6.1-3",
     "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n"
     "0\r\n\r\n",
     "200 'OK' hi close"},
    {"6.3-1", "HTTP/1.1 204 No Content\r\n\r\n", "204 'No Content'"},
    {"6.3-1", "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", "204 'No Content'"},
    {"6.3-1", "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n", "204 'No Content'"},
    {"6.3-1", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", "304 'Not Modified'"},
    {"6.3-1",
     "HTTP/1.1 102 Processing\r\nContent-Length: 5\r\n\r\nHTTP/1.1 200 OK\r\n"
     "Content-Length: 0\r\n\r\n",
     "200 'OK'"},
    {"6.3-3",
     "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n"
     "0\r\n\r\n",
     "the answer is not HTTP: unexpected content-length header"},
    {"6.3-3",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n2\r\nhi\r\n"
     "0\r\n\r\n",
     "the answer is not HTTP: unexpected content-length header"},
    {"6.3-4a", kChunked + "2\r\nhi\r\n0\r\n\r\n", "200 'OK' hi"},
    {"6.3-4b", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, gzip\r\n\r\n2\r\nhi…",
     "200 'OK' 2\r\nhi close"},
    {"6.3-4b", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunkedx\r\n\r\nhi…", "200 'OK' hi close"},
    {"6.3-5", "HTTP/1.1 200 OK\r\nContent-Length: abc\r\n\r\n",
     "the answer is not HTTP: invalid character in content-length header"},
    {"6.3-5", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
     "the answer is not HTTP: invalid character in content-length header"},
    {"6.3-5", "HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\nx",
     "the answer is not HTTP: invalid character in content-length header"},
    {"6.3-5", "HTTP/1.1 200 OK\r\nContent-Length: 1 1\r\n\r\nx",
     "the answer is not HTTP: invalid character in content-length header"},
    {"6.3-5", "HTTP/1.1 200 OK\r\nContent-Length: 0x1\r\n\r\nx",
     "the answer is not HTTP: invalid character in content-length header"},
    {"6.3-5", "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\nx",
     "the answer is not HTTP: invalid character in content-length header"},
    {"6.3-5", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxy",
     "the answer is not HTTP: unexpected content-length header"},
    {"6.3-5", "HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\nxy",
     "the answer is not HTTP: invalid character in content-length header"},
    {"6.3-5", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx",
     "the answer is not HTTP: unexpected content-length header"},
    {"6.3-5", "HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\n\r\nx",
     "the answer is not HTTP: invalid character in content-length header"},
    {"6.3-5", "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\nx…",
     "the answer is not HTTP: invalid character in content-length header"},
    {"6.3-6", "HTTP/1.1 200 OK\r\nContent-Length: 0005\r\n\r\nhello", "200 'OK' hello"},
    {"6.3-6", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe…", "more"},
    {"6.3-8", "HTTP/1.1 200 OK\r\n\r\nhi…", "200 'OK' hi close"},
    {"6.3-8", "HTTP/1.1 200 OK\r\n\r\n…", "200 'OK' close"},
    {"7.1-1", kChunked + "a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n",
     "200 'OK' 01234567890123456789"},
    {"7.1-1", kChunked + "002\r\nhi\r\n000\r\n\r\n", "200 'OK' hi"},
    {"7.1-1", kChunked + "0\r\n\r\n", "200 'OK'"},
    {"7.1-1", kChunked + "g\r\nhi\r\n0\r\n\r\n",
     "the answer is not HTTP: invalid character in chunk size header"},
    {"7.1-1", kChunked + "\r\nhi\r\n0\r\n\r\n",
     "the answer is not HTTP: invalid character in chunk size header"},
    {"7.1-1", kChunked + "-2\r\nhi\r\n0\r\n\r\n",
     "the answer is not HTTP: invalid character in chunk size header"},
    {"7.1-1", kChunked + "0x2\r\nhi\r\n0\r\n\r\n",
     "the answer is not HTTP: invalid character in chunk size header"},
    {"7.1-1", kChunked + "2\r\nhihi\r\n0\r\n\r\n",
     "the answer is not HTTP: invalid character in chunk size header"},
    {"7.1-2", kChunked + "fffffffffffffffff\r\nhi\r\n0\r\n\r\n",
     "the answer is not HTTP: invalid character in content-length header"},
    {"7.1-2", kChunked + "ffffffffffffffff\r\nhi\r\n0\r\n\r\n",
     "the answer is not HTTP: invalid character in content-length header"},
    {"7.1.1-1", kChunked + "2;name=value;x=\"y\"\r\nhi\r\n0;z\r\n\r\n", "200 'OK' hi"},
    {"7.1.1-1", kChunked + "2 ;name\r\nhi\r\n0\r\n\r\n", "200 'OK' hi"},
    {"7.1.2-1", kChunked + "2\r\nhi\r\n0\r\nRetry-After: 9\r\nLocation: /x\r\n\r\n", "200 'OK' hi"},
    {"7.1.2-1", kChunked + "0\r\nContent-Length: 99\r\n\r\n", "200 'OK'"},
    {"7.1.2-1", kChunked + "0\r\nRetry-After: 9\r\n", "more"},
    {"8-1", kChunked + "2\r\nhi\r\n…", "more"},
    {"8-1", kChunked + "5\r\nhi…", "more"},
    {"8-1", kChunked + "2\r\nhi\r\n0\r\n…", "more"},
    {"8-2", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n…", "more"},
    {"8-2", "HTTP/1.1 200…", "more"},
    {"8-2", "…", "more"},
    {"9.3-1", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "200 'OK'"},
    {"9.3-1", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
     "200 'OK' close"},
    {"9.3-2", "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", "200 'OK' close"},
    {"9.3-2", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n", "200 'OK'"},
    {"9.3-3", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\nhi…", "200 'OK' hi close"},
    {"9.6-1", "HTTP/1.1 200 OK\r\nconnection: Close\r\nContent-Length: 0\r\n\r\n",
     "200 'OK' close"},
    {"9.6-1", "HTTP/1.1 200 OK\r\nConnection: x, close\r\nContent-Length: 0\r\n\r\n",
     "200 'OK' close"},
    {"9.6-1", "HTTP/1.1 200 OK\r\nConnection: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
     "200 'OK' close"},
    {"9.6-1", "HTTP/1.1 200 OK\r\nConnection: closed\r\nContent-Length: 0\r\n\r\n", "200 'OK'"},
    {"L-1", "HTTP/1.1 200 OK\r\nX: " + std::string(16'300, 'x') + "\r\nContent-Length: 0\r\n\r\n",
     "200 'OK'"},
    {"L-1", "HTTP/1.1 200 OK\r\n" + many("X: y\r\n", 4000),
     "the head of the answer is longer than 16 KiB"},
    {"L-1", "HTTP/1.1 200 OK\r\nX: " + std::string(20'000, 'x'),
     "the head of the answer is longer than 16 KiB"},
    {"L-1", many("HTTP/1.1 100 Continue\r\n\r\n", 1000),
     "the head of the answer is longer than 16 KiB"},
};

// They make a difference between what came at once and what came later.
const Case kAtOnce[] = {
    {"9.2-1", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhiHTTP/1.1 200 OK\r\n",
     "200 'OK' hi close"},
    {"9.2-1", "HTTP/1.1 204 No Content\r\n\r\nhello", "204 'No Content' close"},
    {"9.2-1", kChunked + "0\r\n\r\n\r\n", "200 'OK' close"},
    {"L-2", "HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n" + std::string(1'048'577, ' '),
     "200 'OK' " + std::string(1024, ' ') + " close"},
};

TEST(Rfc9112, has_no_gap) {
  expect_no_gap(kStatements, kCases, kAtOnce);
}

TEST(Rfc9112, is_held) {
  for (const Case& c : kCases) {
    SCOPED_TRACE(std::string(c.statement) + ": " + c.input.substr(0, 200));
    // The head's limit is asked after each read.
    if (c.statement != "L-1") {
      EXPECT_EQ(outcome_of(c.input, c.input.size()), c.expected);
    }
    EXPECT_EQ(outcome_of(c.input, 1), c.expected) << "byte by byte";
    EXPECT_EQ(outcome_of(c.input, 7), c.expected) << "by seven bytes";
  }
}

TEST(Rfc9112, is_held_for_what_comes_at_once) {
  for (const Case& c : kAtOnce) {
    SCOPED_TRACE(std::string(c.statement) + ": " + c.input.substr(0, 200));
    EXPECT_EQ(outcome_of(c.input, c.input.size()), c.expected);
  }
}

}  // namespace
}  // namespace leat::http
