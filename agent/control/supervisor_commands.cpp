// What is asked of one pipeline by its name, and of all.
#include <utility>

#include "base/units.h"
#include "control/supervisor.h"

namespace leat {

Result<Entry*> Supervisor::find(const std::string& name) {
  auto found = entries_.find(name);
  if (found == entries_.end() || found->second.wanted == nullptr)
    return fail(ErrorKind::kUsage, "there is no pipeline \"" + name + "\"");
  if (stopping_) return fail(ErrorKind::kUnavailable, "the agent is about to stop");
  return &found->second;
}

Status Supervisor::start(const std::string& name) {
  Result<Entry*> entry = find(name);
  if (!entry) return fail(entry.error());
  if (!(*entry)->over()) return fail(ErrorKind::kUsage, name + ": has not ended");
  for (Proposal& proposal : proposals_) proposal.told_to_end.erase(name);
  relaunch(name, Run::Config((*entry)->wanted));
  return {};
}

Status Supervisor::drain(const std::string& name) {
  Result<Entry*> entry = find(name);
  if (!entry) return fail(entry.error());
  for (Proposal& proposal : proposals_) proposal.told_to_end.insert(name);
  (*entry)->told_to_end = (*entry)->preparing;
  discard(std::move((*entry)->next));
  (*entry)->again.reset();
  if ((*entry)->run != nullptr) (*entry)->run->retire(config_.drain_timeout, "not drained in time");
  check_idle();
  return {};
}

Status Supervisor::stop(const std::string& name) {
  if (Status drained = drain(name); !drained) return drained;
  if (Run* run = entries_.at(name).run.get(); run != nullptr) run->abort("stopped");
  return {};
}

Status Supervisor::remove(const std::string& name) {
  Result<Entry*> entry = find(name);
  if (!entry) return fail(entry.error());
  std::erase_if(config_.pipelines, [&name](const PipelineConfig& one) { return one.name == name; });
  for (Proposal& proposal : proposals_) proposal.remove(name);
  (*entry)->wanted = nullptr;
  discard(std::move((*entry)->next));
  settle(name);
  setup_.on_change();
  check_idle();
  return {};
}

Status Supervisor::pause(const std::string& name) {
  Result<Entry*> entry = find(name);
  if (!entry) return fail(entry.error());
  (*entry)->paused = true;
  Status drained = drain(name);
  setup_.on_change();
  return drained;
}

Status Supervisor::resume(const std::string& name) {
  Result<Entry*> entry = find(name);
  if (!entry) return fail(entry.error());
  if (!std::exchange((*entry)->paused, false))
    return fail(ErrorKind::kUsage, name + ": is not paused");
  return restart(name);
}

Status Supervisor::restart(const std::string& name) {
  Result<Entry*> entry = find(name);
  if (!entry) return fail(entry.error());
  if ((*entry)->paused) return fail(ErrorKind::kUsage, name + ": is paused");
  proposals_.push_back({.desired = {},
                        .done =
                            [this, name](const Result<Change>& change) {
                              if (!change && !stopping_)
                                setup_.on_end({.name = name,
                                               .status = fail(change.error()),
                                               .old_one_goes_on = true});
                            },
                        .only = name});
  if (proposals_.size() == 1) apply_next();
  return {};
}

Status Supervisor::kick(const std::string& name) {
  Result<Entry*> entry = find(name);
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
  Result<Entry*> entry = find(name);
  if (!entry) return fail(entry.error());
  if ((*entry)->run == nullptr) return fail(ErrorKind::kUsage, name + ": does not run");
  (*entry)->run->tap(id, std::move(request), std::move(lines), std::move(done));
  return {};
}

void Supervisor::untap(const std::string& name, uint64_t id) {
  auto found = entries_.find(name);
  if (found != entries_.end() && found->second.run != nullptr) found->second.run->untap(id);
}

void Supervisor::work_on_journal(const Operation& operation, OperationRequest request,
                                 std::function<void(Result<std::string>)> done) {
  if (operation.changes && stopping_)
    return done(fail(ErrorKind::kUnavailable, "the agent is about to stop"));
  for (const PipelineConfig& one : config_.pipelines)
    request.configured[one.name] = configured_delivery(one.delivery);
  request.at_once = !entries_.contains(request.pipeline);
  request.now_us = loop().clock().unix_us();
  auto asked = std::make_shared<OperationRequest>(std::move(request));
  main_->journal().work_on(
      operation.transaction,
      [run = operation.run, asked](std::unique_ptr<JournalDatabase>& journal) {
        return run(journal, *asked);
      },
      [this, asked, done = std::move(done)](Result<std::string> answer) {
        if (answer && asked->ordered && restart(asked->pipeline))
          answer->insert(answer->rfind('}'), ",\"restarted\":true");
        done(std::move(answer));
      });
}

void Supervisor::drain_all(Milliseconds at_most) {
  stopping_ = true;
  for (auto& [name, entry] : entries_) {
    discard(std::move(entry.next));
    if (entry.run != nullptr) entry.run->drain();
    // It will not be, so it has failed for good.
    if (std::exchange(entry.again, nullptr) != nullptr)
      setup_.on_end({.name = name, .status = fail(ErrorKind::kUnavailable, entry.failure)});
  }
  drain_timer_->start(
      at_most, [this, at_most] { stop_all("not drained within " + format_duration(at_most)); });
  check_idle();
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
