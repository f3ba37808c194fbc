// The head of a request.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "options/options.h"
#include "protocols/http/url.h"

namespace leat::http {

// Names of headers are the same in upper and lower case (RFC 9110 section 5.1).
bool same_name(std::string_view a, std::string_view b);
bool has_header(const Options::Map& headers, std::string_view name);

// Everything that is the same in all requests of a sink.
struct RequestConfig {
  Url url;
  std::string method;
  Options::Map headers;       // the user's
  std::string authorization;  // value of that header, or ""
  bool gzip = false;
  // What must not show up in a message, even if a server sends it back.
  std::vector<std::string> secrets;

  // "POST http://collector.example/ingest", for messages.
  std::string shown() const { return method + " " + url.shown; }
};

// The request line and the headers that never change. `media` is the format's media type; a
// Content-Type of the user goes before it.
std::string head_start(const RequestConfig& config, std::string_view media);

// Ends the head: length, idempotency key, blank line. `key` has only characters that need no escape
// in a Structured Fields string (RFC 8941 section 3.3.3).
void append_head_end(std::string& head, size_t content_length, std::string_view key);

// A whole request to the same address that changes nothing there (RFC 9110 section 9.2.1).
std::string probe_request(const RequestConfig& config);

// `text` with every secret of `config` replaced.
std::string redact(std::string text, const RequestConfig& config);

}  // namespace leat::http
