// Reads the requests of one connection to an HTTP/1.1 server, byte by byte as they arrive.
#pragma once

#include <http_parser.h>

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace leat::http {

struct ServerRequest {
  using Pairs = std::vector<std::pair<std::string, std::string>>;

  std::string method;  // "GET"; "HEAD" too: the answer's body is then left out on the way
  std::string path;    // decoded, from "/" on; no part of it is empty, "." or ".."
  Pairs query;         // decoded
  Pairs headers;       // names in lower case
  std::string body;

  // The first of that name, or "".
  std::string_view header(std::string_view name) const;
  std::string_view parameter(std::string_view name) const;
};

class RequestParser {
 public:
  static constexpr size_t kLongestHead = 16 * 1024;

  explicit RequestParser(size_t longest_body) : longest_body_(longest_body) { reset(); }
  RequestParser(const RequestParser&) = delete;
  RequestParser& operator=(const RequestParser&) = delete;

  // Ready for the next request.
  void reset();

  enum class State { kMore, kContinue, kComplete, kRefused };
  // Takes bytes from `bytes`, which then begins behind them. kContinue: the client waits for "100
  // Continue" before it sends the body; call again. kComplete: the request is whole, and what is
  // left belongs to the next. kRefused: answer with refusal(), then close.
  State feed(std::span<const char>& bytes);

  // Something of a request has arrived.
  bool started() const { return started_; }
  bool head_complete() const { return head_complete_; }
  bool keep_alive() const { return keep_alive_; }
  // Of HTTP/1.0, which has no chunked bodies (RFC 9112 section 7).
  bool is_old() const { return parser_.http_major == 1 && parser_.http_minor == 0; }
  ServerRequest& request() { return request_; }

  struct Refusal {
    int status = 0;
    std::string_view reason;
  };
  const Refusal& refusal() const { return refusal_; }

 private:
  static RequestParser& self(http_parser* parser) {
    return *static_cast<RequestParser*>(parser->data);
  }
  static const http_parser_settings& settings();
  int refuse(int status, std::string_view reason);
  // Names and values, wherever the pieces end in which they come.
  int count_head(size_t bytes);
  int end_of_head();
  // False: refused.
  bool is_framed();
  bool has_folded_line(std::span<const char> bytes);
  bool read_target();

  const size_t longest_body_;
  http_parser parser_;
  ServerRequest request_;
  std::string target_;
  bool in_value_ = false;
  bool started_ = false;
  bool head_complete_ = false;
  bool wants_continue_ = false;
  bool complete_ = false;
  bool keep_alive_ = false;
  bool started_line_ = false;  // of the request
  size_t line_ends_ = 0;       // of the head, with nothing between them
  size_t head_bytes_ = 0;
  Refusal refusal_;
};

// Whether who sent that Accept-Encoding takes this coding (RFC 9110 section 12.5.3): by its name,
// or by "*" where it is not named; not with a weight of 0. Without the header all are taken.
bool accepts_coding(std::string_view accept_encoding, std::string_view coding);

// Undoes percent-encoding (RFC 3986 section 2.1), and "+" for space in a query. False when it is
// broken, or holds a control character.
bool percent_decode(std::string_view text, bool in_query, std::string& out);

}  // namespace leat::http
