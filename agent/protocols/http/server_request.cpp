#include "protocols/http/server_request.h"

#include <algorithm>
#include <cctype>
#include <climits>

#include "base/hex.h"

namespace leat::http {
namespace {

constexpr std::string_view kTooLong = "the head of the request is longer than 16 KiB";

std::string_view find(const ServerRequest::Pairs& pairs, std::string_view name) {
  for (const auto& [key, value] : pairs)
    if (key == name) return value;
  return {};
}

// Nothing that could name another place than it shows.
bool is_plain_path(std::string_view path) {
  if (path == "/") return true;
  while (!path.empty()) {
    path.remove_prefix(1);
    std::string_view part = path.substr(0, path.find('/'));
    if (part.empty() || part == "." || part == "..") return false;
    path.remove_prefix(part.size());
  }
  return true;
}

bool read_query(std::string_view text, ServerRequest::Pairs& out) {
  while (!text.empty()) {
    std::string_view part = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(part.size() + 1, text.size()));
    if (part.empty()) continue;
    size_t equals = part.find('=');
    auto& [name, value] = out.emplace_back();
    if (!percent_decode(part.substr(0, equals), true, name)) return false;
    if (equals != std::string_view::npos && !percent_decode(part.substr(equals + 1), true, value))
      return false;
  }
  return true;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::string in_lower_case(std::string_view text) {
  std::string out;
  for (char c : text) out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

}  // namespace

bool accepts_coding(std::string_view accept_encoding, std::string_view coding) {
  if (trimmed(accept_encoding).empty()) return true;
  bool others = false;
  while (!accept_encoding.empty()) {
    const std::string_view part = accept_encoding.substr(0, accept_encoding.find(','));
    accept_encoding.remove_prefix(std::min(part.size() + 1, accept_encoding.size()));
    const size_t semicolon = part.find(';');
    const std::string name = in_lower_case(trimmed(part.substr(0, semicolon)));
    std::string weight;  // "q=0", "q=0.000"
    if (semicolon != std::string_view::npos)
      weight = in_lower_case(trimmed(part.substr(semicolon + 1)));
    const bool takes =
        !weight.starts_with("q=0") || weight.find_first_not_of("0.", 2) != std::string::npos;
    if (name == coding) return takes;
    if (name == "*") others = takes;
  }
  return others;
}

bool percent_decode(std::string_view text, bool in_query, std::string& out) {
  out.clear();
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      int byte = hex_byte(text, i + 1);
      if (byte < 0) return false;
      c = static_cast<char>(byte);
      i += 2;
    } else if (c == '+' && in_query) {
      c = ' ';
    }
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) return false;
    out += c;
  }
  return true;
}

std::string_view ServerRequest::header(std::string_view name) const {
  return find(headers, name);
}

std::string_view ServerRequest::parameter(std::string_view name) const {
  return find(query, name);
}

void RequestParser::reset() {
  http_parser_init(&parser_, HTTP_REQUEST);
  parser_.data = this;
  request_ = {};
  target_.clear();
  line_ends_ = 0;
  started_line_ = false;
  in_value_ = started_ = head_complete_ = wants_continue_ = complete_ = keep_alive_ = false;
  head_bytes_ = 0;
  refusal_ = {};
}

int RequestParser::count_head(size_t bytes) {
  head_bytes_ += bytes;
  return head_bytes_ > kLongestHead ? refuse(431, kTooLong) : 0;
}

int RequestParser::refuse(int status, std::string_view reason) {
  refusal_ = {status, reason};
  return -1;  // ends http_parser_execute()
}

// RFC 9112 section 3.2: the target is a path, or a whole URL whose path counts.
bool RequestParser::read_target() {
  http_parser_url url;
  http_parser_url_init(&url);
  if (http_parser_parse_url(target_.data(), target_.size(), 0, &url) != 0) return false;
  auto part = [&](http_parser_url_fields field) -> std::string_view {
    if ((url.field_set & 1U << field) == 0) return {};
    return std::string_view(target_).substr(url.field_data[field].off, url.field_data[field].len);
  };
  std::string_view path = part(UF_PATH);
  if (!percent_decode(path.empty() ? "/" : path, false, request_.path)) return false;
  return request_.path[0] == '/' && is_plain_path(request_.path) &&
         read_query(part(UF_QUERY), request_.query);
}

// What a proxy before this one might take for another request, or another body: RFC 9112 sections
// 5.1, 6.1 and 11.2. False: refused.
bool RequestParser::is_framed() {
  std::string codings;
  for (const auto& [name, value] : request_.headers) {
    if (name.find(' ') != std::string::npos) return refuse(400, "a name has a blank in it") == 0;
    if (name == "transfer-encoding") codings += "," + in_lower_case(value);
  }
  if (codings.empty()) return true;
  if (is_old()) return refuse(400, "HTTP/1.0 has no Transfer-Encoding") == 0;
  const size_t last = codings.rfind(',');
  if (trimmed(std::string_view(codings).substr(last + 1)) != "chunked" ||
      codings.find("chunked") < last)
    return refuse(400, "the last transfer coding is not chunked, and the only such") == 0;
  return last == 0 || refuse(501, "chunked is the one transfer coding here") == 0;
}

// A line of the head that begins with a blank goes on the one before: RFC 9112 section 5.2.
bool RequestParser::has_folded_line(std::span<const char> bytes) {
  for (char c : bytes) {
    if (line_ends_ == 2) return false;  // behind the head
    if (line_ends_ == 1 && (c == ' ' || c == '\t')) return true;
    if (c == '\n' && started_line_) ++line_ends_;
    if (c != '\n' && c != '\r') {
      line_ends_ = 0;
      started_line_ = true;
    }
  }
  return false;
}

int RequestParser::end_of_head() {
  head_complete_ = true;
  request_.method = http_method_str(static_cast<http_method>(parser_.method));
  if (parser_.http_major != 1) return refuse(505, "HTTP/1.1 is spoken here");
  if (!is_framed()) return -1;
  if (parser_.upgrade != 0) return refuse(501, "no other protocol is spoken here");
  if (!read_target()) return refuse(400, "the path of the request is not one");
  size_t hosts = 0;
  for (const auto& [name, value] : request_.headers) hosts += name == "host" ? 1 : 0;
  // RFC 9112 section 3.2.
  if (hosts > 1 || (hosts == 0 && !is_old())) return refuse(400, "one Host is needed");
  if (request_.header("host").find_first_of(" \t/?#@\\<>\"") != std::string_view::npos)
    return refuse(400, "the Host is none");
  bool sized = parser_.content_length != ULLONG_MAX;
  if (sized && parser_.content_length > longest_body_)
    return refuse(413, "the body is longer than is taken here");
  const std::string expect = is_old() ? "" : in_lower_case(request_.header("expect"));
  if (expect == "100-continue") {
    wants_continue_ = true;
    http_parser_pause(&parser_, 1);
  } else if (!expect.empty()) {
    return refuse(417, "only 100-continue can be expected");
  }
  return 0;
}

const http_parser_settings& RequestParser::settings() {
  static const http_parser_settings kSettings = [] {
    http_parser_settings s;
    http_parser_settings_init(&s);
    s.on_url = [](http_parser* parser, const char* at, size_t size) {
      self(parser).target_.append(at, size);
      return self(parser).count_head(size);
    };
    s.on_header_field = [](http_parser* parser, const char* at, size_t size) {
      RequestParser& me = self(parser);
      if (me.head_complete_) return 0;  // a trailer: nothing here asks for one
      if (me.in_value_ || me.request_.headers.empty()) me.request_.headers.emplace_back();
      me.in_value_ = false;
      for (char c : std::string_view(at, size))
        me.request_.headers.back().first +=
            static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      return me.count_head(size);
    };
    s.on_header_value = [](http_parser* parser, const char* at, size_t size) {
      RequestParser& me = self(parser);
      if (me.head_complete_) return 0;
      me.in_value_ = true;
      me.request_.headers.back().second.append(at, size);
      return me.count_head(size);
    };
    s.on_headers_complete = [](http_parser* parser) { return self(parser).end_of_head(); };
    s.on_body = [](http_parser* parser, const char* at, size_t size) {
      RequestParser& me = self(parser);
      if (me.request_.body.size() + size > me.longest_body_)
        return me.refuse(413, "the body is longer than is taken here");
      me.request_.body.append(at, size);
      return 0;
    };
    s.on_message_complete = [](http_parser* parser) {
      RequestParser& me = self(parser);
      me.complete_ = true;
      me.keep_alive_ = http_should_keep_alive(parser) != 0;
      http_parser_pause(parser, 1);
      return 0;
    };
    return s;
  }();
  return kSettings;
}

RequestParser::State RequestParser::feed(std::span<const char>& bytes) {
  if (!bytes.empty()) started_ = true;
  if (!head_complete_ && has_folded_line(bytes)) {
    refusal_ = {400, "a line of the head is folded"};
    return State::kRefused;
  }
  size_t used = http_parser_execute(&parser_, &settings(), bytes.data(), bytes.size());
  bytes = bytes.subspan(std::min(used, bytes.size()));
  if (refusal_.status != 0) return State::kRefused;
  if (wants_continue_) {
    wants_continue_ = false;
    http_parser_pause(&parser_, 0);
    return State::kContinue;
  }
  if (complete_) return State::kComplete;
  if (HTTP_PARSER_ERRNO(&parser_) == HPE_HEADER_OVERFLOW) {
    refusal_ = {431, kTooLong};
    return State::kRefused;
  }
  if (HTTP_PARSER_ERRNO(&parser_) != HPE_OK) {
    refusal_ = {400, "this is not HTTP/1.1"};
    return State::kRefused;
  }
  return State::kMore;
}

}  // namespace leat::http
