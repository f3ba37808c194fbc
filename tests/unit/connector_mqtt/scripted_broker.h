// A broker on the test's own loop: welcomes clients, answers what it is told to answer, and notes
// every packet that comes.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "net/scripted_server.h"
#include "protocols/mqtt/framer.h"
#include "protocols/mqtt/writer.h"

namespace leat::testing {

class ScriptedBroker {
 public:
  using Type = mqtt::PacketType;
  struct Packet {
    Type type;
    std::string body;
  };

  // `path`: of a Unix socket; TCP when empty.
  explicit ScriptedBroker(Loop& loop, const std::string& path = "")
      : server_(loop, path), path_(path) {
    server_.on_bytes = [this](Peer& peer) { read(peer); };
  }

  std::string url() const {
    return path_.empty() ? "mqtt://127.0.0.1:" + std::to_string(server_.port()) : "unix://" + path_;
  }

  // What the answers are.
  std::string connack = std::string("\x20\x02\x00\x00", 4);  // of 3.1.1: accepted, a new session
  std::string subacks = std::string("\x01", 1);              // a byte for each filter
  bool answers_subscribe = true;
  bool answers_ping = true;
  bool counts_only = false;  // what comes is thrown away: `bytes`
  size_t bytes = 0;
  std::function<void(Peer&, const Packet&)> on_packet;

  std::vector<Packet> packets;  // all that came
  size_t count(Type type) const {
    size_t n = 0;
    for (const Packet& packet : packets) n += packet.type == type ? 1 : 0;
    return n;
  }
  // Acknowledgements in the order in which they came: "PUBACK 1, PUBREC 2".
  std::string acks() const {
    std::string out;
    for (const Packet& packet : packets) {
      const char* name = packet.type == Type::kPuback    ? "PUBACK "
                         : packet.type == Type::kPubrec  ? "PUBREC "
                         : packet.type == Type::kPubrel  ? "PUBREL "
                         : packet.type == Type::kPubcomp ? "PUBCOMP "
                                                         : nullptr;
      if (name == nullptr) continue;
      out += (out.empty() ? "" : ", ") + std::string(name) + std::to_string(id_of(packet.body));
    }
    return out;
  }
  static int id_of(std::string_view body) {
    return static_cast<uint8_t>(body[0]) << 8 | static_cast<uint8_t>(body[1]);
  }

  // The connection made last.
  Peer& peer() { return server_.peer(server_.connections() - 1); }
  Peer& first_peer() { return server_.peer(0); }
  size_t connections() const { return server_.connections(); }
  void publish(uint16_t id, std::string_view payload, uint8_t qos = 1, bool again = false,
               std::string_view topic = "t") {
    std::string out;
    append_publish(out, mqtt::Version::k311, {.topic = topic, .qos = qos, .id = id}, payload);
    if (again) out[0] = static_cast<char>(out[0] | 8);
    peer().say(out);
  }
  void say_ack(Type type, uint16_t id) {
    std::string out;
    append_ack(out, mqtt::Version::k311, type, id);
    peer().say(out);
  }

 private:
  void read(Peer& peer) {
    if (counts_only) {
      bytes += peer.received.size();
      peer.received.clear();
      return;
    }
    mqtt::Framer framer(mqtt::kLongestPacket,
                        [this, &peer](const mqtt::Frame& frame) -> Result<bool> {
                          packets.push_back({frame.type, std::string(frame.body)});
                          used_ += frame.size;
                          answer(peer, packets.back());
                          return true;
                        });
    used_ = 0;
    std::string all = peer.received;
    (void)framer.feed(all);
    peer.received.erase(0, used_);
  }

  void answer(Peer& peer, const Packet& packet) {
    if (packet.type == Type::kConnect) peer.say(connack);
    if (packet.type == Type::kPingreq && answers_ping) peer.say(std::string("\xD0\x00", 2));
    if (packet.type == Type::kSubscribe && answers_subscribe)
      peer.say("\x90" + std::string(1, static_cast<char>(2 + subacks.size())) +
               packet.body.substr(0, 2) + subacks);
    if (packet.type == Type::kDisconnect) peer.hang_up();
    if (on_packet) on_packet(peer, packet);
  }

  ScriptedServer server_;
  const std::string path_;
  size_t used_ = 0;
};

}  // namespace leat::testing
