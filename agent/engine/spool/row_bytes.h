// The bytes of a spooled row (journal/FORMAT.md): numbers are LEB128, those with a sign zigzag,
// texts have their length before them.
//
// Thread: any. Pure: no I/O.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace leat {

class RowWriter {
 public:
  void byte(uint8_t b) { out_ += static_cast<char>(b); }
  void number(uint64_t n) {
    for (; n >= 0x80; n >>= 7) byte(static_cast<uint8_t>(n | 0x80));
    byte(static_cast<uint8_t>(n));
  }
  // Small ones of both signs become small: 0, -1, 1, -2, …
  void signed_number(int64_t n) {
    number((static_cast<uint64_t>(n) << 1) ^ static_cast<uint64_t>(n >> 63));
  }
  void raw(std::string_view bytes) { out_ += bytes; }
  void text(std::string_view text) {
    number(text.size());
    raw(text);
  }
  void reserve(size_t bytes) { out_.reserve(bytes); }
  std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

// Reading past the end gives zeros and empty texts, and sets bad().
class RowReader {
 public:
  explicit RowReader(std::string_view in) : in_(in) {}
  bool bad() const { return bad_; }
  uint8_t byte() {
    if (in_.empty()) {
      bad_ = true;
      return 0;
    }
    auto b = static_cast<uint8_t>(in_.front());
    in_.remove_prefix(1);
    return b;
  }
  uint64_t number() {
    uint64_t n = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      uint8_t b = byte();
      n |= static_cast<uint64_t>(b & 0x7F) << shift;
      if (b < 0x80) return n;
    }
    bad_ = true;
    return 0;
  }
  int64_t signed_number() {
    uint64_t n = number();
    return static_cast<int64_t>((n >> 1) ^ (0 - (n & 1)));
  }
  std::string_view raw(uint64_t size) {
    if (size > in_.size()) {
      bad_ = true;
      return {};
    }
    std::string_view bytes = in_.substr(0, size);
    in_.remove_prefix(size);
    return bytes;
  }
  std::string_view text() { return raw(number()); }
  // A count of things of at least one byte each.
  uint64_t count() {
    uint64_t n = number();
    if (n > in_.size()) bad_ = true;
    return bad_ ? 0 : n;
  }
  std::string_view rest() const { return in_; }

 private:
  std::string_view in_;
  bool bad_ = false;
};

}  // namespace leat
