// leat ports
#include <algorithm>
#include <array>
#include <iterator>

#include "base/layout.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/output.h"
#include "cli/ports_table.h"
#include "control/agent.h"
#include "stage/registry.h"

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

int list_ports(const CommandCall&) {
  std::vector<PortInfo> all;
  int code = kExitDelivered;
  for (const SourceType* source : connectors().sources) {
    if (source->ports == nullptr) continue;
    Result<std::vector<PortInfo>> ports = source->ports();
    if (ports) {
      std::ranges::move(*ports, std::back_inserter(all));
    } else {
      complain("leat: " + ports.error().message());
      code = kExitFailed;
    }
  }
  if (code == kExitDelivered || !all.empty()) print(ports_table(all));
  return code;
}

}  // namespace

std::string ports_table(std::span<const PortInfo> ports) {
  if (ports.empty()) return "no ports found\n";
  std::vector<std::vector<std::string>> rows(ports.size() + 1);
  for (const Column& column : kColumns) {
    auto has_none = [&column](const PortInfo& port) { return (port.*column.field).empty(); };
    if (std::ranges::all_of(ports, has_none)) continue;
    rows[0].emplace_back(column.title);
    for (size_t i = 0; i < ports.size(); ++i) {
      const std::string& text = ports[i].*column.field;
      rows[i + 1].push_back(text.empty() ? "-" : excerpt(text));
    }
  }
  return columns(rows, rows[0].size());
}

extern constexpr Command kPortsCommand{
    .name = "ports",
    .help = "Lists the ports of this machine that can be read, such as serial ones.",
    .run = list_ports};

}  // namespace leat
