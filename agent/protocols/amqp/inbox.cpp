#include "protocols/amqp/inbox.h"

#include <algorithm>
#include <functional>
#include <utility>

namespace leat::amqp {
namespace {

// What was delivered to somebody else is waited for in vain: of so many the older are forgotten.
constexpr size_t kMostLost = 65'536;

uint64_t hash_of(const Message& message, std::string_view message_id) {
  const std::hash<std::string_view> hash;
  return (hash(message.body) * 31 + hash(message.routing_key)) * 31 + hash(message_id) +
         message.size;
}

}  // namespace

bool Inbox::seen(const Message& message, std::string_view message_id) {
  if (!message.redelivered) {
    if (std::exchange(lost_said_, false))
      std::erase_if(lost_, [](const auto& one) { return one.second.said; });
    return false;
  }
  if (lost_.empty()) return false;
  const uint64_t hash = hash_of(message, message_id);
  const auto [first, last] = lost_.equal_range(hash);
  if (first == last) return false;
  const auto found = std::max_element(first, last, [](const auto& a, const auto& b) {
    return a.second.ready_at < b.second.ready_at;
  });
  push({found->second.ready_at, message.delivery_tag, hash});
  lost_.erase(found);
  return true;
}

void Inbox::push(const Slot& slot) {
  slots_.push_back(slot);
  while (!said_.empty() && said_.front().tag + window_ <= slot.tag) said_.pop_front();
}

uint64_t Inbox::add(const Message& message, std::string_view message_id,
                    std::optional<uint64_t> end) {
  const uint64_t hash = hash_of(message, message_id);
  Kept kept;
  kept.hash = hash;
  kept.redelivered = message.redelivered;
  share(last_.exchange, message.exchange, kept.bytes);
  share(last_.routing_key, message.routing_key, kept.bytes);
  share(last_.properties,
        message.properties.size() > kMostProperties ? std::string_view() : message.properties,
        kept.bytes);
  kept.origin = last_;
  offset_ = end.value_or(offset_ + std::max<uint64_t>(message.size, 1));
  kept.end = offset_;
  bytes_ += kept.bytes;
  push({offset_, message.delivery_tag, hash});
  messages_.push_back(std::move(kept));
  return offset_;
}

void Inbox::share(Text& last, std::string_view text, uint32_t& bytes) {
  if (last != nullptr && *last == text) return;
  last = std::make_shared<const std::string>(text);
  bytes += static_cast<uint32_t>(text.size() + sizeof(std::string));
}

void Inbox::connection_lost(bool comes_again) {
  if (lost_.size() > kMostLost)
    std::erase_if(lost_, [this](const auto& one) { return one.second.ready_at <= acked_; });
  if (comes_again) {
    for (const Slot& slot : slots_) lost_.emplace(slot.hash, Lost{slot.ready_at, false});
    for (const Slot& slot : said_) lost_.emplace(slot.hash, Lost{slot.ready_at, true});
    lost_said_ |= !said_.empty();
  }
  slots_.clear();
  said_.clear();
}

void Inbox::acked(uint64_t offset) {
  acked_ = std::max(acked_, offset);
  while (!messages_.empty() && messages_.front().end <= acked_) {
    bytes_ -= messages_.front().bytes;
    messages_.pop_front();
  }
}

std::optional<uint64_t> Inbox::take_tag() {
  std::optional<uint64_t> tag;
  for (; !slots_.empty() && slots_.front().ready_at <= acked_; slots_.pop_front()) {
    tag = slots_.front().tag;
    if (window_ > 0) said_.push_back(slots_.front());
  }
  return tag;
}

std::deque<Inbox::Kept>::const_iterator Inbox::at(uint64_t offset) const {
  return std::lower_bound(messages_.begin(), messages_.end(), offset,
                          [](const Kept& kept, uint64_t end) { return kept.end < end; });
}

std::optional<Inbox::Brought> Inbox::brought_at(uint64_t offset) const {
  const auto kept = at(offset);
  if (kept == messages_.end() || kept->end != offset) return std::nullopt;
  const Origin& origin = kept->origin;
  return Brought{*origin.exchange, *origin.routing_key, *origin.properties, kept->redelivered};
}

size_t Inbox::footprint() const {
  // A node of a hash table has about as much again beside what is in it.
  return messages_.size() * sizeof(Kept) + (slots_.size() + said_.size()) * sizeof(Slot) + bytes_ +
         lost_.size() * 4 * sizeof(uint64_t);
}

}  // namespace leat::amqp
