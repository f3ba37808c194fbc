// Whether a run may be called a success: that nothing failed is not enough. `maxDeadLetters` says
// how many dead letters are too many, and all of them always are.
//
// Thread: any.
#pragma once

#include <cstdint>

#include "base/result.h"
#include "plan/dead_letter_limit.h"
#include "task/task_status.h"

namespace leat {

// While it runs: fails when there are more than the count that is allowed.
Status within_limit(const DeadLetterLimit& limit, uint64_t dead_letters);

// Of a run whose input has ended, and of which all is delivered, or rejected: fails when that is a
// larger share of what was read than is allowed, or when nothing else came of it.
Status verdict_of(const DeadLetterLimit& limit, const TaskStatus& run);

}  // namespace leat
