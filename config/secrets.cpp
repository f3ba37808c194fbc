#include "config/secrets.h"

#include <algorithm>
#include <cctype>

namespace leat {
namespace {

// Puts the mask in place of text[begin, end).
void mask(std::string& text, size_t begin, size_t end) {
  text.replace(begin, std::min(end, text.size()) - begin, kMask);
}

// Of the query, the values whose names say so: "password=…", "api_key=…".
void mask_parameters(std::string& url) {
  size_t begin = url.find('?');
  while (begin != std::string::npos) {
    ++begin;
    const size_t equals = url.find('=', begin);
    size_t end = url.find_first_of("&#", begin);
    if (equals < end && names_secret(std::string_view(url).substr(begin, equals - begin)) &&
        equals + 1 < std::min(end, url.size())) {
      mask(url, equals + 1, end);
      end = url.find_first_of("&#", begin);
    }
    begin = end == std::string::npos || url[end] == '#' ? std::string::npos : end;
  }
}

// "mqtt://…", whatever the scheme: RFC 3986 section 3.1.
bool is_url(std::string_view text) {
  const size_t scheme = text.find("://");
  return scheme != std::string_view::npos && scheme > 0 &&
         std::ranges::all_of(text.substr(0, scheme), [](char c) {
           return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '+' || c == '-' ||
                  c == '.';
         });
}

}  // namespace

bool names_secret(std::string_view name) {
  std::string plain(name);
  for (char& c : plain) {
    c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    if (c == '-' || c == '.') c = '_';
  }
  constexpr std::string_view kParts[] = {
      "password",   "passwd",    "secret",        "token",           "api_key",
      "apikey",     "auth_key",  "access_key",    "functions_key",   "cookie",
      "credential", "signature", "authorization", "subscription_key"};
  constexpr std::string_view kWhole[] = {"key", "sig", "auth", "pwd", "code", "x_auth"};
  return std::ranges::find(kWhole, plain) != std::end(kWhole) ||
         std::ranges::any_of(kParts, [&plain](std::string_view part) {
           return plain.find(part) != std::string::npos;
         });
}

std::string masked_url(std::string_view text) {
  std::string out(text);
  if (!is_url(text)) return out;
  mask_parameters(out);
  const size_t begin = out.find("://") + 3;
  const size_t end = std::min(out.find_first_of("/?", begin), out.size());
  const size_t at = out.rfind('@', end);
  const size_t colon = out.find(':', begin);
  if (at != std::string::npos && at > begin && colon < at) mask(out, colon + 1, at);
  return out;
}

std::string without_secrets(const Option& option, std::string_view text) {
  if (option.masked) return std::string(text.empty() ? "" : kMask);
  return option.secret ? masked(text) : masked_url(text);
}

std::string masked(std::string_view secret) {
  if (is_url(secret)) return masked_url(secret);
  // One that must be long stays long enough.
  constexpr size_t kLong = 16;
  if (secret.size() >= kLong) return std::string(kLong, '*');
  return std::string(secret.empty() ? "" : kMask);
}

}  // namespace leat
