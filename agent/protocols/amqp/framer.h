// Cuts the bytes of a connection into frames [AMQP §2.3.5]. Bounded: never holds more than one
// frame of `largest` bytes and one read of the socket, whatever the broker sends.
//
// Thread: the loop's thread. Pure: no I/O.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "net/partial_frames.h"

namespace leat::amqp {

struct Frame {
  uint8_t type = 0;  // AMQP_FRAME_METHOD, …
  uint16_t channel = 0;
  std::string_view payload;  // valid during the call only
};

class Framer {
 public:
  // Takes a frame: true. Not now: false; the same frame comes again with go_on(). An error ends the
  // connection. It may destroy what it likes but the Framer.
  using Take = std::function<Result<bool>(const Frame&)>;

  explicit Framer(size_t largest, Take take) : largest_(largest), take_(std::move(take)) {}

  // Errors are kData: what came is not AMQP, and nothing after it can be read.
  Status feed(std::string_view bytes);
  // After a frame was not taken: offers it, and what is behind it, again.
  Status go_on();
  bool holding() const { return partial_.holding(); }
  // Of a new connection.
  void reset() { partial_.reset(); }
  // Bytes held.
  size_t footprint() const { return partial_.footprint(); }

 private:
  Result<size_t> consume(std::string_view bytes);

  const size_t largest_;  // bytes of a frame, with its head and its end
  const Take take_;
  PartialFrames partial_;
};

}  // namespace leat::amqp
