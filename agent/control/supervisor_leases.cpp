// Pipelines that run on one agent of a group (PipelineConfig::exclusive, control/leases.h). Without
// its lease such a one is an entry that stands by, and nothing of it is made or opened.
//
// Its positions are those that the group has: what is in the journal here gives way to them when
// the lease is granted, and what is saved here from then on is saved there, too. Behind it, as all
// that is saved late: what was delivered since is delivered once more by the next agent, or, with
// exactlyOnce, is known to the sink.
#include <algorithm>
#include <utility>

#include "base/log.h"
#include "control/supervisor.h"
#include "journal/orders.h"
#include "plan/shared_job.h"

namespace leat {

#ifdef LEAT_CLUSTER

namespace {

// What the group has takes the place of what is here, but for what an operator has ordered here.
std::vector<SavedPosition> in_the_place_of(const std::vector<SavedPosition>& here,
                                           std::vector<SavedPosition> there) {
  std::erase_if(there, [](const SavedPosition& one) { return one.partition == kGroupSchedule; });
  for (const SavedPosition& one : here) {
    const bool ordered = is_order(one.partition) && one.value != kAnew;
    const bool known = std::ranges::any_of(
        there, [&one](const SavedPosition& other) { return other.partition == one.partition; });
    if (!ordered && !known) there.push_back({one.partition, ""});
  }
  return there;
}

}  // namespace

void Supervisor::make_leases() {
  if (!setup_.make_leases) return;
  leases_ = setup_.make_leases(
      {.loop = loop(),
       .journal = main_->journal(),
       .granted = [this](LeaseGrant grant) { lease_granted(std::move(grant)); },
       .lost = [this](const std::string& name, const std::string& why) { lease_lost(name, why); },
       .changed = [this] { setup_.on_change(); },
       .told = [this](const std::string& job) { job_goes_on(job); },
       .quiet = [this] { check_idle(); }});
}

bool Supervisor::needs_lease(const PipelineConfig& config) const {
  return config.exclusive && leases_ != nullptr && leases_->fence(config.name) == 0 &&
         !is_shared(config);
}

// Its keys, positions in the sink and client ids are the group's.
std::string Supervisor::agent_of(const PipelineConfig& config, const std::string& agent) const {
  return config.exclusive && config_.cluster ? "group:" + config_.cluster->group : agent;
}

void Supervisor::await_lease(const std::string& name) {
  Entry& entry = entries_.at(name);
  entry.again.reset();
  if (!std::exchange(entry.standby, true)) log::info(name, "stands by for its lease");
  leases_->want(name);
  setup_.on_change();
}

void Supervisor::lease_granted(LeaseGrant grant) {
  const std::string name = grant.pipeline;
  if (!stopping_) task_entry(name);
  auto found = entries_.find(name);
  if (stopping_ || found == entries_.end() || !found->second.standby ||
      found->second.wanted == nullptr || found->second.held())
    return leases_->release(name);
  if (found->second.shared()) return lead_job(grant);
  if (!found->second.of.empty() && only_sql(name)) {
    grant.positions.clear();
    grant.first = false;
  }
  const auto schedule =
      std::ranges::find(grant.positions, kGroupSchedule, &SavedPosition::partition);
  if (found->second.by_schedule() && schedule != grant.positions.end()) {
    schedules_->take_over(name, schedule->value, leases_->ahead_us());
    if (schedules_->left(*found->second.wanted).count() > 0) {  // another has done it
      found->second.standby = false;
      leases_->release(name);
      await_its_time(name);
      return setup_.on_change();
    }
  }
  main_->journal().load(
      name, [this, grant = std::move(grant)](Result<std::vector<SavedPosition>> here) mutable {
        if (!here) {
          leases_->release(grant.pipeline);
          return lease_lost(grant.pipeline, here.error().message());
        }
        if (grant.first) {
          leases_->save(grant.pipeline, *here);
          return begin_with_lease(grant.pipeline, grant.fence);
        }
        main_->journal().commit(
            grant.pipeline, in_the_place_of(*here, std::move(grant.positions)),
            [this, name = grant.pipeline, fence = grant.fence](const Status& status) {
              if (status) return begin_with_lease(name, fence);
              leases_->release(name);
              lease_lost(name, "the group's positions cannot be kept: " + status.error().message());
            });
      });
}

void Supervisor::begin_with_lease(const std::string& name, uint64_t fence) {
  auto found = entries_.find(name);
  if (leases_->fence(name) != fence) return;  // lost meanwhile, and that was told
  if (stopping_ || found == entries_.end() || found->second.wanted == nullptr ||
      !std::exchange(found->second.standby, false) || !found->second.over() || found->second.held())
    return leases_->release(name);
  log::info(name,
            "has its lease, and runs on this agent (fencing number " + std::to_string(fence) + ")");
  relaunch(name, Run::Config(found->second.wanted));
}

// What runs ends at once: it must have ended when another begins.
void Supervisor::lease_lost(const std::string& name, const std::string& why) {
  auto found = entries_.find(name);
  if (found == entries_.end() || !found->second.exclusive()) return;
  Entry& entry = found->second;
  if (entry.over()) {
    if (!entry.standby || stopping_) return;
    if (entry.shared()) entry.again.reset();
    if (entry.of.empty()) return leases_->want(name);
    entry.wanted = nullptr;  // a task, which another agent takes
    return settle(name);
  }
  const std::string ends = "ended since its lease was lost: " + why;  // logged: warn
  if (entry.run != nullptr) log::warn(name, ends);                    // words elsewhere
  if (entry.ending.empty()) entry.ending = ends;
  entry.told_to_end = entry.preparing;
  discard(std::move(entry.next));
  if (entry.run != nullptr) entry.run->retire(Milliseconds{0}, ends);
}

void Supervisor::give_lease_back(const std::string& name) {
  if (leases_ != nullptr) leases_->release(name);
}

// Behind its run, or the attempt at one; and behind what the journal is about to keep of it.
void Supervisor::ended_with_lease(const std::string& name, const Status& status) {
  if (leases_ == nullptr) return;
  const Entry& ended = entries_.at(name);
  if (!ended.of.empty() && ended.ending.empty() && !stopping_) {
    leases_->settle(name, bool(status), status ? "" : status.error().message(), ended.last.records);
    return;
  }
  if (stopping_ || !ended.of.empty()) return leases_->release(name);
  const bool failed = leases_->fence(name) != 0 && !status;
  const bool ran_to_its_end = entries_.at(name).ending.empty();
  ++preparing_;  // until it stands by again
  main_->journal().flush([this, name, failed, ran_to_its_end] {
    loop().post([this, name, failed, ran_to_its_end] {
      --preparing_;
      check_idle();
      auto found = entries_.find(name);
      if (found == entries_.end()) return leases_->release(name);
      Entry& entry = found->second;
      if (!entry.over() || entry.standby) return;  // it has begun again
      if (entry.by_schedule() && ran_to_its_end)
        leases_->save(name, {{std::string(kGroupSchedule),
                              schedules_->shared_state(name, leases_->ahead_us())}});
      leases_->release(name);
      if (stopping_ || !entry.exclusive() || entry.held() || entry.again != nullptr) return;
      // It was lost; else what failed for good would fail here again.
      if (!failed) await_lease(name);
    });
  });
}

// By whichever loop it lives on.
void Supervisor::watch_positions(const std::string& name, LoopHost& host, uint64_t fence) {
  const auto save = [this, name, fence](const std::vector<SavedPosition>& positions) {
    main_->loop().post([this, name, fence, positions] {
      if (leases_ != nullptr && leases_->fence(name) == fence) leases_->save(name, positions);
    });
  };
  host.loop().post([&host, name, save] { host.journal().watch(name, save); });
  main_->journal().watch(name, save);
}

// Before the agent ends.
bool Supervisor::leases_are_quiet() {
  if (leases_ == nullptr) return true;
  return stopping_ ? leases_->leave() : !leases_->busy();
}

#else

void Supervisor::show_job(const std::string& /*name*/, const Entry& /*entry*/,
                          PipelineSnapshot& /*out*/) const {}
void Supervisor::begin_job(const std::string& /*name*/) {}
void Supervisor::end_job(const std::string& /*name*/) {}
void Supervisor::make_leases() {}
bool Supervisor::needs_lease(const PipelineConfig& /*config*/) const {
  return false;
}
std::string Supervisor::agent_of(const PipelineConfig& /*config*/, const std::string& agent) const {
  return agent;
}
void Supervisor::await_lease(const std::string& /*name*/) {}
void Supervisor::give_lease_back(const std::string& /*name*/) {}
void Supervisor::ended_with_lease(const std::string& /*name*/, const Status& /*status*/) {}
void Supervisor::watch_positions(const std::string& /*name*/, LoopHost& /*host*/,
                                 uint64_t /*fence*/) {}
bool Supervisor::leases_are_quiet() {
  return true;
}

#endif

}  // namespace leat
