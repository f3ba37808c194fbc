// Where each key and value of a configuration stands in its text, so that a problem can say so.
#pragma once

#include <string>
#include <string_view>

#include "options/problems.h"

namespace leat {

// Sets `line` and `column` of each problem whose path, or the nearest object around it, is found in
// `text`, which Document::parse() has taken, comments and all. Keys that are wrong are pointed at,
// values otherwise.
void set_places(std::string_view text, Problems& problems);

struct Place {
  int line = 0;    // from 1
  int column = 0;  // from 1, in characters, as editors count
};
Place place_at(std::string_view text, size_t offset);

}  // namespace leat
