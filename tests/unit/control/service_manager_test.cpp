#include "control/service_manager.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/text.h"
#include "support/hand_loop.h"

namespace leat {
namespace {

constexpr pid_t kSelf = 42;

class ServiceManagerTest : public ::testing::Test {
 protected:
  ServiceManager with_watchdog() { return {clock_, send(), Milliseconds{500}}; }
  ServiceManager without_watchdog() { return {clock_, send(), Milliseconds{0}}; }
  // As the process's environment says.
  ServiceManager of_process(std::map<std::string, std::string> variables) {
    auto environment =
        [variables = std::move(variables)](const std::string& name) -> std::optional<std::string> {
      auto found = variables.find(name);
      if (found == variables.end()) return std::nullopt;
      return found->second;
    };
    return ServiceManager::of_process(environment, clock_, kSelf);
  }
  // What was sent since the last call.
  std::vector<std::string> said() { return std::exchange(said_, {}); }

  using Messages = std::vector<std::string>;
  testing::FakeClock clock_;
  Status answer_;

 private:
  ServiceManager::Send send() {
    return [this](const std::string& message) {
      said_.push_back(message);
      return answer_;
    };
  }
  std::vector<std::string> said_;
};

TEST_F(ServiceManagerTest, the_first_sign_of_life_says_ready) {
  ServiceManager service = with_watchdog();
  service.alive("2 pipelines run");
  EXPECT_EQ(said(), Messages{"READY=1\nSTATUS=2 pipelines run\n"});
}

TEST_F(ServiceManagerTest, a_sign_of_life_has_the_status_only_when_it_changed) {
  ServiceManager service = with_watchdog();
  service.alive("1 pipeline runs");
  service.alive("1 pipeline runs");
  service.alive("1 pipeline runs; p: away");
  service.alive("1 pipeline runs; p: away");
  EXPECT_EQ(said(), (Messages{"READY=1\nSTATUS=1 pipeline runs\n", "WATCHDOG=1\n",
                              "WATCHDOG=1\nSTATUS=1 pipeline runs; p: away\n", "WATCHDOG=1\n"}));
}

TEST_F(ServiceManagerTest, without_a_watchdog_only_changes_are_said) {
  ServiceManager service = without_watchdog();
  service.alive("1 pipeline runs");
  service.alive("1 pipeline runs");
  service.alive("no pipelines run");
  EXPECT_EQ(said(), (Messages{"READY=1\nSTATUS=1 pipeline runs\n", "STATUS=no pipelines run\n"}));
}

TEST_F(ServiceManagerTest, a_reload_says_when_it_began_and_what_came_of_it) {
  ServiceManager service = without_watchdog();
  service.alive("1 pipeline runs");
  said();
  clock_.advance(std::chrono::microseconds{234});
  service.reloading();
  service.reload_done("taken over");
  EXPECT_EQ(said(), (Messages{"RELOADING=1\nMONOTONIC_USEC=1000234\n"
                              "STATUS=reading the configuration again\n",
                              "READY=1\nSTATUS=taken over\n"}));
  service.alive("1 pipeline runs");
  EXPECT_EQ(said(), Messages{"STATUS=1 pipeline runs\n"});
}

TEST_F(ServiceManagerTest, a_refused_configuration_stays_in_the_status_until_a_good_one_comes) {
  ServiceManager service = without_watchdog();
  service.alive("1 pipeline runs");
  service.reloading();
  said();
  service.reload_refused("agent.id: must not be empty");
  service.alive("1 pipeline runs");
  std::string refused = "configuration refused, the old one goes on: agent.id: must not be empty";
  EXPECT_EQ(said(), (Messages{"READY=1\nSTATUS=" + refused + "\n",
                              "STATUS=" + refused + "; 1 pipeline runs\n"}));
  service.reloading();
  service.reload_done("taken over");
  said();
  service.alive("1 pipeline runs");
  EXPECT_EQ(said(), Messages{"STATUS=1 pipeline runs\n"});
}

TEST_F(ServiceManagerTest, stopping_is_said_once_with_the_time_it_needs) {
  ServiceManager service = with_watchdog();
  service.alive("1 pipeline runs");
  said();
  service.stopping("draining", Milliseconds{60'000});
  service.alive("draining, 1 pipeline left");
  service.stopping("drained", Milliseconds{0});
  EXPECT_EQ(said(),
            (Messages{"STOPPING=1\nEXTEND_TIMEOUT_USEC=75000000\nSTATUS=draining\n",
                      "WATCHDOG=1\nSTATUS=draining, 1 pipeline left\n", "STATUS=drained\n"}));
}

TEST_F(ServiceManagerTest, an_endless_drain_timeout_asks_for_no_more_than_a_week) {
  ServiceManager service = without_watchdog();
  service.alive("1 pipeline runs");
  said();
  service.stopping("draining", Milliseconds::max());
  EXPECT_EQ(said(), Messages{"STOPPING=1\nEXTEND_TIMEOUT_USEC=604815000000\nSTATUS=draining\n"});
}

TEST_F(ServiceManagerTest, one_that_ends_before_it_was_ready_has_been_ready) {
  ServiceManager service = without_watchdog();
  service.stopping("all pipelines have ended", Milliseconds{0});
  EXPECT_EQ(said(), (Messages{"READY=1\n", "STOPPING=1\nSTATUS=all pipelines have ended\n"}));
}

TEST_F(ServiceManagerTest, what_a_peer_said_cannot_become_an_assignment) {
  ServiceManager service = without_watchdog();
  service.alive("p: refused\nMAINPID=1\r\n");
  EXPECT_EQ(said(), Messages{"READY=1\nSTATUS=p: refused MAINPID=1  \n"});
  service.alive("p: \xFF\nMAINPID=1");
  EXPECT_EQ(said(), Messages{"STATUS=p: \uFFFD\u240AMAINPID=1\n"});
}

TEST_F(ServiceManagerTest, a_long_status_is_cut_between_characters) {
  ServiceManager service = with_watchdog();
  std::string text = "x";
  while (text.size() < 5000) text += "€";
  service.alive(text);
  std::string message = said().at(0);
  EXPECT_LT(message.size(), 1100U);
  EXPECT_TRUE(is_utf8(message));
  service.alive(text);
  EXPECT_EQ(said(), Messages{"WATCHDOG=1\n"}) << "what is sent has not changed";
}

TEST_F(ServiceManagerTest, trouble_with_sending_is_logged_once_until_it_works_again) {
  ServiceManager service = with_watchdog();
  ::testing::internal::CaptureStderr();
  answer_ = fail(ErrorKind::kUnavailable, "nobody there");
  for (int i = 0; i < 3; ++i) service.alive("1 pipeline runs");
  answer_ = {};
  service.alive("1 pipeline runs");
  answer_ = fail(ErrorKind::kUnavailable, "nobody again");
  service.alive("1 pipeline runs");
  std::string log = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(said().size(), 5U);
  EXPECT_EQ(std::ranges::count(log, '\n'), 2) << log;
  EXPECT_NE(log.find("warn leat: the service manager cannot be told how it goes: nobody there"),
            std::string::npos)
      << log;
}

TEST_F(ServiceManagerTest, without_its_socket_nothing_is_said_and_nothing_needed) {
  ServiceManager service = of_process({{"WATCHDOG_USEC", "1000000"}});
  EXPECT_FALSE(service.listening());
  EXPECT_EQ(service.ping_period().count(), 0);
  service.alive("1 pipeline runs");
  service.stopping("drained", Milliseconds{0});
}

TEST_F(ServiceManagerTest, a_socket_of_another_family_is_left_alone_with_one_line) {
  ::testing::internal::CaptureStderr();
  EXPECT_FALSE(of_process({{"NOTIFY_SOCKET", "vsock:2:1234"}}).listening());
  std::string log = ::testing::internal::GetCapturedStderr();
  EXPECT_NE(log.find("warn leat: NOTIFY_SOCKET is \"vsock:2:1234\", known here: "),
            std::string::npos)
      << log;
  EXPECT_EQ(std::ranges::count(log, '\n'), 1) << log;
}

TEST_F(ServiceManagerTest, the_watchdog_is_fed_at_half_its_interval) {
  auto period = [this](std::map<std::string, std::string> variables) {
    variables["NOTIFY_SOCKET"] = "@nobody";
    ServiceManager service = of_process(std::move(variables));
    EXPECT_TRUE(service.listening());
    return service.ping_period().count();
  };
  EXPECT_EQ(period({}), 0);
  EXPECT_EQ(period({{"WATCHDOG_USEC", "60000000"}}), 30'000);
  EXPECT_EQ(period({{"WATCHDOG_USEC", "60000000"}, {"WATCHDOG_PID", "42"}}), 30'000);
  EXPECT_EQ(period({{"WATCHDOG_USEC", "60000000"}, {"WATCHDOG_PID", "43"}}), 0);
  EXPECT_EQ(period({{"WATCHDOG_USEC", "1"}}), 1);
  ::testing::internal::CaptureStderr();
  for (const char* bad : {"", "0", "-5", "1s", "99999999999999999999"})
    EXPECT_EQ(period({{"WATCHDOG_USEC", bad}}), 0) << bad;
  EXPECT_EQ(std::ranges::count(::testing::internal::GetCapturedStderr(), '\n'), 5);
}

}  // namespace
}  // namespace leat
