#include "control/events/event_feed.h"

#include <algorithm>
#include <utility>

namespace leat {

void EventFeed::add(EventKind kind, std::string pipeline, std::string text) {
  events_.push_back({kind, std::move(pipeline), std::move(text), main_.clock().unix_us()});
  if (events_.size() > kRemembered) {
    events_.pop_front();
    ++first_;
  }
  for (auto& [name, remote] : remotes_) tell_rest(remote);
  const AgentEvent event = events_.back();
  for (const auto& [id, heard] : listeners_) heard(event);
}

uint64_t EventFeed::listen(Listener heard) {
  listeners_[++last_id_] = std::move(heard);
  count();
  return last_id_;
}

void EventFeed::unlisten(uint64_t id) {
  listeners_.erase(id);
  count();
}

void EventFeed::tell(Loop& loop, const std::string& pipeline, HearEvent heard) {
  main_.post([this, &loop, pipeline, heard = std::move(heard)] {
    Remote& remote = remotes_[pipeline];
    remote.loop = &loop;
    remote.heard = heard;
    tell_rest(remote);
    count();
  });
}

void EventFeed::tell_rest(Remote& remote) const {
  if (remote.heard == nullptr) return;
  for (uint64_t at = std::max(remote.next, first_); at < first_ + events_.size(); ++at)
    remote.loop->post([heard = remote.heard, event = events_[at - first_]] { heard(&event); });
  remote.next = first_ + events_.size();
}

void EventFeed::forget(const std::string& pipeline) {
  auto found = remotes_.find(pipeline);
  if (found == remotes_.end()) return;
  found->second.heard = nullptr;  // what it was told of stays known
  count();
}

void EventFeed::end() {
  for (auto& [name, remote] : remotes_)
    if (remote.heard != nullptr) remote.loop->post([heard = remote.heard] { heard(nullptr); });
}

void EventFeed::count() {
  const bool told = std::ranges::any_of(
      remotes_, [](const auto& named) { return named.second.heard != nullptr; });
  wanted_ = told || !listeners_.empty();
  if (std::exchange(told_, told) != told && told_changed_) told_changed_(told);
}

}  // namespace leat
