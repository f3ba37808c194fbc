// Messages to the service manager: the transport of sd_notify(3), one datagram of text each. By
// hand, since libsystemd cannot be linked statically and the protocol is this small.
//
// Thread: any.
#pragma once

#include <sys/socket.h>
#include <sys/un.h>

#include <string_view>

#include "base/result.h"

namespace leat {

struct NotifyAddress {
  sockaddr_un name{};
  socklen_t size = 0;  // of what is used of `name`
};

// From $NOTIFY_SOCKET: "/path", or "@name" in the abstract namespace (unix(7)). Fails with kUsage
// for anything else, such as the "vsock:" of virtual machines.
Result<NotifyAddress> parse_notify_address(std::string_view text);

// Never blocks: when nobody listens or the queue is full, it fails with kUnavailable and the
// message is lost. Opens a socket each time, as libsystemd does: messages are seconds apart.
Status send_notification(const NotifyAddress& to, std::string_view message);

}  // namespace leat
