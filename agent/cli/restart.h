// The process begins anew, as the same process: whoever watches it (systemd, a supervisor of
// OpenRC, a shell) sees it go on, and needs no rule for it.
#pragma once

#include <string>
#include <vector>

namespace leat {

// Why that file cannot be run, as far as can be seen: it is not there, or written half. "" for
// none.
std::string fault_of_program(const std::string& path);

// The words of /proc/self/cmdline, views into it. Each ends with a zero there, but perhaps for the
// last one: a process may write over it.
std::vector<char*> words_of(std::string& arguments);

// Whether begin_anew() would return: why, or "".
std::string why_not_anew();

// With the same arguments, from the file that is there now, which may be a newer leat; where that
// cannot be run, from the one that this process was made of. Returns only when neither can be, with
// why.
std::string begin_anew();

}  // namespace leat
