#include "net/network_news.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include <cstring>

namespace leat {
namespace {

template <typename T>
std::string bytes_of(const T& value) {
  return std::string(reinterpret_cast<const char*>(&value), sizeof value);
}

std::string message(uint16_t type, const std::string& payload) {
  nlmsghdr header = {};
  header.nlmsg_len = static_cast<uint32_t>(sizeof header + payload.size());
  header.nlmsg_type = type;
  std::string out = bytes_of(header) + payload;
  out.resize((out.size() + 3) & ~size_t{3});
  return out;
}

std::string link(uint16_t type, int index, unsigned flags) {
  ifinfomsg about = {};
  about.ifi_index = index;
  about.ifi_flags = flags;
  return message(type, bytes_of(about));
}

std::string attribute(uint16_t type, const std::string& value) {
  rtattr head = {};
  head.rta_type = type;
  head.rta_len = static_cast<uint16_t>(sizeof head + value.size());
  std::string out = bytes_of(head) + value;
  out.resize((out.size() + 3) & ~size_t{3});
  return out;
}

std::string address(uint16_t type, unsigned index, const char* text, uint8_t flags = 0,
                    uint8_t scope = RT_SCOPE_UNIVERSE) {
  ifaddrmsg about = {};
  about.ifa_family = AF_INET;
  about.ifa_index = index;
  about.ifa_flags = flags;
  about.ifa_scope = scope;
  in_addr binary = {};
  inet_pton(AF_INET, text, &binary);
  return message(type, bytes_of(about) + attribute(IFA_LABEL, "eth0") +
                           attribute(IFA_ADDRESS, bytes_of(binary)));
}

TEST(NetworkNews, a_link_that_gets_its_carrier_is_news_and_only_then) {
  NetworkNews news;
  EXPECT_FALSE(news.take(link(RTM_NEWLINK, 2, IFF_UP)));
  EXPECT_TRUE(news.take(link(RTM_NEWLINK, 2, IFF_UP | IFF_RUNNING)));
  EXPECT_FALSE(news.take(link(RTM_NEWLINK, 2, IFF_UP | IFF_RUNNING | IFF_PROMISC)));
  EXPECT_FALSE(news.take(link(RTM_NEWLINK, 2, IFF_UP)));
  EXPECT_TRUE(news.take(link(RTM_NEWLINK, 2, IFF_UP | IFF_RUNNING)));
  EXPECT_TRUE(news.take(link(RTM_NEWLINK, 3, IFF_UP | IFF_RUNNING)));
  EXPECT_FALSE(news.take(link(RTM_DELLINK, 3, IFF_UP | IFF_RUNNING)));
}

TEST(NetworkNews, an_address_is_news_once_until_it_has_gone) {
  NetworkNews news;
  EXPECT_TRUE(news.take(address(RTM_NEWADDR, 2, "192.0.2.7")));
  EXPECT_FALSE(news.take(address(RTM_NEWADDR, 2, "192.0.2.7"))) << "a lease that was renewed";
  EXPECT_TRUE(news.take(address(RTM_NEWADDR, 2, "192.0.2.8")));
  EXPECT_FALSE(news.take(address(RTM_DELADDR, 2, "192.0.2.7")));
  EXPECT_TRUE(news.take(address(RTM_NEWADDR, 2, "192.0.2.7")));
}

TEST(NetworkNews, an_address_that_is_not_usable_or_leads_nowhere_is_none) {
  NetworkNews news;
  EXPECT_FALSE(news.take(address(RTM_NEWADDR, 2, "192.0.2.7", IFA_F_TENTATIVE)));
  EXPECT_TRUE(news.take(address(RTM_NEWADDR, 2, "192.0.2.7")));
  EXPECT_FALSE(news.take(address(RTM_NEWADDR, 1, "127.0.0.1", 0, RT_SCOPE_HOST)));
  EXPECT_FALSE(news.take(address(RTM_NEWADDR, 2, "169.254.1.1", 0, RT_SCOPE_LINK)));
  EXPECT_FALSE(news.take(link(RTM_NEWLINK, 1, IFF_UP | IFF_RUNNING | IFF_LOOPBACK)));
}

TEST(NetworkNews, several_messages_come_in_one_read) {
  NetworkNews news;
  EXPECT_TRUE(news.take(link(RTM_NEWLINK, 2, IFF_UP) + message(RTM_NEWROUTE, "route") +
                        address(RTM_NEWADDR, 2, "192.0.2.7")));
}

TEST(NetworkNews, what_is_cut_short_is_passed_over) {
  const std::string whole = link(RTM_NEWLINK, 2, IFF_UP | IFF_RUNNING);
  const std::string other = address(RTM_NEWADDR, 2, "192.0.2.7");
  for (size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(NetworkNews().take(std::span(whole).first(size))) << size;
  for (size_t size = 0; size < other.size(); ++size)
    EXPECT_FALSE(NetworkNews().take(std::span(other).first(size))) << size;
  // Lengths inside that are wrong.
  for (size_t at = 0; at < other.size(); ++at) {
    std::string bad = other;
    bad[at] = '\xff';
    NetworkNews().take(bad);
  }
}

}  // namespace
}  // namespace leat
