// Publishes each record as one message. Delivered is what the broker has confirmed.
#include "stage/sink.h"

#include <deque>
#include <memory>
#include <optional>
#include <random>
#include <utility>

#include "base/log.h"
#include "base/random.h"
#include "base/text.h"
#include "base/units.h"
#include "connectors/amqp/connection_options.h"
#include "connectors/amqp/options.h"
#include "connectors/amqp/outbox.h"
#include "connectors/amqp/probe.h"
#include "loop/handles.h"
#include "memory/budget.h"
#include "net/tls.h"
#include "options/option_errors.h"
#include "protocols/amqp/reply.h"
#include "protocols/amqp/session.h"

namespace leat {
namespace amqp {
namespace {

// Between two connections when a message is to be found that the broker closes the channel at, at
// random up to twice that.
constexpr Milliseconds kIsolationPause{50};

// What a broker says when it closes a channel that speaks about a message, or may. An exchange that
// is not there is none: it may be made.
bool may_be_about_a_message(const Down& down) {
  const bool publishing = down.method == AMQP_BASIC_PUBLISH_METHOD || down.method == 0;
  return down.on_channel && publishing && down.code != kNotFound;
}

class AmqpSink final : public Sink, public SessionListener {
 public:
  AmqpSink(SessionConfig config, OutboxConfig outbox, const Options& options)
      : config_(std::move(config)),
        outbox_(std::move(outbox)),
        tls_options_(options.object("tls")),
        window_(static_cast<size_t>(options.integer("window"))) {
    config_.confirms = true;
    config_.most_unsent = kMostUnread;
    config_.quick_ack = true;
  }

  Status open(SinkContext& context) override {
    context_ = &context;
    if (Status tls = open_tls(tls_, config_.urls.front().tls, tls_options_, context.pipeline());
        !tls)
      return tls;
    config_.name = connection_name(context.agent(), context.pipeline(), " (sink)");
    timer_.emplace(context.loop());
    later_.emplace(context.loop());
    isolation_pause_.emplace(context.loop());
    session_.emplace(context.loop(), config_, tls_.get(), *this);
    charge_ = Charge(context.budget());
    return {};
  }

  void deliver(const Delivery& delivery, Done done) override {
    outbox_.add(delivery, std::move(done));
    if (session_->up()) return pump();
    if (!connecting_ && !isolation_pause_->active()) connect();
  }

  void close(std::function<void()> closed) override {
    outbox_.drop_all();
    answers_.clear();
    charge_.set(0);
    if (!session_) return closed();  // open() failed
    timer_->stop();
    later_->stop();
    isolation_pause_->stop();
    session_->close(std::move(closed));
  }

 private:
  void connect() {
    connecting_ = true;
    session_->connect();
  }

  void on_up() override {
    connecting_ = false;
    blocked_.clear();
    outbox_.connected(session_->largest_frame());
    log::debug(context_->pipeline(), [this] {
      return "publishing to " + session_->url().shown + " " + session_->broker();
    });
    pump();
  }

  // Idle, it is connected again for the next delivery.
  void on_down(const Down& down) override {
    timer_->stop();
    connecting_ = false;
    blocked_.clear();
    if (outbox_.empty()) return;
    if (down.was_up && may_be_about_a_message(down) && outbox_.in_flight() > 0) {
      // One by one, to find out which it is.
      if (std::exchange(isolating_, true) && outbox_.refuse(down.code, down.text))
        return connect_soon();
    }
    give_up(down.text);
  }

  void connect_soon() {
    auto pause = std::uniform_int_distribution<int64_t>(0, kIsolationPause.count())(random_);
    isolation_pause_->start(kIsolationPause + Milliseconds(pause), [this] { connect(); });
  }

  Status on_reply(const Method& method) override {
    return fail(ErrorKind::kData, method_name(method.id) + ", which was not asked for");
  }
  Result<bool> on_message(const Message& message) override {
    if (message.returned && outbox_.returned(message)) return true;
    return fail(ErrorKind::kData, message.returned ? "a message back that was not sent to it"
                                                   : "a message, though nothing is consumed");
  }
  Status on_confirm(uint64_t tag, bool multiple, bool good) override {
    timer_->stop();  // pump() begins anew
    if (outbox_.confirm(tag, multiple, good)) return {};
    return fail(ErrorKind::kData,
                "a confirmation of message " + std::to_string(tag) + ", which was not published");
  }
  Status on_cancel() override {
    return fail(ErrorKind::kData, "basic.cancel, though nothing is consumed");
  }

  // What is under way was taken, or will be: it is waited for. What comes meanwhile is answered
  // "not now", so that it is spooled, and what is not published cannot come twice.
  void on_blocked(std::string_view why) override {
    blocked_ = session_->url().shown + ": the broker takes no messages for now" +
               (why.empty() ? "" : " (" + excerpt(why) + ")");
    timer_->stop();
    if (said_blocked_.due(context_->loop().clock().monotonic_us()))
      log::warn(context_->pipeline(), blocked_ + "; waiting until it does");
  }
  void on_unblocked() override {
    blocked_.clear();
    log::debug(context_->pipeline(),
               [this] { return session_->url().shown + ": the broker takes messages again"; });
  }

  void on_pause_in_arrival() override {
    pump();
    count_memory();
  }
  void on_sent() override { pump(); }

  void pump() {
    if (!session_->up() || outbox_.empty()) return;
    if (!blocked_.empty()) {
      if (outbox_.in_flight() == 0) give_up(blocked_);
      return answer_finished();
    }
    if (session_->unsent() < kMostUnsent) outbox_.append(session_->out(), isolating_ ? 1 : window_);
    session_->flush();
    answer_finished();
    if (outbox_.in_flight() == 0) return timer_->stop();
    if (!timer_->active())
      timer_->start(config_.timeout, [this] {
        session_->drop("no confirmation of a message within " + format_duration(config_.timeout));
      });
  }

  void answer_finished() {
    while (std::optional<Outbox::Answered> done = outbox_.finished()) {
      if (done->second.outcome != Outcome::kRetry) isolating_ = isolating_ && done->second.in_doubt;
      answer(std::move(*done));
    }
    count_memory();
  }

  void give_up(const std::string& why) {
    for (Outbox::Answered& one : outbox_.give_up(why)) answer(std::move(one));
    charge_.set(0);
  }

  void count_memory() { charge_.set(outbox_.footprint() + session_->footprint()); }

  // From the loop: the engine may close the sink in answer, and the session is at work here.
  void answer(Outbox::Answered answered) {
    answers_.push_back(std::move(answered));
    later_->start_next_turn([this] {
      while (!answers_.empty()) {
        Outbox::Answered next = std::move(answers_.front());
        answers_.pop_front();
        next.first(std::move(next.second));
      }
    });
  }

  // Bytes that may wait for the kernel before more are handed over.
  static constexpr size_t kMostUnsent = 256 * 1024;
  // A broker that does not take them must be read from all the same: it says that it is blocked.
  static constexpr size_t kMostUnread = 1024 * 1024;

  SessionConfig config_;
  Outbox outbox_;
  const Options tls_options_;
  const size_t window_;
  SinkContext* context_ = nullptr;
  std::unique_ptr<TlsContext> tls_;  // outlives the session
  std::optional<Session> session_;
  std::optional<Timer> timer_;  // for the broker's confirmations
  std::optional<Timer> later_;
  std::optional<Timer> isolation_pause_;
  std::deque<Outbox::Answered> answers_;  // for later_
  Charge charge_;                         // messages, and what waits to be sent
  std::string blocked_;                   // why the broker takes nothing; "": it does
  log::OnceAMinute said_blocked_;
  bool connecting_ = false;
  bool isolating_ = false;
  std::minstd_rand random_{static_cast<std::minstd_rand::result_type>(random_number())};
};

Result<OutboxConfig> outbox_config(const Options& options) {
  OutboxConfig out;
  OptionErrors errors;
  out.exchange = options.string("exchange");
  if (out.exchange.size() > kLongestShortText)
    errors.add(options, "exchange", "longer than 255 bytes");
  if (Result<Template> key = Template::parse(options.string("routingKey"))) {
    out.routing_key = std::move(*key);
  } else {
    errors.add(options, "routingKey", key.error());
  }
  if (options.has("payload")) {
    if (Result<Template> payload = Template::parse(options.string("payload")))
      out.payload = std::move(*payload);
    else
      errors.add(options, "payload", payload.error());
  }
  if (Result<PropertyMaker> properties = PropertyMaker::from(options); errors.good(properties))
    out.properties = std::move(*properties);
  out.mandatory = options.boolean("mandatory");
  if (Status status = errors.status(); !status) return fail(status.error());
  return out;
}

Result<std::unique_ptr<Sink>> make(const Options& options) {
  OptionErrors errors;
  Result<SessionConfig> config = session_config(options);
  Result<OutboxConfig> outbox = outbox_config(options);
  (void)errors.good(config);
  (void)errors.good(outbox);
  if (Status status = errors.status(); !status) return fail(status.error());
  return std::make_unique<AmqpSink>(std::move(*config), std::move(*outbox), options);
}

}  // namespace
}  // namespace amqp

extern constexpr SinkType kAmqpSink{
    .name = "amqp",
    .help =
        "Publishes each record as a message to an exchange of an AMQP 0-9-1 broker (RabbitMQ), "
        "with a routing key made of its fields. Delivered is what the broker has confirmed.",
    .consumes = Consumes::kRecords,
    .options = amqp::kSinkOptions,
    .max_in_flight = 2,
    .default_in_flight = 2,
    .keeps_order = true,
    // Each record is a message of its own, so that there is little to collect for.
    .batch = {.linger = Milliseconds{2}},
    .make = amqp::make,
    .check_files = amqp::check_files,
#ifdef LEAT_TOOLS
    .probe = amqp::probe_sink,
#endif
};

}  // namespace leat
