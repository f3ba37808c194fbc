#include "task/dead_letter_writer.h"

#include <utility>

#include "base/random.h"
#include "base/units.h"
#include "task/dead_letter_line.h"

namespace leat {

std::string dead_letter_path(const DeadLetterConfig& config, const std::string& pipeline,
                             const std::string& data_dir) {
  return config.path.empty() ? data_dir + "/dead-letters/" + pipeline + ".jsonl" : config.path;
}

DeadLetterWriter::DeadLetterWriter(Loop& loop, std::string pipeline, const DeadLetterConfig& config,
                                   Budget& budget)
    : clock_(loop.clock()),
      pipeline_(std::move(pipeline)),
      path_(config.path),
      last_id_(random_number()),
      file_(loop, pipeline_, config, &budget) {}

void DeadLetterWriter::write(Rejection rejection, const std::string& where) {
  // Odd, so that all numbers come before one comes again; and they do not look alike.
  constexpr uint64_t kStep = 0x9E3779B97F4A7C15;
  const bool again = rejection.was_dead();
  if (!again) ++count_;
  if (rejection.id == 0) rejection.id = last_id_ += kStep;
  const bool new_reason =
      !again && reasons_.count(rejection.stage, rejection.code, rejection.reason);
  file_.append(dead_letter_line(rejection, pipeline_, where, clock_.unix_us()));
  if (!said_.due(clock_.monotonic_us()) && !new_reason) return;
  log::warn(pipeline_,
            where + ": " + std::string(rejection.stage) + ": " + std::string(rejection.reason) +
                (again ? " (a dead letter again, attempt " + std::to_string(rejection.attempt)
                       : " (dead letter " + format_count(static_cast<int64_t>(count_))) +
                ", kept in " + path_ + ")");
}

}  // namespace leat
