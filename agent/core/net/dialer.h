// Makes a connection: resolves a name and tries its addresses in turn. Internal to net/.
//
// Thread: the loop's thread. Lifetime: destroying it gives up, and `done` is not called any more;
// `done` may destroy it.
#pragma once

#include <uv.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/units.h"
#include "loop/handles.h"
#include "net/address.h"
#include "net/lookup.h"
#include "net/socket.h"

namespace leat {

class Dialer {
 public:
  using Done = std::function<void(Result<Socket::Ptr>)>;

  // Starts at once; `done` comes from the loop, within `timeout`. Each address gets an equal share
  // of what is left of it, so that one that does not answer leaves time for the next.
  Dialer(Loop& loop, const Address& address, Milliseconds timeout, Done done);
  ~Dialer();
  Dialer(const Dialer&) = delete;
  Dialer& operator=(const Dialer&) = delete;

 private:
  struct Attempt;

  void resolve(const Address& address);
  void resolved(Lookup::Answer answer, uint16_t port);
  void connect_pipe(const std::string& path);
  void try_next();
  void attempted(int uv_code);
  void finish(Result<Socket::Ptr> result);
  void fail_later(Error error);
  std::string what() const { return "connect " + name_; }

  Loop& loop_;
  const std::string name_;
  const Milliseconds deadline_;
  Done done_;
  Timer timer_;
  std::optional<Lookup> lookup_;
  Attempt* attempt_ = nullptr;  // under way; owned by libuv until its callback
  Socket::Ptr socket_;
  std::vector<sockaddr_storage> addresses_;
  size_t next_ = 0;
};

}  // namespace leat
