// Where pipelines meet: what a producer hands over waits here until every subscriber has delivered
// or journaled it, and is then settled with the producer.
//
// A subscriber is a pipeline, not a run of it: what a run has taken and not settled when it ends is
// given to the next one again. So what is handed over while a subscriber is started anew, stopped,
// or fails, is kept for it; the bound of what waits is the producers' (their `buffer`).
//
// Thread: the main loop's, on which all pipelines with an end of a channel live. An end is woken
// later, not within a call, when something may be different for it. Lifetime: an end keeps its
// channel.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "channel/handover.h"
#include "loop/timer.h"

namespace leat {

class ChannelWriter;
class ChannelReader;

// Calls an end in the next turn, however often it is asked to in this one. The callback may destroy
// it.
class Wake {
 public:
  Wake(Loop& loop, std::function<void()> woken) : timer_(loop), woken_(std::move(woken)) {}
  void soon() {
    if (!timer_.active()) timer_.start_next_turn(woken_);
  }

 private:
  Timer timer_;
  const std::function<void()> woken_;
};

class Channel {
 public:
  explicit Channel(std::string name) : name_(std::move(name)) {}

  const std::string& name() const { return name_; }
  // Which pipelines are to give something yet, and which ones get all that is given. What waits for
  // one that is a subscriber no more is settled, as far as there are others; but what a run of it
  // has taken, when that settles it, or ends. `ending`: a producer is drained, and waits for what
  // is under way.
  void expect(std::set<std::string> writers, const std::set<std::string>& readers, bool ending);
  // Nobody has it open, and nobody is expected to.
  bool unused();

 private:
  friend class ChannelWriter;
  friend class ChannelReader;
  struct Subscription {
    std::vector<std::shared_ptr<Handover>> due;  // not settled, in order; some dozens at most
    size_t taken = 0;                            // of them, by the run that is open
    size_t bytes = 0;                            // of `due`
    bool expected = false;
    bool full = false;  // as ChannelReader::Pressure
    bool hurry = false;
    ChannelReader* reader = nullptr;
  };
  using Subscriptions = std::map<std::string, Subscription>;

  // [first, end) of what is due.
  void settle(Subscription& of, size_t first, size_t end);
  void close(Subscriptions::iterator of);
  bool any_expected() const;
  void feel_pressure();
  static void wake_reader(const Subscription& of);
  void wake_writer(const Handover& of);

  const std::string name_;
  Subscriptions subscriptions_;
  std::set<ChannelWriter*> writers_;  // that are open
  std::set<std::string> expected_writers_;
  bool ending_ = false;
};

// The end of a producer.
class ChannelWriter {
 public:
  // `buffer`: how many bytes it has under way, at most.
  ChannelWriter(std::shared_ptr<Channel> channel, size_t buffer, Loop& loop,
                std::function<void()> woken);
  // What no subscriber has taken is withdrawn: it is not acknowledged, and will be given again.
  ~ChannelWriter();
  ChannelWriter(const ChannelWriter&) = delete;
  ChannelWriter& operator=(const ChannelWriter&) = delete;

  // Gives it to all subscribers; woken when Handover::owed is 0. False: there is none.
  bool hand(const std::shared_ptr<Handover>& what);
  // It has more, and is kept waiting for what is under way.
  void waits(bool for_room);
  // Subscribers that something waits for, and that do not run.
  std::vector<std::string> absent() const;

 private:
  friend class Channel;
  const std::shared_ptr<Channel> channel_;
  const size_t buffer_;
  bool waits_ = false;
  std::set<const Handover*> mine_;  // not settled by all
  Wake wake_;
};

// The end of a subscriber.
class ChannelReader {
 public:
  ChannelReader(std::shared_ptr<Channel> channel, std::string pipeline, Loop& loop,
                std::function<void()> woken);
  ~ChannelReader();
  ChannelReader(const ChannelReader&) = delete;
  ChannelReader& operator=(const ChannelReader&) = delete;

  bool any() const;
  // The next one; not when any() is false.
  std::shared_ptr<Borrowed> take();
  // The first so many of those that it has taken and not settled.
  void settle(size_t handovers);
  struct Pressure {
    bool full = false;   // a producer waits for what this one has not settled
    bool hurry = false;  // and others, who have, wait with it
    bool operator==(const Pressure&) const = default;
  };
  Pressure pressure() const;
  // All has been taken, and nothing more comes: every producer has ended.
  bool over() const;

 private:
  friend class Channel;
  const std::shared_ptr<Channel> channel_;
  const Channel::Subscriptions::iterator self_;
  Wake wake_;
};

}  // namespace leat
