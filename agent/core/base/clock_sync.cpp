#include "base/clock_sync.h"

#include <sys/timex.h>

namespace leat {

bool clock_is_synchronised() {
  timex state = {};  // modes 0: only looks
  const int code = ::adjtimex(&state);
  return code >= 0 && code != TIME_ERROR && (state.status & STA_UNSYNC) == 0;
}

}  // namespace leat
