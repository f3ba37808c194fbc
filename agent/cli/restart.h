// The process begins anew, as the same process: whoever watches it (systemd, a supervisor of
// OpenRC, a shell) sees it go on, and needs no rule for it.
#pragma once

#include <string>

namespace leat {

// With the same arguments, from the file that is there now, which may be a newer leat. Returns only
// when that cannot be, with why.
std::string begin_anew();

}  // namespace leat
