// What can still be read of a damaged journal. Thread: the journal's, or before it starts.
#pragma once

#include <string>

#include "base/result.h"

struct sqlite3;

namespace leat {

// Renames a damaged journal (and its WAL) to the first free ".damaged-N"; returns the new path.
Result<std::string> set_aside(const std::string& path);

struct Salvaged {
  int positions = 0;
  int batches = 0;
};

// Copies it into a new journal.
Salvaged salvage(const std::string& damaged, sqlite3* into);

}  // namespace leat
