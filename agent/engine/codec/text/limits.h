// Limits that keep what a decoder holds small, whatever the input.
#pragma once

#include <cstddef>

namespace leat {

// Fields of one record. Real tables stay below (PostgreSQL: 1,600 columns, spreadsheets: 16,384).
inline constexpr size_t kMaxFields = 16'384;

}  // namespace leat
