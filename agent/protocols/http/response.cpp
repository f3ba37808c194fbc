#include "protocols/http/response.h"

#include <algorithm>
#include <cctype>

namespace leat::http {
namespace {

constexpr size_t kLongestName = 16;    // of the headers of interest, with some room
constexpr size_t kLongestValue = 512;  // kept of a header

void append_at_most(std::string& to, std::string_view part, size_t limit) {
  if (to.size() < limit) to.append(part.substr(0, limit - to.size()));
}

// The parser leaves what stands behind a value, which is no part of it, and where a line was folded
// the space of the next one (RFC 9112 sections 5.1, 5.2).
void tidy(std::string& value) {
  std::replace(value.begin(), value.end(), '\t', ' ');
  value.erase(value.find_last_not_of(' ') + 1);  // npos + 1 is 0
  value.erase(0, value.find_first_not_of(' '));
}

}  // namespace

void ResponseParser::reset() {
  http_parser_init(&parser_, HTTP_RESPONSE);
  parser_.data = this;
  response_ = {};
  header_.clear();
  value_ = nullptr;
  in_value_ = head_complete_ = complete_ = keep_alive_ = other_version_ = false;
  bytes_ = head_bytes_ = body_bytes_ = 0;
}

// Of a header that comes twice the first counts: both together would make a number of their own.
// Those behind the body (trailers) are none (RFC 9110 section 6.5.1).
void ResponseParser::header_value(std::string_view part) {
  if (head_complete_) return;
  if (!in_value_) {
    in_value_ = true;
    std::string* kept = header_ == "retry-after" ? &response_.retry_after
                        : header_ == "date"      ? &response_.date
                        : header_ == "location"  ? &response_.location
                                                 : nullptr;
    value_ = kept != nullptr && kept->empty() ? kept : nullptr;
  }
  if (value_ != nullptr) append_at_most(*value_, part, kLongestValue);
}

// For the parser: 0, 1 when there is no body whatever the head says, -1 for an error.
int ResponseParser::head_complete() {
  const int status = response_.status = static_cast<int>(parser_.status_code);
  tidy(response_.retry_after);
  tidy(response_.date);
  tidy(response_.location);
  // Below 100 is no status, and counts as a server's error (RFC 9110 section 15).
  const bool interim = status >= 100 && status < 200;
  head_complete_ = !interim;
  other_version_ = parser_.http_major != 1;
  if (other_version_) return -1;
  return interim || status == 204 || status == 304 ? 1 : 0;  // RFC 9112 section 6.3
}

const http_parser_settings& ResponseParser::settings() {
  static const http_parser_settings kSettings = [] {
    http_parser_settings s;
    http_parser_settings_init(&s);
    s.on_message_begin = [](http_parser* parser) {
      // Also behind an interim answer: nothing of that counts.
      self(parser).response_ = {};
      self(parser).header_.clear();
      self(parser).in_value_ = false;
      return 0;
    };
    s.on_status = [](http_parser* parser, const char* at, size_t size) {
      append_at_most(self(parser).response_.reason, {at, size}, kLongestValue);
      return 0;
    };
    s.on_header_field = [](http_parser* parser, const char* at, size_t size) {
      ResponseParser& me = self(parser);
      if (me.in_value_) me.header_.clear();
      me.in_value_ = false;
      for (char c : std::string_view(at, size))
        if (me.header_.size() < kLongestName)
          me.header_ += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      return 0;
    };
    s.on_header_value = [](http_parser* parser, const char* at, size_t size) {
      self(parser).header_value({at, size});
      return 0;
    };
    s.on_headers_complete = [](http_parser* parser) { return self(parser).head_complete(); };
    s.on_body = [](http_parser* parser, const char* at, size_t size) {
      ResponseParser& me = self(parser);
      append_at_most(me.response_.body_start, {at, size}, me.keep_);
      me.body_bytes_ += size;
      if (me.body_bytes_ > std::max(kLongestBody, me.keep_)) {
        me.complete_ = true;
        http_parser_pause(parser, 1);
      }
      return 0;
    };
    s.on_message_complete = [](http_parser* parser) {
      ResponseParser& me = self(parser);
      if (!me.head_complete_) return 0;  // interim
      me.complete_ = true;
      // HTTP/1.0 has no chunks: where such an answer ends is a guess (RFC 9112 section 6.1).
      const bool guessed = parser->http_minor == 0 && (parser->flags & F_CHUNKED) != 0;
      me.keep_alive_ = http_should_keep_alive(parser) != 0 && !guessed;
      http_parser_pause(parser, 1);
      return 0;
    };
    return s;
  }();
  return kSettings;
}

Result<bool> ResponseParser::feed(std::span<const char> bytes) {
  bytes_ += bytes.size();
  size_t used = http_parser_execute(&parser_, &settings(), bytes.data(), bytes.size());
  if (complete_) {
    // Nothing was asked for that could follow.
    if (used < bytes.size()) keep_alive_ = false;
    return true;
  }
  if (parser_.upgrade != 0)
    return fail(ErrorKind::kUnavailable, "the server switched to another protocol");
  if (other_version_)
    return fail(ErrorKind::kUnavailable,
                "the answer is of HTTP/" + std::to_string(parser_.http_major) + ", not of HTTP/1");
  if (HTTP_PARSER_ERRNO(&parser_) != HPE_OK)
    return fail(ErrorKind::kUnavailable, std::string("the answer is not HTTP: ") +
                                             http_errno_description(HTTP_PARSER_ERRNO(&parser_)));
  if (!head_complete_) head_bytes_ += bytes.size();
  if (head_bytes_ > kLongestHead)
    return fail(ErrorKind::kUnavailable, "the head of the answer is longer than 16 KiB");
  return false;
}

bool ResponseParser::end() {
  if (!complete_ && head_complete_) (void)http_parser_execute(&parser_, &settings(), nullptr, 0);
  if (complete_) keep_alive_ = false;
  return complete_;
}

}  // namespace leat::http
