// Cuts the bytes of a connection into MQTT control packets. Bounded: never holds more than one
// packet of `largest` bytes and one read of the socket, whatever the broker sends.
//
// Thread: the loop's thread. Pure: no I/O.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "net/partial_frames.h"
#include "protocols/mqtt/protocol.h"

namespace leat::mqtt {

// One control packet without its fixed header [MQTT5 §2.1].
struct Frame {
  PacketType type = PacketType::kPingresp;
  uint8_t flags = 0;      // the lower half of the first byte
  std::string_view body;  // valid during the call only
  size_t size = 0;        // of the whole packet, fixed header included
  // The packet was larger than `largest`: `body` is only its start, with its topic and packet
  // identifier, and the rest was thrown away. Only PUBLISH.
  bool cut = false;
};

class Framer {
 public:
  // Takes a packet: true. Not now: false; the same packet comes again with go_on(). An error ends
  // the connection. It may destroy what it likes but the Framer.
  using Take = std::function<Result<bool>(const Frame&)>;

  // `largest`: bytes of a whole packet.
  Framer(size_t largest, Take take) : largest_(largest), take_(std::move(take)) {}

  // Errors are kData: what came is not MQTT, and nothing after it can be read.
  Status feed(std::string_view bytes);
  // After a packet was not taken: offers it, and what is behind it, again.
  Status go_on();
  bool holding() const { return partial_.holding(); }
  // Of a new connection.
  void reset();
  // Bytes held.
  size_t footprint() const { return partial_.footprint() + skipped_start_.capacity(); }

 private:
  // The start of a packet.
  struct Head {
    Frame frame;
    size_t header = 0;  // bytes of the fixed header
    size_t length = 0;  // of what follows it
  };

  Result<size_t> consume(std::string_view bytes);
  Result<bool> read_head(std::string_view bytes, Head& head) const;
  Result<size_t> begin_skipping(std::string_view bytes, const Head& head);
  Result<bool> skip(std::string_view& bytes);

  const size_t largest_;
  const Take take_;
  PartialFrames partial_;
  // A PUBLISH that is too large: its start, and how much of it is still to come.
  std::string skipped_start_;
  Frame skipped_;
  size_t to_skip_ = 0;
  bool skipping_ = false;
};

}  // namespace leat::mqtt
