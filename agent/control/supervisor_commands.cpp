// What is asked of one pipeline by its name, and of all.
#include <algorithm>
#include <utility>

#include "base/units.h"
#include "control/supervisor.h"
#include "plan/cache_users.h"
#include "plan/channel_ends.h"
#include "plan/planner.h"

namespace leat {

Result<Entry*> Supervisor::find(const std::string& name) {
  Result<Entry*> entry = find_any(name);
  if (entry && !(*entry)->of.empty())
    return fail(ErrorKind::kUsage, name + ": is a run that was asked for, and can only be stopped");
  return entry;
}

Result<Entry*> Supervisor::find_any(const std::string& name) {
  auto found = entries_.find(name);
  if (found == entries_.end() || found->second.wanted == nullptr)
    return fail(ErrorKind::kUsage, "there is no pipeline \"" + name + "\"");
  if (stopping_) return fail(ErrorKind::kUnavailable, "the agent is about to stop");
  return &found->second;
}

Entry& Supervisor::entry_of(const std::string& name) {
  auto [found, is_new] = entries_.try_emplace(name);
  if (is_new) found->second.standing = standings_->of(name);
  return found->second;
}

bool Supervisor::held(const PipelineConfig& config) const {
  Entry as_said;
  as_said.standing = standings_->of(config.name);
  return as_said.held_as(config);
}

void Supervisor::say(const std::string& name, const Standing& standing) {
  entries_.at(name).standing = standing;
  standings_->set(name, standing);
}

Status Supervisor::halt(const std::string& name, const Standing& standing, const std::string& why) {
  say(name, standing);
  for (Proposal& proposal : proposals_) proposal.told_to_end.insert(name);
  wind_down(entries_.at(name), why);
  if (standing.activity != Activity::kPaused) wind_down_runs_of(name, why);
  tell_channels();
  setup_.on_change();
  check_idle();
  return {};
}

Status Supervisor::set_going(const std::string& name, const Standing& standing) {
  say(name, standing);
  tell_channels();
  const Run::Config wanted = entries_.at(name).wanted;
  const bool waits = waits_for_its_time(*wanted);
  if (waits) await_its_time(name);
  setup_.on_change();
  if (waits || !wanted->complete()) return {};  // it runs when it is time, or when it is asked for
  return restart(name);
}

Status Supervisor::start(const std::string& name) {
  Result<Entry*> entry = find(name);
  if (!entry) return fail(entry.error());
  Standing standing = (*entry)->standing;
  if (!(*entry)->mounted()) return fail(ErrorKind::kUsage, name + ": is not mounted");
  if (standing.activity == Activity::kPaused)
    return fail(ErrorKind::kUsage, name + ": is paused, and is to be resumed");
  if (std::exchange(standing.activity, Activity::kRuns) == Activity::kStopped)
    return set_going(name, standing);
  if (!(*entry)->wanted->complete())
    return fail(ErrorKind::kUsage, name + ": runs only when it is provisioned with parameters");
  if (!(*entry)->over()) return fail(ErrorKind::kUsage, name + ": has not ended");
  for (Proposal& proposal : proposals_) proposal.told_to_end.erase(name);
  relaunch(name, Run::Config((*entry)->wanted));
  return {};
}

Status Supervisor::drain(const std::string& name) {
  Result<Entry*> entry = find(name);
  if (!entry) return fail(entry.error());
  for (Proposal& proposal : proposals_) proposal.told_to_end.insert(name);
  wind_down(**entry, "told to end");
  check_idle();
  return {};
}

// Nothing waits for its end, so it has as long as it may need.
void Supervisor::wind_down(Entry& entry, const std::string& why) {
  if (entry.ending.empty()) entry.ending = why;
  entry.told_to_end = entry.preparing;
  discard(std::move(entry.next));
  entry.again.reset();
  if (entry.shared()) end_job(entry.wanted->name);
  if (std::exchange(entry.standby, false) || entry.over()) give_lease_back(entry.wanted->name);
  const Milliseconds at_most = entry.wanted->hard_terminate;
  if (entry.run != nullptr)
    entry.run->retire(at_most,
                      "not drained within " + format_duration(at_most) + " (hardTerminate)");
}

Status Supervisor::remove(const std::string& name) {
  Result<Entry*> entry = find(name);
  if (!entry) return fail(entry.error());
  std::erase_if(config_.pipelines, [&name](const PipelineConfig& one) { return one.name == name; });
  for (Proposal& proposal : proposals_) proposal.remove(name);
  (*entry)->wanted = nullptr;
  discard(std::move((*entry)->next));
  settle(name);
  tell_channels();
  setup_.on_change();
  check_idle();
  return {};
}

Status Supervisor::pause(const std::string& name) {
  Result<Entry*> entry = find(name);
  if (!entry) return fail(entry.error());
  Standing standing = (*entry)->standing;
  if (!(*entry)->mounted()) return fail(ErrorKind::kUsage, name + ": is not mounted");
  if (standing.activity == Activity::kStopped)
    return fail(ErrorKind::kUsage, name + ": is stopped");
  standing.activity = Activity::kPaused;
  return halt(name, standing, "paused");
}

Status Supervisor::stop(const std::string& name) {
  Result<Entry*> entry = find_any(name);
  if (!entry) return fail(entry.error());
  if (!(*entry)->of.empty()) {
    wind_down(**entry, "stopped");
    return {};
  }
  Standing standing = (*entry)->standing;
  if (!(*entry)->mounted()) return fail(ErrorKind::kUsage, name + ": is not mounted");
  standing.activity = Activity::kStopped;
  return halt(name, standing, "stopped");
}

Status Supervisor::stop_now(const std::string& name) {
  if (Status stopped = stop(name); !stopped) return stopped;
  if (Run* run = entries_.at(name).run.get(); run != nullptr) run->abort("stopped");
  return {};
}

Status Supervisor::resume(const std::string& name) {
  Result<Entry*> entry = find(name);
  if (!entry) return fail(entry.error());
  Standing standing = (*entry)->standing;
  if (std::exchange(standing.activity, Activity::kRuns) != Activity::kPaused)
    return fail(ErrorKind::kUsage, name + ": is not paused");
  return set_going(name, standing);
}

// Nothing is kept that the configuration says as well.
Status Supervisor::mount(const std::string& name) {
  Result<Entry*> entry = find(name);
  if (!entry) return fail(entry.error());
  if ((*entry)->mounted()) return fail(ErrorKind::kUsage, name + ": is mounted");
  Standing standing;
  if (!(*entry)->wanted->mounted) standing.mounted = true;
  return set_going(name, standing);
}

Status Supervisor::unmount(const std::string& name) {
  Result<Entry*> entry = find(name);
  if (!entry) return fail(entry.error());
  if (!(*entry)->mounted()) return fail(ErrorKind::kUsage, name + ": is not mounted");
  return halt(name, {.mounted = false}, "unmounted");
}

Status Supervisor::restart(const std::string& name) {
  Result<Entry*> entry = find(name);
  if (!entry) return fail(entry.error());
  if (!(*entry)->mounted()) return fail(ErrorKind::kUsage, name + ": is not mounted");
  const Activity activity = (*entry)->standing.activity;
  if (activity != Activity::kRuns)
    return fail(ErrorKind::kUsage,
                name + (activity == Activity::kPaused ? ": is paused" : ": is stopped"));
  if (!(*entry)->wanted->complete())
    return fail(ErrorKind::kUsage, name + ": runs only when it is provisioned with parameters");
  proposals_.push_back({.desired = {},
                        .done =
                            [this, name](const Result<Change>& change) {
                              if (!change && !stopping_)
                                setup_.on_end({.name = name,
                                               .status = fail(change.error()),
                                               .old_one_goes_on = true});
                            },
                        .only = name});
  if (to_load_ == 0 && proposals_.size() == 1) apply_next();
  return {};
}

Status Supervisor::kick(const std::string& name) {
  Result<Entry*> entry = find_any(name);
  if (!entry) return fail(entry.error());
  if ((*entry)->again != nullptr) {
    relaunch(name, Run::Config((*entry)->wanted));
  } else if ((*entry)->run != nullptr) {
    (*entry)->run->kick();
  } else if ((*entry)->over()) {
    return fail(ErrorKind::kUsage, name + ": does not run");
  }
  return {};
}

Status Supervisor::tap(const std::string& name, uint64_t id, TapRequest request,
                       std::shared_ptr<TapLines> lines, std::function<void(Status)> done) {
  Result<Entry*> entry = find_any(name);
  if (!entry) return fail(entry.error());
  if ((*entry)->run == nullptr && !(*entry)->changes())
    return fail(ErrorKind::kUsage, name + ": does not run");
  auto look = [this, name, id, request = std::move(request), lines = std::move(lines),
               done = std::move(done)](Run& run) {
    run.tap(id, request, lines, [this, name, id, done](const Status& status) {
      if (!status) untap(name, id);
      done(status);
    });
  };
  if ((*entry)->run != nullptr) look(*(*entry)->run);
  (*entry)->taps[id] = std::move(look);
  return {};
}

void Supervisor::untap(const std::string& name, uint64_t id) {
  auto found = entries_.find(name);
  if (found == entries_.end()) return;
  found->second.taps.erase(id);
  if (found->second.run != nullptr) found->second.run->untap(id);
}

Status Supervisor::feed(const std::string& name, MakeFeed make, std::function<void(Status)> done) {
  Result<Entry*> entry = find(name);
  if (!entry) return fail(entry.error());
  if ((*entry)->changes()) {
    (*entry)->for_next.emplace_back(
        [make = std::move(make), done = std::move(done)](Run& run) { run.feed(make, done); });
  } else if ((*entry)->run != nullptr) {
    (*entry)->run->feed(std::move(make), std::move(done));
  } else {
    return fail(ErrorKind::kUsage, name + ": does not run");
  }
  return {};
}

void Supervisor::work_on_journal(const Operation& operation, OperationRequest request,
                                 std::function<void(Result<std::string>)> done) {
  if (operation.changes && stopping_)
    return done(fail(ErrorKind::kUnavailable, "the agent is about to stop"));
  for (const PipelineConfig& one : config_.pipelines)
    request.configured[one.name] = configured_delivery(one.delivery, source_has_place(one));
  request.at_once = !entries_.contains(request.pipeline);
  request.now_us = loop().clock().unix_us();
  auto asked = std::make_shared<OperationRequest>(std::move(request));
  main_->journal().work_on(
      operation.transaction,
      [run = operation.run, asked](std::unique_ptr<JournalDatabase>& journal) {
        return run(journal, *asked);
      },
      [this, asked, done = std::move(done)](Result<std::string> answer) {
        auto found = entries_.find(asked->pipeline);
        const bool waits = found != entries_.end() && found->second.by_schedule() &&
                           found->second.again != nullptr;
        if (answer && asked->ordered && !waits && restart(asked->pipeline))
          answer->insert(answer->rfind('}'), ",\"restarted\":true");
        done(std::move(answer));
      });
}

void Supervisor::drain_all(Milliseconds at_most) {
  stopping_ = true;
  drained_by_ = loop().now() + at_most;
  when_late_ = "not drained within " + format_duration(at_most);
  for (auto& [name, entry] : entries_) {
    discard(std::move(entry.next));
    if (entry.own()) continue;  // flush_own() comes when the others have ended
    if (entry.ending.empty()) entry.ending = "the agent ended";
    // It will not be, so it has failed for good.
    if (std::exchange(entry.again, nullptr) != nullptr && !entry.failure.empty())
      setup_.on_end({.name = name, .status = fail(ErrorKind::kUnavailable, entry.failure)});
  }
  drain_in_order();
  check_idle();
}

// Who reads a channel is drained when its producers have ended: what they have on their way is
// still taken, and they need not leave it.
void Supervisor::drain_in_order() {
  auto waits = [](const auto& one) {
    return one.second.run != nullptr && !one.second.own() && !one.second.run->retiring();
  };
  auto retires = [](const auto& one) {
    return one.second.run != nullptr && one.second.run->retiring();
  };
  auto drain = [this, &waits](bool all) {
    const Milliseconds left = std::max(*drained_by_ - loop().now(), Milliseconds{0});
    for (auto& one : entries_)
      if (waits(one) && (all || !has_producers(one.second)))
        one.second.run->retire(left, when_late_);
  };
  drain(false);
  // In a circle each has one: what ran before a change may be in one with what runs since.
  if (std::ranges::none_of(entries_, retires)) drain(true);
  tell_channels();
}

bool Supervisor::has_producers(const Entry& entry) const {
  const std::string channel = read_channel(*entry.run->config());
  return !channel.empty() && std::ranges::any_of(entries_, [&channel](const auto& one) {
    return one.second.run != nullptr && written_channel(*one.second.run->config()) == channel;
  });
}

// A producer is to give something yet until it has ended for good; a subscriber gets all that is
// given, whether it runs or not, until it is unmounted or not configured any more.
void Supervisor::tell_channels() {
  Channels::Ends writers;
  Channels::Ends readers;
  std::set<std::string> ending;
  for (const auto& [name, entry] : entries_) {
    const Run::Config config = entry.wanted != nullptr ? entry.wanted
                               : entry.run != nullptr  ? entry.run->config()
                                                       : nullptr;
    if (config == nullptr) continue;
    if (entry.run != nullptr && entry.run->retiring())
      ending.insert(written_channel(*entry.run->config()));
    const bool may_give =
        !entry.over() || entry.again != nullptr || entry.held() || entry.by_schedule();
    if (std::string to = written_channel(*config); !to.empty() && may_give)
      writers[std::move(to)].insert(name);
    if (std::string from = read_channel(*config);
        !from.empty() && entry.wanted != nullptr && entry.mounted() && config->complete())
      readers[std::move(from)].insert(name);
  }
  channels_.expect(writers, readers, ending);
  if (kCaches) keep_caches();
}

// What is in a cache outlives the runs that use it, as long as the configuration has it.
void Supervisor::keep_caches() {
  std::set<std::string> names;
  for (const auto& [name, entry] : entries_)
    if (entry.wanted != nullptr) names.merge(caches_of(*entry.wanted));
  caches_.keep(names);
}

void Supervisor::stop_all(const std::string& why) {
  stopping_ = true;
  for (auto& [name, entry] : entries_) {
    discard(std::move(entry.next));
    if (entry.run != nullptr) entry.run->abort(why);
  }
  check_idle();
}

}  // namespace leat
