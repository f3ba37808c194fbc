#include "journal/boot_note.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace leat {
namespace {

constexpr size_t kIdLength = 36;

std::string note_of(const std::string& journal) {
  return journal + ".boot";
}

// "" when there is none. What a power cut has left of one may be anything.
std::string start_of_file(const std::string& path, bool* there) {
  int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  *there = fd >= 0;
  if (fd < 0) return "";
  std::string text(kIdLength, '\0');
  ssize_t n = ::pread(fd, text.data(), text.size(), 0);
  *there = n >= 0;  // one that cannot be read says nothing
  ::close(fd);
  text.resize(n > 0 ? static_cast<size_t>(n) : 0);
  return text;
}

// "" where the kernel does not say.
std::string this_boot() {
  bool there = false;
  std::string id = start_of_file("/proc/sys/kernel/random/boot_id", &there);
  return id.size() == kIdLength ? id : "";
}

enum class LastBoot { kThis, kAnother, kUnknown };

LastBoot last_boot(const std::string& journal) {
  bool there = false;
  std::string noted = start_of_file(note_of(journal), &there);
  std::string now = this_boot();
  if (!there || now.empty()) return LastBoot::kUnknown;
  return noted == now ? LastBoot::kThis : LastBoot::kAnother;
}

}  // namespace

bool is_of_another_boot(const std::string& journal, const Clock& clock) {
  struct stat info {};
  if (::stat((journal + "-wal").c_str(), &info) != 0) return false;
  time_t written = info.st_mtim.tv_sec;
  LastBoot last = last_boot(journal);
  if (last != LastBoot::kUnknown) return last == LastBoot::kAnother;
  return written < (clock.unix_us() - clock.since_boot_us()) / 1'000'000 - 1;
}

void note_boot(const std::string& journal) {
  std::string id = this_boot();
  if (id.empty() || last_boot(journal) == LastBoot::kThis) return;
  std::string path = note_of(journal);
  int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  bool done = fd >= 0 && ::pwrite(fd, id.data(), id.size(), 0) == static_cast<ssize_t>(id.size());
  if (fd >= 0) ::close(fd);
  if (!done) ::unlink(path.c_str());  // none is better than one that is wrong
}

}  // namespace leat
