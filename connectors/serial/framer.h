// Cuts the bytes of a serial line into frames. Pure code: it is fed bytes and gives frames, in
// which pieces they come does not matter, and it holds at most `max_length` bytes and a little.
//
// A frame is given without its markers, its escapes undone, its checksum checked and taken off.
// Empty frames (two ends behind one another) are skipped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "connectors/serial/checksum.h"

namespace leat::serial {

enum class FrameType {
  kLine,       // ends with "\n" or "\r\n"
  kDelimiter,  // ends with `end`
  kLength,     // `length` bytes; behind `start`, when there is one
  kStartEnd,   // between `start` and `end`; a new `start` inside begins anew
  kGap,        // ends with silence
};

// What stands behind the escape byte.
enum class EscapeStyle {
  kLiteral,  // the byte itself
  kHdlc,     // the byte with bit 5 inverted (RFC 1662, section 4.2)
  kSlip,     // 0xDC for 0xC0, 0xDD for 0xDB, others themselves (RFC 1055)
};

struct FrameRules {
  FrameType type = FrameType::kLine;
  std::string start;
  std::string end;
  size_t length = 0;           // bytes, the checksum included
  std::optional<char> escape;  // kDelimiter and kStartEnd: markers behind it do not count
  EscapeStyle escape_style = EscapeStyle::kLiteral;
  size_t max_length = 64 * 1024;  // bytes, the checksum included
  Checksum checksum = Checksum::kNone;
  // The first frame after construction or drop() may have begun before we listened: it is dropped.
  bool skip_first = false;
};

// The bytes are valid during the call only.
class FrameListener {
 public:
  virtual ~FrameListener() = default;
  virtual void on_frame(std::string_view frame) = 0;
  // `why` is one line. Of what is too long, `bytes` is only the start.
  virtual void on_bad_frame(std::string_view bytes, std::string_view why) = 0;
};

class Framer {
 public:
  // The start of a frame that is too long, and of bytes outside frames, that is kept for people.
  static constexpr size_t kKeptOfTooLong = 1024;

  explicit Framer(FrameRules rules);

  void feed(std::string_view bytes, FrameListener& out);
  // A byte that was received with an error: the frame it belongs to is bad.
  void feed_damaged(char byte, FrameListener& out);
  // The line was held low. It spoils the frame in which it comes, and between frames means nothing.
  // A fixed length begins anew behind it.
  void feed_break(FrameListener& out);
  // Nothing came for the time of a gap: the end of a frame (kGap), or of half a frame, which is
  // bad.
  void silence(FrameListener& out);
  // The rest of the frame will not come: what there is of it is bad.
  void give_up(FrameListener& out, std::string_view why);

  // True inside a frame.
  bool inside() const;
  // Forgets half a frame and begins anew; returns how many bytes it had.
  size_t drop();
  // Bytes before a start marker that are no line ends, blanks or zeros, over all time.
  uint64_t stray_bytes() const { return stray_total_; }

 private:
  void take(char byte, FrameListener& out);
  void take_escaped(char byte, FrameListener& out);
  void hunt(char byte, FrameListener& out);
  void add(char byte, bool plain, FrameListener& out);
  bool ends_with(const std::string& marker) const;
  void finish(size_t marker, FrameListener& out);
  void too_long(FrameListener& out);
  void bad(std::string_view bytes, std::string_view why, FrameListener& out);
  void begin();

  const FrameRules rules_;
  std::string pending_;       // of the frame so far; while hunting, the start of what is skipped
  std::string tail_;          // while hunting: the last bytes, as many as `start` has
  std::string_view spoiled_;  // why the frame is bad although its end has not come
  size_t plain_run_ = 0;      // bytes at the end of pending_ that were not escaped
  size_t skipped_ = 0;        // bytes seen since hunting began
  uint64_t stray_total_ = 0;
  bool hunting_ = false;   // for `start`
  bool escaped_ = false;   // the last byte was the escape
  bool skipping_ = false;  // inside a frame that is too long, and was reported
  bool first_ = true;      // no frame has ended yet
};

}  // namespace leat::serial
