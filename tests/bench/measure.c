/* Runs a command and prints, as one JSON object on standard output, what it cost. The command's own
 * standard output goes to standard error.
 *
 * A program of its own because a child's ru_maxrss begins with the size of the process that forked
 * it: this one has less than a megabyte, a Python interpreter has ten. */
#include <stdio.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double seconds(struct timeval t) {
  return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

int main(int argc, char** argv) {
  if (argc < 2) {
    fprintf(stderr, "usage: measure COMMAND [ARGUMENTS]\n");
    return 2;
  }
  struct timespec begin, end;
  clock_gettime(CLOCK_MONOTONIC, &begin);
  pid_t child = fork();
  if (child < 0) {
    perror("fork");
    return 1;
  }
  if (child == 0) {
    dup2(2, 1);
    execvp(argv[1], argv + 1);
    perror(argv[1]);
    _exit(127);
  }
  int status = 0;
  struct rusage usage;
  if (wait4(child, &status, 0, &usage) < 0) {
    perror("wait4");
    return 1;
  }
  clock_gettime(CLOCK_MONOTONIC, &end);
  printf(
      "{\"exit\": %d, \"wall\": %.6f, \"user\": %.6f, \"sys\": %.6f, \"peakKiB\": %ld, "
      "\"switches\": %ld, \"writtenKiB\": %ld}\n",
      WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status),
      (double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) / 1e9,
      seconds(usage.ru_utime), seconds(usage.ru_stime), usage.ru_maxrss,
      usage.ru_nvcsw + usage.ru_nivcsw, usage.ru_oublock / 2);
  return 0;
}
