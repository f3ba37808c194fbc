#include "control/notify_socket.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstddef>
#include <string>

#include "support/temp_dir.h"

namespace leat {
namespace {

constexpr size_t kFamily = offsetof(sockaddr_un, sun_path);

TEST(NotifyAddress, of_a_path_ends_with_its_nul) {
  Result<NotifyAddress> address = parse_notify_address("/run/notify");
  ASSERT_TRUE(address);
  EXPECT_EQ(address->name.sun_family, AF_UNIX);
  EXPECT_STREQ(address->name.sun_path, "/run/notify");
  EXPECT_EQ(address->size, kFamily + 12);
}

TEST(NotifyAddress, of_an_abstract_name_begins_with_nul_and_has_none_behind) {
  Result<NotifyAddress> address = parse_notify_address("@a/b");
  ASSERT_TRUE(address);
  EXPECT_EQ(std::string(address->name.sun_path, 4), std::string("\0a/b", 4));
  EXPECT_EQ(address->size, kFamily + 4);
}

TEST(NotifyAddress, takes_what_fits_and_nothing_longer) {
  std::string path = "/" + std::string(106, 'p');  // 107 and NUL
  EXPECT_TRUE(parse_notify_address(path));
  EXPECT_FALSE(parse_notify_address(path + "p"));
  std::string name = "@" + std::string(107, 'n');
  EXPECT_TRUE(parse_notify_address(name));
  EXPECT_FALSE(parse_notify_address(name + "n"));
}

TEST(NotifyAddress, of_another_family_is_refused_with_its_text) {
  for (const char* text : {"vsock:2:1234", "relative/path", "@", "/", ""}) {
    Result<NotifyAddress> address = parse_notify_address(text);
    ASSERT_FALSE(address) << text;
    EXPECT_EQ(address.error().kind(), ErrorKind::kUsage);
    EXPECT_EQ(address.error().message(), "NOTIFY_SOCKET is \"" + std::string(text) +
                                             "\", known here: \"/path\" and \"@name\"");
  }
}

class NotifySocketTest : public ::testing::Test {
 protected:
  NotifySocketTest() : address_(*parse_notify_address(folder_ / "notify")) {}
  ~NotifySocketTest() override {
    if (fd_ >= 0) ::close(fd_);
  }
  void listen() {
    fd_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    ASSERT_EQ(::bind(fd_, reinterpret_cast<const sockaddr*>(&address_.name), address_.size), 0);
  }
  std::string receive() {
    char buffer[256];
    ssize_t size = ::recv(fd_, buffer, sizeof buffer, 0);
    return size < 0 ? "" : std::string(buffer, static_cast<size_t>(size));
  }

  testing::TempDir folder_;
  NotifyAddress address_;
  int fd_ = -1;
};

TEST_F(NotifySocketTest, a_message_is_one_datagram) {
  listen();
  EXPECT_TRUE(send_notification(address_, "READY=1\nSTATUS=a\n"));
  EXPECT_TRUE(send_notification(address_, "STOPPING=1\n"));
  EXPECT_EQ(receive(), "READY=1\nSTATUS=a\n");
  EXPECT_EQ(receive(), "STOPPING=1\n");
}

TEST_F(NotifySocketTest, nobody_there_is_an_error) {
  Status sent = send_notification(address_, "READY=1\n");
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().message(), "send to NOTIFY_SOCKET: no such file or directory");
}

TEST_F(NotifySocketTest, a_full_queue_is_an_error_and_does_not_block) {
  listen();
  Status sent;
  for (int i = 0; sent && i < 1'000'000; ++i) sent = send_notification(address_, "WATCHDOG=1\n");
  ASSERT_FALSE(sent);
  EXPECT_EQ(receive(), "WATCHDOG=1\n");
  EXPECT_TRUE(send_notification(address_, "WATCHDOG=1\n"));
}

}  // namespace
}  // namespace leat
