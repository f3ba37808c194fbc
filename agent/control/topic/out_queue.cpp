#include "control/topic/out_queue.h"

#include <algorithm>
#include <utility>

namespace leat::control {
namespace {

size_t size_of(const OutMessage& message) {
  return message.topic.size() + message.payload.size() + message.correlation_data.size();
}

}  // namespace

std::deque<OutQueue::Item>::iterator OutQueue::waiting() {
  return std::ranges::find(items_, 0, &Item::id);
}

void OutQueue::drop(std::deque<Item>::iterator at) {
  bytes_ -= size_of(at->message);
  under_way_ -= at->id != 0 ? 1 : 0;
  items_.erase(at);
}

void OutQueue::add(OutMessage message) {
  if (message.retain) {
    auto older = std::ranges::find_if(items_, [&message](const Item& one) {
      return one.id == 0 && one.message.retain && one.message.topic == message.topic;
    });
    if (older != items_.end()) drop(older);
  }
  bytes_ += size_of(message);
  items_.push_back({std::move(message)});
  while (bytes_ > kMostBytes || items_.size() > kMostMessages) {
    auto oldest = std::ranges::find_if(
        items_, [](const Item& one) { return one.id == 0 && !one.message.retain; });
    if (oldest == items_.end()) oldest = waiting();
    if (oldest == items_.end() || items_.size() == 1) return;
    drop(oldest);
    ++dropped_;
  }
}

const OutMessage* OutQueue::next() const {
  auto found = std::ranges::find(items_, 0, &Item::id);
  return found == items_.end() ? nullptr : &found->message;
}

void OutQueue::sent(uint16_t id) {
  auto found = waiting();
  if (id == 0) return drop(found);
  found->id = id;
  ++under_way_;
}

void OutQueue::forget() {
  drop(waiting());
  ++dropped_;
}

const OutMessage* OutQueue::sent_as(uint16_t id) const {
  auto found = std::ranges::find(items_, id, &Item::id);
  return id == 0 || found == items_.end() ? nullptr : &found->message;
}

bool OutQueue::acked(uint16_t id) {
  auto found = std::ranges::find(items_, id, &Item::id);
  if (id == 0 || found == items_.end()) return false;
  drop(found);
  return true;
}

void OutQueue::connection_lost() {
  for (Item& one : items_) one.id = 0;
  under_way_ = 0;
}

}  // namespace leat::control
