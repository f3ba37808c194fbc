#include "connectors/mqtt/probe.h"

#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/text.h"
#include "connectors/mqtt/connection_options.h"
#include "loop/handles.h"
#include "net/tls.h"
#include "protocols/mqtt/connection_options.h"
#include "protocols/mqtt/reason.h"
#include "protocols/mqtt/session.h"
#include "protocols/mqtt/topic.h"
#include "protocols/mqtt/writer.h"

namespace leat::mqtt {
namespace {

constexpr std::string_view kShare = "$share/";

// Of one id the broker lets one client in: each that is checked has its own, though two of them are
// configured with the same one.
std::string own_id(const std::string& client_id) {
  static std::set<std::string> used;  // of the one loop that asks
  std::string out = client_id + "-check";
  for (int n = 2; !used.insert(out).second; ++n) out = client_id + "-check-" + std::to_string(n);
  return out;
}

// A member of the running agents' group would be given messages that are theirs.
std::string harmless(const std::string& filter) {
  if (!is_shared(filter)) return filter;
  return std::string(kShare) + "leat-check-" + filter.substr(kShare.size());
}

class MqttProbe final : public PeerProbe, private SessionListener {
 public:
  MqttProbe(Loop& loop, SessionConfig config, std::unique_ptr<TlsContext> tls,
            std::vector<std::string> topics, uint8_t qos, Probed done)
      : topics_(std::move(topics)),
        qos_(qos),
        done_(std::move(done)),
        tls_(std::move(tls)),
        session_(loop, std::move(config), tls_.get(), *this),
        later_(loop) {
    session_.connect();
  }

 private:
  void on_up(const Connack&) override { ask(); }
  void on_down(const Down& down) override {
    later_.stop();  // it was about to be left
    if (down.retry_now) return session_.connect();
    done_(
        fail(ErrorKind::kUnavailable,
             down.text + " (as client " + json_quoted(session_.config().connect.client_id) + ")"));
  }
  Result<bool> on_publish(const Publish&) override { return true; }
  Result<bool> on_ack(const Ack&) override { return true; }
  void on_pause_in_arrival() override {}
  void on_sent() override {}

  // One at a time: some brokers close the connection when they do not like one of several.
  void ask() {
    if (next_ == topics_.size()) return leave();
    id_ = session_.packet_ids().take();
    const std::string filter = harmless(topics_[next_]);
    append_subscribe(session_.out(), session_.version(), id_, {&filter, 1},
                     {.qos = qos_, .retain_handling = kNoRetained});
    session_.flush();
  }

  Status on_suback(const Suback& suback, PacketType type) override {
    if (type != PacketType::kSuback || suback.id != id_ || suback.reasons.size() != 1)
      return fail(ErrorKind::kData, "a SUBACK that was not asked for");
    session_.packet_ids().give_back(id_);
    const auto reason = static_cast<uint8_t>(suback.reasons[0]);
    const std::string topic = json_quoted(topics_[next_++]);
    if (reason >= kFirstError) {
      const bool says_why = session_.version() == Version::k5;
      refused_ += (refused_.empty() ? "" : ", ") + topic + " (" +
                  (says_why ? reason_text(reason) : "no reason given") + broker_words(suback.text) +
                  ")";
    } else if (reason < qos_) {
      granted_ += ", QoS " + std::to_string(reason) + " granted for " + topic;
    }
    ask();
    return {};
  }

  // From the loop: this may be inside a callback of the session.
  void leave() {
    later_.start_next_turn([this] { session_.close([this] { done_(answer()); }); });
  }

  Result<std::string> answer() const {
    const SessionConfig& config = session_.config();
    if (!refused_.empty())
      return fail(ErrorKind::kUsage,
                  config.url.shown + ": the broker refuses the subscription to " + refused_ +
                      " (to client " + json_quoted(config.connect.client_id) + ")");
    std::string out =
        config.url.shown + ": MQTT " + (session_.version() == Version::k5 ? "5" : "3.1.1");
    if (!topics_.empty()) out += ", " + format_count(topics_.size(), "topic") + " granted";
    return out + granted_;
  }

  static constexpr uint8_t kFirstError = 0x80;
  static constexpr uint8_t kNoRetained = 2;  // [MQTT5 §3.8.3.1]

  const std::vector<std::string> topics_;
  const uint8_t qos_;
  const Probed done_;
  std::unique_ptr<TlsContext> tls_;  // outlives the session
  Session session_;
  Timer later_;
  size_t next_ = 0;
  uint16_t id_ = 0;
  std::string refused_;
  std::string granted_;
};

std::unique_ptr<PeerProbe> probe(const Options& options, const ProbeContext& context,
                                 std::string_view suffix, std::vector<std::string> topics,
                                 uint8_t qos, Probed done) {
  Result<SessionConfig> config = connector_session(options);
  if (!config) return probe_that_failed(context.loop, config.error(), std::move(done));
  std::unique_ptr<TlsContext> tls;
  if (Status opened = open_tls(tls, config->url.tls, options.object("tls"), context.pipeline);
      !opened)
    return probe_that_failed(context.loop, opened.error(), std::move(done));
  ConnectPacket& connect = config->connect;
  if (connect.client_id.empty())
    connect.client_id = default_client_id(context.agent, context.pipeline, suffix);
  connect.client_id = own_id(connect.client_id);
  connect.clean_start = true;
  connect.will.reset();  // it is of the pipeline's end
  return std::make_unique<MqttProbe>(context.loop, std::move(*config), std::move(tls),
                                     std::move(topics), qos, std::move(done));
}

}  // namespace

std::unique_ptr<PeerProbe> probe_source(const Options& options, const ProbeContext& context,
                                        Probed done) {
  return probe(options, context, "", options.strings("topics"),
               static_cast<uint8_t>(options.integer("qos")), std::move(done));
}

std::unique_ptr<PeerProbe> probe_sink(const Options& options, const ProbeContext& context,
                                      Probed done) {
  return probe(options, context, "-sink", {}, 0, std::move(done));
}

}  // namespace leat::mqtt
