#include "cli/ports.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace leat {
namespace {

struct Column {
  const char* title;
  std::string PortInfo::*field;
};
constexpr std::array<Column, 4> kColumns = {{{"PORT", &PortInfo::name},
                                             {"USB ID", &PortInfo::usb_id},
                                             {"SERIAL NUMBER", &PortInfo::serial_number},
                                             {"DESCRIPTION", &PortInfo::description}}};

// One column: its title and what each port has in it; empty when no port has anything.
std::vector<std::string> cells_of(const Column& column, std::span<const PortInfo> ports) {
  std::vector<std::string> cells{column.title};
  bool any = false;
  for (const PortInfo& port : ports) {
    const std::string& text = port.*column.field;
    any = any || !text.empty();
    cells.push_back(text.empty() ? "-" : excerpt(text));
  }
  if (!any) cells.clear();
  return cells;
}

}  // namespace

std::string ports_table(std::span<const PortInfo> ports) {
  if (ports.empty()) return "no ports found\n";
  std::vector<std::string> lines(ports.size() + 1);
  for (const Column& column : kColumns) {
    std::vector<std::string> cells = cells_of(column, ports);
    if (cells.empty()) continue;
    size_t width = 0;
    for (const std::string& line : lines) width = std::max(width, line.size());
    for (size_t i = 0; i < lines.size(); ++i) {
      if (width > 0) lines[i].resize(width + 2, ' ');
      lines[i] += cells[i];
    }
  }
  std::string out;
  for (const std::string& line : lines) out += line + "\n";
  return out;
}

}  // namespace leat
