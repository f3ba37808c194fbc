#include "task/verdict.h"

#include <string>

#include "base/units.h"

namespace leat {
namespace {

std::string letters(uint64_t count) {
  return format_count(count, "dead letter");
}

}  // namespace

Status within_limit(const DeadLetterLimit& limit, uint64_t dead_letters) {
  if (!limit.count || dead_letters <= *limit.count) return {};
  return fail(ErrorKind::kData, letters(dead_letters) + ", and maxDeadLetters allows " +
                                    std::to_string(*limit.count));
}

Status verdict_of(const DeadLetterLimit& limit, const TaskStatus& run) {
  if (run.dead_letters == 0) return {};
  if (Status status = within_limit(limit, run.dead_letters); !status) return status;
  // Of what an earlier run spooled some may have become dead letters now.
  const double most = limit.share.value_or(1) * static_cast<double>(run.records + run.resumed);
  if (limit.share && static_cast<double>(run.dead_letters) > most)
    return fail(ErrorKind::kData, letters(run.dead_letters) + " of " +
                                      format_count(run.records + run.resumed, "record") +
                                      ", which is more than maxDeadLetters allows");
  if (run.delivered > 0) return {};
  return fail(ErrorKind::kData, "nothing was delivered, and there " +
                                    std::string(run.dead_letters == 1 ? "is " : "are ") +
                                    letters(run.dead_letters));
}

}  // namespace leat
