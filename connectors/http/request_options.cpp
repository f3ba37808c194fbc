#include "connectors/http/request_options.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "options/option_errors.h"

namespace leat::http {
namespace {

// A token (RFC 9110 section 5.6.2).
bool is_token(std::string_view text) {
  static constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || kMarks.find(c) != std::string_view::npos;
  });
}

// A field value (RFC 9110 section 5.5): a line break in it would begin a header of its own.
bool is_field_value(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return c == '\t' || (static_cast<unsigned char>(c) >= ' ' && c != 0x7F);
  });
}

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

struct Reserved {
  std::string_view name;
  std::string_view why;
};
// Headers that say how the message is framed and what identifies it are the sink's own: a wrong one
// would desynchronise the connection, or make two batches look like one.
constexpr std::array kReserved = std::to_array<Reserved>({
    {"Host", "it follows from \"url\""},
    {"Content-Length", "it is worked out for each request"},
    {"Content-Encoding", "use \"compression\""},
    {"Transfer-Encoding", "requests are sent with their length"},
    {"Idempotency-Key", "it is worked out for each batch"},
    {"Connection", "the sink manages its connections"},
    {"Keep-Alive", "the sink manages its connections"},
    {"Proxy-Connection", "the sink manages its connections"},
    {"Upgrade", "the sink manages its connections"},
    {"Expect", "the sink does not wait before it sends the body"},
    {"TE", "the sink manages its connections"},
    {"Trailer", "requests are sent without trailers"},
});

Status check_headers(const Options::Map& headers, const std::string& path) {
  auto bad = [&path](const std::string& name, std::string_view why) {
    return fail_option(path_of_key(path, name), std::string(why));
  };
  auto check = [&](size_t i) -> Status {
    const auto& [name, value] = headers[i];
    if (!is_token(name))
      return bad(name, "not a header name: it has letters, digits and !#$%&'*+-.^_`|~ (RFC 9110)");
    if (!is_field_value(value))
      return bad(name, "its value has a line break or another control character in it");
    if (!is_ascii(value))
      return bad(name,
                 "its value has a letter outside ASCII, which servers read in different ways (RFC "
                 "9110): write it as the server decodes it, such as %C3%A4");
    for (const Reserved& reserved : kReserved)
      if (same_name(name, reserved.name))
        return bad(name, "cannot be set: " + std::string(reserved.why));
    for (size_t j = 0; j < i; ++j)
      if (same_name(name, headers[j].first)) return bad(name, "the same header is set twice");
    return {};
  };
  OptionErrors errors;
  for (size_t i = 0; i < headers.size(); ++i) (void)errors.good(check(i));
  return errors.status();
}

Status read_auth(const Options& auth, RequestConfig& config) {
  auto bad = [&auth](std::string_view why) { return fail_option(auth.path(), std::string(why)); };
  const bool basic = auth.has("user") || auth.has("password");
  const bool bearer = auth.has("token");
  if (!basic && !bearer) return bad("either \"user\" and \"password\" or \"token\" is needed");
  if (basic && bearer)
    return bad("\"token\" cannot be used together with \"user\" and \"password\"");
  if (has_header(config.headers, "Authorization"))
    return bad("\"headers\" sets Authorization too: only one of them can be sent");
  if (bearer) {
    const std::string& token = auth.string("token");
    // RFC 6750 section 2.1 allows less, but some servers' tokens do not keep to it.
    if (token.empty() ||
        !std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c < 0x7F; }))
      return fail_option(auth, "token",
                         "a token is made of visible ASCII characters (is there a line break at "
                         "its end?)");
    config.authorization = "Bearer " + token;
    config.secrets.push_back(token);
    return {};
  }
  // RFC 7617 section 2: the user must not contain a colon, neither may contain control characters.
  const std::string& user = auth.string("user");
  const std::string& password = auth.string("password");
  if (user.find(':') != std::string::npos)
    return fail_option(auth, "user", "must not contain \":\"");
  if (!is_field_value(user) || !is_field_value(password))
    return bad("there is a control character in it (a line break at the end?)");
  std::string credentials = base64(user + ":" + password);
  config.authorization = "Basic " + credentials;
  config.secrets.push_back(credentials);
  if (!password.empty()) config.secrets.push_back(password);
  return {};
}

// User headers may hold keys too (X-Api-Key). Short values are too common to be secrets.
void hide_headers(RequestConfig& config) {
  constexpr size_t kShortestSecret = 8;
  for (const auto& [name, value] : config.headers)
    if (value.size() >= kShortestSecret && !same_name(name, "Content-Type") &&
        !same_name(name, "User-Agent"))
      config.secrets.push_back(value);
}

}  // namespace

Result<RequestConfig> request_config(const Options& options) {
  RequestConfig config;
  OptionErrors errors;
  Result<Url> url = Url::parse(options.string("url"));
  if (url)
    config.url = std::move(*url);
  else
    errors.add(options, "url", url.error());
  config.method = options.string("method");
  config.headers = options.map("headers");
  config.gzip = options.string("compression") == "gzip";
  (void)errors.good(check_headers(config.headers, options.path("headers")));
  if (options.has("auth")) (void)errors.good(read_auth(options.object("auth"), config));
  hide_headers(config);
  if (url && !config.url.https && options.has("tls"))
    errors.add(options, "tls", "has no effect on an http:// url; did you mean https://?",
               Problem::Kind::kUnused);
  if (Status status = errors.status(); !status) return fail(status.error());
  return config;
}

}  // namespace leat::http
