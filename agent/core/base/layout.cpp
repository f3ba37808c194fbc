#include "base/layout.h"

#include <algorithm>

namespace leat {
namespace {

constexpr size_t kWidth = 96;

}  // namespace

size_t width_of(std::string_view text) {
  return static_cast<size_t>(
      std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; }));
}

std::string columns(const std::vector<std::vector<std::string>>& rows, size_t left) {
  std::vector<size_t> widths(rows[0].size());
  for (const auto& row : rows)
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  std::string out;
  for (const auto& row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      std::string space(widths[i] - width_of(row[i]), ' ');
      line += (i == 0 ? "" : "  ") + (i < left ? row[i] + space : space + row[i]);
    }
    out += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  return out;
}

void append_wrapped(std::string& out, std::string_view text, size_t indent) {
  size_t column = indent;
  while (!text.empty()) {
    size_t space = text.find(' ');
    std::string_view word = text.substr(0, space);
    text.remove_prefix(space == std::string_view::npos ? text.size() : space + 1);
    if (column > indent && column + 1 + width_of(word) > kWidth) {
      out += "\n" + std::string(indent, ' ');
      column = indent;
    }
    if (column > indent) {
      out += ' ';
      ++column;
    }
    out += word;
    column += width_of(word);
  }
  out += '\n';
}

void append_entry(std::string& out, std::string_view name, std::string_view text, size_t column) {
  out += "  " + std::string(name);
  size_t at = 2 + width_of(name);
  if (at + 2 > column) {
    out += "\n";
    at = 0;
  }
  out += std::string(column - at, ' ');
  append_wrapped(out, text, column);
}

std::string_view first_sentence(std::string_view text) {
  size_t stop = text.find(". ");
  return stop == std::string_view::npos ? text : text.substr(0, stop + 1);
}

}  // namespace leat
