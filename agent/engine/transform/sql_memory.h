// What queries hold in memory, counted by thread.
//
// SQLite counts for the whole process, under a lock that each thread takes for each piece of
// memory. With `parallel` several threads run queries beside each other: they would wait for each
// other, and each would be charged with what the others hold.
#pragma once

#include <cstdint>

namespace leat {

// Any thread, as often as wanted; only what comes before all other use of SQLite does anything.
void count_sql_memory_by_thread();
// What this thread has allocated and not freed; or, when that is not counted, all of them. To be
// compared with what it was before, on the same thread.
int64_t sql_memory_used();

}  // namespace leat
