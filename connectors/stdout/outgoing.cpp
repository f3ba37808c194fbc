#include "outgoing.h"

#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace leat::standard_output {

void Outgoing::begin(const Delivery& delivery, const std::string& opening) {
  if (!std::exchange(opened_, true)) head_ += opening;
  cursor_.emplace(delivery);
}

int Outgoing::write(int fd, size_t quantum) {
  std::array<iovec, 64> pieces;
  for (size_t written = 0; written < quantum && !done();) {
    size_t count = 0;
    size_t head_left = head_.size() - head_done_;
    if (head_left > 0) pieces[count++] = {head_.data() + head_done_, head_left};
    count += cursor_->pieces(pieces.data() + count, pieces.size() - count, quantum - written);
    ssize_t n = writev(fd, pieces.data(), static_cast<int>(count));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    auto taken = static_cast<size_t>(n);
    written += taken;
    size_t of_head = std::min(taken, head_left);
    head_done_ += of_head;
    cursor_->advance(taken - of_head);
  }
  return 0;
}

void Outgoing::end() {
  head_.erase(0, head_done_);
  head_done_ = 0;
  if (cursor_ && cursor_->inside_record()) head_ += cursor_->rest_of_record();
  cursor_.reset();
}

}  // namespace leat::standard_output
