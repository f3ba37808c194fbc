#include "control/spool_room.h"

#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/units.h"

namespace leat {

std::string spool_room_warning(const std::vector<PipelineConfig>& pipelines,
                               const std::string& data_dir) {
  int64_t wanted = 0;
  for (const PipelineConfig& one : pipelines)
    if (one.delivery.spool.mode != SpoolMode::kNever) wanted += one.delivery.spool.max_bytes;
  struct statvfs disk {};
  if (wanted == 0 || ::statvfs(data_dir.c_str(), &disk) != 0) return "";
  int64_t there = static_cast<int64_t>(disk.f_bavail) * static_cast<int64_t>(disk.f_frsize);
  for (const char* name : {"/journal.db", "/journal.db-wal", "/journal.db.reserve"}) {
    struct stat info {};
    if (::stat((data_dir + name).c_str(), &info) == 0) there += info.st_size;
  }
  if (wanted <= there) return "";
  return "the pipelines may spool " + format_bytes(wanted) +
         " (delivery.maxSpool), but " +  // logged: warn
         data_dir + " has room for " + format_bytes(there) +
         ": when that is full, what is not delivered waits at its source";
}

}  // namespace leat
