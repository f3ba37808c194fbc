#include "control/schedules.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <utility>
#include <vector>

#include "base/log.h"
#include "base/random.h"

namespace leat {
namespace {

constexpr std::string_view kPrefix = "schedule:";
constexpr int64_t kPutRightUs = 3 * 3'600'000'000LL;  // the clock

// What a source or sink gave up on may go another time; a configuration does not, nor do records.
bool may_pass(const Status& status) {
  return !status && status.error().kind() != ErrorKind::kUsage &&
         status.error().kind() != ErrorKind::kData;
}

int64_t us_of(Milliseconds time) {
  return time.count() * 1000;
}

// Behind `from_us`. A crontab that never comes is refused.
int64_t next_by_clock(const ScheduleConfig& schedule, int64_t from_us) {
  const std::optional<int64_t> next = schedule.cron.next_after(from_us / 1'000'000, schedule.zone);
  return next.value_or(INT32_MAX) * 1'000'000;
}

}  // namespace

std::string text_of(const ScheduleState& state) {
  char words[80];
  std::snprintf(words, sizeof words, "%" PRId64 " %" PRId64 " %d %s ", state.decided_us,
                state.due_us, state.failures, state.by_clock ? "clock" : "after");
  return words + state.of;
}

ScheduleState schedule_state_of(std::string_view text) {
  ScheduleState out;
  const std::string all(text);
  char how[8] = "";
  int words = 0;
  if (std::sscanf(all.c_str(), "%" SCNd64 " %" SCNd64 " %d %7s %n", &out.decided_us, &out.due_us,
                  &out.failures, how, &words) != 4)
    return {};
  out.by_clock = how[0] == 'c';
  out.of = all.substr(static_cast<size_t>(words));
  return out;
}

Schedules::Schedules(JournalClient& journal, const Clock& clock)
    : journal_(journal), clock_(clock), backoff_(random_number()) {}

void Schedules::load(std::function<void(Status)> done) {
  journal_.load("", [this, done = std::move(done)](Result<std::vector<SavedPosition>> saved) {
    if (!saved) return done(fail(saved.error()));
    for (const SavedPosition& one : *saved)
      if (one.partition.starts_with(kPrefix))
        all_[one.partition.substr(kPrefix.size())] = schedule_state_of(one.value);
    done({});
  });
}

void Schedules::keep_only(const std::set<std::string>& pipelines) {
  std::vector<SavedPosition> gone;
  for (auto one = all_.begin(); one != all_.end();) {
    if (pipelines.contains(one->first)) {
      ++one;
      continue;
    }
    gone.push_back({std::string(kPrefix) + one->first, ""});
    one = all_.erase(one);
  }
  // One that stays for an error goes with a change after the next start.
  if (!gone.empty()) journal_.commit("", std::move(gone), [](const Status& /*status*/) {});
}

void Schedules::keep(const std::string& pipeline) {
  journal_.commit("", {{std::string(kPrefix) + pipeline, text_of(all_.at(pipeline))}},
                  [pipeline](const Status& status) {
                    if (!status)
                      log::warn(pipeline,
                                "when it is started next is known only until the agent ends: " +
                                    status.error().message());
                  });
}

ScheduleState& Schedules::state_of(const PipelineConfig& config) {
  const ScheduleConfig& schedule = *config.schedule;
  ScheduleState& state = all_[config.name];
  const int64_t now_us = clock_.unix_us();
  const bool known = state.of == schedule.text;
  if (!state.by_clock && now_us < state.decided_us) {  // the clock was put back: all of the wait
    state.due_us += now_us - state.decided_us;
    state.decided_us = now_us;
  }
  if (known && !(state.by_clock && now_us < state.decided_us - kPutRightUs)) return state;
  if (!known) state.failures = 0;
  state.of = schedule.text;
  state.decided_us = state.due_us = now_us;
  state.by_clock = schedule.every.count() == 0;
  if (!state.by_clock) return state;  // at once
  state.due_us = next_by_clock(schedule, now_us);
  keep(config.name);
  return state;
}

Milliseconds Schedules::left(const PipelineConfig& config) {
  const ScheduleState& state = state_of(config);
  return Milliseconds((std::max<int64_t>(state.due_us - clock_.unix_us(), 0) + 999) / 1000);
}

int64_t Schedules::next_us(const PipelineConfig& config) {
  return state_of(config).due_us;
}

int Schedules::failures(const std::string& pipeline) const {
  auto found = all_.find(pipeline);
  return found == all_.end() ? 0 : found->second.failures;
}

std::string Schedules::shared_state(const std::string& pipeline, int64_t ahead_us) const {
  auto found = all_.find(pipeline);
  if (found == all_.end()) return "";
  ScheduleState state = found->second;
  state.decided_us += ahead_us;
  state.due_us += ahead_us;
  return text_of(state);
}

void Schedules::take_over(const std::string& pipeline, const std::string& state, int64_t ahead_us) {
  ScheduleState& here = all_[pipeline];
  here = schedule_state_of(state);
  here.decided_us -= ahead_us;
  here.due_us -= ahead_us;
  keep(pipeline);
}

// What may pass is tried again soon; anything else at its next time, since it would be the same.
Milliseconds Schedules::ended(const PipelineConfig& config, const Status& status,
                              Milliseconds elapsed) {
  const ScheduleConfig& schedule = *config.schedule;
  ScheduleState& state = state_of(config);
  const int64_t now_us = clock_.unix_us();
  state.failures = status ? 0 : state.failures + 1;
  const bool open = state.failures >= schedule.threshold;
  const Milliseconds pause{open ? schedule.cooldown : Milliseconds{0}};
  state.decided_us = now_us;
  state.by_clock = false;
  if (may_pass(status)) {
    const Milliseconds wait =
        open ? pause : backoff_.after(state.failures, schedule.retry_initial, schedule.retry_max);
    state.due_us = now_us + us_of(wait);
  } else if (schedule.every.count() > 0) {
    const Milliseconds since = elapsed + pause;
    state.due_us = now_us + us_of((since / schedule.every + 1) * schedule.every - elapsed);
  } else {
    state.by_clock = true;
    state.due_us = next_by_clock(schedule, now_us + us_of(pause));
  }
  keep(config.name);
  return std::max(left(config), Milliseconds{1});
}

}  // namespace leat
