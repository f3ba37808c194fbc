// Pipelines that are started by a schedule (schedules.h). Between two runs such a one is an entry
// with a timer, and nothing of it is made or opened.
#include <algorithm>
#include <utility>

#include "base/units.h"
#include "control/supervisor.h"
#include "journal/orders.h"

namespace leat {

// Those of the configuration, and of what is only not enabled now.
void Supervisor::keep_schedules() {
  std::set<std::string> names(config_.not_enabled.begin(), config_.not_enabled.end());
  for (const PipelineConfig& one : config_.pipelines)
    if (one.schedule) names.insert(one.name);
  schedules_->keep_only(names);
}

// What runs is to go on in its new form.
bool Supervisor::waits_for_its_time(const PipelineConfig& config) {
  if (!config.schedule) return false;
  auto known = entries_.find(config.name);
  if (known != entries_.end() && known->second.run != nullptr) return false;
  return schedules_->left(config).count() > 0;
}

void Supervisor::await_its_time(const std::string& name) {
  Entry& entry = entries_.at(name);
  // Without it, that the clock was put forward is seen when the timer fires.
  if (clock_watch_ == nullptr)
    if (auto watch = ClockWatch::make(loop(), [this] { clock_stepped(); }); watch)
      clock_watch_ = std::move(*watch);
  entry.failed_runs = schedules_->failures(name);
  if (entry.failed_runs == 0) entry.failure.clear();
  if (entry.failed_runs > 0 && entry.failure.empty())
    entry.failure = format_count(static_cast<uint64_t>(entry.failed_runs), "run") +
                    " failed before the agent was started";
  const Milliseconds wait = std::max(schedules_->left(*entry.wanted), Milliseconds{1});
  entry.again_us = setup_.clock.monotonic_us() + wait.count() * 1000;
  entry.again = std::make_unique<Timer>(loop());
  entry.again->start(wait, [this, name] {
    // The timer and the clock need not agree.
    if (schedules_->left(*entries_.at(name).wanted).count() > 0) return await_its_time(name);
    relaunch(name, Run::Config(entries_.at(name).wanted));
  });
}

void Supervisor::clock_stepped() {
  for (auto& [name, entry] : entries_)
    if (entry.by_schedule() && entry.again != nullptr) await_its_time(name);
  setup_.on_change();
}

Milliseconds Supervisor::await_next(const std::string& name, const Status& status,
                                    Milliseconds elapsed) {
  Entry& entry = entries_.at(name);
  const SourceType* source = entry.wanted->source.type;
  // The next start carries it out, also where the sink keeps the positions.
  if (status && source != nullptr && source->begins_anew != nullptr &&
      source->begins_anew(entry.wanted->source.options))
    main_->journal().commit(name, {{std::string(kResetOrder), std::string(kAnew)}},
                            [](const Status&) {});
  const Milliseconds wait = schedules_->ended(*entry.wanted, status, elapsed);
  await_its_time(name);
  return wait;
}

// That is a failed run, too.
Milliseconds Supervisor::not_opened(const std::string& name, const Status& status) {
  Entry& entry = entries_.at(name);
  entry.record = history_->begin(name, {}, setup_.clock.unix_us());
  entry.started_us = setup_.clock.monotonic_us();
  entry.ending.clear();
  note_end(entry, status, {});
  return await_next(name, status, Milliseconds{0});
}

}  // namespace leat
