#include "transform/sql_memory.h"

#include <sqlite3.h>

#include <mutex>

namespace leat {
namespace {

sqlite3_mem_methods plain;
bool by_thread = false;
thread_local int64_t used = 0;

void* counted_malloc(int bytes) {
  void* piece = plain.xMalloc(bytes);
  if (piece != nullptr) used += plain.xSize(piece);
  return piece;
}

void counted_free(void* piece) {
  used -= plain.xSize(piece);
  plain.xFree(piece);
}

void* counted_realloc(void* piece, int bytes) {
  const int before = plain.xSize(piece);
  void* other = plain.xRealloc(piece, bytes);
  if (other != nullptr) used += plain.xSize(other) - before;
  return other;
}

}  // namespace

void count_sql_memory_by_thread() {
  static std::once_flag once;
  std::call_once(once, [] {
    if (sqlite3_config(SQLITE_CONFIG_GETMALLOC, &plain) != SQLITE_OK) return;
    sqlite3_mem_methods counted = plain;
    counted.xMalloc = counted_malloc;
    counted.xFree = counted_free;
    counted.xRealloc = counted_realloc;
    by_thread = sqlite3_config(SQLITE_CONFIG_MALLOC, &counted) == SQLITE_OK;
    if (by_thread) sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  });
}

int64_t sql_memory_used() {
  return by_thread ? used : sqlite3_memory_used();
}

}  // namespace leat
