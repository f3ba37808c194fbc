#include "connectors/amqp/probe.h"

#include <optional>
#include <string>
#include <utility>

#include "base/text.h"
#include "connectors/amqp/connection_options.h"
#include "connectors/amqp/queue.h"
#include "loop/handles.h"
#include "net/tls.h"
#include "protocols/amqp/reply.h"
#include "protocols/amqp/session.h"

namespace leat::amqp {
namespace {

class AmqpProbe final : public PeerProbe, private SessionListener {
 public:
  // One of `queue` and `exchange`.
  AmqpProbe(Loop& loop, SessionConfig config, std::unique_ptr<TlsContext> tls,
            std::optional<Queue> queue, std::string exchange, Probed done)
      : queue_(std::move(queue)),
        exchange_(std::move(exchange)),
        done_(std::move(done)),
        tls_(std::move(tls)),
        session_(loop, std::move(config), tls_.get(), *this),
        later_(loop) {
    session_.connect();
  }

 private:
  void on_up() override {
    if (queue_) {
      queue_->append_question(session_.out());
      return session_.flush();
    }
    if (exchange_.empty()) return leave("");
    const amqp_exchange_declare_t declare{.ticket = 0,
                                          .exchange = bytes_of(exchange_),
                                          .type = {},
                                          .passive = 1,
                                          .durable = 0,
                                          .auto_delete = 0,
                                          .internal = 0,
                                          .nowait = 0,
                                          .arguments = {}};
    append_method(session_.out(), kChannel, AMQP_EXCHANGE_DECLARE_METHOD, &declare);
    session_.flush();
  }

  Status on_reply(const Method& method) override {
    if (method.id == AMQP_QUEUE_DECLARE_OK_METHOD) {
      const auto& ok = method.as<amqp_queue_declare_ok_t>();
      leave(", queue " + json_quoted(queue_->name()) + " with " +
            format_count(uint64_t{ok.message_count}, "message") + " and " +
            format_count(uint64_t{ok.consumer_count}, "consumer"));
    } else {
      leave(", exchange " + json_quoted(exchange_) + " is there");
    }
    return {};
  }

  void on_down(const Down& down) override {
    later_.stop();  // it was about to be left
    if (down.on_channel && down.code == kNotFound && queue_ && queue_->declares())
      return done_(session_.url().shown + ": the queue " + json_quoted(queue_->name()) +
                   " is not there yet; it will be made");
    done_(fail(down.on_channel ? ErrorKind::kUsage : ErrorKind::kUnavailable, down.text));
  }

  Result<bool> on_message(const Message&) override { return true; }
  Status on_confirm(uint64_t, bool, bool) override { return {}; }
  Status on_cancel() override { return {}; }
  void on_blocked(std::string_view) override {}
  void on_unblocked() override {}
  void on_pause_in_arrival() override {}
  void on_sent() override {}

  // From the loop: this is inside a callback of the session.
  void leave(const std::string& what) {
    found_ = session_.url().shown + ": " +
             (session_.broker().empty() ? "AMQP 0-9-1" : session_.broker()) + what;
    later_.start_next_turn([this] { session_.close([this] { done_(std::move(found_)); }); });
  }

  const std::optional<Queue> queue_;
  const std::string exchange_;
  const Probed done_;
  std::unique_ptr<TlsContext> tls_;  // outlives the session
  Session session_;
  Timer later_;
  std::string found_;
};

std::unique_ptr<PeerProbe> probe(const Options& options, const ProbeContext& context,
                                 std::optional<Queue> queue, std::string exchange, Probed done) {
  Result<SessionConfig> config = session_config(options);
  if (!config) return probe_that_failed(context.loop, config.error(), std::move(done));
  std::unique_ptr<TlsContext> tls;
  if (Status opened =
          open_tls(tls, config->urls.front().tls, options.object("tls"), context.pipeline);
      !opened)
    return probe_that_failed(context.loop, opened.error(), std::move(done));
  config->name = connection_name(context.agent, context.pipeline, " (check)");
  return std::make_unique<AmqpProbe>(context.loop, std::move(*config), std::move(tls),
                                     std::move(queue), std::move(exchange), std::move(done));
}

}  // namespace

std::unique_ptr<PeerProbe> probe_source(const Options& options, const ProbeContext& context,
                                        Probed done) {
  Result<Queue> queue = Queue::from(options);
  if (!queue) return probe_that_failed(context.loop, queue.error(), std::move(done));
  return probe(options, context, std::move(*queue), {}, std::move(done));
}

std::unique_ptr<PeerProbe> probe_sink(const Options& options, const ProbeContext& context,
                                      Probed done) {
  return probe(options, context, std::nullopt, options.string("exchange"), std::move(done));
}

}  // namespace leat::amqp
