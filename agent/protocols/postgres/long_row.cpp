#include "protocols/postgres/long_row.h"

#include <algorithm>
#include <cstdint>

#include "base/big_endian.h"
#include "protocols/postgres/wire.h"

namespace leat::postgres {

void LongRow::begin(size_t bytes) {
  bytes_ = left_ = bytes;
  body_.clear();
  head_.clear();
  field_left_ = 0;
}

size_t LongRow::take(std::span<const char> bytes) {
  bytes = bytes.first(std::min(bytes.size(), left_));
  left_ -= bytes.size();
  const size_t taken = bytes.size();
  while (!bytes.empty() && body_.size() < kMostKept) {
    if (field_left_ > 0) {
      const size_t step = std::min(field_left_, bytes.size());
      const size_t kept = body_.size() - field_at_ - sizeof(int32_t);
      body_.append(bytes.data(), std::min(step, kKept - kept));
      bytes = bytes.subspan(step);
      field_left_ -= step;
      if (field_left_ > 0) continue;
      const size_t size = body_.size() - field_at_ - sizeof(int32_t);
      put_int32(body_.data() + field_at_, static_cast<int32_t>(size));
      continue;
    }
    head_ += bytes[0];
    bytes = bytes.subspan(1);
    const bool count = body_.empty();
    if (head_.size() < (count ? sizeof(int16_t) : sizeof(int32_t))) continue;
    if (!count) {
      field_at_ = body_.size();
      const auto size = static_cast<int32_t>(read_big_endian<uint32_t>(head_.data()));
      field_left_ = static_cast<size_t>(std::max(size, 0));
    }
    body_ += head_;
    head_.clear();
  }
  return taken;
}

}  // namespace leat::postgres
