#include "net/authority.h"

#include <uv.h>

#include <charconv>
#include <string>

namespace leat {
namespace {

tl::unexpected<Error> bad(std::string message) {
  return fail(ErrorKind::kUsage, std::move(message));
}

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_';
}

// "fe80::1", or with the interface that it holds for: "fe80::1%eth0".
bool is_ipv6(std::string_view host) {
  size_t percent = host.find('%');
  std::string address(host.substr(0, percent));
  unsigned char bytes[16];
  if (uv_inet_pton(AF_INET6, address.c_str(), bytes) != 0) return false;
  if (percent == std::string_view::npos) return true;
  std::string_view zone = host.substr(percent + 1);
  for (char c : zone)
    if (!is_name_character(c)) return false;
  return !zone.empty();
}

}  // namespace

Status check_host(std::string_view host) {
  if (host.empty()) return bad("it has no host");
  if (host.find(':') != std::string_view::npos) {
    if (is_ipv6(host)) return {};
    return bad("what stands in [ ] is not an IPv6 address");
  }
  for (char c : host) {
    if (static_cast<unsigned char>(c) >= 0x80)
      return bad("its host has a letter outside ASCII: write the name as it is looked up, xn--…");
    if (!is_name_character(c))
      return bad(std::string("its host has a \"") + c +
                 "\" in it: a name has letters, digits, \"-\", \"_\" and \".\"");
  }
  constexpr size_t kLongestName = 253;  // RFC 1035 section 2.3.4, as text
  if (host.size() > kLongestName) return bad("its host is longer than a name can be");
  return {};
}

Status parse_port(std::string_view text, uint16_t& port) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port == 0)
    return bad("its port is not a number from 1 to 65535");
  return {};
}

Status parse_authority(std::string_view text, Address& address) {
  std::string_view port;
  if (text.starts_with('[')) {
    size_t close = text.find(']');
    if (close == std::string_view::npos) return bad("the \"[\" of an IPv6 address is not closed");
    address.host = text.substr(1, close - 1);
    std::string_view rest = text.substr(close + 1);
    if (!rest.empty() && rest.front() != ':') return bad("nothing but a port may follow \"]\"");
    port = rest.empty() ? rest : rest.substr(1);
    if (!is_ipv6(address.host)) return bad("what stands in [ ] is not an IPv6 address");
  } else {
    size_t colon = text.find(':');
    if (colon != text.rfind(':')) return bad("an IPv6 address must stand in [ ]");
    address.host = text.substr(0, colon);
    if (colon != std::string_view::npos) port = text.substr(colon + 1);
    if (Status status = check_host(address.host); !status) return status;
  }
  return port.empty() ? Status{} : parse_port(port, address.port);
}

}  // namespace leat
