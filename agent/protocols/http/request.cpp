#include "protocols/http/request.h"

#include <algorithm>
#include <cctype>

namespace leat::http {

bool same_name(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) {
           return std::tolower(static_cast<unsigned char>(x)) ==
                  std::tolower(static_cast<unsigned char>(y));
         });
}

bool has_header(const Options::Map& headers, std::string_view name) {
  return std::any_of(headers.begin(), headers.end(),
                     [name](const auto& header) { return same_name(header.first, name); });
}

std::string head_start(const RequestConfig& config, std::string_view media) {
  std::string head = config.method + " " + config.url.target +
                     " HTTP/1.1\r\nHost: " + config.url.host_header + "\r\n";
  auto add = [&head](std::string_view name, std::string_view value) {
    head.append(name).append(": ").append(value).append("\r\n");
  };
  if (!has_header(config.headers, "User-Agent")) add("User-Agent", "leat/" LEAT_VERSION);
  if (!has_header(config.headers, "Content-Type") && !media.empty()) add("Content-Type", media);
  if (config.gzip) add("Content-Encoding", "gzip");
  if (!config.authorization.empty()) add("Authorization", config.authorization);
  for (const auto& [name, value] : config.headers) add(name, value);
  return head;
}

void append_head_end(std::string& head, size_t content_length, std::string_view key) {
  head.append("Content-Length: ").append(std::to_string(content_length)).append("\r\n");
  // draft-ietf-httpapi-idempotency-key-header: a Structured Fields string, quotes included.
  if (!key.empty()) head.append("Idempotency-Key: \"").append(key).append("\"\r\n");
  head.append("\r\n");
}

std::string probe_request(const RequestConfig& config) {
  RequestConfig probe = config;
  probe.method = "OPTIONS";
  probe.gzip = false;
  std::erase_if(probe.headers,
                [](const auto& header) { return same_name(header.first, "Content-Type"); });
  return head_start(probe, "") + "\r\n";
}

std::string redact(std::string text, const RequestConfig& config) {
  for (const std::string& secret : config.secrets) {
    for (size_t at = 0; (at = text.find(secret, at)) != std::string::npos; at += 3)
      text.replace(at, secret.size(), "***");
  }
  return text;
}

}  // namespace leat::http
