#include "cli/cli.h"

#include <fcntl.h>
#include <unistd.h>

#include "cli/arguments.h"
#include "cli/output.h"
#include "control/agent.h"
#include "loop/signals.h"

namespace leat {
namespace {

// What `leat` alone prints.
constexpr char kFirstSteps[] =
    R"(leat reads data at the edge, transforms it, and delivers it upstream.

  leat check -c FILE     is this configuration right?
  leat run -c FILE       run it
  leat status            how does the agent of this machine do?
  leat help              all commands, sources, transforms, sinks and formats
  leat help NAME         one of them, with its options
  leat COMMAND --help    the same for a command
)";

// A descriptor below 3 that nobody has opened is given to the next file or socket, into which what
// is printed would then go. These fail when they are read or written, as those that are closed do.
void open_standard_streams() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd)
    if (::fcntl(fd, F_GETFD) < 0) (void)::open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY);
}

}  // namespace

int run_cli(std::span<const std::string> words, const CliEnvironment& environment) {
  if (words.empty()) {
    release_signals();
    std::fputs(kFirstSteps, stderr);
    return kExitUsage;
  }
  Result<CommandCall> call = parse_arguments(words, environment);
  int code = kExitUsage;
  if (!call || !call->command->drains) {
    release_signals();
    open_standard_streams();
  }
  if (call) {
    code = call->command->run(*call);
  } else {
    complain("leat: " + call.error().message() + "\nTry \"leat help\"");
  }
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
    complain("leat: write standard output: failed");
    if (code == kExitDelivered) code = kExitFailed;
  }
  return code;
}

}  // namespace leat
