#include "connectors/serial/ports.h"

#include <libserialport.h>

#include <cerrno>
#include <cstdio>
#include <memory>
#include <string>

namespace leat::serial {
namespace {

std::string text(const char* maybe) {
  return maybe == nullptr ? "" : maybe;
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

Result<std::vector<PortInfo>> list_ports() {
  sp_port** list = nullptr;
  std::vector<PortInfo> out;
  sp_return code = sp_list_ports(&list);
  if (code != SP_OK) {
    int error = code == SP_ERR_FAIL ? sp_last_error_code() : 0;
    // No such folder: a machine without terminals, or /sys is not mounted.
    if (error == ENOENT) return out;
    return error != 0 ? fail_errno("list the serial ports", error)
                      : fail(ErrorKind::kUnavailable, "list the serial ports: failed");
  }
  std::unique_ptr<sp_port*, decltype(&sp_free_port_list)> owner(list, sp_free_port_list);
  for (sp_port** port = list; *port != nullptr; ++port) out.push_back(describe(*port));
  return out;
}

}  // namespace leat::serial
