// Reads the file that a `lookup` has its rows from.
//
// Thread: any; it may take long.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "transform/lookup_table.h"

namespace leat {

enum class LookupFormat { kCsv, kJson, kSqlite };

struct LookupFile {
  std::string path;
  LookupFormat format = LookupFormat::kCsv;
  std::string table;             // of SQLite
  std::vector<std::string> key;  // columns
  // Names of what it gives, and the columns that they are of. None: all but the key.
  std::vector<std::pair<std::string, std::string>> fields;
  size_t max_bytes = 0;
};

// Fails with kUsage for what a person must mend, kUnavailable for what may pass, and kData; the
// message names the file.
Result<std::shared_ptr<const LookupTable>> read_lookup_file(const LookupFile& file);

}  // namespace leat
