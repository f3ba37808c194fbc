// Decided: per agent and not per pipeline, since what is paid for is the gateway's link, and what
// agent.control, pings and handshakes take of it is nobody's pipeline. What is held is a delivery,
// not a source: a source that stands still loses what it cannot give again, and one that can waits
// by itself when nothing is taken from it. What is told from afar goes on, or nobody could lift it.
#include "control/network_budget.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <utility>

#include "base/log.h"
#include "base/units.h"

namespace leat {
namespace {

constexpr std::string_view kPartition = "budget";
constexpr std::string_view kPeriods[] = {"day", "week", "month"};
constexpr int64_t kSteps = 1000;  // in which what is used is kept
constexpr Milliseconds kHour{3'600'000};
constexpr int kParts[] = {100, 80};

std::string_view name_of(BudgetPeriod period) {
  return kPeriods[static_cast<size_t>(period)];
}

// A part of it that is not so small that nothing could be done within it.
int64_t part_of(const BudgetConfig& config, int percent) {
  return config.bytes / 100 * percent + config.bytes % 100 * percent / 100;
}

}  // namespace

BudgetSpan budget_span(const BudgetConfig& config, int64_t unix_us) {
  using namespace std::chrono;
  const auto today = floor<days>(sys_time<microseconds>(microseconds(unix_us)));
  sys_days since = today;
  sys_days until = today + days{1};
  if (config.per == BudgetPeriod::kWeek) {
    since = today - (weekday{today} - Monday);
    until = since + days{7};
  }
  if (config.per == BudgetPeriod::kMonth) {
    const year_month_day date{today};
    const day first{static_cast<unsigned>(config.first_day)};
    year_month month{date.year(), date.month()};
    if (date.day() < first) month -= months{1};
    since = sys_days{month / first};
    until = sys_days{(month + months{1}) / first};
  }
  auto us = [](sys_days day) {
    return duration_cast<microseconds>(day.time_since_epoch()).count();
  };
  return {us(since), us(until)};
}

NetworkBudget::NetworkBudget(Setup setup)
    : setup_(std::move(setup)),
      reached_(std::make_unique<Async>(setup_.loop, [this] { look(); })),
      timer_(setup_.loop) {
  reached_->unref();
}

NetworkBudget::~NetworkBudget() {
  setup_.meter.stop();
}

// "month 1761955200 209715200"
void NetworkBudget::load(std::function<void(Status)> done) {
  setup_.journal.load(
      "", lifetime_.guard([this, done = std::move(done)](Result<std::vector<SavedPosition>> saved) {
        if (!saved) return done(fail(saved.error()));
        for (const SavedPosition& one : *saved) {
          if (one.partition != kPartition) continue;
          per_ = one.value.substr(0, one.value.find(' '));
          char* rest = const_cast<char*>(one.value.c_str()) + per_.size();
          since_us_ = std::strtoll(rest, &rest, 10) * 1'000'000;
          kept_ = used_before_ = std::strtoll(rest, &rest, 10);
        }
        done({});
      }));
}

void NetworkBudget::set(const std::optional<BudgetConfig>& config) {
  if (config == config_) return;
  const bool others = !config_ || !config || config_->interfaces != config->interfaces;
  config_ = config;
  percent_ = 0;
  if (!config_) {
    setup_.meter.stop();
    timer_.stop();
    return setup_.on_change();
  }
  if (others) setup_.meter.start(config_->interfaces, [&reached = *reached_] { reached.send(); });
  const std::string before = std::exchange(per_, std::string(name_of(config_->per)));
  if (per_ != before) begin_anew(0);
  look();
  setup_.on_change();  // behind it: what is held stays so where the other budget is used up, too
}

void NetworkBudget::end() {
  if (config_ && kept_ != used()) keep(used());
}

void NetworkBudget::begin_anew(int64_t since_us) {
  since_us_ = since_us;
  used_before_ = 0;
  from_ = setup_.meter.total();
  kept_ = -1;
}

void NetworkBudget::look_at_clock() {
  const Clock& clock = setup_.loop.clock();
  const int64_t now_us = clock.unix_us();
  if (now_us < kEarliestClockUs) return;
  const BudgetSpan span = budget_span(*config_, now_us);
  if (span.since_us == since_us_) return;
  // With another firstDay, what is used may all lie in the new period, and stays.
  const BudgetSpan counted = budget_span(*config_, since_us_);
  if (since_us_ != 0 && counted.since_us != since_us_ && span.since_us <= counted.until_us) {
    since_us_ = span.since_us;
    kept_ = -1;
    return;
  }
  if (since_us_ == 0 || (span.since_us < since_us_ && setup_.clock_is_right())) {
    since_us_ = span.since_us;
    kept_ = -1;
  } else if (span.since_us > since_us_) {
    const bool jumps = span.since_us > budget_span(*config_, since_us_).until_us;
    if (jumps && !setup_.clock_is_right() && clock.since_boot_us() < kHour.count() * 1000) return;
    begin_anew(span.since_us);
  }
}

void NetworkBudget::look() {
  if (!config_) return;
  look_at_clock();
  const int64_t now = used();
  if (now > kept_) keep(now + std::max<int64_t>(config_->bytes / kSteps, 1));
  int percent = 0;
  int64_t next = kept_ + 1;
  for (const int part : kParts) {
    const int64_t at = part_of(*config_, part);
    if (now >= at)
      percent = std::max(percent, part);
    else
      next = std::min(next, at);
  }
  if (const int before = std::exchange(percent_, percent); before != percent) {
    const std::string amount =
        format_bytes(now) + " of " + format_bytes(config_->bytes) + " in this " + per_;
    if (percent > 0) {
      log::warn("leat", std::to_string(percent) + " % of agent.limits.budget is used: " + amount);
      setup_.tell(std::to_string(percent) + " % of the budget is used: " + amount);
    } else {
      log::info("leat", "agent.limits.budget is there anew: " + amount + " is used");
      setup_.tell("the budget is there anew: " + amount + " is used");
    }
    setup_.on_change();
  }
  if (percent_ > 0) {
    const BudgetSpan span = budget_span(*config_, setup_.loop.clock().unix_us());
    const Milliseconds left((span.until_us - setup_.loop.clock().unix_us()) / 1000 + 1);
    timer_.start(std::min(left, kHour), [this] { look(); });
  } else {
    timer_.stop();
  }
  setup_.meter.call_at(from_ + static_cast<uint64_t>(next - used_before_));
  if (used() >= next) reached_->send();  // meanwhile
}

// What cannot be kept now is tried at the next step.
void NetworkBudget::keep(int64_t used) {
  kept_ = used;
  setup_.journal.commit(
      "",
      {{std::string(kPartition),
        per_ + " " + std::to_string(since_us_ / 1'000'000) + " " + std::to_string(used)}},
      [](const Status& /*status*/) {}, JournalClient::Durability::kPower);
}

BudgetAction NetworkBudget::action() const {
  return percent_ == 100 ? config_->at100 : percent_ == 80 ? config_->at80 : BudgetAction::kWarn;
}

bool NetworkBudget::holds(bool high_priority) const {
  if (!config_) return false;
  return action() == BudgetAction::kPause ||
         (action() == BudgetAction::kOnlyPriority && !high_priority);
}

std::string NetworkBudget::why(bool high_priority) const {
  if (!holds(high_priority)) return "";
  return (percent_ == 100 ? "the budget of this " : "80 % of the budget of this ") + per_ +
         " is used (agent.limits.budget)";
}

std::optional<BudgetStatus> NetworkBudget::status() {
  if (!config_) return std::nullopt;
  look();
  BudgetStatus out{.bytes = config_->bytes, .used = used(), .per = name_of(config_->per)};
  out.holds = holds(true) ? "all" : holds(false) ? "lowPriority" : "nothing";
  if (since_us_ == 0) return out;
  const BudgetSpan span = budget_span(*config_, since_us_);
  out.since_us = since_us_;
  out.until_us = span.until_us;
  return out;
}

}  // namespace leat
