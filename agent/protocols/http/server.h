// An HTTP/1.1 server for a few clients: operators' commands, a page, a scraper of metrics. It must
// not hold up the pipelines of its loop, whatever its clients do: what they can make it keep is
// bounded, and nobody is waited for without end.
//
// Thread: the loop's thread. Lifetime: destroying it closes all connections; Responders may live on
// and then do nothing.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/units.h"
#include "loop/loop.h"
#include "net/socket.h"
#include "net/tls.h"
#include "protocols/http/server_request.h"

namespace leat::http {

// Where to answer one request: reply() once, or begin(), send()… and end().
class Responder {
 public:
  virtual ~Responder() = default;

  // `head`: more lines of the head, each with its end ("Location: /x\r\n"). Unless Cache-Control is
  // one, nothing may keep the answer.
  virtual void reply(int status, std::string_view type, std::string body,
                     std::string_view head = "") = 0;

  // The connection is closed after end().
  virtual void begin(int status, std::string_view type) = 0;
  virtual void send(std::string bytes) = 0;
  virtual void end() = 0;
  // Bytes sent that the client has not taken yet: who produces without end must look.
  virtual size_t waiting() const = 0;
  // The client is gone: nothing more is of use. Called once, from the loop.
  virtual void on_gone(std::function<void()> listener) = 0;
};

struct ServerSetup {
  using Handler = std::function<void(ServerRequest request, std::shared_ptr<Responder> responder)>;

  Loop& loop;
  Handler handler = nullptr;
  TlsContext* tls = nullptr;      // a server's, that outlives this; null: in clear
  size_t most_connections = 32;   // each costs about 20 KiB; of more, one is closed
  size_t longest_body = 1 << 20;  // bytes
  Milliseconds patience{30'000};  // for a request once begun, and for an answer to be taken
  Milliseconds idle{60'000};      // between two requests of a connection
};

class Server {
 public:
  explicit Server(ServerSetup setup);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Takes over a connection from a Listener. When there are too many, one that is idle makes room
  // for it, or the oldest whose request has not come whole; when all are being answered, it is
  // closed.
  void accept(Socket::Ptr socket);
  size_t connections() const { return connections_.size(); }

 private:
  class Connection;
  class Reply;
  void drop(Connection* connection);

  const ServerSetup setup_;
  std::vector<std::unique_ptr<Connection>> connections_;  // the oldest first
};

}  // namespace leat::http
