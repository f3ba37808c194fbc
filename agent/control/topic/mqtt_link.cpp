#include "control/topic/mqtt_link.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/lifetime.h"
#include "base/log.h"
#include "base/text.h"
#include "control/auth/authority.h"
#include "net/reconnect.h"
#include "net/tls.h"
#include "protocols/mqtt/connection_options.h"
#include "protocols/mqtt/reason.h"
#include "protocols/mqtt/session.h"
#include "protocols/mqtt/subscriptions.h"
#include "protocols/mqtt/writer.h"

namespace leat::control {
namespace {

constexpr std::string_view kScope = "control";
constexpr uint32_t kSessionExpiry = 30 * 86'400;  // seconds, as that of the connector
constexpr size_t kAroundPayload = 64 * 1024;      // of a packet: its topic and properties
constexpr size_t kMostUnderWay = 8;
constexpr uint16_t kReceiveMaximum = 4;  // commands that the broker may send at once

class MqttLink final : public Link, private mqtt::SessionListener {
 public:
  MqttLink(Loop& loop, mqtt::SessionConfig config, std::unique_ptr<TlsContext> tls, LinkWish wish,
           OutQueue& queue, LinkUser& user)
      : loop_(loop),
        queue_(queue),
        user_(&user),
        tls_(std::move(tls)),
        session_(loop, std::move(config), tls_.get(), *this),
        reconnect_(loop, std::string(kScope), [this] { session_.connect(); }),
        subscriptions_(loop, session_, std::string(kScope), std::move(wish.topics), {.qos = 1},
                       std::move(wish.on_subscribed)),
        later_(loop) {
    subscriptions_.restore(std::move(wish.subscribed));
    session_.connect();
  }

  bool up() const override { return session_.up(); }
  size_t largest_packet() const override { return largest_; }

  // In the next turn: this may be inside a callback of the session, and more may come.
  void send() override {
    if (session_.up() && !later_.active()) later_.start_next_turn([this] { send_now(); });
  }

  void go_on() override {
    if (user_ == nullptr || !session_.up()) return;
    session_.flush();
    session_.resume();
  }

  void close(OutMessage last, std::function<void()> closed) override {
    user_ = nullptr;
    later_.stop();
    reconnect_.stop();
    subscriptions_.stop();
    queue_.connection_lost();
    if (session_.up())
      mqtt::append_publish(session_.out(), session_.version(),
                           {.topic = last.topic, .retain = last.retain && retains_}, last.payload);
    session_.close(std::move(closed));
  }

 private:
  void on_up(const mqtt::Connack& connack) override {
    const std::string version = session_.version() == mqtt::Version::k5 ? "5" : "3.1.1";
    reconnect_.connected("connected to " + session_.config().url.shown + " as " +
                         json_quoted(session_.config().connect.client_id) + " (MQTT " + version +
                         (connack.session_present ? ", session resumed)" : ")"));
    largest_ = connack.properties.maximum_packet_size;
    qos_ = std::min<uint8_t>(1, connack.properties.maximum_qos);
    retains_ = connack.properties.retain_available;
    window_ = std::min<size_t>(kMostUnderWay, connack.properties.receive_maximum);
    unsettled_.reset();
    subscriptions_.begin(connack);
    session_.flush();
    if (user_ != nullptr) user_->on_link_up();
    send();
  }

  void on_down(const mqtt::Down& down) override {
    queue_.connection_lost();
    later_.stop();
    unsettled_.reset();
    const std::string asking = subscriptions_.connection_lost(down.by_broker);
    if (user_ == nullptr) return;
    if (down.retry_now) return session_.connect();
    reconnect_.failed(down.text + (asking.empty() ? down.hint : asking));
  }

  Result<bool> on_publish(const mqtt::Publish& publish) override {
    if (user_ == nullptr || unsettled_) return false;
    if (!publish.bad_topic.empty())
      return fail(ErrorKind::kData,
                  "a malformed PUBLISH packet: " + std::string(publish.bad_topic));
    const uint64_t number = ++taken_;
    unsettled_ = number;
    const bool taken = user_->on_message(
        {.payload = publish.payload,
         .response_topic = publish.properties.response_topic,
         .correlation_data = publish.properties.correlation_data,
         .cut = publish.cut,
         .settled = lifetime_.guard([this, number, id = publish.id] { settled(number, id); })});
    if (!taken) unsettled_.reset();
    return taken;
  }

  // By number: that of another connection may have the same packet id, and 0 is that of QoS 0.
  void settled(uint64_t number, uint16_t id) {
    if (unsettled_ != number) return;
    unsettled_.reset();
    if (id != 0 && user_ != nullptr && session_.up())
      mqtt::append_ack(session_.out(), session_.version(), mqtt::PacketType::kPuback, id);
    go_on();
  }

  Result<bool> on_ack(const mqtt::Ack& ack) override {
    if (ack.type != mqtt::PacketType::kPuback) return true;
    if (ack.reason >= mqtt::kUnspecified) say_refused(ack);
    if (queue_.acked(ack.id)) {
      session_.packet_ids().give_back(ack.id);
      send();
    }
    return true;
  }

  // It is not sent again: the broker would say the same.
  void say_refused(const mqtt::Ack& ack) {
    const OutMessage* message = queue_.sent_as(ack.id);
    if (message == nullptr || !refusal_said_.due(loop_.clock().monotonic_us())) return;
    log::warn(kScope, session_.config().url.shown + ": the broker refused what was published on " +
                          json_quoted(message->topic) + ": " + mqtt::reason_text(ack.reason) +
                          mqtt::broker_words(ack.text));
  }

  Status on_suback(const mqtt::Suback& suback, mqtt::PacketType type) override {
    return subscriptions_.on_suback(suback, type);
  }
  void on_pause_in_arrival() override {}
  void on_sent() override { send(); }

  void send_now() {
    const mqtt::Version version = session_.version();
    while (const OutMessage* message = queue_.next()) {
      if (queue_.under_way() >= window_ || session_.unsent() > session_.config().most_unsent) break;
      mqtt::PublishHead head{.topic = message->topic,
                             .qos = qos_,
                             .retain = message->retain && retains_,
                             .correlation_data = message->correlation_data};
      const size_t size = mqtt::publish_size(version, head, message->payload.size());
      if (size > largest_) {
        log::warn(kScope, session_.config().url.shown + ": a message of " +
                              format_bytes(static_cast<int64_t>(size)) + " on " + message->topic +
                              " is more than the broker takes, and is left out");
        queue_.forget();
        continue;
      }
      if (qos_ > 0) head.id = session_.packet_ids().take();
      mqtt::append_publish(session_.out(), version, head, message->payload);
      queue_.sent(head.id);
    }
    session_.flush();
  }

  Loop& loop_;
  OutQueue& queue_;
  LinkUser* user_;  // null: it is being closed
  std::unique_ptr<TlsContext> tls_;
  mqtt::Session session_;
  Reconnect reconnect_;
  mqtt::Subscriptions subscriptions_;
  Timer later_;
  size_t largest_ = SIZE_MAX;
  size_t window_ = kMostUnderWay;
  uint8_t qos_ = 1;
  bool retains_ = true;
  uint64_t taken_ = 0;                 // messages that came
  std::optional<uint64_t> unsettled_;  // the one of them that was taken, until it is settled
  log::OnceAMinute refusal_said_;
  Lifetime lifetime_;
};

}  // namespace

MakeLink mqtt_links(Loop& loop) {
  return [&loop](LinkWish wish, OutQueue& queue, LinkUser& user) -> Result<std::unique_ptr<Link>> {
    Result<mqtt::SessionConfig> config = mqtt::session_config(wish.connection);
    if (!config) return fail(config.error());
    std::unique_ptr<TlsContext> tls;
    if (Status opened =
            open_tls(tls, config->url.tls, wish.connection.object("tls"), std::string(kScope));
        !opened)
      return fail(opened.error());
    mqtt::ConnectPacket& connect = config->connect;
    if (connect.client_id.empty()) connect.client_id = wish.client_id;
    connect.session_expiry = kSessionExpiry;
    connect.receive_maximum = kReceiveMaximum;
    connect.will = mqtt::Will{
        .topic = wish.will.topic, .payload = wish.will.payload, .qos = 1, .retain = true};
    config->largest_packet = kLongestCommand + kAroundPayload;
    return std::unique_ptr<Link>(
        new MqttLink(loop, std::move(*config), std::move(tls), std::move(wish), queue, user));
  };
}

}  // namespace leat::control
