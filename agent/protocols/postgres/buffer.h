// Bytes on their way to the server: grows, is used again, and is not cleared in between. What
// std::string does not offer is room to write into without filling it first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>

#include "protocols/postgres/wire.h"

namespace leat::postgres {

class Buffer {
 public:
  char* data() { return bytes_.get(); }
  size_t size() const { return size_; }
  size_t capacity() const { return capacity_; }
  std::string_view view() const { return {bytes_.get(), size_}; }
  void clear() { size_ = 0; }
  void cut(size_t size) { size_ = size; }  // to a size that it had before

  // Room for `bytes` behind what is there; take() says how much of it was used.
  char* room(size_t bytes) {
    if (capacity_ - size_ < bytes) grow(bytes);
    return bytes_.get() + size_;
  }
  void take(size_t bytes) { size_ += bytes; }

  void append(std::string_view text) {
    char* at = room(text.size());
    if (!text.empty()) std::memcpy(at, text.data(), text.size());
    take(text.size());
  }
  void append(char c) {
    *room(1) = c;
    take(1);
  }
  void append_int16(int16_t value) {
    put_int16(room(2), value);
    take(2);
  }
  void append_int32(int32_t value) {
    put_int32(room(4), value);
    take(4);
  }
  void append_int64(int64_t value) {
    put_int64(room(8), value);
    take(8);
  }
  // Gives back what one large record has made of it.
  void shrink(size_t most) {
    if (capacity_ <= most) return;
    bytes_.reset();
    capacity_ = size_ = 0;
  }

 private:
  void grow(size_t bytes) {
    size_t wanted = size_ + bytes + capacity_ / 2;
    std::unique_ptr<char[]> larger(new char[wanted]);
    if (size_ > 0) std::memcpy(larger.get(), bytes_.get(), size_);
    bytes_ = std::move(larger);
    capacity_ = wanted;
  }

  std::unique_ptr<char[]> bytes_;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

}  // namespace leat::postgres
