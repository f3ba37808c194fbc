// One line of the dead-letter file (delivery/dead_letter_file.h shows its form).
#pragma once

#include <cstdint>
#include <string>

#include "task/rejection.h"

namespace leat {

// `where` is the place in the source for people ("/data/a.jsonl:17").
std::string dead_letter_line(const Rejection& rejection, const std::string& pipeline,
                             const std::string& where, int64_t unix_us);

}  // namespace leat
