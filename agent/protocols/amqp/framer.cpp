#include "protocols/amqp/framer.h"

#include "base/big_endian.h"
#include "base/units.h"
#include "protocols/amqp/codec.h"

namespace leat::amqp {
Status Framer::feed(std::string_view bytes) {
  return partial_.feed(bytes, [this](std::string_view all) { return consume(all); });
}

Status Framer::go_on() {
  return partial_.go_on([this](std::string_view all) { return consume(all); });
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
      partial_.hold();
      break;
    }
    bytes.remove_prefix(size + kFrameOverhead);
  }
  return all - bytes.size();
}

}  // namespace leat::amqp
