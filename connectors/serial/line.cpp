#include "connectors/serial/line.h"

#include <asm/termbits.h>
#include <sys/ioctl.h>

#include <cerrno>
#include <cstdlib>

namespace leat::serial {
namespace {

tcflag_t data_bits(int bits) {
  constexpr tcflag_t kSizes[] = {CS5, CS6, CS7, CS8};
  return kSizes[bits - 5];
}

tcflag_t parity(Parity parity) {
  switch (parity) {
    case Parity::kOdd:
      return PARENB | PARODD;
    case Parity::kEven:
      return PARENB;
    case Parity::kMark:
      return PARENB | PARODD | CMSPAR;
    case Parity::kSpace:
      return PARENB | CMSPAR;
    case Parity::kNone:
      break;
  }
  return 0;
}

constexpr tcflag_t kParityFlags = PARENB | PARODD | CMSPAR;

void fill(termios2& line, const LineSettings& settings) {
  // Errors are looked for (INPCK) and marked (PARMRK): a byte received with an error must not
  // become data, and one that silently goes missing would do as much harm.
  line.c_iflag = INPCK | PARMRK;
  if (settings.flow_control == FlowControl::kXonXoff) line.c_iflag |= IXON | IXOFF;
  line.c_oflag = 0;
  line.c_lflag = 0;
  // CLOCAL: no waiting for a carrier. No HUPCL: closing leaves the control lines alone.
  line.c_cflag = CREAD | CLOCAL | data_bits(settings.data_bits) | parity(settings.parity) | BOTHER |
                 (BOTHER << IBSHIFT);
  if (settings.stop_bits == 2) line.c_cflag |= CSTOPB;
  if (settings.flow_control == FlowControl::kRtsCts) line.c_cflag |= CRTSCTS;
  line.c_ispeed = line.c_ospeed = static_cast<speed_t>(settings.baud_rate);
  // A read that finds nothing says EAGAIN; 0 then means that the device hung up.
  line.c_cc[VMIN] = 1;
  line.c_cc[VTIME] = 0;
  line.c_cc[VSTART] = 0x11;  // DC1, DC3
  line.c_cc[VSTOP] = 0x13;
}

// Drivers change what they cannot do without an error.
std::string differences(const termios2& line, const LineSettings& settings) {
  std::string out;
  auto note = [&out](const char* what) { out += (out.empty() ? "" : ", ") + std::string(what); };
  if ((line.c_cflag & CSIZE) != data_bits(settings.data_bits)) note("dataBits");
  if ((line.c_cflag & kParityFlags) != parity(settings.parity)) note("parity");
  if (((line.c_cflag & CSTOPB) != 0) != (settings.stop_bits == 2)) note("stopBits");
  if (((line.c_cflag & CRTSCTS) != 0) != (settings.flow_control == FlowControl::kRtsCts))
    note("flowControl");
  // A UART takes a start bit and up to 9 more from the rate: 2 % off still reads right, 5 % never.
  auto got = static_cast<int64_t>(line.c_ospeed);
  if (std::abs(got - settings.baud_rate) * 40 > settings.baud_rate)
    note(("baudRate (it is " + std::to_string(got) + " now)").c_str());
  return out;
}

}  // namespace

Result<std::string> set_line(int fd, const std::string& name, const LineSettings& settings) {
  termios2 line{};
  if (::ioctl(fd, TCGETS2, &line) != 0) {
    if (errno == ENOTTY)
      return fail(ErrorKind::kUsage,
                  name + " is not a serial port: is the path right, or was a file written there?");
    return fail_errno("read the settings of " + name, errno);
  }
  fill(line, settings);
  if (::ioctl(fd, TCSETS2, &line) != 0) return fail_errno("set the line of " + name, errno);
  if (::ioctl(fd, TCGETS2, &line) != 0) return fail_errno("read the settings of " + name, errno);
  return differences(line, settings);
}

}  // namespace leat::serial
