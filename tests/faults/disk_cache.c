// Put before libc (LD_PRELOAD): notes what is written to the files below a folder, and what of it
// was synced, for disk_cache.py, which cuts the power. Of a write whole sectors are noted, as they
// were before it and as they are after it.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { kSector = 512 };

// Followed by `length` bytes twice: before and after.
struct Record {
  char kind;  // New, Write, Truncate, Sync, or sync that Failed
  char unused[3];
  uint32_t length;
  uint64_t device;
  uint64_t inode;
  int64_t offset;
  int64_t before;  // size of the file
  int64_t after;
};

// NOLINTNEXTLINE: what dlsym() gives is a function here
#define REAL(result, name, ...)       \
  static result (*real)(__VA_ARGS__); \
  if (real == NULL) *(void**)&real = dlsym(RTLD_NEXT, name)

// Recursive: what stands between this and libc may write files of its own.
static pthread_mutex_t mutex = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static int log_fd = -1;

static ssize_t plain_write(int fd, const void* data, size_t size) {
  REAL(ssize_t, "write", int, const void*, size_t);
  return real(fd, data, size);
}

static int plain_open(const char* path, int flags, mode_t mode) {
  REAL(int, "open64", const char*, int, ...);
  return real(path, flags, mode);
}

static int is_below(const char* path) {
  const char* folder = getenv("DISK_CACHE_OF");
  return folder != NULL && strncmp(path, folder, strlen(folder)) == 0;
}

static int is_meant(int fd) {
  struct stat info;
  char link[64];
  char path[4096];
  if (fd <= STDERR_FILENO || fd == log_fd || fstat(fd, &info) != 0 || !S_ISREG(info.st_mode))
    return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  return is_below(path);
}

// The folder of the log has room, whatever the one that is watched has.
static void note(int fd, char kind, int64_t before, int64_t offset, uint32_t length,
                 const char* both) {
  struct stat info;
  if (fstat(fd, &info) != 0) return;
  if (log_fd < 0)
    log_fd = plain_open(getenv("DISK_CACHE_LOG"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  struct Record head = {kind, {0}, length, info.st_dev, info.st_ino, offset, before, info.st_size};
  size_t size = sizeof head + 2 * (size_t)length;
  char* all = malloc(size);
  memcpy(all, &head, sizeof head);
  if (length > 0) memcpy(all + sizeof head, both, 2 * (size_t)length);
  if (plain_write(log_fd, all, size) != (ssize_t)size) abort();
  free(all);
}

// What is behind the end of the file is taken for zeros.
static void read_sectors(int fd, int64_t first, char* into, size_t length) {
  if (pread(fd, into, length, first) >= 0 || errno != EBADF) return;
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  int again = plain_open(link, O_RDONLY | O_CLOEXEC, 0);
  if (again < 0) return;
  if (pread(again, into, length, first) < 0) memset(into, 0, length);
  close(again);
}

static int64_t size_of_file(int fd) {
  struct stat info;
  return fstat(fd, &info) == 0 ? info.st_size : 0;
}

static size_t size_of(const struct iovec* parts, int count) {
  size_t size = 0;
  for (int i = 0; i < count; ++i) size += parts[i].iov_len;
  return size;
}

// offset -1: where the descriptor stands.
static ssize_t noted_write(int fd, const struct iovec* parts, int count, int64_t offset) {
  REAL(ssize_t, "writev", int, const struct iovec*, int);
  static ssize_t (*real_at)(int, const struct iovec*, int, off64_t);
  if (real_at == NULL) *(void**)&real_at = dlsym(RTLD_NEXT, "pwritev64");
  size_t size = size_of(parts, count);
  if (size == 0 || !is_meant(fd))
    return offset < 0 ? real(fd, parts, count) : real_at(fd, parts, count, offset);
  pthread_mutex_lock(&mutex);
  int64_t at = offset;
  if (offset < 0) at = lseek64(fd, 0, (fcntl(fd, F_GETFL) & O_APPEND) != 0 ? SEEK_END : SEEK_CUR);
  int64_t first = at / kSector * kSector;
  size_t length = (size_t)((at + (int64_t)size + kSector - 1) / kSector * kSector - first);
  char* both = calloc(2, length);
  int64_t before = size_of_file(fd);
  read_sectors(fd, first, both, length);
  ssize_t written = offset < 0 ? real(fd, parts, count) : real_at(fd, parts, count, offset);
  int error = errno;
  read_sectors(fd, first, both + length, length);
  if (written > 0) note(fd, 'W', before, first, (uint32_t)length, both);
  free(both);
  pthread_mutex_unlock(&mutex);
  errno = error;
  return written;
}

ssize_t write(int fd, const void* data, size_t size) {
  struct iovec part = {(void*)data, size};
  return is_meant(fd) ? noted_write(fd, &part, 1, -1) : plain_write(fd, data, size);
}
ssize_t writev(int fd, const struct iovec* parts, int count) {
  return noted_write(fd, parts, count, -1);
}
ssize_t pwrite64(int fd, const void* data, size_t size, off64_t offset) {
  struct iovec part = {(void*)data, size};
  return noted_write(fd, &part, 1, offset);
}
ssize_t pwritev64(int fd, const struct iovec* parts, int count, off64_t offset) {
  return noted_write(fd, parts, count, offset);
}
ssize_t pwrite(int fd, const void* data, size_t size, off_t offset) {
  return pwrite64(fd, data, size, offset);
}
ssize_t pwritev(int fd, const struct iovec* parts, int count, off_t offset) {
  return noted_write(fd, parts, count, offset);
}

int ftruncate64(int fd, off64_t size) {
  REAL(int, "ftruncate64", int, off64_t);
  if (!is_meant(fd)) return real(fd, size);
  pthread_mutex_lock(&mutex);
  int64_t before = size_of_file(fd);
  int result = real(fd, size);
  int error = errno;
  if (result == 0) note(fd, 'T', before, size, 0, NULL);
  pthread_mutex_unlock(&mutex);
  errno = error;
  return result;
}
int ftruncate(int fd, off_t size) {
  return ftruncate64(fd, size);
}

static int noted_sync(int fd, int (*real)(int)) {
  if (!is_meant(fd)) return real(fd);
  pthread_mutex_lock(&mutex);
  int result = real(fd);
  int error = errno;
  note(fd, result == 0 ? 'S' : 'F', size_of_file(fd), 0, 0, NULL);
  pthread_mutex_unlock(&mutex);
  errno = error;
  return result;
}
int fsync(int fd) {
  REAL(int, "fsync", int);
  return noted_sync(fd, real);
}
int fdatasync(int fd) {
  REAL(int, "fdatasync", int);
  return noted_sync(fd, real);
}

// An inode's number may have been that of a file that is gone.
static int noted_open(int folder, const char* path, int flags, mode_t mode) {
  REAL(int, "openat64", int, const char*, int, ...);
  int is_new = (flags & O_CREAT) != 0 && faccessat(folder, path, F_OK, 0) != 0;
  int fd = real(folder, path, flags, mode);
  int error = errno;
  if (fd >= 0 && (is_new || (flags & O_TRUNC) != 0) && is_meant(fd)) {
    pthread_mutex_lock(&mutex);
    note(fd, is_new ? 'N' : 'T', 0, 0, 0, NULL);
    pthread_mutex_unlock(&mutex);
  }
  errno = error;
  return fd;
}
static mode_t mode_in(int flags, va_list rest) {
  return (flags & O_CREAT) != 0 ? (mode_t)va_arg(rest, int) : 0;
}
#define OPEN(name, ...)               \
  va_list rest;                       \
  va_start(rest, flags);              \
  mode_t mode = mode_in(flags, rest); \
  va_end(rest);                       \
  return noted_open(__VA_ARGS__, flags, mode)
int open(const char* path, int flags, ...) {
  OPEN(open, AT_FDCWD, path);
}
int open64(const char* path, int flags, ...) {
  OPEN(open64, AT_FDCWD, path);
}
int openat(int folder, const char* path, int flags, ...) {
  OPEN(openat, folder, path);
}
int openat64(int folder, const char* path, int flags, ...) {
  OPEN(openat64, folder, path);
}
