// Where the process's environment variables, host name and clock come from; everything else is
// handed them.
#include <unistd.h>

#include <cstdlib>
#include <exception>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "cli/cli.h"
#include "loop/signals.h"
#ifdef LEAT_PARALLEL
#include "transform/sql_memory.h"
#endif

namespace {

std::optional<std::string> environment_variable(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  if (value == nullptr) return std::nullopt;
  return value;
}

std::string host_name() {
  char name[256] = {};
  return gethostname(name, sizeof name - 1) == 0 && name[0] != '\0' ? name : "leat";
}

}  // namespace

// What is called for an exception that nobody catches. The library's own one names it, for which it
// brings a demangler of 30 KB; no exception crosses a stage here (result.h).
void __gnu_cxx::__verbose_terminate_handler() {
  std::abort();
}

int main(int argc, char** argv) {
  leat::hold_signals();
  std::vector<std::string> words(argv + (argc > 0 ? 1 : 0), argv + argc);
#ifdef LEAT_PARALLEL
  leat::count_sql_memory_by_thread();
#endif
  leat::SystemClock clock;
  leat::log::set_clock(clock);
  return leat::run_cli(words, {environment_variable, host_name(), clock, geteuid() == 0});
}
