#include "cli/ports_table.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace leat {
namespace {

TEST(PortsTable, says_when_there_are_none) {
  EXPECT_EQ(ports_table({}), "no ports found\n");
}

TEST(PortsTable, has_a_line_for_each_port) {
  const PortInfo ports[] = {{"/dev/ttyS0", "ttyS0", "", ""},
                            {"/dev/ttyUSB0", "FT232R USB UART", "0403:6001", "A9014CHB"}};
  EXPECT_EQ(ports_table(ports),
            "PORT          USB ID     SERIAL NUMBER  DESCRIPTION\n"
            "/dev/ttyS0    -          -              ttyS0\n"
            "/dev/ttyUSB0  0403:6001  A9014CHB       FT232R USB UART\n");
}

TEST(PortsTable, leaves_out_columns_with_nothing_in_them) {
  const PortInfo ports[] = {{"/dev/ttyS0", "", "", ""}};
  EXPECT_EQ(ports_table(ports), "PORT\n/dev/ttyS0\n");
}

TEST(PortsTable, device_cannot_send_control_characters_to_the_terminal) {
  const PortInfo ports[] = {{"/dev/ttyUSB0", "evil\x1b[2J\nname", "", ""}};
  std::string table = ports_table(ports);
  EXPECT_EQ(table.find('\x1b'), std::string::npos);
  EXPECT_EQ(std::count(table.begin(), table.end(), '\n'), 2);
}

}  // namespace
}  // namespace leat
