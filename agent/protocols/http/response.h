// Reads one answer of an HTTP/1.1 server, byte by byte as it arrives.
#pragma once

#include <http_parser.h>

#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace leat::http {

struct Response {
  int status = 0;
  std::string reason;  // "Service Unavailable", as the server wrote it; may be ""
  std::string retry_after;
  std::string date;
  std::string location;
  std::string body_start;  // of as many bytes as the parser was told to keep

  static constexpr size_t kBodyStart = 1024;
};

// Interim answers (1xx) are skipped. The body is counted and thrown away, but for its start: what
// it says is of no use to a delivery.
class ResponseParser {
 public:
  // More than this is not an answer to a delivery: the connection is given up.
  static constexpr size_t kLongestHead = 16 * 1024;
  // What follows the status and is longer than this is not waited for: the status has said it all.
  static constexpr size_t kLongestBody = 1024 * 1024;

  // Of the body, `keep` bytes are kept.
  explicit ResponseParser(size_t keep = Response::kBodyStart) : keep_(keep) { reset(); }
  ResponseParser(const ResponseParser&) = delete;
  ResponseParser& operator=(const ResponseParser&) = delete;

  // Ready for the next answer.
  void reset();
  // True when the answer is complete. Errors: what arrives is not HTTP.
  Result<bool> feed(std::span<const char> bytes);
  // The connection has ended: true when that completes the answer (a body without a length).
  bool end();

  bool started() const { return bytes_ > 0; }
  // Another request may follow on the connection.
  bool keep_alive() const { return keep_alive_; }
  const Response& response() const { return response_; }

 private:
  static ResponseParser& self(http_parser* parser) {
    return *static_cast<ResponseParser*>(parser->data);
  }
  static const http_parser_settings& settings();
  void header_value(std::string_view part);
  int head_complete();

  const size_t keep_;
  http_parser parser_;
  Response response_;
  std::string header_;            // name of the current one, at most as long as those of interest
  std::string* value_ = nullptr;  // where the current value is kept, if it is of interest
  bool in_value_ = false;
  bool head_complete_ = false;
  bool complete_ = false;
  bool keep_alive_ = false;
  bool other_version_ = false;  // it is no HTTP/1
  size_t bytes_ = 0;
  size_t head_bytes_ = 0;
  size_t body_bytes_ = 0;
};

}  // namespace leat::http
