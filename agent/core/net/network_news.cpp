#include "net/network_news.h"

#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace leat {
namespace {

// More addresses than a gateway has: then they are learned anew.
constexpr size_t kMostAddresses = 256;

// A copy of the structure that `bytes` begins with; false when they are too few.
template <typename T>
bool read(std::span<const char> bytes, T& out) {
  if (bytes.size() < sizeof(T)) return false;
  std::memcpy(&out, bytes.data(), sizeof(T));
  return true;
}

constexpr size_t aligned(size_t size) {
  return (size + 3) & ~size_t{3};  // NLMSG_ALIGNTO, RTA_ALIGNTO
}

std::span<const char> behind(std::span<const char> bytes, size_t size) {
  return bytes.subspan(std::min(aligned(size), bytes.size()));
}

}  // namespace

bool NetworkNews::take(std::span<const char> messages) {
  bool news = false;
  nlmsghdr header;
  while (read(messages, header) && header.nlmsg_len >= sizeof header &&
         header.nlmsg_len <= messages.size()) {
    std::span<const char> payload = behind(messages.first(header.nlmsg_len), sizeof header);
    switch (header.nlmsg_type) {
      case RTM_NEWLINK:
      case RTM_DELLINK:
        news |= take_link(payload, header.nlmsg_type == RTM_DELLINK);
        break;
      case RTM_NEWADDR:
      case RTM_DELADDR:
        news |= take_address(payload, header.nlmsg_type == RTM_DELADDR);
        break;
      default:
        break;
    }
    messages = behind(messages, header.nlmsg_len);
  }
  return news;
}

bool NetworkNews::take_link(std::span<const char> payload, bool gone) {
  ifinfomsg link;
  if (!read(payload, link) || (link.ifi_flags & IFF_LOOPBACK) != 0) return false;
  const bool has_carrier = !gone && (link.ifi_flags & IFF_RUNNING) != 0;
  if (!has_carrier) {
    carrier_.erase(link.ifi_index);
    return false;
  }
  return !std::exchange(carrier_[link.ifi_index], true);
}

bool NetworkNews::take_address(std::span<const char> payload, bool gone) {
  ifaddrmsg about;
  // Of one's own machine or link only: nobody else is reached from it.
  if (!read(payload, about) || about.ifa_scope >= RT_SCOPE_LINK) return false;
  std::span<const char> attributes = behind(payload, sizeof about);
  rtattr attribute;
  while (read(attributes, attribute) && attribute.rta_len >= sizeof attribute &&
         attribute.rta_len <= attributes.size()) {
    if (attribute.rta_type == IFA_ADDRESS) {
      std::span<const char> address = behind(attributes.first(attribute.rta_len), sizeof attribute);
      std::string key = std::to_string(about.ifa_index) + ' ';
      key.append(address.data(), address.size());
      if (gone) return addresses_.erase(key), false;
      if ((about.ifa_flags & IFA_F_TENTATIVE) != 0) return false;  // told again when it is usable
      if (addresses_.size() >= kMostAddresses) addresses_.clear();
      return addresses_.insert(std::move(key)).second;
    }
    attributes = behind(attributes, attribute.rta_len);
  }
  return false;
}

}  // namespace leat
