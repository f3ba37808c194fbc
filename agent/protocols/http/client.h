// An HTTP/1.1 client for one server: sends whole requests over connections that are kept alive.
//
// Thread: the loop's thread. Lifetime: destroying it gives up what is under way, without calling
// `done`; it may be destroyed from inside a `done`.
#pragma once

#include <uv.h>

#include <functional>
#include <memory>
#include <vector>

#include "base/result.h"
#include "base/units.h"
#include "loop/loop.h"
#include "net/address.h"
#include "net/tls.h"
#include "protocols/http/response.h"

namespace leat::http {

struct ClientConfig {
  Loop& loop;
  Address address;
  TlsContext* tls = nullptr;  // null: http
  Milliseconds connect_timeout{0};
  Milliseconds timeout{0};  // from the first byte sent to the last byte of the answer
  size_t keep_body = Response::kBodyStart;  // bytes of each answer
};

// What came of a request. Without an answer it is kUnavailable, and says what happened to the
// connection.
struct Exchanged {
  Result<Response> response;
  // The server has taken the connection, and ended it before its answer was complete.
  bool cut_off = false;
};

class Client {
 public:
  using Done = std::function<void(Exchanged)>;

  explicit Client(ClientConfig config);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Sends a whole request. There are as many connections as requests under way at once. The bytes
  // of `message` must stay until `done`, which comes from the loop.
  //
  // A connection kept alive may turn out to have been closed by the server in the meantime: then
  // the request is sent once more on a new one. That is safe only for requests that may be
  // repeated.
  void send(std::vector<uv_buf_t> message, Done done);

 private:
  class Connection;
  struct Exchange {
    std::vector<uv_buf_t> message;
    Done done;
  };

  void connect(Exchange exchange);
  void drop(Connection* connection);

  const ClientConfig config_;
  std::vector<std::unique_ptr<Connection>> connections_;
};

}  // namespace leat::http
