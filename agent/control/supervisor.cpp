#include "control/supervisor.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/folder.h"
#include "base/log.h"
#include "journal/journal_vfs.h"
#include "plan/channel_ends.h"

namespace leat {
namespace {

// A pipeline that ran so long has got over what it failed of before.
constexpr Milliseconds kLongEnough{5 * 60'000};

// What is told of events at the end waits no longer for who is told; it stays in the journal.
constexpr Milliseconds kToFlush{5'000};

// A pipeline that tells of events holds little.
constexpr size_t kOwnMemory = 256 * 1024;

}  // namespace

Result<std::unique_ptr<Supervisor>> Supervisor::open(SupervisorSetup setup) {
  if (Status folder = make_folder(setup.data_dir); !folder) return fail(folder.error());
  // On a full disk dead letters wait for their folder, but nothing else does.
  Status folder = make_folder(setup.data_dir + "/dead-letters");
  if (!folder && folder.error().kind() != ErrorKind::kUnavailable) return fail(folder.error());
  Result<std::unique_ptr<Journal>> journal =
      Journal::open(setup.data_dir + "/journal.db", setup.clock);
  if (!journal) return fail(journal.error());
  if (!folder) log::error("leat", folder.error().message());
  return std::unique_ptr<Supervisor>(new Supervisor(std::move(setup), std::move(*journal)));
}

Supervisor::Supervisor(SupervisorSetup setup, std::unique_ptr<Journal> journal)
    : setup_(std::move(setup)),
      begun_us_(setup_.clock.monotonic_us()),
      journal_(std::move(journal)) {
  std::vector<LoopHost*> hosts;
  for (int i = 0; i < std::max(1, setup_.workers); ++i)
    hosts.push_back(
        hosts_.emplace_back(std::make_unique<LoopHost>(*journal_, setup_.make_loop(setup_.clock)))
            .get());
  main_ = hosts.front();
  events_ = std::make_unique<EventFeed>(main_->loop());
  probe_ = std::make_unique<LoopProbe>(std::move(hosts));
  standings_ = std::make_unique<Standings>(main_->journal());
  history_ = std::make_unique<RunHistory>(main_->journal());
  budget_ = std::make_unique<NetworkBudget>(NetworkBudget::Setup{
      .loop = main_->loop(),
      .journal = main_->journal(),
      .on_change =
          [this] {
            hold_by_budget();
            setup_.on_change();
          },
      .tell = [this](const std::string& text) { events_->add(EventKind::kBudget, "", text); }});
  schedules_ = std::make_unique<Schedules>(main_->journal(), setup_.clock);
  idle_timer_ = std::make_unique<Timer>(loop());
  make_leases();
}

Supervisor::~Supervisor() {
  Status journal;
  close(journal);
}

void Supervisor::begin() {
  journal_->start();
  for (size_t i = 1; i < hosts_.size(); ++i) hosts_[i]->start_thread();
  standings_->load([this](const Status& status) {
    if (!status)
      log::error("leat", "which pipelines were paused, stopped or unmounted is not known: " +
                             status.error().message());
    loaded();
  });
  history_->load([this](const Status& status) {
    if (!status) log::warn("leat", "earlier runs are not known: " + status.error().message());
    loaded();
  });
  budget_->load([this](const Status& status) {
    if (!status)
      log::error("leat", "what is used of agent.limits.budget is not known, and counted anew: " +
                             status.error().message());
    loaded();
  });
  schedules_->load([this](const Status& status) {
    if (!status) log::warn("leat", "all schedules begin anew: " + status.error().message());
    loaded();
  });
}

void Supervisor::quit() {
  budget_->end();
  main_->loop().stop();
}

bool Supervisor::close(Status& journal) {
  probe_.reset();
  budget_.reset();
  leases_.reset();
  idle_timer_.reset();
  flush_timer_.reset();
  clock_watch_.reset();
  entries_.clear();
  bool closed = true;
  for (; !hosts_.empty(); hosts_.pop_back()) closed &= hosts_.back()->close();
  if (journal_ != nullptr) journal = journal_->finish();
  journal_.reset();
  return closed;
}

// --- a change -----------------------------------------------------------------------------------

void Supervisor::loaded() {
  if (--to_load_ == 0 && !proposals_.empty()) apply_next();
}

void Supervisor::apply(AgentConfig desired, Applied done) {
  for (PipelineConfig& own : std::exchange(desired.own_pipelines, {}))
    desired.pipelines.push_back(std::move(own));
  proposals_.push_back({std::move(desired), std::move(done)});
  if (to_load_ == 0 && proposals_.size() == 1) apply_next();
}

// What it has opened of it is let go when all has been.
void Supervisor::Proposal::remove(const std::string& name) {
  std::erase_if(desired.pipelines, [&name](const PipelineConfig& one) { return one.name == name; });
  for (auto* names : {&change.kept, &change.added, &change.changed}) std::erase(*names, name);
}

void Supervisor::apply_next() {
  for (; stopping_ && !proposals_.empty(); proposals_.pop_front())
    proposals_.front().done(fail(ErrorKind::kUnavailable, "the agent is about to stop"));
  if (proposals_.empty()) return check_idle();
  Proposal& proposal = proposals_.front();
  if (!proposal.only.empty()) proposal.desired = config_;
  proposal.change = change_to(proposal);
  ++preparing_;
  prepare(*main_, setup_.make, preparations(proposal.desired, proposal.change),
          [this](std::vector<Prepared> all) { prepared(std::move(all)); });
}

Change Supervisor::change_to(const Proposal& proposal) const {
  const AgentConfig& desired = proposal.desired;
  if (!proposal.only.empty()) {
    Change change;
    for (const PipelineConfig& one : desired.pipelines)
      (one.name == proposal.only ? change.changed : change.kept).push_back(one.name);
    return change;
  }
  std::map<std::string, WantedPipeline> wanted;
  for (const auto& [name, entry] : entries_)
    if (entry.wanted != nullptr && entry.of.empty())
      wanted[name] = {entry.wanted,
                      entry.over() && !entry.held() && !entry.by_schedule() && !entry.standby};
  return compute_change(wanted, desired.pipelines, desired.id != config_.id);
}

std::vector<Preparing> Supervisor::preparations(const AgentConfig& desired, const Change& change) {
  // What is to go holds its share until it has gone.
  const size_t together = entries_.size() + change.added.size();
  std::set<std::string> kept(change.kept.begin(), change.kept.end());
  std::vector<std::string> leaving = change.changed;
  leaving.insert(leaving.end(), change.removed.begin(), change.removed.end());
  std::vector<Run::Config> fresh;
  for (const PipelineConfig& one : desired.pipelines) {
    if (kept.contains(one.name) || held(one)) continue;
    if (one.name != proposals_.front().only && waits_for_its_time(one)) continue;
    if (needs_lease(one) || runs_shared(one)) continue;
    fresh.push_back(std::make_shared<const PipelineConfig>(one));
  }
  LoopLoad load = load_without(leaving);
  // Those that have no choice come first: the others go where there are fewer then.
  for (const Run::Config& one : fresh)
    if (meets_others(*one)) load.add(*main_);
  std::vector<Preparing> all;
  for (const Run::Config& one : fresh)
    all.push_back(preparation(one, choose_loop(load, *one), desired.id,
                              share_of(desired, together, one->own)));
  return all;
}

Preparing Supervisor::preparation(const Run::Config& config, LoopHost& host,
                                  const std::string& agent, size_t memory) {
  const uint64_t fence = kCluster && config->exclusive ? leases_->fence(config->name) : 0;
  if (fence != 0) watch_positions(config->name, host, fence);
  auto on_trouble = [this] {
    if (setup_.tells_trouble || events_->wanted())
      main_->loop().post([this] { setup_.on_change(); });
  };
  return {next_id_++, config, &host,
          PipelineEnvironment{host.loop(), host.journal(), usage_, agent_of(*config, agent),
                              setup_.data_dir, memory, on_trouble, asking_from(host),
                              [this, &host, name = config->name](HearEvent heard) {
                                events_->tell(host.loop(), name, std::move(heard));
                              },
                              &channels_, &caches_, fence}};
}

// Pipelines end before the loops and this do, so whoever asked is there to be answered.
AskAgent Supervisor::asking_from(LoopHost& host) {
  return [this, &host](std::function<void(const AgentNumbers&)> done) {
    main_->loop().post([this, &host, done = std::move(done)] {
      snapshot([&host, done](const Snapshot& snapshot) {
        host.loop().post([done, numbers = numbers_of(snapshot)] { done(numbers); });
      });
    });
  };
}

LoopLoad Supervisor::load_without(const std::vector<std::string>& names) const {
  LoopLoad load(hosts_);
  for (const auto& [name, entry] : entries_) {
    if (entry.wanted == nullptr || std::ranges::find(names, name) != names.end()) continue;
    if (entry.next != nullptr) {
      load.add(entry.next->host());
    } else if (entry.run != nullptr) {
      load.add(entry.run->host());
    }
  }
  return load;
}

LoopHost& Supervisor::choose_loop(LoopLoad& load, const PipelineConfig& config) const {
  if (meets_others(config)) return *main_;
  auto known = entries_.find(config.name);
  bool somewhere = known != entries_.end() && known->second.run != nullptr;
  return load.choose(somewhere ? &known->second.run->host() : nullptr);
}

void Supervisor::prepared(std::vector<Prepared> all) {
  --preparing_;
  for (const Prepared& one : all)
    if (one.run != nullptr) ++live_of(one.config);
  Proposal& proposal = proposals_.front();
  std::erase_if(all, [this, &proposal](Prepared& one) {
    if (proposal.change.starts(one.config->name)) return false;
    discard(std::move(one.run));  // it was removed meanwhile
    return true;
  });
  auto unmade = std::ranges::find_if(all, [](const Prepared& one) { return one.run == nullptr; });
  if (!stopping_ && unmade == all.end()) {
    if (proposal.only.empty()) config_loaded_us_ = setup_.clock.unix_us() / 1'000'000 * 1'000'000;
    commit(proposal, std::move(all));
    proposals_.pop_front();
  } else {
    for (Prepared& one : all) discard(std::move(one.run));
    if (!stopping_) {
      const Error& error = unmade->status.error();
      proposal.done(fail(error.kind(), unmade->config->name + ": " + error.message()));
      proposals_.pop_front();
    }
  }
  apply_next();
}

void Supervisor::commit(Proposal& proposal, std::vector<Prepared> all) {
  config_ = std::move(proposal.desired);
  if (kCluster && leases_) leases_->set(config_.cluster, config_.id);
  flush_timer_.reset();  // it is not the end
  journal_->set_commit_every(config_.commit_every);
  budget_->set(config_.budget);
  keep_schedules();
  std::vector<std::string> touched = proposal.change.removed;
  for (const std::string& name : proposal.change.removed) {
    Entry& entry = entries_.at(name);
    entry.wanted = nullptr;
    discard(std::move(entry.next));
    wind_down_runs_of(name, "not configured any more");
  }
  if (proposal.only.empty())
    for (const std::string& name : proposal.change.kept) entries_[name].refused.clear();
  std::vector<PipelineEnd> failures;
  std::set<std::string> made;
  for (const Prepared& one : all) made.insert(one.config->name);
  for (const PipelineConfig& one : config_.pipelines)
    if (proposal.change.starts(one.name) && !made.contains(one.name)) adopt(one);
  for (Prepared& one : all) {
    touched.push_back(one.config->name);
    take_over(std::move(one), proposal, failures);
  }
  // What the configuration says by itself need not be said: should it say otherwise once more, that
  // counts.
  for (const PipelineConfig& one : config_.pipelines)
    if (const Standing said = standings_->of(one.name); one.mounted && said.mounted.value_or(false))
      say(one.name, {.activity = said.activity});
  proposal.done(proposal.change);
  for (const PipelineEnd& failure : failures) setup_.on_end(failure);
  share_memory();  // before what is new begins to use its own
  hold_by_budget();
  tell_channels();  // before somebody gives, or takes
  for (const std::string& name : touched) settle(name);
  tell_channels();
  setup_.on_change();
}

void Supervisor::take_over(Prepared one, Proposal& proposal, std::vector<PipelineEnd>& failures) {
  const std::string& name = one.config->name;
  Entry& entry = entry_of(name);
  entry.refused.clear();
  if (one.status && (entry.held_as(*one.config) || proposal.told_to_end.contains(name))) {
    discard(std::move(one.run));
    entry.wanted = one.config;
    return;
  }
  if (one.status) {
    discard(std::move(entry.next));
    entry.next = std::move(one.run);
    entry.before = entry.run == nullptr ? nullptr : entry.run->config();
    entry.wanted = one.config;
    return;
  }
  const bool ends = one.run->bounded();
  discard(std::move(one.run));
  bool goes_on = entry.wanted != nullptr && !entry.over();
  (goes_on ? entry.refused : entry.failure) = one.status.error().message();
  if (goes_on) {
    proposal.change.refused.push_back(name);
    proposal.change.refused_why.push_back(one.status.error().message());
  } else {
    entry.wanted = one.config;
  }
  PipelineEnd failure{.name = name, .status = one.status, .old_one_goes_on = goes_on};
  // Else it is started again, as one that has run and failed of this.
  if (!goes_on && entry.by_schedule())
    failure.again_in = not_opened(name, failure.status);
  else if (!goes_on && !ends && one.status.error().kind() == ErrorKind::kUnavailable)
    failure.again_in = start_later(name);
  failures.push_back(std::move(failure));
}

// Of one that is held by a word, or whose time has not come: it is not opened. What runs of it,
// since it was not held before, is drained as if it were told to end by name.
void Supervisor::adopt(const PipelineConfig& config) {
  Entry& entry = entry_of(config.name);
  entry.wanted = std::make_shared<const PipelineConfig>(config);
  entry.refused.clear();
  entry.failure.clear();
  wind_down(entry, "unmounted by its configuration");
  if (entry.held()) return;
  if (runs_shared(config))
    begin_job(config.name);
  else if (entry.by_schedule())
    await_its_time(config.name);
  else if (needs_lease(config))
    await_lease(config.name);
}

// One pipeline by itself, with a configuration that it had before.
void Supervisor::relaunch(const std::string& name, const Run::Config& config) {
  Entry& entry = entries_.at(name);
  if (needs_lease(*config)) {
    entry.wanted = config;
    return await_lease(name);
  }
  if (runs_shared(*config)) {
    entry.wanted = config;
    return begin_job(name);
  }
  entry.preparing = true;
  entry.again.reset();
  entry.wanted = config;
  entry.before = nullptr;
  tell_channels();
  LoopLoad load = load_without({name});
  size_t memory = share_of(config_, entries_.size(), config->own);
  ++preparing_;
  prepare(*main_, setup_.make,
          {preparation(config, choose_loop(load, *config), config_.id, memory)},
          [this, name](std::vector<Prepared> one) {
            --preparing_;
            if (one.front().run != nullptr) ++live_of(one.front().config);
            relaunched(name, std::move(one.front()));
          });
}

void Supervisor::relaunched(const std::string& name, Prepared one) {
  Entry& entry = entries_.at(name);
  entry.preparing = false;
  // Another configuration may have come.
  bool still = !std::exchange(entry.told_to_end, false) && !stopping_ &&
               entry.wanted == one.config && entry.over() && !entry.held();
  bool ready = one.run != nullptr && one.status;
  if (still && ready) {
    entry.next = std::move(one.run);
    hold_by_budget();
  } else {
    discard(std::move(one.run));
  }
  if (still && !ready) {
    entry.failure = one.status.error().message();
    PipelineEnd end{.name = name, .status = one.status};
    if (entry.by_schedule())
      end.again_in = not_opened(name, one.status);
    else if (one.status.error().kind() == ErrorKind::kUnavailable && entry.of.empty())
      end.again_in = start_later(name);
    setup_.on_end(end);
  }
  if (entry.exclusive() && entry.over()) ended_with_lease(name, one.status);
  if (!entry.of.empty() && entry.over()) {
    note_end(entry, one.status, {});
    run_is_over(entry, name);
  }
  settle(name);
  tell_channels();
  setup_.on_change();
  check_idle();
}

// --- from its start to its end ------------------------------------------------------------------

// What follows from how things are with this pipeline.
void Supervisor::settle(const std::string& name) {
  auto found = entries_.find(name);
  if (found == entries_.end()) return;
  Entry& entry = found->second;
  if (entry.run != nullptr) {
    // What cannot be delivered must not keep a new configuration out: it may be the cure. The time
    // runs from when it was first to end, however many configurations follow.
    if (entry.next == nullptr && entry.wanted != nullptr) return;
    if (entry.ending.empty())
      entry.ending = entry.next != nullptr ? "started anew" : "not configured any more";
    entry.run->retire(config_.drain_timeout, "not drained in time for the new configuration");
  } else if (entry.next != nullptr) {
    start_next(name);
  } else if (entry.wanted == nullptr && !entry.preparing) {
    give_lease_back(name);
    entries_.erase(found);
    share_memory();
  } else if (entry.over() && entry.again == nullptr) {
    entry.taps.clear();
    entry.for_next.clear();
  }
}

void Supervisor::start_next(const std::string& name) {
  Entry& entry = entries_.at(name);
  entry.run = std::move(entry.next);
  entry.last = {};
  entry.failure.clear();
  entry.again.reset();
  entry.ending.clear();
  entry.started_us = setup_.clock.monotonic_us();
  // One that was asked for is in the journal already, and of the agent's own nobody asks.
  if (entry.own())
    entry.record = {};
  else if (entry.of.empty())
    entry.record = history_->begin(name, {}, setup_.clock.unix_us());
  entry.run->start(entry.of.empty() ? entry.record : RunRecord{},
                   [this, name](const Status& status, const PipelineStatus& counters) {
                     ended(name, status, counters);
                   });
  for (const auto& [id, look] : entry.taps) look(*entry.run);
  for (const auto& give : std::exchange(entry.for_next, {})) give(*entry.run);
}

void Supervisor::ended(const std::string& name, const Status& status,
                       const PipelineStatus& counters) {
  Entry& entry = entries_.at(name);
  std::unique_ptr<Run> run = std::move(entry.run);
  events_->forget(name);
  entry.last = counters;
  entry.ended_before += counters;
  entry.ended_before.stages.clear();
  PipelineEnd end{.name = name, .status = status, .counters = counters};
  end.own = run->config()->own;
  end.elapsed = Milliseconds((setup_.clock.monotonic_us() - entry.started_us) / 1000);
  end.told = run->retiring() && !stopping_;
  // What it reads from cannot be opened as it is configured now, and could be as it was before.
  end.old_one_goes_on = entry.goes_back(status, counters) && !run->retiring() && !stopping_;
  if (tells(entry, *run, status, counters))
    note_end(entry, status, counters);
  else if (entry.record.number != 0)
    history_->forget(entry.record);
  if (!status && !end.told)
    (end.old_one_goes_on ? entry.refused : entry.failure) = status.error().message();
  if (entry.may_pass(status, *run) && !stopping_) {
    if (end.elapsed > kLongEnough) entry.again_after.reset();
    end.again_in = start_later(name);
  }
  if (entry.by_schedule() && !end.old_one_goes_on && entry.next == nullptr && !entry.held() &&
      !stopping_)
    end.again_in = await_next(name, end.told ? Status() : status, end.elapsed);
  setup_.on_end(end);
  if (!entry.of.empty()) run_is_over(entry, name);
  if (run->config()->exclusive && !end.old_one_goes_on && entry.next == nullptr)
    ended_with_lease(name, status);
  if (end.old_one_goes_on) {
    relaunch(name, Run::Config(entry.before));
  } else {
    settle(name);
  }
  if (drained_by_)
    drain_in_order();
  else
    tell_channels();
  setup_.on_change();
  gone(end.own);
}

// Gives how much later.
Milliseconds Supervisor::start_later(const std::string& name) {
  Entry& entry = entries_.at(name);
  if (!entry.again_after) entry.again_after.emplace(setup_.first_retry, setup_.first_retry * 64);
  Milliseconds wait = entry.again_after->next();
  entry.again = std::make_unique<Timer>(loop());
  entry.again_us = setup_.clock.monotonic_us() + wait.count() * 1000;
  entry.again->start(wait, [this, name] { relaunch(name, Run::Config(entries_.at(name).wanted)); });
  return wait;
}

// One that has not been started.
void Supervisor::discard(std::unique_ptr<Run> run) {
  if (run == nullptr) return;
  const bool own = run->config()->own;
  run->discard([this, own] { gone(own); });
}

void Supervisor::gone(bool own) {
  --(own ? own_live_ : live_);
  check_idle();
}

// Of so many pipelines together, those of the agent's own among them.
size_t Supervisor::share_of(const AgentConfig& config, size_t pipelines, bool own) {
  if (own) return kOwnMemory;
  const auto others = static_cast<size_t>(
      std::ranges::count_if(config.pipelines, [](const auto& one) { return one.own; }));
  const auto memory = static_cast<size_t>(config.memory);
  return (memory - std::min(others * kOwnMemory, memory / 2)) /
         std::max<size_t>(pipelines - std::min(others, pipelines), 1);
}

void Supervisor::share_memory() {
  const size_t share = share_of(config_, entries_.size(), false);
  for (auto& [name, entry] : entries_) {
    if (entry.own()) continue;
    if (entry.run != nullptr) entry.run->set_memory(share);
    if (entry.next != nullptr) entry.next->set_memory(share);
  }
}

// What tells of the agent goes on: of the budget, too.
void Supervisor::hold_by_budget() {
  for (auto& [name, entry] : entries_)
    for (Run* run : {entry.run.get(), entry.next.get()}) {
      if (run == nullptr || run->config()->own) continue;
      const std::span<const Option> options = run->config()->sink.options.table();
      const bool over_network = std::ranges::find(options, "url", &Option::name) != options.end();
      run->hold(over_network ? budget_->why(run->config()->high_priority) : "");
    }
}

bool Supervisor::idle() const {
  auto waits = [](const auto& named) {
    return !named.second.own() &&
           (named.second.again != nullptr || named.second.held() || named.second.standby);
  };
  if (live_ > 0 || preparing_ > 0 || !proposals_.empty()) return false;
  return stopping_ || std::ranges::none_of(entries_, waits);
}

void Supervisor::check_idle() {
  // A turn later: a task that starts another pipeline may be on its way.
  if (!idle()) return;
  idle_timer_->start_next_turn([this] {
    if (idle() && leases_are_quiet()) setup_.on_idle();
  });
}

bool Supervisor::flush_own() {
  if (own_live_ == 0) return false;
  if (flush_timer_ != nullptr) return true;
  events_->end();
  flush_timer_ = std::make_unique<Timer>(loop());
  flush_timer_->start(kToFlush, [this] {
    for (auto& [name, entry] : entries_)
      if (entry.run != nullptr) entry.run->abort("not told in time");
  });
  return true;
}

// --- how it is ----------------------------------------------------------------------------------

bool Supervisor::runs_bounded() const {
  return std::ranges::any_of(entries_, [](const auto& named) {
    return named.second.run != nullptr && named.second.run->bounded();
  });
}

// By its name: its turn has not come.
bool Supervisor::is_asked_to_start(const std::string& name) const {
  return std::ranges::any_of(proposals_, [&name](const Proposal& proposal) {
    return proposal.only == name && !proposal.told_to_end.contains(name);
  });
}

void Supervisor::snapshot(std::function<void(const Snapshot&)> done) {
  probe_->ask([this, done = std::move(done)](const LoopProbe::Answers& answers) {
    Snapshot out{.id = config_.id,
                 .version = setup_.version,
                 .config_file = setup_.config_file,
                 .config_loaded_us = config_loaded_us_,
                 .config = config_status_,
                 .control = control_status_ ? control_status_() : std::nullopt,
                 .budget = budget_->status(),
                 .cluster = kCluster && leases_ ? leases_->status() : std::nullopt,
                 .uptime = Milliseconds((setup_.clock.monotonic_us() - begun_us_) / 1000),
                 .now_us = setup_.clock.unix_us(),
                 .stopping = stopping_,
                 .loops = hosts_.size(),
                 .journal_written_bytes = written().bytes,
                 .flash_endurance = config_.flash_endurance};
    if (kCaches) out.caches = caches_.status(loop().now());
    for (auto& [name, entry] : entries_) {
      PipelineSnapshot& one = out.pipelines.emplace_back(
          entry.snapshot(answers, setup_.clock.monotonic_us(), stopping_));
      one.name = name;
      if (kCluster && entry.shared()) {
        show_job(name, entry, one);
      } else if (kCluster && one.state == PipelineState::kStandby) {
        one.reason = leases_->why(name);
        one.unknown = leases_->in_trouble();
      }
      if (entry.by_schedule()) {
        one.schedule = entry.wanted->schedule->text;
        one.failed_runs = static_cast<uint64_t>(entry.failed_runs);
        if (entry.again != nullptr) one.next_run_us = schedules_->next_us(*entry.wanted);
      }
      const bool rests = one.state == PipelineState::kEnded || one.state == PipelineState::kFailed;
      if (rests && is_asked_to_start(name)) one.state = PipelineState::kStarting;
      while (entry.run != nullptr && hosts_[one.loop].get() != &entry.run->host()) ++one.loop;
    }
    done(out);
  });
}

}  // namespace leat
