#include "config/secrets.h"

#include <algorithm>

namespace leat {
namespace {

// Puts the mask in place of text[begin, end).
void mask(std::string& text, size_t begin, size_t end) {
  text.replace(begin, std::min(end, text.size()) - begin, kMask);
}

// "password=…", "sslpassword=…" in the query.
void mask_parameters(std::string& url) {
  constexpr std::string_view kName = "password=";
  size_t at = url.find('?');
  while (at != std::string::npos && (at = url.find(kName, at)) != std::string::npos) {
    at += kName.size();
    mask(url, at, url.find('&', at));
  }
}

}  // namespace

std::string masked(std::string_view secret) {
  std::string out(secret);
  const size_t scheme = out.find("://");
  // One that must be long stays long enough.
  constexpr size_t kLong = 16;
  if (scheme == std::string::npos)
    return out.size() >= kLong ? std::string(kLong, '*') : std::string(out.empty() ? "" : kMask);
  mask_parameters(out);
  const size_t begin = scheme + 3;
  const size_t end = std::min(out.find_first_of("/?", begin), out.size());
  const size_t at = out.rfind('@', end);
  const size_t colon = out.find(':', begin);
  if (at != std::string::npos && at > begin && colon < at) mask(out, colon + 1, at);
  return out;
}

bool holds_secret(std::string_view text) {
  return masked(text) != text;
}

}  // namespace leat
