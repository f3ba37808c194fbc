// Undoes the marks that the terminal driver puts around bytes received with an error when PARMRK is
// set (termios(3)): 0xFF 0x00 X for such a byte X, 0xFF 0x00 0x00 for a break, 0xFF 0xFF for a good
// 0xFF. Pure code; a mark may be cut in two by the end of a read.
//
// A byte 0x00 with a parity error and a break look the same; the listener has to know which can be.
#pragma once

#include <algorithm>
#include <string_view>

namespace leat::serial {

class MarkListener {
 public:
  virtual ~MarkListener() = default;
  virtual void on_bytes(std::string_view bytes) = 0;
  virtual void on_damaged(char byte) = 0;
  virtual void on_break() = 0;
};

class MarkedInput {
 public:
  void decode(std::string_view bytes, MarkListener& out) {
    while (!bytes.empty()) {
      if (state_ == State::kPlain) {
        size_t mark = std::min(bytes.find('\xFF'), bytes.size());
        if (mark > 0) out.on_bytes(bytes.substr(0, mark));
        bytes.remove_prefix(mark);
        if (bytes.empty()) return;
        state_ = State::kMark;
      } else if (state_ == State::kMark) {
        state_ = State::kPlain;
        if (bytes[0] == '\0') {
          state_ = State::kError;
        } else {
          // Only 0xFF can follow, but for what was received before marking was switched on.
          if (bytes[0] != '\xFF') out.on_bytes("\xFF");
          out.on_bytes(bytes.substr(0, 1));
        }
      } else {
        state_ = State::kPlain;
        if (bytes[0] == '\0') {
          out.on_break();
        } else {
          out.on_damaged(bytes[0]);
        }
      }
      bytes.remove_prefix(1);
    }
  }
  // The line was closed and opened again.
  void reset() { state_ = State::kPlain; }

 private:
  enum class State { kPlain, kMark, kError };
  State state_ = State::kPlain;
};

}  // namespace leat::serial
