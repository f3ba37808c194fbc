// What is subscribed: asks for the `topics`, a few at a time, since brokers have a limit; asks
// again for those that the broker refuses, and lets go of those that an earlier configuration had
// subscribed in the same session. A topic at which the broker closes the connection, for want of
// other words, is found by asking for one at a time, and left out for a while.
//
// Thread: the loop's thread. Lifetime: shorter than the session's.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/backoff.h"
#include "base/result.h"
#include "base/units.h"
#include "loop/handles.h"
#include "protocols/mqtt/packets.h"
#include "protocols/mqtt/session.h"

namespace leat::mqtt {

class Subscriptions {
 public:
  struct Wanted {
    uint8_t qos = 1;
    bool retain_as_published = false;  // see SubscribeOptions
    bool identifiers = false;          // so that filters_of() can tell
  };

  // `on_changed` gets the filters to remember for the next start, a line each.
  Subscriptions(Loop& loop, Session& session, std::string scope, std::vector<std::string> topics,
                const Wanted& wanted, std::function<void(std::string)> on_changed);

  // What an earlier process had subscribed; in the form that on_changed() got.
  void restore(std::string text) { remembered_ = std::move(text); }
  // True when this client has subscribed before, so that there should be a session.
  bool any_before() const { return !remembered_.empty(); }

  // A connection is up.
  void begin(const Connack& connack);
  // Returns what that may have been about, for the log: "" or "; it was being asked for …".
  std::string connection_lost(bool by_broker);
  void stop();
  // Appends the filters that the identifiers of a message stand for.
  void filters_of(std::span<const uint32_t> identifiers, std::vector<std::string_view>& out) const;
  Status on_suback(const Suback& suback, PacketType type);

 private:
  struct Topic {
    std::string filter;
    uint32_t identifier = 0;  // the same after each start, since the session keeps it
    bool subscribed = false;
    bool cannot = false;  // says the broker beforehand
    int cuts = 0;         // connections closed when it was asked for alone
    std::string refused;  // why, as logged
  };

  void ask_all();
  void ask();
  void ask_again_later();
  void refuse(Topic& topic, const std::string& why);
  void unsubscribe_old(bool session_present);
  void remember();

  Session& session_;
  const std::string scope_;
  std::vector<Topic> topics_;
  const Wanted wanted_;
  const std::function<void(std::string)> on_changed_;
  Timer timer_;    // the wait for SUBACK; or until refused ones are asked for again
  Timer closers_;  // until those are asked for again at which the broker closes the connection
  DoublingDelay again_after_;
  size_t together_;                // topics in one SUBSCRIBE
  size_t next_ = 0;                // of topics_, to ask for
  bool identifiers_ = false;       // are asked for
  size_t largest_ = 0;             // packet that the broker takes
  std::vector<size_t> asked_;      // indices, in the order of the SUBSCRIBE
  uint16_t id_ = 0;                // of the SUBSCRIBE under way, 0: none
  std::vector<uint16_t> leaving_;  // of UNSUBSCRIBEs under way
  std::string remembered_;
};

}  // namespace leat::mqtt
