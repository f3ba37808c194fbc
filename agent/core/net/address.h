// Where to connect to.
#pragma once

#include <cstdint>
#include <string>

namespace leat {

struct Address {
  std::string host;  // a name or an IP address, IPv6 without brackets
  uint16_t port = 0;
  std::string path = {};  // of a Unix socket: then `host` and `port` do not count

  // "collector.example:443", "[::1]:80" or the path.
  std::string text() const {
    if (!path.empty()) return path;
    bool ipv6 = host.find(':') != std::string::npos;
    return (ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
  }
};

}  // namespace leat
