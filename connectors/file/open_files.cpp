#include "connectors/file/open_files.h"

#include <sys/resource.h>

#include <algorithm>
#include <utility>

namespace leat {

std::atomic<size_t> OpenFiles::open_{0};

size_t OpenFiles::most() {
  static const size_t most = [] {
    constexpr size_t kOthers = 96;  // sockets, journals, folders, the C library's own
    constexpr size_t kMost = 1024;  // a kernel holds a kilobyte or more for each
    constexpr size_t kFewest = 16;
    struct rlimit limit {};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return kFewest;
    auto there = static_cast<size_t>(std::min<rlim_t>(limit.rlim_cur, 1'000'000));
    return std::clamp((there - std::min(there, kOthers)) / 2, kFewest, kMost);
  }();
  return most;
}

OpenFiles::~OpenFiles() {
  open_ -= order_.size();
}

void OpenFiles::keep(InputStream& stream, std::shared_ptr<InputFile> file) {
  if (stream.file == nullptr) {
    ++open_;
    stream.turn = order_.insert(order_.end(), &stream);
  } else {
    order_.splice(order_.end(), order_, stream.turn);
  }
  stream.file = std::move(file);
  while (open_ > most() && close_one()) {
  }
}

void OpenFiles::close(InputStream& stream) {
  if (stream.file == nullptr) return;
  stream.file.reset();
  order_.erase(stream.turn);
  --open_;
}

// Not one that has no name any more, nor a compressed one, which would be inflated again.
bool OpenFiles::close_one() {
  auto found = std::find_if(order_.begin(), order_.end(), [](const InputStream* stream) {
    return !stream->rotated && !(stream->gzip && stream->offset > 0);
  });
  if (found == order_.end()) return false;
  close(**found);
  return true;
}

}  // namespace leat
