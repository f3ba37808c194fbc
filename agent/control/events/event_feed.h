// What happens to this agent, told to whoever listens: pipelines (the source `internal`, and so
// agent.notify), and what shows it on the main loop. The last ones are remembered, for a pipeline
// that starts later than they happened.
//
// Thread: the main loop's. Lifetime: all that listen from other loops end before it does.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>

#include "loop/loop.h"
#include "stage/agent_events.h"

namespace leat {

class EventFeed {
 public:
  static constexpr size_t kRemembered = 64;

  explicit EventFeed(Loop& main) : main_(main) {}
  EventFeed(const EventFeed&) = delete;
  EventFeed& operator=(const EventFeed&) = delete;

  void add(EventKind kind, std::string pipeline, std::string text);

  // On the main loop: each that happens from now on, until unlisten(). Not from inside `heard`.
  using Listener = std::function<void(const AgentEvent&)>;
  uint64_t listen(Listener heard);
  void unlisten(uint64_t id);

  // For a pipeline of this name on `loop`, from which it is called and where `heard` is
  // (HearAgent).
  void tell(Loop& loop, const std::string& pipeline, HearEvent heard);
  // That pipeline has ended.
  void forget(const std::string& pipeline);
  // Those that listen are told that no more come.
  void end();

  // Whether a pipeline listens: `changed` comes when that is another answer than before.
  void when_told(std::function<void(bool told)> changed) { told_changed_ = std::move(changed); }
  // Somebody listens, so what happens is worth looking for. Any thread.
  bool wanted() const { return wanted_; }

 private:
  struct Remote {  // a pipeline; not there while it does not run
    Loop* loop = nullptr;
    HearEvent heard = nullptr;
    uint64_t next = 0;  // the first event that it was not told of
  };

  void tell_rest(Remote& remote) const;
  void count();

  Loop& main_;
  std::deque<AgentEvent> events_;
  uint64_t first_ = 0;  // number of the first of them
  std::map<uint64_t, Listener> listeners_;
  uint64_t last_id_ = 0;
  std::map<std::string, Remote> remotes_;
  bool told_ = false;
  std::function<void(bool)> told_changed_;
  std::atomic<bool> wanted_{false};
};

}  // namespace leat
