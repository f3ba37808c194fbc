// A snapshot in words: status lines on a terminal, log lines now and then without one, the status
// line of the service manager, and a summary per pipeline at the end.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/units.h"
#include "control/snapshot.h"
#include "pipeline/pipeline.h"

namespace leat {

// "42% of 110.0 MiB, 1,234,567 records (2,345,678/s), 1,000,000 delivered, 12 dead letters, 3s
// left"
std::string progress_line(const PipelineStatus& status, Milliseconds elapsed);
// What goes before that, of a job: "3 of 12 tasks done, 1 failed, 41% of about 1,200,000 records;
// slowest: orders_7 (2m 10s), orders_2 (40s)". "" of what is none. `now_us`: unix time.
std::string tasks_line(const PipelineStatus& status, int64_t now_us);

// "1,000,000 records read (110.0 MiB), 749,211 delivered, 250,789 filtered, 0 dead letters, in 1.2s
// (833,333 records/s)"
std::string summary_line(const PipelineStatus& status, Milliseconds elapsed);

// What of that can be said at any time: "1,000,000 records read (110.0 MiB), 749,211 delivered, …".
// In front of it how a pipeline ended that does not run; behind it, in trouble, why the sink takes
// nothing.
std::string state_of(const PipelineSnapshot& pipeline);

// What is said of a pipeline in trouble: "press-line: POST https://collector.example/: connection
// refused; 12.3 MiB spooled". "" when all is well.
std::string trouble_line(const PipelineSnapshot& pipeline);
bool in_trouble(const Snapshot& snapshot);

// "2 pipelines run", or "draining, 1 pipeline left".
std::string count_line(const Snapshot& snapshot);
// And behind that what is said of those in trouble.
std::string state_line(const Snapshot& snapshot);

// Status lines on a terminal: one for each pipeline that runs, as far as they fit.
class ProgressDisplay {
 public:
  explicit ProgressDisplay(bool terminal) : terminal_(terminal) {}

  // Those that end by themselves have a line in the log where there is no terminal.
  void show(const Snapshot& snapshot);
  void remove(const std::string& pipeline);
  bool terminal() const { return terminal_; }

 private:
  void show_lines();
  bool terminal_;
  std::map<std::string, std::string> lines_;  // by pipeline
};

// A line in the log for each pipeline that runs without an end, when anything has happened in it
// since the last time or it is in trouble: an agent with nothing to do writes nothing.
class Heartbeat {
 public:
  // Lines as "press-line: 1,200 records read (…), … (4/s)".
  std::vector<std::pair<std::string, std::string>> lines(const Snapshot& snapshot);

 private:
  struct Last {
    PipelineStatus counters;
    Milliseconds at{0};
  };
  std::map<std::string, Last> last_;  // by pipeline
};

}  // namespace leat
