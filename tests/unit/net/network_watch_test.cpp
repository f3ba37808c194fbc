#include "net/network_watch.h"

#include <gtest/gtest.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <memory>
#include <optional>
#include <thread>

#include "net/lookup.h"
#include "support/hand_loop.h"

namespace leat {
namespace {

using testing::HandLoop;
using testing::run_until;

TEST(NetworkWatch, all_that_watch_are_told_on_all_loops) {
  HandLoop here;
  HandLoop there;
  int told = 0;
  NetworkWatch one(here, [&] { ++told; });
  NetworkWatch two(here, [&] { ++told; });
  NetworkWatch three(there, [&] { ++told; });
  NetworkWatch::tell_all();
  EXPECT_TRUE(run_until(here, [&] { return told == 2; }));
  EXPECT_TRUE(run_until(there, [&] { return told == 3; }));
}

TEST(NetworkWatch, who_is_told_may_end_any_of_them) {
  HandLoop loop;
  int told = 0;
  std::optional<NetworkWatch> first;
  std::optional<NetworkWatch> second;
  first.emplace(loop, [&] {
    ++told;
    second.reset();
    first.reset();
  });
  second.emplace(loop, [&] { ++told; });
  NetworkWatch::tell_all();
  EXPECT_TRUE(run_until(loop, [&] { return told > 0; }));
  EXPECT_EQ(told, 1);
  NetworkWatch::tell_all();  // nobody is left
}

class FoundNames : public ::testing::Test {
 protected:
  ~FoundNames() override { Lookup::resolve_with(nullptr); }

  void look_up(const std::string& host, bool found) {
    Lookup::resolve_with([found](const std::string&) -> Lookup::Answer {
      if (!found) return fail(ErrorKind::kUnavailable, "temporary failure");
      return std::vector<sockaddr_storage>(1);
    });
    bool answered = false;
    Lookup lookup(loop_, host, [&](const Lookup::Answer&) { answered = true; });
    EXPECT_TRUE(run_until(loop_, [&] { return answered; }));
    // What was posted before that is run.
    bool later = false;
    loop_.post([&] { later = true; });
    EXPECT_TRUE(run_until(loop_, [&] { return later; }));
  }

  HandLoop loop_;
  int told_ = 0;
  NetworkWatch watch_{loop_, [this] { ++told_; }};
};

TEST_F(FoundNames, a_name_that_is_found_again_is_news_and_one_that_always_was_is_none) {
  look_up("found.test", true);
  EXPECT_EQ(told_, 0);
  look_up("lost.test", false);
  look_up("found.test", true);
  EXPECT_EQ(told_, 0);
  look_up("lost.test", true);
  EXPECT_EQ(told_, 1);
  look_up("lost.test", true);
  EXPECT_EQ(told_, 1);
}

#ifdef __x86_64__  // QEMU's user mode emulation knows only some of rtnetlink

// In a network of the thread's own, in which a link is made to come up.
TEST(NetworkWatch, a_link_that_comes_up_is_told) {
  bool possible = true;
  bool told = false;
  std::thread([&] {
    if (::unshare(CLONE_NEWNET) != 0) {
      possible = false;
      return;
    }
    // A TUN device has no carrier of its own accord; a dummy link has.
    if (std::system("ip link add dummy0 type dummy 2>/dev/null") != 0) {
      possible = false;
      return;
    }
    HandLoop loop;
    NetworkWatch watch(loop, [&] { told = true; });
    int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ifreq request = {};
    std::strcpy(request.ifr_name, "dummy0");
    request.ifr_flags = IFF_UP;
    EXPECT_EQ(::ioctl(fd, SIOCSIFFLAGS, &request), 0);
    ::close(fd);
    run_until(loop, [&] { return told; });
  }).join();
  if (!possible) GTEST_SKIP() << "no network namespace, or no dummy link, may be made here";
  EXPECT_TRUE(told);
}

#endif

}  // namespace
}  // namespace leat
