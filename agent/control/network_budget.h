// agent.limits.budget: how much may go over the network in a day, a week or a month, for a gateway
// on a contract that counts.
//
// It is the agent's, since a contract is the gateway's: all connections share it, of pipelines, of
// agent.control and of agent.admin. What is counted is what net/meter.h sees. When 80 % or all of
// it is used, pipelines are held (Supervisor), with the word of why(): all whose sink is reached
// over the network, or all of them but those of high priority.
//
// What is used is kept in the journal a step ahead, a thousandth of the budget: when the machine
// dies, the number there lacks no more than what went while the commit of a step was under way, and
// what one write of a delivery counted at once. In between nothing
// is written, and nothing wakes the agent: the meter calls when the next step, or the next part of
// the budget, is reached. While something is held, it looks once an hour whether the period is
// over.
//
// A new period begins when the clock says so (UTC). One that is put back begins none: what was used
// stays so. One that jumps farther than into the next period, and that nobody keeps right, is
// believed an hour after the machine was started: until then it may be one without a battery.
//
// Thread: the main loop's. Lifetime: load() → set() → … → end().
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock_sync.h"
#include "base/lifetime.h"
#include "base/result.h"
#include "journal/journal.h"
#include "loop/handles.h"
#include "net/meter.h"
#include "plan/pipeline_config.h"

namespace leat {

struct BudgetStatus {
  int64_t bytes = 0;  // of the period
  int64_t used = 0;
  std::string_view per = {};  // "month"
  int64_t since_us = 0;       // unix; 0: no clock has told yet
  int64_t until_us = 0;
  std::string_view holds = {};  // "nothing", "lowPriority" or "all"
};

class NetworkBudget {
 public:
  struct Setup {
    Loop& loop;
    JournalClient& journal;
    std::function<void()> on_change;                    // of what is held
    std::function<void(const std::string& text)> tell;  // a part of it is used, or it is there anew
    Meter& meter = Meter::of_process();
    std::function<bool()> clock_is_right = clock_is_synchronised;
  };

  explicit NetworkBudget(Setup setup);
  ~NetworkBudget();

  void load(std::function<void(Status)> done);
  void set(const std::optional<BudgetConfig>& config);
  // Notes what is used to the byte.
  void end();

  // Why what is delivered over the network is held: of pipelines of high priority, or of the
  // others. "" when it is not.
  std::string why(bool high_priority) const;
  // As it is now; nothing without a budget.
  std::optional<BudgetStatus> status();

 private:
  BudgetAction action() const;
  bool holds(bool high_priority) const;
  int64_t used() const { return used_before_ + static_cast<int64_t>(setup_.meter.total() - from_); }
  void begin_anew(int64_t since_us);
  void look();
  void look_at_clock();
  void keep(int64_t used);

  const Setup setup_;
  std::optional<BudgetConfig> config_;
  std::string per_;          // of the period that is counted
  int64_t since_us_ = 0;     // its beginning; 0: not known
  int64_t used_before_ = 0;  // when the meter was at from_
  uint64_t from_ = 0;
  int64_t kept_ = 0;  // as it is in the journal
  int percent_ = 0;   // 0, 80 or 100: what was told
  std::unique_ptr<Async> reached_;
  Timer timer_;
  Lifetime lifetime_;
};

// The beginning of the period of this moment, and of the one behind it. Unix, microseconds.
struct BudgetSpan {
  int64_t since_us;
  int64_t until_us;
};
BudgetSpan budget_span(const BudgetConfig& config, int64_t unix_us);

}  // namespace leat
