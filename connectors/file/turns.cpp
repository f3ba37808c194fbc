#include "connectors/file/turns.h"

#include <utility>

namespace leat {
namespace {

// It is not at its path any more, and may be found under another.
bool is_looked_for(const InputStream& stream) {
  return stream.lost && !stream.deleted;
}

}  // namespace

void Turns::add(const StreamRef& stream) {
  if (stream->ended || !stream->probed || stream->queued || is_looked_for(*stream)) return;
  stream->queued = true;
  if (stream->gzip) {
    if (inflating_ != nullptr && inflating_ != stream) return compressed_.push_back(stream);
    inflating_ = stream;
  }
  ready_.push_back(stream);
}

void Turns::return_to_front(const StreamRef& stream) {
  stream->queued = true;
  ready_.push_front(stream);
}

StreamRef Turns::front() {
  for (; !ready_.empty(); ready_.pop_front()) {
    InputStream& stream = *ready_.front();
    if (stream.ended) continue;
    if (!is_looked_for(stream)) return ready_.front();
    stream.queued = false;  // it is added again when that is over
  }
  return nullptr;
}

void Turns::take() {
  ready_.front()->queued = ready_.front()->grew = false;
  ready_.pop_front();
}

void Turns::ended(const StreamRef& stream) {
  if (inflating_ != stream) return;
  inflating_ = nullptr;
  if (compressed_.empty()) return;
  StreamRef next = std::move(compressed_.front());
  compressed_.pop_front();
  next->queued = false;
  add(next);
}

}  // namespace leat
