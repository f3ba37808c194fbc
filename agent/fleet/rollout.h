// A roll-out in steps, as data: which gateway is sent the configuration when, and what its answers
// mean for the others. It knows no broker and no clock, and so can be tried without either.
//
// Any one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/units.h"

namespace leat::fleet {

enum class Progress {
  kWaiting,     // not sent yet
  kSent,        // no answer yet
  kRunning,     // taken over, on probation
  kSucceeded,   // and kept
  kFailed,      // refused
  kRolledBack,  // taken over, and taken back by the gateway
  kSilent,      // no answer in time
};

// "rolled back"
std::string_view name_of(Progress progress);
std::optional<Progress> progress_named(std::string_view name);
// A roll-out waits for nothing more from it.
bool is_end(Progress progress);
bool is_failure(Progress progress);

struct Member {
  Progress progress = Progress::kWaiting;
  std::string correlation = {};  // of the command that was sent, or is about to be
  std::string text = {};         // why it failed
  size_t step = 0;               // from 1; 0: in none yet

  bool operator==(const Member&) const = default;
};

struct Steps {
  size_t canary = 1;  // in the first step
  // Of all members, in each later step; at least one.
  double share = 0.1;
  size_t count = 0;          // instead of `share`, when not 0
  Milliseconds wait{0};      // from the good end of a step to the next
  Milliseconds patience{0};  // for the answer of a gateway, from the command to its end
  size_t max_failures = 0;   // more than that stop it; of the first step, any
};

class Rollout {
 public:
  // `new_correlation`: names a command, as no other was.
  Rollout(Steps steps, std::map<std::string, Member> members,
          std::function<std::string()> new_correlation);

  const std::map<std::string, Member>& members() const { return members_; }
  size_t step() const { return step_; }

  void online(const std::string& id, bool is);
  // False: it says nothing new.
  bool answered(const std::string& id, Progress progress, const std::string& text);
  // Those to be sent to now, which are kSent from here on. Who is not online is not sent to.
  std::vector<std::string> next(int64_t now_us);
  // Nothing more is to be sent, and no answer is outstanding.
  bool over() const;
  // Why it goes no further; "" when it does, or is done.
  const std::string& stopped() const { return stopped_; }
  // How long until the next step may begin; nothing when an answer is waited for.
  std::optional<Milliseconds> next_step_in(int64_t now_us) const;

 private:
  bool on_its_way() const;
  size_t failures() const;
  size_t size_of_step() const;
  void judge();

  const Steps steps_;
  const std::function<std::string()> new_correlation_;
  std::map<std::string, Member> members_;
  std::map<std::string, bool> online_;
  std::map<std::string, int64_t> deadlines_us_;  // of those on their way
  size_t step_ = 0;                              // the last that was begun
  std::optional<int64_t> ended_us_;              // that step
  std::string stopped_;
};

}  // namespace leat::fleet
