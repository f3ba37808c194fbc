#include "protocols/amqp/framer.h"

#include "base/big_endian.h"
#include "base/units.h"
#include "protocols/amqp/codec.h"

namespace leat::amqp {
namespace {

// A buffer larger than this is given back once it is empty.
constexpr size_t kKeptPending = 64 * 1024;

}  // namespace

Status Framer::feed(std::string_view bytes) {
  if (holding_) {  // at most what one read of the socket brings: the caller has paused it
    pending_.append(bytes);
    return {};
  }
  if (!pending_.empty()) {
    pending_.append(bytes);
    return go_on();
  }
  Result<size_t> used = consume(bytes);
  if (!used) return fail(used.error());
  pending_.assign(bytes.substr(*used));
  return {};
}

Status Framer::go_on() {
  holding_ = false;
  Result<size_t> used = consume(pending_);
  if (!used) return fail(used.error());
  pending_.erase(0, *used);
  if (pending_.empty() && pending_.capacity() > kKeptPending) std::string().swap(pending_);
  return {};
}

void Framer::reset() {
  std::string().swap(pending_);
  holding_ = false;
}

// Hands on the whole frames at the start of `bytes`; returns how much of it is done with.
Result<size_t> Framer::consume(std::string_view bytes) {
  const size_t all = bytes.size();
  while (bytes.size() >= kFrameHead) {
    const Frame head{.type = static_cast<uint8_t>(bytes[0]),
                     .channel = read_big_endian<uint16_t>(bytes.data() + 1),
                     .payload = {}};
    const size_t size = read_big_endian<uint32_t>(bytes.data() + 3);
    if (size > largest_ - kFrameOverhead)
      return fail(ErrorKind::kData,
                  "a frame of " + format_count(size, "byte") + ", more than was agreed on");
    if (bytes.size() < size + kFrameOverhead) break;
    if (bytes[kFrameHead + size] != kFrameEnd)
      return fail(ErrorKind::kData, "a frame that does not end where it says");
    Frame frame = head;
    frame.payload = bytes.substr(kFrameHead, size);
    Result<bool> taken = take_(frame);
    if (!taken) return fail(taken.error());
    if (!*taken) {
      holding_ = true;
      break;
    }
    bytes.remove_prefix(size + kFrameOverhead);
  }
  return all - bytes.size();
}

}  // namespace leat::amqp
