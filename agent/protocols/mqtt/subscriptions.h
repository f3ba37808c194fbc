// What is subscribed: asks for the `topics`, asks again for those that the broker refuses, and lets
// go of those that an earlier configuration had subscribed in the same session.
//
// Thread: the loop's thread. Lifetime: shorter than the session's.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/units.h"
#include "loop/handles.h"
#include "protocols/mqtt/packets.h"
#include "protocols/mqtt/session.h"

namespace leat::mqtt {

class Subscriptions {
 public:
  // `on_changed` gets the filters to remember for the next start, a line each.
  Subscriptions(uv_loop_t* loop, Session& session, std::string scope,
                std::vector<std::string> topics, uint8_t qos,
                std::function<void(std::string)> on_changed);

  // What an earlier process had subscribed; in the form that on_changed() got.
  void restore(std::string text) { remembered_ = std::move(text); }
  // True when this client has subscribed before, so that there should be a session.
  bool any_before() const { return !remembered_.empty(); }

  // A connection is up.
  void begin(const Connack& connack);
  void connection_lost();
  Status on_suback(const Suback& suback, PacketType type);

 private:
  struct Topic {
    std::string filter;
    bool subscribed = false;
    std::string refused;  // why, as logged
  };

  void ask();
  void ask_again_later();
  void refuse(Topic& topic, const std::string& why);
  void unsubscribe_old(bool session_present);
  void remember();

  Session& session_;
  const std::string scope_;
  std::vector<Topic> topics_;
  const uint8_t qos_;
  const std::function<void(std::string)> on_changed_;
  Timer timer_;  // the wait for SUBACK; or until refused ones are asked for again
  Milliseconds again_{0};
  std::vector<size_t> asked_;  // indices, in the order of the SUBSCRIBE
  uint16_t id_ = 0;            // of the SUBSCRIBE under way, 0: none
  uint16_t last_id_ = 0;
  std::string remembered_;
};

}  // namespace leat::mqtt
