// RFC 9112 (HTTP/1.1) and what of RFC 9110 goes with it, statement by statement, as far as the
// server of agent.admin meets it in requests. What it does with a connection is asked in
// server_test.cpp; what a client meets in answers, in rfc9110_test.cpp and rfc9112_test.cpp.
#include <gtest/gtest.h>

#include <algorithm>

#include "protocols/http/server_request.h"
#include "specification.h"

namespace leat::http {
namespace {

using namespace std::string_literals;

constexpr const char* kOfConnections = "asked in server_test.cpp";

constexpr Statement kStatements[] = {
    {"2.2-1", "a recipient MAY take a single LF for a line's end"},
    {"2.2-2", "a bare CR within an element makes it invalid, or is replaced by a blank"},
    {"2.2-3", "a server SHOULD ignore an empty line before the request-line"},
    {"2.2-4", "space between the request-line and the first field: rejected, or skipped"},
    {"2.2-5", "what is not HTTP gets a 400, and the connection is closed"},
    {"2.3-1", "HTTP-version is \"HTTP/\" digit \".\" digit, in capitals"},
    {"2.3-2", "a version with the same major number is read as the highest minor one known"},
    {"2.3-3", "another major version is not spoken: 505 (RFC 9110, 15.6.6)"},
    {"3-1",
     "request-line is method, blank, target, blank, version; else 400. More blanks MAY pass"},
    {"3.1-1", "a method that is not known is refused; 501 SHOULD say it, here 400 (RFC 9110, 9.1)"},
    {"3.2-1", "HTTP/1.1 without Host, with more than one, or with one that is none: 400 (MUST)"},
    {"3.2.1-1", "origin-form"},
    {"3.2.2-1", "absolute-form MUST be taken"},
    {"3.2.3-1", "authority-form is for CONNECT, which is not spoken"},
    {"3.2.4-1", "asterisk-form is for OPTIONS; there is nothing to say of the whole server"},
    {"5.1-1", "a blank between a name and its colon MUST be rejected with 400"},
    {"5.2-1", "obs-fold MUST be rejected with 400, or replaced by blanks"},
    {"5.5-1", "CR, LF and NUL in a value MUST be rejected, or replaced (RFC 9110)"},
    {"6-1", "a body is there when Transfer-Encoding or Content-Length says so"},
    {"6.1-1", "chunked is the last coding of a request, else 400 (MUST)"},
    {"6.1-2", "a coding that is not understood: 501"},
    {"6.1-3", "Transfer-Encoding in HTTP/1.0: the framing is faulty, the connection is closed"},
    {"6.3-3", "both Transfer-Encoding and Content-Length: smuggling, so an error"},
    {"6.3-5", "an invalid or contradictory Content-Length: 400 (MUST)"},
    {"6.3-7", "a request without either has no body"},
    {"7.1-1", "a chunk is a size in hexadecimal, a line end, the bytes, a line end; 0 is the last"},
    {"7.1-2", "sizes may be large: no overflow"},
    {"7.1.1-1", "a chunk extension that is not known MUST be ignored"},
    {"7.1.2-1", "trailers MUST NOT be merged into the head, and MAY be discarded"},
    {"8-1", "a request that is cut off is none", kOfConnections},
    {"9.3-1", "HTTP/1.1 persists, but for \"close\""},
    {"9.3-2", "HTTP/1.0 persists with \"keep-alive\" only"},
    {"9.3.2-1", "requests that come together are answered in their order", kOfConnections},
    {"9.6-1", "\"close\" is in either case, and may stand in a list"},
    {"9.7-1", "TLS", kOfConnections},
    {"10.1.1-1", "Expect: 100-continue, in either case; another one is a 417 (RFC 9110)"},
    {"10.1.1-2", "Expect: 100-continue in HTTP/1.0 MUST be ignored (RFC 9110)"},
    {"7.8-1", "Upgrade: no other protocol is spoken (RFC 9110)"},
    {"L-1", "limits: 16 KiB of head, 16 bytes of body here: 431, 413"},
};

struct Case {
  std::string_view statement;
  std::string input;
  std::string expected;  // each request: method, path, 'body', "close"; or why it is refused
};

const std::string kHost = " HTTP/1.1\r\nHost: x\r\n";

// "GET /" with these fields.
std::string get(const std::string& fields) {
  return "GET /" + kHost + fields + "\r\n";
}
std::string post(const std::string& fields, const std::string& body) {
  return "POST /" + kHost + fields + "\r\n" + body;
}

const Case kCases[] = {
    {"2.2-1", "GET /a HTTP/1.1\nHost: x\n\n", "GET /a"},
    {"2.2-2", get("A: b\rc\r\n"), "400"},
    {"2.2-2", "GET /a\rb" + kHost + "\r\n", "400"},
    {"2.2-3", "\r\nGET /a" + kHost + "\r\n", "GET /a"},
    {"2.2-3", "POST /a" + kHost + "Content-Length: 2\r\n\r\nok\r\nGET /b" + kHost + "\r\n",
     "POST /a 'ok', GET /b"},
    {"2.2-4", "GET / HTTP/1.1\r\n Host: x\r\n\r\n", "400"},
    {"2.2-5", "\x16\x03\x01\x02", "400"},
    {"2.2-5", "HTTP/1.1 200 OK\r\n\r\n", "400"},
    {"2.3-1", "GET / http/1.1\r\nHost: x\r\n\r\n", "400"},
    {"2.3-1", "GET / HTTP/1,1\r\nHost: x\r\n\r\n", "400"},
    {"2.3-1", "GET / HTTP/11\r\nHost: x\r\n\r\n", "400"},
    {"2.3-2", "GET /a HTTP/1.2\r\nHost: x\r\n\r\n", "GET /a"},
    {"2.3-3", "GET /a HTTP/2.0\r\nHost: x\r\n\r\n", "505"},
    {"2.3-3", "GET /\r\n\r\n", "505"},
    {"2.3-3", "GET /a HTTP/0.9\r\nHost: x\r\n\r\n", "505"},
    {"3-1", "GET  /a" + kHost + "\r\n", "GET /a"},
    {"3-1", "GET /a b" + kHost + "\r\n", "400"},
    {"3-1", "GET a" + kHost + "\r\n", "400"},
    {"3-1", "GET" + kHost + "\r\n", "400"},
    {"3.1-1", "BREW /pot" + kHost + "\r\n", "400"},
    {"3.1-1", "get /a" + kHost + "\r\n", "400"},
    {"3.1-1", "GE@T /a" + kHost + "\r\n", "400"},
    {"3.2-1", "GET / HTTP/1.1\r\n\r\n", "400"},
    {"3.2-1", "GET / HTTP/1.1\r\nHost: x\r\nhost: x\r\n\r\n", "400"},
    {"3.2-1", "GET / HTTP/1.1\r\nHost: x y\r\n\r\n", "400"},
    {"3.2-1", "GET / HTTP/1.1\r\nHost: x/y\r\n\r\n", "400"},
    {"3.2-1", "GET / HTTP/1.1\r\nHost: u@x\r\n\r\n", "400"},
    {"3.2-1", "GET / HTTP/1.1\r\nHost:\r\n\r\n", "GET /"},
    {"3.2-1", "GET / HTTP/1.1\r\nHost: [::1]:8480\r\n\r\n", "GET /"},
    {"3.2-1", "GET / HTTP/1.0\r\n\r\n", "GET / close"},
    {"3.2.1-1", "GET /a/b?c=d HTTP/1.1\r\nHost: x\r\n\r\n", "GET /a/b"},
    {"3.2.2-1", "GET http://x:1/a HTTP/1.1\r\nHost: x:1\r\n\r\n", "GET /a"},
    {"3.2.2-1", "GET HTTP://x HTTP/1.1\r\nHost: x\r\n\r\n", "GET /"},
    {"3.2.3-1", "CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n", "501"},
    {"3.2.3-1", "GET x:1 HTTP/1.1\r\nHost: x\r\n\r\n", "400"},
    {"3.2.4-1", "OPTIONS *" + kHost + "\r\n", "400"},
    {"5.1-1", get("A : b\r\n"), "400"},
    {"5.1-1", post("Content-Length : 2\r\n", "ok"), "400"},
    {"5.1-1", post("Transfer-Encoding : chunked\r\n", "0\r\n\r\n"), "400"},
    {"5.1-1", get(": b\r\n"), "400"},
    {"5.1-1", get("A(b: c\r\n"), "400"},
    {"5.1-1", get("A\r\n"), "400"},
    {"5.2-1", get("A: b\r\n c\r\n"), "400"},
    {"5.2-1", "GET / HTTP/1.1\r\nHost: x\r\n\ty\r\n\r\n", "400"},
    {"5.2-1", post("Content-Length: 4\r\n", "a\n b"), "POST / 'a\n b'"},
    {"5.2-1", post("Content-Length: 2\r\n", "\n ") + get(""), "POST / '\n ', GET /"},
    {"5.5-1", get("A: b\0c\r\n"s), "400"},
    {"5.5-1", get("A: b\x01\r\n"s), "400"},
    {"6-1", post("Content-Length: 2\r\n", "ok"), "POST / 'ok'"},
    {"6-1", "GET /" + kHost + "Content-Length: 2\r\n\r\nok", "GET / 'ok'"},
    {"6.1-1", post("Transfer-Encoding: chunked, gzip\r\n", "0\r\n\r\n"), "400"},
    {"6.1-1", post("Transfer-Encoding: gzip\r\n", "ok"), "400"},
    {"6.1-1", post("Transfer-Encoding: Chunked\r\n", "2\r\nok\r\n0\r\n\r\n"), "POST / 'ok'"},
    {"6.1-1", post("Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n"), "400"},
    {"6.1-2", post("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"), "501"},
    {"6.1-2", post("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
     "501"},
    {"6.1-3",
     "POST / HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
     "400"},
    {"6.3-3", post("Content-Length: 2\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), "400"},
    {"6.3-3", post("Transfer-Encoding: chunked\r\nContent-Length: 2\r\n", "0\r\n\r\n"), "400"},
    {"6.3-5", post("Content-Length: x\r\n", ""), "400"},
    {"6.3-5", post("Content-Length: -1\r\n", ""), "400"},
    {"6.3-5", post("Content-Length: +1\r\n", "a"), "400"},
    {"6.3-5", post("Content-Length: 1 1\r\n", "a"), "400"},
    {"6.3-5", post("Content-Length: 0x1\r\n", "a"), "400"},
    {"6.3-5", post("Content-Length: 1\r\nContent-Length: 2\r\n", "ok"), "400"},
    {"6.3-5", post("Content-Length: 1, 2\r\n", "ok"), "400"},
    {"6.3-5", post("Content-Length: 99999999999999999999\r\n", ""), "400"},
    {"6.3-7", "POST /" + kHost + "\r\nGET /a" + kHost + "\r\n", "POST /, GET /a"},
    {"7.1-1", post("Transfer-Encoding: chunked\r\n", "1\r\no\r\n00A\r\n0123456789\r\n0\r\n\r\n"),
     "POST / 'o0123456789'"},
    {"7.1-1", post("Transfer-Encoding: chunked\r\n", "x\r\n"), "400"},
    {"7.1-1", post("Transfer-Encoding: chunked\r\n", "2\r\nokX\r\n0\r\n\r\n"), "400"},
    {"7.1-1", post("Transfer-Encoding: chunked\r\n", "-1\r\n"), "400"},
    {"7.1-2", post("Transfer-Encoding: chunked\r\n", "FFFFFFFFFFFFFFFFF\r\n"), "400"},
    {"7.1-2", post("Transfer-Encoding: chunked\r\n", "10000000000000002\r\nok\r\n0\r\n\r\n"),
     "400"},
    {"7.1.1-1", post("Transfer-Encoding: chunked\r\n", "2;a=\"b\"\r\nok\r\n0;x\r\n\r\n"),
     "POST / 'ok'"},
    {"7.1.2-1",
     post("Transfer-Encoding: chunked\r\n", "2\r\nok\r\n0\r\nHost: y\r\nContent-Length: 9\r\n\r\n"),
     "POST / 'ok'"},
    {"9.3-1", get(""), "GET /"},
    {"9.3-1", get("Connection: close\r\n"), "GET / close"},
    {"9.3-2", "GET / HTTP/1.0\r\nHost: x\r\n\r\n", "GET / close"},
    {"9.3-2", "GET / HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\n\r\n", "GET /"},
    {"9.6-1", get("Connection: x, Close\r\n"), "GET / close"},
    {"10.1.1-1", post("Expect: 100-CONTINUE\r\nContent-Length: 2\r\n", "ok"),
     "(continue) POST / 'ok'"},
    {"10.1.1-1", get("Expect: tea\r\n"), "417"},
    {"10.1.1-2", "POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nok",
     "POST / 'ok' close"},
    {"7.8-1", get("Connection: upgrade\r\nUpgrade: h2c\r\n"), "501"},
    {"L-1", get("A: " + std::string(17'000, 'a') + "\r\n"), "431"},
    {"L-1", "GET /" + std::string(17'000, 'a') + kHost + "\r\n", "431"},
    {"L-1", post("Content-Length: 17\r\n", ""), "413"},
    {"L-1", post("Transfer-Encoding: chunked\r\n", "11\r\n01234567890123456\r\n0\r\n\r\n"), "413"},
};

// In pieces of so many bytes.
std::string read(const std::string& input, size_t piece) {
  RequestParser parser(16);
  std::string out;
  for (size_t at = 0; at < input.size(); at += piece) {
    std::span<const char> bytes(input.data() + at, std::min(piece, input.size() - at));
    do {
      switch (parser.feed(bytes)) {
        case RequestParser::State::kMore:
          break;
        case RequestParser::State::kContinue:
          out += "(continue) ";
          break;
        case RequestParser::State::kRefused:
          return out + std::to_string(parser.refusal().status);
        case RequestParser::State::kComplete: {
          const ServerRequest& request = parser.request();
          if (!out.empty() && !out.ends_with(' ')) out += ", ";
          out += request.method + " " + request.path;
          if (!request.body.empty()) out += " '" + request.body + "'";
          if (!parser.keep_alive()) out += " close";
          EXPECT_EQ(request.header("host") == "y", false) << "a trailer";
          parser.reset();
          break;
        }
      }
    } while (!bytes.empty());
  }
  return out;
}

TEST(Rfc9112Server, requests_are_read_as_the_specification_says) {
  for (const Case& one : kCases) {
    EXPECT_EQ(read(one.input, one.input.size()), one.expected)
        << one.statement << ": " << one.input.substr(0, 80);
    EXPECT_EQ(read(one.input, 1), one.expected)
        << one.statement << ", byte by byte: " << one.input.substr(0, 80);
  }
}

TEST(Rfc9112Server, no_statement_is_left_out_without_a_reason) {
  expect_no_gap(kStatements, kCases);
}

}  // namespace
}  // namespace leat::http
