#include "net/meter.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <span>
#include <utility>

namespace leat {
namespace {

// The bytes of an address; of one of IPv4 in the clothes of IPv6 those of IPv4.
std::span<const unsigned char> bytes_of(const sockaddr* address) {
  if (address->sa_family == AF_INET)
    return {reinterpret_cast<const unsigned char*>(
                &reinterpret_cast<const sockaddr_in*>(address)->sin_addr),
            4};
  if (address->sa_family != AF_INET6) return {};
  const in6_addr& six = reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr;
  std::span<const unsigned char> bytes(six.s6_addr, sizeof six.s6_addr);
  return IN6_IS_ADDR_V4MAPPED(&six) ? bytes.last(4) : bytes;
}

bool is_loopback(std::span<const unsigned char> address) {
  constexpr unsigned char kSix[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  return address.size() == 4 ? address[0] == 127 : std::ranges::equal(address, kSix);
}

bool belongs_to(std::span<const unsigned char> address,
                const std::vector<std::string>& interfaces) {
  uv_interface_address_t* all = nullptr;
  int count = 0;
  if (uv_interface_addresses(&all, &count) != 0) return true;  // rather too much than too little
  bool out = false;
  for (const uv_interface_address_t& one : std::span(all, static_cast<size_t>(count)))
    out |= std::ranges::find(interfaces, one.name) != interfaces.end() &&
           std::ranges::equal(address, bytes_of(reinterpret_cast<const sockaddr*>(&one.address)));
  uv_free_interface_addresses(all, count);
  return out;
}

}  // namespace

Meter& Meter::of_process() {
  static Meter meter;
  return meter;
}

void Meter::start(std::vector<std::string> interfaces, std::function<void()> reached) {
  const std::lock_guard lock(mutex_);
  interfaces_ = std::move(interfaces);
  reached_ = std::move(reached);
  start_ = ++last_start_;
}

void Meter::stop() {
  const std::lock_guard lock(mutex_);
  start_ = 0;
  call_at_ = UINT64_MAX;
  reached_ = nullptr;
}

void Meter::add(size_t bytes) {
  const uint64_t before = total_.fetch_add(bytes);
  const uint64_t at = call_at_;
  if (before >= at || before + bytes < at) return;
  const std::lock_guard lock(mutex_);
  if (reached_) reached_();
}

void Meter::look(const uv_stream_t* connection, Seen& seen) {
  sockaddr_storage name{};
  int size = sizeof name;
  auto* address = reinterpret_cast<sockaddr*>(&name);
  std::span<const unsigned char> own;
  if (connection->type == UV_TCP &&
      uv_tcp_getsockname(reinterpret_cast<const uv_tcp_t*>(connection), address, &size) == 0)
    own = bytes_of(address);
  const std::lock_guard lock(mutex_);
  seen.start = start_;
  seen.counts =
      !own.empty() && (interfaces_.empty() ? !is_loopback(own) : belongs_to(own, interfaces_));
}

}  // namespace leat
