#include "connectors/http/answer.h"

#include <array>

#include "base/text.h"
#include "protocols/http/retry_after.h"

namespace leat::http {
namespace {

constexpr size_t kExcerpt = 200;

struct Hint {
  int status;
  std::string_view check;
};
// These statuses speak about the address or the credentials, not about the records: the same
// records are welcome once somebody has mended that. Rejecting them would throw good data into the
// dead letters because a token has expired, so they are kept and tried again.
constexpr std::array kEndpointTrouble = std::to_array<Hint>({
    {401, "check \"auth\""},
    {403, "check what the credentials in \"auth\" may do"},
    {404, "check \"url\""},
    {405, "check \"method\" and \"url\""},
    {407, "a proxy on the way asks for credentials"},
    {410, "check \"url\""},
    {421, "check \"url\""},
    {426, "the server wants another protocol"},
    {431, "check \"headers\""},
    {495, "check \"tls.cert\""},                 // of nginx: client certificate refused
    {496, "check \"tls.cert\""},                 // of nginx: client certificate missing
    {497, "check \"url\": https:// is needed"},  // of nginx
});

// Servers say 400 also for what is wrong with the connection. Those that can be told from their
// text: nginx, nginx, nginx, Apache, Go.
struct Phrase {
  std::string_view text;
  std::string_view check;
};
constexpr std::array kConnectionTrouble = std::to_array<Phrase>({
    {"No required SSL certificate was sent", "check \"tls.cert\""},
    {"The SSL certificate error", "check \"tls.cert\""},
    {"plain HTTP request was sent to HTTPS port", "check \"url\": https:// is needed"},
    {"speaking plain HTTP to an SSL-enabled server port", "check \"url\": https:// is needed"},
    {"sent an HTTP request to an HTTPS server", "check \"url\": https:// is needed"},
});

std::string_view check_for(const Response& response) {
  if (response.status >= 300 && response.status < 400)
    return "redirects are not followed: put the right address into \"url\"";
  for (const Hint& hint : kEndpointTrouble)
    if (hint.status == response.status) return hint.check;
  if (response.status == 400)
    for (const Phrase& phrase : kConnectionTrouble)
      if (response.body_start.find(phrase.text) != std::string::npos) return phrase.check;
  return {};
}

// One line of the body, without the tags of an error page.
std::string summary(const RequestConfig& config, const Response& response) {
  std::string line;
  bool in_tag = false;
  for (char c : redact(response.body_start, config)) {
    if (c == '<') in_tag = true;
    bool blank = in_tag || static_cast<unsigned char>(c) <= ' ';
    if (c == '>') in_tag = false;
    if (!blank) line += c;
    if (blank && !line.empty() && line.back() != ' ') line += ' ';
  }
  while (!line.empty() && line.back() == ' ') line.pop_back();
  return excerpt(line, kExcerpt);
}

std::string reason_for(const RequestConfig& config, const Response& response,
                       std::string_view check) {
  std::string reason = config.shown() + ": " + std::to_string(response.status);
  if (!response.reason.empty()) reason += " " + excerpt(redact(response.reason, config));
  if (!check.empty()) reason += " (" + std::string(check) + ")";
  std::string detail = summary(config, response);
  if (response.status >= 300 && response.status < 400 && !response.location.empty()) {
    // Without its query, which may hold a key.
    std::string location = response.location.substr(0, response.location.find('?'));
    detail = "the server points to " + excerpt(redact(location, config), kExcerpt);
  }
  return detail.empty() ? reason : reason + ": " + detail;
}

}  // namespace

Answer answer_for(const RequestConfig& config, const Response& response, int64_t now_s) {
  const int status = response.status;
  if (status >= 200 && status < 300) return Answer::delivered();
  const std::string_view check = check_for(response);
  std::string reason = reason_for(config, response, check);
  const bool client_error = status >= 400 && status < 500;
  const bool not_now = status == 408 || status == 425 || status == 429;
  if (client_error && !not_now && check.empty())
    return Answer::refused({std::move(reason), "http-" + std::to_string(status)});
  return Answer::retry(std::move(reason),
                       parse_retry_after(response.retry_after, response.date, now_s));
}

bool proves_health(const Result<Response>& response) {
  constexpr int kNotImplemented = 501;
  return response && (response->status < 500 || response->status == kNotImplemented);
}

}  // namespace leat::http
