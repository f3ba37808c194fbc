#include "cli/import/data_dir.h"

#include <unistd.h>

namespace leat {

std::string imported_data_dir(const std::string& file) {
  return file == "-" ? "datax.leat" : file + ".leat";
}

void forget_imported(const std::string& file) {
  const std::string folder = imported_data_dir(file);
  for (const char* name : {"/journal.db", "/journal.db-wal", "/journal.db-shm", "/journal.db.boot",
                           "/journal.db.reserve"})
    (void)::unlink((folder + name).c_str());
  for (const char* name : {"/dead-letters", ""}) (void)::rmdir((folder + name).c_str());
}

}  // namespace leat
