// Whether an agent runs here, and what is said of one that does not answer.
#include "cli/agent_call.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/cli.h"
#include "control/agent.h"
#include "control/socket.h"
#include "support/temp_dir.h"

namespace leat {
namespace {

class AgentCall : public ::testing::Test {
 protected:
  ~AgentCall() override { stop_listening(); }

  // Somebody listens on the agent's socket, and never answers.
  void listen() {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string path = socket_path(folder_.path());
    ASSERT_LT(path.size(), sizeof address.sun_path);
    path.copy(address.sun_path, path.size());
    fd_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ASSERT_EQ(::bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    ASSERT_EQ(::listen(fd_, 8), 0);
  }
  // As a kill leaves it.
  void stop_listening() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }
  Result<AgentAnswer> ask() {
    return ask_agent(clock_, folder_.path(), "GET", "/api/v1/status", "", Milliseconds{50});
  }
  std::optional<Result<std::string>> ask_for_letters() {
    return ask_api(clock_, folder_.path(), "POST", "dead-letters/drop", {}, "", Milliseconds{50});
  }

  testing::TempDir folder_;
  SystemClock clock_;
  int fd_ = -1;
};

TEST_F(AgentCall, without_a_socket_or_with_one_that_was_left_no_agent_runs) {
  const std::string why = "no agent runs with the data folder " + folder_.path();
  EXPECT_EQ(ask().error().message(), why);
  EXPECT_EQ(exit_code_of(ask().error()), kExitNotRunning);
  EXPECT_FALSE(ask_for_letters());
  listen();
  stop_listening();
  EXPECT_EQ(ask().error().message(), why);
  EXPECT_FALSE(ask_for_letters());
}

TEST_F(AgentCall, one_that_is_stuck_is_told_from_none_and_nothing_of_it_is_touched) {
  listen();
  const Result<AgentAnswer> answer = ask();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().message().rfind("the agent at " + folder_.path(), 0), 0U)
      << answer.error().message();
  EXPECT_EQ(exit_code_of(answer.error()), kExitFailed);
  const std::optional<Result<std::string>> letters = ask_for_letters();
  ASSERT_TRUE(letters) << "else the command would do it behind the agent's back";
  EXPECT_FALSE(*letters);
}

}  // namespace
}  // namespace leat
