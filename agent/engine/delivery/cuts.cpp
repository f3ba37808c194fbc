#include "delivery/cuts.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

#include "base/fnv.h"
#include "base/folder.h"
#include "base/log.h"
#include "base/result.h"

namespace leat {
namespace {

// The file is an array of these, number n in slot n % kKept; it never leaves its machine.
struct Slot {
  uint64_t number;
  uint64_t oldest;
  Cuts::End end;
  Cuts::Spooled spooled;
  uint64_t check;

  uint64_t checked() const {
    return fnv1a({reinterpret_cast<const char*>(this), offsetof(Slot, check)});
  }
};
static_assert(sizeof(Slot) == 88, "no padding, which would be hashed and written");

constexpr uint64_t kReopenAfter = 64;

}  // namespace

uint64_t Cuts::partition_of(std::string_view saved_name) {
  return fnv1a(saved_name);
}

Cuts::Cuts(std::string path, std::string pipeline)
    : path_(std::move(path)), pipeline_(std::move(pipeline)) {
  if (!path_.empty()) load();
}

void Cuts::load() {
  int fd = open(path_.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;  // there is none yet
  std::vector<Slot> slots(kKept);
  ssize_t size = pread(fd, slots.data(), kKept * sizeof(Slot), 0);
  close(fd);
  slots.resize(size < 0 ? 0 : static_cast<size_t>(size) / sizeof(Slot));
  std::erase_if(slots, [](const Slot& slot) { return slot.check != slot.checked(); });
  std::sort(slots.begin(), slots.end(),
            [](const Slot& a, const Slot& b) { return a.number < b.number; });
  if (slots.empty()) return;
  number_ = slots.back().number + 1;
  for (const Slot& slot : slots) {
    if (slot.spooled.partition != 0) spooled_.push_back(slot.spooled);
    if (slot.number >= slots.back().oldest) again_.push_back({slot.number, slot.end, slot.spooled});
  }
}

uint64_t Cuts::spool_holds(uint64_t partition, uint64_t first, uint64_t end) {
  for (Former& one : again_)
    if (one.spooled.partition != partition || one.spooled.end <= first || one.spooled.end > end)
      one.spooled = {};
  std::erase_if(again_, [](const Former& one) {
    return one.end.partition == 0 && one.spooled.partition == 0;
  });
  uint64_t noted = 0;
  for (const Spooled& one : std::exchange(spooled_, {}))
    if (one.partition == partition) noted = std::max(noted, one.end);
  return noted;
}

Cuts::~Cuts() {
  if (fd_ >= 0) close(fd_);
}

// Opened anew now and then, so that a file that was deleted is made anew.
bool Cuts::open_file(uint64_t number) {
  if (fd_ >= 0 && number - opened_for_ < kReopenAfter) return true;
  if (fd_ >= 0) close(fd_);
  opened_for_ = number;
  fd_ = open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (fd_ < 0 && errno == ENOENT) {
    (void)make_folder(folder_of(path_));  // open() says it better
    fd_ = open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  }
  return fd_ >= 0;
}

void Cuts::note(uint64_t number, uint64_t oldest, const End& end, const Spooled& spooled) {
  if (path_.empty()) return;
  Slot slot{number, oldest, end, spooled, 0};
  slot.check = slot.checked();
  if (!open_file(number)) return failed(errno);
  auto at = static_cast<off_t>(number % kKept * sizeof(Slot));
  ssize_t written = pwrite(fd_, &slot, sizeof slot, at);
  int error = written < 0 ? errno : ENOSPC;
  if (written != static_cast<ssize_t>(sizeof slot)) failed(error);
}

void Cuts::failed(int error) {
  if (std::exchange(said_, true)) return;
  log::warn(pipeline_,
            tl::unexpected<Error>(fail_errno("write " + path_, error)).value().message() +
                ": what is in flight at a kill would be sent again under new keys");
}

}  // namespace leat
