// Waits for connections on a TCP address or a Unix socket.
//
// Thread: the loop's thread. Lifetime: destroying it stops listening, and removes the file of a
// Unix socket; connections that were handed over live on.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "net/address.h"
#include "net/socket.h"

namespace leat {

class Listener {
 public:
  using Accepted = std::function<void(Socket::Ptr)>;

  // Listens on `address`, whose host must be an IP address or "localhost"; `accepted` comes from
  // the loop. A Unix socket is open to the owner and the group (0660), and takes the place of a
  // file of that name: the caller knows that no other process listens there. Errors say what to do:
  // an address in use or not of this machine is kUsage.
  static Result<std::unique_ptr<Listener>> open(Loop& loop, const Address& address,
                                                Accepted accepted);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  // With port 0 the system has chosen one.
  uint16_t port() const;

 private:
  Listener(Loop& loop, std::string path, Accepted accepted);
  Status bind_path();
  Status bind_address(const Address& address);
  Status listen(const std::string& what);
  void connection();

  Loop& loop_;
  const std::string path_;          // of a Unix socket, or ""
  std::optional<SocketPath> name_;  // libuv removes the file by it when the socket is closed
  Accepted accepted_;
  Socket::Ptr socket_;
};

}  // namespace leat
