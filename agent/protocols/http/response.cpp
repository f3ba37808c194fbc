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

}  // namespace

void ResponseParser::reset() {
  http_parser_init(&parser_, HTTP_RESPONSE);
  parser_.data = this;
  response_ = {};
  header_.clear();
  value_ = nullptr;
  in_value_ = head_complete_ = complete_ = keep_alive_ = false;
  bytes_ = head_bytes_ = body_bytes_ = 0;
}

// Of a header that comes twice the first counts: both together would make a number of their own.
void ResponseParser::header_value(std::string_view part) {
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
    s.on_headers_complete = [](http_parser* parser) {
      ResponseParser& me = self(parser);
      me.response_.status = static_cast<int>(parser->status_code);
      me.head_complete_ = parser->status_code >= 200;
      return 0;
    };
    s.on_body = [](http_parser* parser, const char* at, size_t size) {
      ResponseParser& me = self(parser);
      append_at_most(me.response_.body_start, {at, size}, Response::kBodyStart);
      me.body_bytes_ += size;
      if (me.body_bytes_ > kLongestBody) {
        me.complete_ = true;
        http_parser_pause(parser, 1);
      }
      return 0;
    };
    s.on_message_complete = [](http_parser* parser) {
      ResponseParser& me = self(parser);
      if (!me.head_complete_) return 0;  // interim
      me.complete_ = true;
      me.keep_alive_ = http_should_keep_alive(parser) != 0;
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
