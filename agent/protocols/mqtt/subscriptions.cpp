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
// At most so many filters go into one SUBSCRIBE: some brokers close the connection at more.
constexpr size_t kTogether = 8;
// A topic at which the connection was closed so often, when it alone was asked for, is left out for
// a while: the others must work.
constexpr int kCutsToLeaveOut = 3;
constexpr Milliseconds kAskClosersAgain{600'000};

// FNV-1a, folded to what an identifier may be: 1 to 268,435,455 [MQTT5 §3.8.2.1.2].
uint32_t identifier_of(std::string_view filter) {
  uint32_t hash = 2'166'136'261;
  for (char c : filter) hash = (hash ^ static_cast<uint8_t>(c)) * 16'777'619;
  return hash % 268'435'455 + 1;
}

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

Subscriptions::Subscriptions(Loop& loop, Session& session, std::string scope,
                             std::vector<std::string> topics, const Wanted& wanted,
                             std::function<void(std::string)> on_changed)
    : session_(session),
      scope_(std::move(scope)),
      wanted_(wanted),
      on_changed_(std::move(on_changed)),
      timer_(loop),
      closers_(loop),
      again_after_(kAskAgainFirst, kAskAgainLongest),
      // An identifier belongs to a SUBSCRIBE, with all that is in it.
      together_(wanted.identifiers ? 1 : kTogether) {
  for (std::string& filter : topics) {
    const uint32_t identifier = identifier_of(filter);
    topics_.push_back({.filter = std::move(filter), .identifier = identifier, .refused = {}});
  }
}

void Subscriptions::begin(const Connack& connack) {
  const Properties& can = connack.properties;
  again_after_.reset();
  id_ = 0;
  leaving_.clear();
  largest_ = can.maximum_packet_size;
  identifiers_ = wanted_.identifiers && can.subscription_identifiers_available;
  for (Topic& topic : topics_) {
    // With 3.1.1 a repeated SUBSCRIBE would bring all retained messages again [MQTT-3.8.4-3].
    bool kept = connack.session_present && topic.subscribed;
    topic.subscribed = kept && session_.version() == Version::k311;
    // Asking for what MQTT 5 says is not available is a protocol error [MQTT5 §3.2.2.3.11].
    topic.cannot = true;
    if (is_shared(topic.filter) && !can.shared_available) {
      refuse(topic, reason_text(kSharedNotSupported));
    } else if (topic.filter.find_first_of("+#") != std::string::npos && !can.wildcard_available) {
      refuse(topic, reason_text(kWildcardsNotSupported));
    } else if (subscribe_size(session_.version(), {&topic.filter, 1}, {.identifier = 1}) >
               largest_) {
      refuse(topic, reason_text(kPacketTooLarge));
    } else {
      topic.cannot = false;
      if (topic.cuts < kCutsToLeaveOut) topic.refused.clear();
    }
  }
  unsubscribe_old(connack.session_present);
  ask_all();
}

std::string Subscriptions::connection_lost(bool by_broker) {
  timer_.stop();
  if (std::exchange(id_, 0) == 0 || !by_broker) return "";
  if (asked_.size() > 1) {
    together_ = 1;
    return "; it was being asked for " + std::to_string(asked_.size()) +
           " subscriptions at once: one at a time from now on";
  }
  Topic& topic = topics_[asked_.front()];
  if (++topic.cuts == kCutsToLeaveOut) {
    refuse(topic, "it closes the connection when it is asked for");
    closers_.start(kAskClosersAgain, [this] {
      for (Topic& one : topics_)
        if (one.cuts >= kCutsToLeaveOut) one.cuts = kCutsToLeaveOut - 1;
      if (session_.up() && id_ == 0) ask_all();
    });
  }
  return "; it was being asked for the subscription to " + json_quoted(topic.filter);
}

void Subscriptions::stop() {
  timer_.stop();
  closers_.stop();
}

void Subscriptions::filters_of(std::span<const uint32_t> identifiers,
                               std::vector<std::string_view>& out) const {
  for (uint32_t identifier : identifiers)
    for (const Topic& topic : topics_)
      if (topic.identifier == identifier) out.push_back(topic.filter);
}

void Subscriptions::ask_all() {
  next_ = 0;
  ask();
}

// The next few of them; the others follow when these are answered.
void Subscriptions::ask() {
  asked_.clear();
  std::vector<std::string> filters;
  SubscribeOptions options{.qos = wanted_.qos, .retain_as_published = wanted_.retain_as_published};
  for (; next_ < topics_.size() && filters.size() < together_; ++next_) {
    const Topic& topic = topics_[next_];
    if (topic.subscribed || topic.cannot || topic.cuts >= kCutsToLeaveOut) continue;
    if (identifiers_) options.identifier = topic.identifier;
    filters.push_back(topic.filter);
    if (filters.size() > 1 && subscribe_size(session_.version(), filters, options) > largest_) {
      filters.pop_back();
      break;
    }
    asked_.push_back(next_);
  }
  if (filters.empty()) return ask_again_later();
  id_ = session_.packet_ids().take();
  append_subscribe(session_.out(), session_.version(), id_, filters, options);
  session_.flush();
  timer_.start(session_.config().timeout, [this] {
    session_.drop("no answer to SUBSCRIBE within " + format_duration(session_.config().timeout));
  });
}

Status Subscriptions::on_suback(const Suback& suback, PacketType type) {
  if (type == PacketType::kUnsuback) {
    if (std::erase(leaving_, suback.id) > 0) session_.packet_ids().give_back(suback.id);
    return {};
  }
  if (id_ == 0 || suback.id != id_)
    return fail(ErrorKind::kData, "a SUBACK that was not asked for");
  if (suback.reasons.size() != asked_.size())
    return fail(ErrorKind::kData, "a SUBACK with " + format_count(suback.reasons.size(), "answer") +
                                      " to " + format_count(asked_.size(), "topic"));
  session_.packet_ids().give_back(std::exchange(id_, 0));
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
    topic.cuts = 0;
    topic.refused.clear();
    if (reason < wanted_.qos)
      log::warn(scope_, "the broker grants QoS " + std::to_string(reason) + " instead of " +
                            std::to_string(wanted_.qos) + " for " + json_quoted(topic.filter));
  }
  remember();
  ask();
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
  bool any = std::any_of(topics_.begin(), topics_.end(), [](const Topic& t) {
    return !t.subscribed && !t.cannot && t.cuts < kCutsToLeaveOut;
  });
  if (!any) return;
  timer_.start(again_after_.next(), [this] { ask_all(); });
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
  for (std::span<const std::string> rest = old; !rest.empty();) {
    leaving_.push_back(session_.packet_ids().take());
    const auto some = rest.first(std::min(rest.size(), together_));
    append_unsubscribe(session_.out(), session_.version(), leaving_.back(), some);
    rest = rest.subspan(some.size());
  }
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
