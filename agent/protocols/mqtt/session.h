// A connection to an MQTT broker: CONNECT, keep-alive, framing, DISCONNECT. What is published,
// subscribed and acknowledged is the listener's business (source.cpp, sink.cpp).
//
// Thread: the loop's thread. Lifetime: connect() → on_up() → on_down(), or connect() → on_down(),
// and again as often as wanted. It may be destroyed at any time but from inside its own callbacks;
// no callback comes after that.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "base/units.h"
#include "loop/handles.h"
#include "net/stream.h"
#include "net/tls.h"
#include "protocols/mqtt/framer.h"
#include "protocols/mqtt/packet_ids.h"
#include "protocols/mqtt/packets.h"
#include "protocols/mqtt/url.h"
#include "protocols/mqtt/writer.h"

namespace leat::mqtt {

struct SessionConfig {
  Url url;
  ConnectPacket connect;
  bool fall_back = false;  // to 3.1.1, when the broker says that it does not speak MQTT 5
  Milliseconds connect_timeout{10'000};  // resolving, connecting, TLS
  Milliseconds timeout{30'000};          // the broker's answer to CONNECT and to a ping
  size_t largest_packet = 1 << 20;       // of the broker's; see Frame::cut
  // Bytes that may wait for a broker that does not read. Above it the broker is not read from
  // either: its packets would become answers without end.
  size_t most_unsent = 64 * 1024;
  // Brokers send their acknowledgements in small pieces and, unless told otherwise, each only when
  // the kernel here has confirmed the one before (Nagle), which it does up to 40 ms late.
  bool quick_ack = false;
};

// Why there is no connection.
struct Down {
  std::string text;        // "mqtt://broker:1883: not authorised (check …)"
  std::string hint;        // "", or what may be behind it: "; does another client use …?"
  bool was_up = false;     // the broker had accepted it
  bool brief = false;      // and it was lost within seconds
  bool again = false;      // as the one before it
  bool retry_now = false;  // with another protocol version
  bool told = false;       // the broker said why
  uint8_t reason = 0;      // that, when it was told
  bool by_broker = false;  // it closed the connection, and was not away
};

class SessionListener {
 public:
  virtual ~SessionListener() = default;

  // The broker has accepted the connection.
  virtual void on_up(const Connack& connack) = 0;
  // It was not made, or is lost. What was sent and not acknowledged may or may not have arrived.
  virtual void on_down(const Down& down) = 0;
  // False: not now; the session stops reading until resume(). An error ends the connection.
  virtual Result<bool> on_publish(const Publish& publish) = 0;
  // The same.
  virtual Result<bool> on_ack(const Ack& ack) = 0;
  virtual Status on_suback(const Suback& suback, PacketType type) = 0;
  // All that has arrived so far was handed on.
  virtual void on_pause_in_arrival() = 0;
  virtual void on_pingresp() {}
  // What was appended to out() before the last flush() is with the kernel.
  virtual void on_sent() = 0;
};

class Session final : public StreamListener {
 public:
  // `tls` (null: none) and `listener` outlive the session.
  Session(Loop& loop, SessionConfig config, TlsContext* tls, SessionListener& listener);
  ~Session() override;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void connect();
  bool up() const { return up_; }
  // Of the connection; 3.1.1 after a fall-back.
  Version version() const { return config_.connect.version; }
  const SessionConfig& config() const { return config_; }

  // Of what is sent over it; all are free when it is up anew.
  PacketIds& packet_ids() { return packet_ids_; }

  // Packets to send are appended to out(), and go out together with flush(). Only while up.
  std::string& out() { return out_; }
  void flush();
  // Asks for an on_pingresp().
  void ping();
  // Bytes that wait to be taken by the kernel.
  size_t unsent() const { return out_.size() + sending_.size(); }
  // Bytes kept for the connection: what waits to be sent, and the packet that has not come whole.
  size_t footprint() const { return out_.capacity() + sending_.capacity() + framer_.footprint(); }

  // Stops and goes on reading. While it does not read, the broker is kept from dropping the
  // connection by pings, whose answers are not waited for. resume() offers the packet that was not
  // taken again, so it calls the listener, which may be told on_down() from inside it.
  void pause();
  void resume();

  // Ends the connection because of what the broker did (an answer that never came). on_down()
  // follows at once.
  void drop(const std::string& why, uint8_t reason = kProtocolError);
  // Says DISCONNECT and closes; on_down() does not come. `closed` comes from the loop.
  void close(std::function<void()> closed);

 private:
  void on_connected(Status status) override;
  void on_data(std::span<const char> bytes) override;
  void on_closed(Status status) override;

  Result<bool> take(const Frame& frame);
  Result<bool> take_connack(const Frame& frame);
  void arrived(const Status& status);
  void down(std::string text, bool by_broker = false);
  void disconnected();
  void end_closing();
  void update_reading();
  void keep_alive();
  void start_keep_alive();

  Loop& loop_;
  SessionConfig config_;
  TlsContext* const tls_;
  SessionListener& listener_;
  Framer framer_;
  PacketIds packet_ids_;
  std::unique_ptr<Stream> stream_;
  Timer timer_;  // the wait for CONNACK; after that, keep-alive
  std::string out_;
  std::string sending_;
  bool up_ = false;
  bool closing_ = false;
  std::function<void()> closed_;  // once closing_
  std::string broker_said_;       // in its DISCONNECT
  uint8_t said_reason_ = 0;       // there
  bool was_brief_ = false;        // the last connection that was up
  bool retry_now_ = false;
  Milliseconds up_since_{0};
  Milliseconds keep_alive_{0};
  Milliseconds last_sent_{0};
  Milliseconds last_received_{0};
  std::optional<Milliseconds> pinged_;  // none: no answer is awaited
  bool paused_ = false;                 // by the listener
  bool choked_ = false;                 // more than most_unsent waits
};

}  // namespace leat::mqtt
