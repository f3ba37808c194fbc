#include "control/process_setup.h"

#include <malloc.h>
#include <sys/resource.h>

#include <cstdlib>

namespace leat {

void limit_process_memory() {
  mallopt(M_ARENA_MAX, 1);
  mallopt(M_MMAP_THRESHOLD, 512 * 1024);
  mallopt(M_TRIM_THRESHOLD, 512 * 1024);
  ::setenv("UV_THREADPOOL_SIZE", "2", 0);
}

void return_free_memory() {
  ::malloc_trim(0);
}

void raise_descriptor_limit() {
  struct rlimit limit {};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  (void)::setrlimit(RLIMIT_NOFILE, &limit);  // fewer will do, too
}

}  // namespace leat
