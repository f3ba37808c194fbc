#include "task/dead_letter_writer.h"

#include <utility>

#include "base/units.h"
#include "task/dead_letter_line.h"

namespace leat {

DeadLetterWriter::DeadLetterWriter(Loop& loop, std::string pipeline, const DeadLetterConfig& config,
                                   Budget& budget)
    : clock_(loop.clock()),
      pipeline_(std::move(pipeline)),
      file_(loop, pipeline_, config, &budget) {}

void DeadLetterWriter::write(const Rejection& rejection, const std::string& where) {
  ++count_;
  reasons_.count(rejection.stage, rejection.reason);
  file_.append(dead_letter_line(rejection, pipeline_, where, clock_.unix_us()));
  if (!said_.due(clock_.monotonic_us())) return;
  log::warn(pipeline_, where + ": " + std::string(rejection.stage) + ": " +
                           std::string(rejection.reason) + " (dead letter " +
                           format_count(static_cast<int64_t>(count_)) +
                           ", kept in the dead-letter file)");
}

}  // namespace leat
