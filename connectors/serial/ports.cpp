#include "connectors/serial/ports.h"

#include <dirent.h>
#include <fcntl.h>
#include <libserialport.h>
#include <linux/serial.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

namespace leat::serial {
namespace {

constexpr const char* kTerminals = "/sys/class/tty";

std::string text(const char* maybe) {
  return maybe == nullptr ? "" : maybe;
}

// The driver serial8250 has as many ports as it was built for. Which of them there are, they
// themselves must be asked.
bool has_uart(const std::string& port) {
  const int fd = ::open(port.c_str(), O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (fd < 0) return false;
  serial_struct uart{};
  const bool has = ::ioctl(fd, TIOCGSERIAL, &uart) == 0 && uart.type != PORT_UNKNOWN;
  ::close(fd);
  return has;
}

// Whether the kernel's terminal `name` is a port of this machine, at the path `port`: consoles and
// pseudo-terminals are none, and what a container was not given has no path.
bool is_port(const std::string& name, const std::string& port) {
  char device[PATH_MAX];
  const std::string link = std::string(kTerminals) + "/" + name;
  const ssize_t size = ::readlink(link.c_str(), device, sizeof device);
  if (size <= 0 || ::access(port.c_str(), F_OK) != 0) return false;
  const std::string_view of(device, static_cast<size_t>(size));
  if (of.find("virtual") != std::string_view::npos) return false;
  return of.find("serial8250") == std::string_view::npos || has_uart(port);
}

PortInfo describe(const sp_port* port) {
  PortInfo info;
  info.name = text(sp_get_port_name(port));
  info.description = text(sp_get_port_description(port));
  int vendor = 0;
  int product = 0;
  if (sp_get_port_transport(port) == SP_TRANSPORT_USB &&
      sp_get_port_usb_vid_pid(port, &vendor, &product) == SP_OK) {
    char id[16];
    std::snprintf(id, sizeof id, "%04x:%04x", static_cast<unsigned>(vendor) & 0xFFFF,
                  static_cast<unsigned>(product) & 0xFFFF);
    info.usb_id = id;
    info.serial_number = text(sp_get_port_usb_serial(port));
  }
  return info;
}

}  // namespace

// Not sp_list_ports(): where one port has no path, as in a container, libserialport 0.1.1 lists it
// all the same, and 0.1.2 gives up and lists none.
Result<std::vector<PortInfo>> list_ports() {
  std::vector<PortInfo> out;
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir(kTerminals), ::closedir);
  if (folder == nullptr) {
    // A machine without terminals, or /sys is not mounted.
    if (errno == ENOENT) return out;
    return fail_errno("list the serial ports", errno);
  }
  while (const dirent* terminal = ::readdir(folder.get())) {
    const std::string path = "/dev/" + std::string(terminal->d_name);
    sp_port* port = nullptr;
    if (!is_port(terminal->d_name, path) || sp_get_port_by_name(path.c_str(), &port) != SP_OK)
      continue;
    out.push_back(describe(port));
    sp_free_port(port);
  }
  return out;
}

}  // namespace leat::serial
