#include "transform/row_groups.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <utility>

namespace leat {
namespace {

constexpr double kTwoTo63 = 9223372036854775808.0;

// Exact, which a comparison of doubles would not be beyond 2^53 (sqlite3IntFloatCompare).
int compare_mixed(int64_t integer, double real) {
  if (real < -kTwoTo63) return 1;
  if (real >= kTwoTo63) return -1;
  auto whole = static_cast<int64_t>(real);
  if (integer != whole) return integer < whole ? -1 : 1;
  auto same = static_cast<double>(whole);
  return same < real ? -1 : same > real ? 1 : 0;
}

template <typename T>
int compare_plain(T a, T b) {
  return a < b ? -1 : a > b ? 1 : 0;
}

// NULL, numbers, text, blobs.
int rank(SortKey::Kind kind) {
  constexpr int kRanks[] = {0, 1, 1, 2, 3};
  return kRanks[static_cast<size_t>(kind)];
}

uint64_t mix(uint64_t a) {
  a *= 0x9E3779B97F4A7C15U;
  return a ^ (a >> 32);
}

uint64_t hash_text(std::string_view text) {
  uint64_t hash = text.size();
  while (text.size() >= 8) {
    uint64_t word;
    std::memcpy(&word, text.data(), 8);
    hash = mix(hash ^ word);
    text.remove_prefix(8);
  }
  uint64_t word = 0;
  if (!text.empty()) std::memcpy(&word, text.data(), text.size());
  return mix(hash ^ word);
}

}  // namespace

int SortKey::compare(const SortKey& other) const {
  if (rank(kind) != rank(other.kind)) return rank(kind) < rank(other.kind) ? -1 : 1;
  switch (kind) {
    case Kind::kNull:
      return 0;
    case Kind::kInteger:
      return other.kind == Kind::kInteger ? compare_plain(integer, other.integer)
                                          : compare_mixed(integer, other.real);
    case Kind::kReal:
      return other.kind == Kind::kReal ? compare_plain(real, other.real)
                                       : -compare_mixed(other.integer, real);
    case Kind::kText:
    case Kind::kBlob:
      break;
  }
  return text.compare(other.text);
}

uint64_t SortKey::hash() const {
  switch (kind) {
    case Kind::kNull:
      return 0;
    case Kind::kInteger:
      return mix(static_cast<uint64_t>(integer) + 1);
    case Kind::kReal: {
      uint64_t bits;
      std::memcpy(&bits, &real, sizeof bits);
      return mix(bits);
    }
    case Kind::kText:
    case Kind::kBlob:
      break;
  }
  return hash_text(text);
}

void RowGroups::start(size_t rows) {
  row_.assign(descending_.size(), {});
  keys_.clear();
  hashes_.clear();
  unescaped_.clear();
  group_of_.clear();
  group_of_.reserve(rows);
  size_t slots = 16;
  while (slots < 2 * rows) slots *= 2;
  slots_.assign(slots, 0);
}

void RowGroups::key(size_t column, const Value& value) {
  SortKey& key = row_[column];
  key.kind = SortKey::Kind::kNull;
  switch (value.type) {
    case Type::kAbsent:
    case Type::kNull:
      return;
    case Type::kBool:
    case Type::kTime:
    case Type::kInteger:
      key.kind = SortKey::Kind::kInteger;
      key.integer = value.type == Type::kInteger ? integer_of(value) : value.integer;
      return;
    case Type::kFloat:
    case Type::kDecimal: {
      key.real = real_of(value);
      if (std::isnan(key.real)) return;  // SQLite has none: it is NULL
      key.kind = SortKey::Kind::kReal;
      // Whole numbers are keys as integers, so that 1 and 1.0 have the same hash.
      if (key.real >= -kTwoTo63 && key.real < kTwoTo63 && std::trunc(key.real) == key.real) {
        key.kind = SortKey::Kind::kInteger;
        key.integer = static_cast<int64_t>(key.real);
      }
      return;
    }
    case Type::kBytes:
      key.kind = SortKey::Kind::kBlob;
      key.text = value.view();
      return;
    case Type::kString:
    case Type::kJson:
      key.kind = SortKey::Kind::kText;
      key.text = value.view();
      if (value.type == Type::kString && value.form == Form::kText) {
        append_unescaped(unescaped_.emplace_back(), value.view());
        key.text = unescaped_.back();
      }
      return;
  }
}

bool RowGroups::same_as_group(uint32_t group) const {
  const SortKey* keys = keys_.data() + group * row_.size();
  for (size_t i = 0; i < row_.size(); ++i)
    if (row_[i].compare(keys[i]) != 0) return false;
  return true;
}

uint32_t RowGroups::group_of_row() {
  uint64_t hash = 0;
  for (const SortKey& key : row_) hash = mix(hash ^ key.hash());
  size_t mask = slots_.size() - 1;
  for (size_t slot = hash & mask;; slot = (slot + 1) & mask) {
    if (slots_[slot] == 0) {
      keys_.insert(keys_.end(), row_.begin(), row_.end());
      hashes_.push_back(hash);
      slots_[slot] = static_cast<uint32_t>(hashes_.size());
      return slots_[slot] - 1;
    }
    uint32_t group = slots_[slot] - 1;
    if (hashes_[group] == hash && same_as_group(group)) return group;
  }
}

void RowGroups::add_row() {
  group_of_.push_back(group_of_row());
}

bool RowGroups::comes_before(uint32_t group, uint32_t other) const {
  size_t columns = descending_.size();
  for (size_t i = 0; i < columns; ++i) {
    int order = keys_[group * columns + i].compare(keys_[other * columns + i]);
    if (order != 0) return descending_[i] ? order > 0 : order < 0;
  }
  return false;
}

uint32_t RowGroups::first_row() const {
  uint32_t first = 0;
  for (uint32_t group = 1; group < hashes_.size(); ++group)
    if (comes_before(group, first)) first = group;
  return static_cast<uint32_t>(std::find(group_of_.begin(), group_of_.end(), first) -
                               group_of_.begin());
}

const std::vector<uint32_t>& RowGroups::finish() {
  std::vector<uint32_t> sorted(hashes_.size());
  std::iota(sorted.begin(), sorted.end(), 0);
  std::sort(sorted.begin(), sorted.end(),
            [this](uint32_t a, uint32_t b) { return comes_before(a, b); });
  // Where each group begins in the result, then a counting sort.
  std::vector<uint32_t> next(hashes_.size(), 0);
  for (uint32_t group : group_of_) ++next[group];
  uint32_t begin = 0;
  for (uint32_t group : sorted) begin += std::exchange(next[group], begin);
  order_.resize(group_of_.size());
  for (uint32_t row = 0; row < group_of_.size(); ++row) order_[next[group_of_[row]]++] = row;
  return order_;
}

}  // namespace leat
