#include "connectors/file/rotated_files.h"

#include <algorithm>
#include <utility>

namespace leat {

RotatedFiles::RotatedFiles(Loop& loop, Milliseconds wait,
                           std::function<void(const StreamRef&)> last_look)
    : loop_(loop), wait_(wait), last_look_(std::move(last_look)), timer_(loop) {}

void RotatedFiles::add(const StreamRef& stream) {
  stream->rotated_us = loop_.clock().monotonic_us();
  files_.push_back(stream);
  wait();
}

void RotatedFiles::grew(InputStream& stream) {
  if (!stream.rotated) return;
  stream.rotated_us = loop_.clock().monotonic_us();
  if (std::exchange(stream.ending, false)) wait();
}

// For the first that is due.
void RotatedFiles::wait() {
  std::erase_if(files_, [](const StreamRef& one) { return one->ended || !one->rotated; });
  int64_t soonest_us = INT64_MAX;
  for (const StreamRef& one : files_)
    if (!one->ending) soonest_us = std::min(soonest_us, due_us(*one));
  if (soonest_us == INT64_MAX) return timer_.stop();
  int64_t left_us = std::max<int64_t>(soonest_us - loop_.clock().monotonic_us(), 0);
  timer_.start(Milliseconds(left_us / 1000 + 1), [this] { look(); });
}

void RotatedFiles::look() {
  const int64_t now = loop_.clock().monotonic_us();
  for (const StreamRef& one : std::vector<StreamRef>(files_)) {
    if (one->ending || one->ended || !one->rotated || due_us(*one) > now) continue;
    one->ending = true;
    last_look_(one);
  }
  wait();
}

}  // namespace leat
