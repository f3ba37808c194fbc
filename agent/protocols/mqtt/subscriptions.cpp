#include "protocols/mqtt/subscriptions.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "protocols/mqtt/reason.h"
#include "protocols/mqtt/topic.h"

namespace leat::mqtt {
namespace {

constexpr Milliseconds kAskAgainFirst{1'000};
constexpr Milliseconds kAskAgainLongest{60'000};

std::string lines(const std::vector<std::string>& items) {
  std::string out;
  for (const std::string& item : items) out += item + "\n";
  return out;
}

std::vector<std::string> items(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    size_t end = std::min(text.find('\n'), text.size());
    if (end > 0) out.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

}  // namespace

Subscriptions::Subscriptions(uv_loop_t* loop, Session& session, std::string scope,
                             std::vector<std::string> topics, uint8_t qos,
                             std::function<void(std::string)> on_changed)
    : session_(session),
      scope_(std::move(scope)),
      qos_(qos),
      on_changed_(std::move(on_changed)),
      timer_(loop) {
  for (std::string& topic : topics) topics_.push_back({std::move(topic), false, {}});
}

void Subscriptions::begin(const Connack& connack) {
  again_ = kAskAgainFirst;
  id_ = 0;
  for (Topic& topic : topics_) {
    // With 3.1.1 a repeated SUBSCRIBE would bring all retained messages again [MQTT-3.8.4-3].
    bool kept = connack.session_present && topic.subscribed;
    topic.subscribed = kept && session_.version() == Version::k311;
    const Properties& can = connack.properties;
    if (is_shared(topic.filter) && !can.shared_available)
      refuse(topic, reason_text(kSharedNotSupported));
    else if (topic.filter.find_first_of("+#") != std::string::npos && !can.wildcard_available)
      refuse(topic, reason_text(kWildcardsNotSupported));
    else
      topic.refused.clear();
  }
  unsubscribe_old(connack.session_present);
  ask();
}

void Subscriptions::connection_lost() {
  timer_.stop();
  id_ = 0;
}

void Subscriptions::ask() {
  asked_.clear();
  std::vector<std::string> filters;
  for (size_t i = 0; i < topics_.size(); ++i) {
    const Topic& topic = topics_[i];
    // Asking for what MQTT 5 says is not available is a protocol error [MQTT5 §3.2.2.3.11].
    if (topic.subscribed || topic.refused.ends_with("not supported")) continue;
    asked_.push_back(i);
    filters.push_back(topic.filter);
  }
  if (filters.empty()) return;
  id_ = ++last_id_ == 0 ? ++last_id_ : last_id_;
  append_subscribe(session_.out(), session_.version(), id_, filters, qos_);
  session_.flush();
  timer_.start(session_.config().timeout, [this] {
    session_.drop("no answer to SUBSCRIBE within " + format_duration(session_.config().timeout));
  });
}

Status Subscriptions::on_suback(const Suback& suback, PacketType type) {
  if (type == PacketType::kUnsuback) return {};
  if (id_ == 0 || suback.id != id_)
    return fail(ErrorKind::kData, "a SUBACK that was not asked for");
  if (suback.reasons.size() != asked_.size())
    return fail(ErrorKind::kData, "a SUBACK with " + std::to_string(suback.reasons.size()) +
                                      " answers to " + std::to_string(asked_.size()) + " topics");
  id_ = 0;
  timer_.stop();
  for (size_t i = 0; i < asked_.size(); ++i) {
    Topic& topic = topics_[asked_[i]];
    auto reason = static_cast<uint8_t>(suback.reasons[i]);
    if (reason >= 0x80) {  // of 3.1.1 only 0x80: "failure" [MQTT-3.1.1 §3.9.3]
      bool says_why = session_.version() == Version::k5;
      refuse(topic,
             (says_why ? reason_text(reason) : "no reason given") + broker_words(suback.text));
      continue;
    }
    if (!topic.refused.empty())
      log::info(scope_, "subscribed to " + json_quoted(topic.filter) + " at last");
    topic.subscribed = true;
    topic.refused.clear();
    if (reason < qos_)
      log::warn(scope_, "the broker grants QoS " + std::to_string(reason) + " instead of " +
                            std::to_string(qos_) + " for " + json_quoted(topic.filter));
  }
  remember();
  ask_again_later();
  return {};
}

void Subscriptions::refuse(Topic& topic, const std::string& why) {
  if (topic.refused == why) return;
  topic.refused = why;
  log::warn(scope_, session_.config().url.shown + ": the broker refuses the subscription to " +
                        json_quoted(topic.filter) + ": " + why +
                        " (check what it permits this client); trying again until it works");
}

// What a broker permits is mended at the broker, and nobody should have to restart leat for it.
void Subscriptions::ask_again_later() {
  bool all =
      std::all_of(topics_.begin(), topics_.end(), [](const Topic& t) { return t.subscribed; });
  if (all) return;
  timer_.start(again_, [this] { ask(); });
  again_ = std::min(again_ * 2, kAskAgainLongest);
}

// A session keeps its subscriptions, also those that the configuration does not name any more.
void Subscriptions::unsubscribe_old(bool session_present) {
  if (!session_present) return;
  std::vector<std::string> old = items(remembered_);
  std::erase_if(old, [this](const std::string& filter) {
    return std::any_of(topics_.begin(), topics_.end(),
                       [&filter](const Topic& topic) { return topic.filter == filter; });
  });
  if (old.empty()) return;
  if (++last_id_ == 0) ++last_id_;
  append_unsubscribe(session_.out(), session_.version(), last_id_, old);
  for (const std::string& filter : old)
    log::info(scope_, "unsubscribed from " + json_quoted(filter) +
                          ", which the configuration does not name any more");
}

void Subscriptions::remember() {
  std::vector<std::string> filters;
  for (const Topic& topic : topics_)
    if (topic.subscribed) filters.push_back(topic.filter);
  std::string text = lines(filters);
  if (text == remembered_) return;
  remembered_ = text;
  on_changed_(std::move(text));
}

}  // namespace leat::mqtt
