// A statement of many rows, as it grows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace leat::mysql {

class Statement {
 public:
  Statement() = default;
  // `head`: INSERT … VALUES; `tail`: what follows the rows, ON DUPLICATE KEY ….
  Statement(std::string head, std::string tail);

  const std::string& head() const { return head_; }
  // Record, and its row as SQL.
  const std::vector<std::pair<uint32_t, std::string>>& rows() const { return rows_; }
  // The length of sql() with one more row.
  size_t bytes_with(const std::string& row) const;
  void add(uint32_t record, std::string row);
  std::string sql() const;
  // With one of its rows alone.
  std::string sql_of(const std::string& row) const { return head_ + row + tail_; }

 private:
  std::string head_;
  std::string tail_;
  std::vector<std::pair<uint32_t, std::string>> rows_;
  size_t bytes_ = 0;
};

}  // namespace leat::mysql
