#include "connectors/mysql/statement.h"

#include <string_view>

namespace leat::mysql {
namespace {

constexpr std::string_view kBetween = ", ";

}  // namespace

Statement::Statement(std::string head, std::string tail)
    : head_(std::move(head)), tail_(std::move(tail)), bytes_(head_.size() + tail_.size()) {}

size_t Statement::bytes_with(const std::string& row) const {
  return bytes_ + (rows_.empty() ? 0 : kBetween.size()) + row.size();
}

void Statement::add(uint32_t record, std::string row) {
  bytes_ = bytes_with(row);
  rows_.emplace_back(record, std::move(row));
}

std::string Statement::sql() const {
  std::string out;
  out.reserve(bytes_);
  out = head_;
  for (const auto& [record, row] : rows_) {
    if (out.size() > head_.size()) out += kBetween;
    out += row;
  }
  return out += tail_;
}

}  // namespace leat::mysql
