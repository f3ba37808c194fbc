// What a run tells about itself: a status line on a terminal, a log line every ten seconds without
// one, and a summary per pipeline at the end.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/units.h"
#include "pipeline/pipeline.h"

namespace leat {

// "42% of 110.0 MiB, 1,234,567 records (2,345,678/s), 1,000,000 delivered, 12 dead letters, 3s
// left"
std::string progress_line(const PipelineStatus& status, Milliseconds elapsed);

// "1,000,000 records read (110.0 MiB), 749,211 delivered, 250,789 filtered, 0 dead letters, in 1.2s
// (833,333 records/s)"
std::string summary_line(const PipelineStatus& status, Milliseconds elapsed);

// What of that can be said at any time: "1,000,000 records read (110.0 MiB), 749,211 delivered, …".
// Behind it, in trouble, why the sink takes nothing.
std::string state_of(const PipelineStatus& status);

// What the status line of the service manager says of a pipeline in trouble: "press-line: POST
// https://collector.example/: connection refused; 12.3 MiB spooled". "" when all is well.
std::string trouble_line(const std::string& pipeline, const PipelineStatus& status);

// "2 pipelines run", and behind that what is said about those in trouble.
std::string state_line(int running, bool draining, const std::vector<std::string>& troubles);

// Collects the latest status of each pipeline and shows them.
class ProgressDisplay {
 public:
  explicit ProgressDisplay(bool terminal) : terminal_(terminal) {}

  void update(const std::string& pipeline, const PipelineStatus& status, Milliseconds elapsed);
  void remove(const std::string& pipeline);
  bool terminal() const { return terminal_; }

 private:
  void show();
  bool terminal_;
  std::vector<std::pair<std::string, std::string>> lines_;  // pipeline → its line
};

}  // namespace leat
