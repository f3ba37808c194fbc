#include "table/cursor_log.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace leat::table {

void CursorLog::add(const Pass& pass, std::span<const std::string_view> key) {
  if (stretches_.empty() || stretches_.back().pass != pass ||
      stretches_.back().ends.size() == kRows) {
    stretches_.emplace_back(Stretch{.first = end_, .pass = pass, .keys = {}, .ends = {}});
    bytes_ += stretches_.back().bytes();
  }
  Stretch& last = stretches_.back();
  const size_t before = last.bytes();
  for (std::string_view value : key) {
    const auto size = static_cast<uint32_t>(value.size());
    char bytes[sizeof size];
    std::memcpy(bytes, &size, sizeof size);
    last.keys.append(bytes, sizeof bytes);
    last.keys.append(value);
  }
  last.ends.push_back(static_cast<uint32_t>(last.keys.size()));
  bytes_ += last.bytes() - before;
  charge_.set(bytes_);
  ++end_;
}

void CursorLog::forget_before(uint64_t offset) {
  while (!stretches_.empty() &&
         stretches_.front().first + stretches_.front().ends.size() < offset) {
    bytes_ -= stretches_.front().bytes();
    stretches_.pop_front();
  }
  charge_.set(bytes_);
}

std::optional<TablePosition> CursorLog::position(uint64_t offset) const {
  auto behind = std::ranges::upper_bound(stretches_, offset - 1, {}, &Stretch::first);
  if (offset == 0 || offset > end_ || behind == stretches_.begin()) return std::nullopt;
  const Stretch& stretch = *std::prev(behind);
  const size_t row = offset - 1 - stretch.first;
  if (row >= stretch.ends.size()) return std::nullopt;
  TablePosition out = *stretch.pass;
  out.after.clear();
  size_t at = row == 0 ? 0 : stretch.ends[row - 1];
  while (at < stretch.ends[row]) {
    uint32_t size = 0;
    std::memcpy(&size, stretch.keys.data() + at, sizeof size);
    out.after.push_back(stretch.keys.substr(at + sizeof size, size));
    at += sizeof size + size;
  }
  return out;
}

}  // namespace leat::table
