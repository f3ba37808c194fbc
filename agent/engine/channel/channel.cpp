#include "channel/channel.h"

#include <algorithm>
#include <utility>

namespace leat {

void Channel::expect(std::set<std::string> writers, const std::set<std::string>& readers,
                     bool ending) {
  ending_ = ending;
  expected_writers_ = std::move(writers);
  for (const std::string& name : readers) subscriptions_[name].expected = true;
  for (auto at = subscriptions_.begin(); at != subscriptions_.end();) {
    const auto one = at++;
    if (!readers.contains(one->first)) {
      one->second.expected = false;
      close(one);
    }
  }
  feel_pressure();
  for (auto& [name, one] : subscriptions_) wake_reader(one);  // it may be over
  for (ChannelWriter* writer : writers_)
    if (writer->waits_) writer->wake_.soon();  // there may be somebody now
}

bool Channel::any_expected() const {
  return std::ranges::any_of(subscriptions_, [](const auto& one) { return one.second.expected; });
}

bool Channel::unused() {
  return subscriptions_.empty() && writers_.empty() && expected_writers_.empty();
}

// Of a pipeline that is no subscriber any more. What was the last one's nobody has had: that the
// producer is to give again, once it has another.
void Channel::close(Subscriptions::iterator of) {
  if (any_expected()) settle(of->second, of->second.taken, of->second.due.size());
  if (of->second.reader == nullptr && of->second.due.empty()) subscriptions_.erase(of);
}

void Channel::settle(Subscription& of, size_t first, size_t end) {
  for (size_t i = first; i < end; ++i) {
    const Handover& what = *of.due[i];
    of.bytes -= what.bytes;
    if (--of.due[i]->owed == 0) wake_writer(what);
  }
  of.due.erase(of.due.begin() + static_cast<std::ptrdiff_t>(first),
               of.due.begin() + static_cast<std::ptrdiff_t>(end));
}

void Channel::wake_reader(const Subscription& of) {
  if (of.reader != nullptr) of.reader->wake_.soon();
}

void Channel::wake_writer(const Handover& of) {
  for (ChannelWriter* writer : writers_) {
    if (writer->mine_.erase(&of) == 0) continue;
    writer->wake_.soon();
    return;
  }
}

// A subscriber is behind from when half of a buffer waits for it, while a producer waits, until
// that is a quarter: not to and fro with each handover.
void Channel::feel_pressure() {
  size_t buffer = SIZE_MAX;
  bool waits = false;
  for (const ChannelWriter* writer : writers_) {
    buffer = std::min(buffer, writer->buffer_);
    waits = waits || writer->waits_;
  }
  for (auto& [name, one] : subscriptions_) {
    const bool behind = one.full ? one.bytes > buffer / 4 : waits && one.bytes >= buffer / 2;
    const bool full = !one.due.empty() && (ending_ || behind);
    const bool hurry = full && behind && one.due.front()->owed < one.due.front()->subscribers;
    if (full == one.full && hurry == one.hurry) continue;
    one.full = full;
    one.hurry = hurry;
    wake_reader(one);
  }
}

// --- producers ----------------------------------------------------------------------------------

ChannelWriter::ChannelWriter(std::shared_ptr<Channel> channel, size_t buffer, Loop& loop,
                             std::function<void()> woken)
    : channel_(std::move(channel)), buffer_(buffer), wake_(loop, std::move(woken)) {
  channel_->writers_.insert(this);
}

ChannelWriter::~ChannelWriter() {
  channel_->writers_.erase(this);
  for (auto at = channel_->subscriptions_.begin(); at != channel_->subscriptions_.end();) {
    const auto next = at++;
    Channel::Subscription& one = next->second;
    const auto untaken = one.due.begin() + static_cast<std::ptrdiff_t>(one.taken);
    one.due.erase(std::remove_if(untaken, one.due.end(),
                                 [this, &one](const std::shared_ptr<Handover>& what) {
                                   if (!mine_.contains(what.get())) return false;
                                   one.bytes -= what->bytes;
                                   return true;
                                 }),
                  one.due.end());
    if (!one.expected) channel_->close(next);
  }
  channel_->feel_pressure();
}

bool ChannelWriter::hand(const std::shared_ptr<Handover>& what) {
  for (const auto& [name, one] : channel_->subscriptions_)
    what->subscribers += one.expected ? 1 : 0;
  if (what->subscribers == 0) return false;
  what->owed = what->subscribers;
  mine_.insert(what.get());
  for (auto& [name, one] : channel_->subscriptions_) {
    if (!one.expected) continue;
    one.due.push_back(what);
    one.bytes += what->bytes;
    Channel::wake_reader(one);
  }
  channel_->feel_pressure();  // it may have waited before this, and go on to
  return true;
}

void ChannelWriter::waits(bool for_room) {
  waits_ = for_room;
  channel_->feel_pressure();
}

std::vector<std::string> ChannelWriter::absent() const {
  std::vector<std::string> out;
  for (const auto& [name, one] : channel_->subscriptions_)
    if (one.reader == nullptr && !one.due.empty()) out.push_back(name);
  return out;
}

// --- subscribers --------------------------------------------------------------------------------

ChannelReader::ChannelReader(std::shared_ptr<Channel> channel, std::string pipeline, Loop& loop,
                             std::function<void()> woken)
    : channel_(std::move(channel)),
      self_(channel_->subscriptions_.try_emplace(std::move(pipeline)).first),
      wake_(loop, std::move(woken)) {
  self_->second.reader = this;
}

ChannelReader::~ChannelReader() {
  Channel::Subscription& self = self_->second;
  self.reader = nullptr;
  self.taken = 0;  // the next run gets it again
  if (!self.expected) channel_->close(self_);
}

bool ChannelReader::any() const {
  return self_->second.taken < self_->second.due.size();
}

std::shared_ptr<Borrowed> ChannelReader::take() {
  Channel::Subscription& self = self_->second;
  return std::make_shared<Borrowed>(self.due[self.taken++]);
}

void ChannelReader::settle(size_t handovers) {
  Channel::Subscription& self = self_->second;
  channel_->settle(self, 0, handovers);
  self.taken -= handovers;
  channel_->feel_pressure();
}

ChannelReader::Pressure ChannelReader::pressure() const {
  return {self_->second.full, self_->second.hurry};
}

bool ChannelReader::over() const {
  const Channel::Subscription& self = self_->second;
  return self.taken == self.due.size() && (!self.expected || channel_->expected_writers_.empty());
}

}  // namespace leat
