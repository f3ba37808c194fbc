// The gateways behind one broker as they tell of themselves, and commands to them: the topics and
// messages of agent/control/CONTROL_TOPIC.md, from the other side.
//
// Thread: one. Lifetime: the clock, desk and signer outlive it.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "fleet/desk.h"
#include "fleet/json.h"
#include "fleet/signer.h"

namespace leat::fleet {

struct Gateway {
  bool online = false;
  json status = {};  // as it said last
};

struct Answer {
  std::string gateway;
  std::string correlation;
  std::string state;  // accepted, running, succeeded, failed, rolledBack, interrupted
  json body;
};

struct Command {
  std::string gateway;
  std::string correlation;
  std::string name;
  json arguments = json::object();
  Milliseconds valid_for{0};  // a gateway that gets it later does not act
};

// One that nobody else has.
std::string new_correlation();

class Fleet {
 public:
  // `prefix`: of all topics. Without a signer nothing can be sent.
  Fleet(const Clock& clock, Desk& desk, std::string prefix, const Signer* signer);

  // Subscribes, and waits until no gateway has told of itself for `settle`. With `events`, what
  // happens at the gateways is given to `on_event`, too.
  Status begin(Milliseconds settle);
  void on_event(std::function<void(const std::string& gateway, const json& event)> listener);

  const std::map<std::string, Gateway>& gateways() const { return gateways_; }
  // All of a group, those that are away, too; "" stands for all.
  std::vector<std::string> members(const std::string& group) const;

  Status send(const Command& command);
  // The next answer; statuses that come meanwhile are noted. Nothing when none comes in time, or
  // something else came.
  Result<std::optional<Answer>> next(Milliseconds at_most);

 private:
  std::optional<Answer> take(const Message& message);
  std::optional<Answer> answer(const std::string& gateway, json body);
  json joined(const std::string& gateway, const json& part);

  const Clock& clock_;
  Desk& desk_;
  const std::string prefix_;
  const Signer* const signer_;
  std::map<std::string, Gateway> gateways_;
  // Of answers in parts, by gateway and correlation.
  std::map<std::pair<std::string, std::string>, std::map<size_t, std::string>> parts_;
  std::function<void(const std::string&, const json&)> on_event_;
  int64_t last_counter_ = 0;
};

}  // namespace leat::fleet
