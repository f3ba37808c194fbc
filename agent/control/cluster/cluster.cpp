#include "control/cluster/cluster.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "base/log.h"
#include "base/random.h"
#include "base/units.h"

namespace leat::cluster {
namespace {

// Among the positions of the agent itself, whose pipeline is "".
constexpr std::string_view kInstance = "cluster:instance";
// How long the end of the agent waits for leases to be given back: others can wait for their end.
constexpr Milliseconds kLongestLeave{2'000};
// Of values in one exchange; more go in the next.
constexpr size_t kMostSaved = 4 * 1024 * 1024;

uint64_t new_session() {
  return random_number() >> 1 | 1;  // a bigint, and not 0
}

std::string text_at(const postgres::Row& row, size_t column) {
  return column < row.size() ? row[column].value_or("") : "";
}

std::string from_hex(std::string_view text) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  std::string out;
  for (size_t i = 0; i + 1 < text.size(); i += 2)
    out += static_cast<char>(digit(text[i]) << 4 | digit(text[i + 1]));
  return out;
}

}  // namespace

std::unique_ptr<Leases> make_cluster(const Leases::Setup& setup) {
  return std::make_unique<Cluster>(setup);
}

Cluster::Cluster(Setup setup)
    : setup_(std::move(setup)),
      tick_timer_(setup_.loop),
      retry_timer_(setup_.loop),
      end_timer_(setup_.loop),
      changed_timer_(setup_.loop),
      leave_timer_(setup_.loop) {}

// --- as it is configured ------------------------------------------------------------------------

void Cluster::set(const std::optional<ClusterConfig>& config, const std::string& agent) {
  if (config == config_ && (!config || agent == me_.agent)) return;
  if (config_) lose_all("agent.cluster is another by now");
  config_ = config;
  link_.reset();
  wanted_.clear();
  of_.clear();
  members_.clear();
  unsaved_.clear();
  errands_.clear();
  to_release_.clear();
  shared_.clear();
  to_retry_.clear();
  joined_ = false;
  refused_.clear();
  outage_.over();
  for (Timer* timer : {&tick_timer_, &retry_timer_, &end_timer_}) timer->stop();
  if (!config_) return tell_changed();
  me_ = {.group = config_->group,
         .agent = agent,
         .instance = me_.instance,
         .session = new_session(),
         .lease = config_->lease};
  Result<std::unique_ptr<Link>> link = Link::make(setup_.loop, config_->options, me_.lease / 3);
  if (!link) {
    refused_ = link.error().message();
    log::error("cluster", refused_);  // words elsewhere
    return tell_changed();
  }
  link_ = std::move(*link);
  tick_due_ = true;
  if (me_.instance.empty()) return load_instance();
  go_on();
}

// Which data folder this is: made once.
void Cluster::load_instance() {
  setup_.journal.load("", lifetime_.guard([this](const Result<std::vector<SavedPosition>>& saved) {
    if (saved)
      for (const SavedPosition& one : *saved)
        if (one.partition == kInstance) me_.instance = one.value;
    if (me_.instance.empty()) {
      me_.instance = std::to_string(random_number());
      setup_.journal.commit(
          "", {{std::string(kInstance), me_.instance}}, [](const Status&) {},
          JournalClient::Durability::kPower);
    }
    go_on();
  }));
}

// --- what is asked of it ------------------------------------------------------------------------

void Cluster::want(const std::string& pipeline) {
  if (!config_ || !wanted_.insert(pipeline).second) return;
  tick_due_ = true;
  go_on();
}

uint64_t Cluster::fence(const std::string& pipeline) const {
  auto found = held_.find(pipeline);
  return found == held_.end() ? 0 : found->second;
}

void Cluster::save(const std::string& pipeline, std::vector<SavedPosition> positions) {
  const uint64_t now = fence(pipeline);
  if (now == 0 || positions.empty()) return;
  Unsaved& unsaved = unsaved_[pipeline];
  if (std::exchange(unsaved.fence, now) != now) unsaved.values.clear();
  for (SavedPosition& one : positions) unsaved.values[one.partition] = std::move(one.value);
  go_on();
}

void Cluster::release(const std::string& pipeline) {
  give_back(pipeline, {});
}

void Cluster::settle(const std::string& task, bool done, const std::string& reason,
                     uint64_t records) {
  give_back(task,
            {.state = std::string(done ? kDone : kFailed), .reason = reason, .records = records});
}

void Cluster::give_back(const std::string& name, Outcome outcome) {
  wanted_.erase(name);
  of_.erase(name);
  std::erase(to_load_, name);
  if (auto found = held_.find(name); found != held_.end()) {
    to_release_.push_back({{name, found->second}, std::move(outcome)});
    held_.erase(found);
    if (!shared_.empty()) tick_due_ = true;  // another may be taken, or all are done
  }
  tell_changed();
  go_on();
}

void Cluster::share(const std::string& job, std::vector<std::string> names, size_t most) {
  if (!config_) return;
  if (names.empty()) {
    shared_.erase(job);
    return;
  }
  Shared& shared = shared_[job];
  std::set<std::string> wanted(std::make_move_iterator(names.begin()),
                               std::make_move_iterator(names.end()));
  if (shared.names == wanted && shared.most == most) return;
  shared.names = std::move(wanted);
  shared.most = most;
  tick_due_ = true;
  go_on();
}

void Cluster::retry(const std::string& job) {
  to_retry_.insert(job);
}

const std::vector<SharedTask>& Cluster::tasks(const std::string& job) const {
  static const std::vector<SharedTask> kNone;
  auto found = shared_.find(job);
  return found == shared_.end() ? kNone : found->second.tasks;
}

void Cluster::send(const std::string& name, Errand errand) {
  if (!joined_ || !errands_.try_emplace(name, std::move(errand)).second) return;
  go_on();
}

void Cluster::next_errand() {
  const std::string name = errands_.begin()->first;
  ask(errands_.begin()->second.sql, [this, name](const Rows& rows) {
    auto found = errands_.find(name);
    if (found == errands_.end()) return;  // the session was lost
    const auto then = std::move(found->second.then);
    errands_.erase(found);
    tell_changed();
    then(rows);
  });
}

void Cluster::read(const std::string& task, Read done) {
  send("read " + task, {load_sql(me_, task), [done = std::move(done)](const Rows& rows) {
                          std::vector<SavedPosition> saved;
                          for (const postgres::Row& row : rows)
                            saved.push_back({text_at(row, 1), from_hex(text_at(row, 2))});
                          done(std::move(saved));
                        }});
}

void Cluster::open_run(const std::string& job, bool anew) {
  send("open " + job,
       {open_run_sql(me_, {job, fence(job)}, anew), [this](const Rows&) { tick_due_ = true; }});
}

void Cluster::close_run(const std::string& job) {
  send("close " + job,
       {close_run_sql(me_, {job, fence(job)}), [this](const Rows&) { tick_due_ = true; }});
}

size_t Cluster::held_of(const Shared& shared) const {
  return static_cast<size_t>(std::ranges::count_if(
      held_, [&shared](const auto& one) { return shared.names.contains(one.first); }));
}

bool Cluster::is_wanted(const std::string& name) const {
  return wanted_.contains(name) || std::ranges::any_of(shared_, [&name](const auto& one) {
           return one.second.names.contains(name);
         });
}

std::vector<Wanted> Cluster::all_wanted() const {
  std::vector<Wanted> out;
  Wanted single;
  for (const std::string& one : wanted_)
    if (!held_.contains(one)) single.names.push_back(one);
  single.most = single.names.size();
  if (!single.names.empty()) out.push_back(std::move(single));
  for (const auto& [job, shared] : shared_) {
    const size_t held = held_of(shared);
    out.push_back({.job = job,
                   .names = {shared.names.begin(), shared.names.end()},
                   .most = shared.most > held ? shared.most - held : 0,
                   .retry = to_retry_.contains(job),
                   .tell = true});
  }
  return out;
}

void Cluster::read_task(const postgres::Row& row) {
  using State = SharedTask::State;
  SharedTask task{.name = text_at(row, 1), .agent = text_at(row, 2)};
  const std::string state = text_at(row, 3);
  const bool there = text_at(row, 4) == "t";
  task.state = state == kDone       ? State::kDone
               : state == kFailed   ? State::kFailed
               : there              ? State::kRunning
               : task.agent.empty() ? State::kWaiting
                                    : State::kReassigning;
  task.records = std::strtoull(text_at(row, 5).c_str(), nullptr, 10);
  task.reason = text_at(row, 6);
  for (auto& [job, shared] : shared_)
    if (task.name.starts_with(job + "~")) shared.tasks.push_back(task);
}

std::string Cluster::why(const std::string& pipeline) const {
  if (!refused_.empty()) return refused_;
  if (!joined_ && outage_.lasts())
    return "the database of agent.cluster is away: " + outage_.reason();
  auto found = of_.find(pipeline);
  return found == of_.end() || found->second == me_.agent ? "" : "runs on " + found->second;
}

bool Cluster::in_trouble() const {
  return config_ && (!refused_.empty() || (!joined_ && outage_.lasts()));
}

bool Cluster::busy() const {
  return joined_ && (!unsaved_.empty() || !errands_.empty() || !to_release_.empty());
}

std::optional<ClusterStatus> Cluster::status() const {
  if (!config_) return std::nullopt;
  ClusterStatus out{.group = me_.group, .joined = joined_};
  out.members = members_;
  out.reason = !refused_.empty() ? refused_ : outage_.lasts() ? outage_.reason() : "";
  for (const auto& [pipeline, fence] : held_) out.holds.push_back(pipeline);
  return out;
}

void Cluster::tell_changed() {
  changed_timer_.start_next_turn([this] {
    setup_.changed();
    if (std::exchange(was_busy_, busy()) && !busy()) setup_.quiet();
  });
}

// --- one exchange after the other ---------------------------------------------------------------

void Cluster::go_on() {
  if (link_ == nullptr || link_->busy() || me_.instance.empty() || left_) return;
  was_busy_ = was_busy_ || busy();
  if (retry_timer_.active()) return;
  if (tick_due_ && !leaving_ && (renew_due_ || !joined_)) return tick();
  if (!joined_) return;
  if (!to_load_.empty()) return load();
  if (!unsaved_.empty()) return save_next();
  if (!errands_.empty()) return next_errand();
  if (!to_release_.empty()) return release_next();
  if (tick_due_ && !leaving_) return tick();
  if (leaving_) return leave_now();
}

void Cluster::ask(const std::string& sql, std::function<void(Rows)> then) {
  link_->ask(sql, [this, then = std::move(then)](Result<Rows> rows) {
    if (!rows) return failed(rows.error());
    const auto call = then;
    call(std::move(*rows));
    go_on();
  });
}

// It is said once that it is away, and why, and that it is back.
void Cluster::failed(const Error& error) {
  const int64_t now = setup_.loop.clock().monotonic_us();
  const bool is_new = outage_.failed(error.message(), now);
  if (is_new)
    log::warn("cluster", "the database of agent.cluster does not answer, and is asked again: " +
                             error.message());
  tick_due_ = true;
  if (leaving_) return has_left();
  retry_timer_.start(std::min(outage_.delay(now), period() / 2), [this] { go_on(); });
  if (is_new) tell_changed();
}

void Cluster::well() {
  if (!outage_.lasts()) return;
  log::info("cluster", "the database of agent.cluster answers again, after " +
                           format_duration(outage_.lasted(setup_.loop.clock().monotonic_us())));
  outage_.over();
  tell_changed();
}

void Cluster::tick() {
  tick_due_ = renew_due_ = false;
  const Milliseconds sent = setup_.loop.now();
  ask(tick_sql(me_, !joined_, all_wanted()), [this, sent, session = me_.session](const Rows& rows) {
    if (session == me_.session) ticked(rows, sent);
  });
}

void Cluster::ticked(const Rows& rows, Milliseconds sent) {
  bool alive = false;
  std::map<std::string, uint64_t> now;
  members_.clear();
  of_.clear();
  for (auto& [job, shared] : shared_) shared.tasks.clear();
  std::erase_if(to_retry_, [this](const std::string& job) { return shared_.contains(job); });
  for (const postgres::Row& row : rows) {
    const std::string kind = text_at(row, 0);
    if (kind == kAlive) alive = true;
    if (kind == kHolds) now[text_at(row, 1)] = std::strtoull(text_at(row, 2).c_str(), nullptr, 10);
    if (kind == kOf) of_[text_at(row, 1)] = text_at(row, 2);
    if (kind == kTask) read_task(row);
    if (kind == kMember) members_.push_back(text_at(row, 1));
    if (kind == kClock)
      ahead_us_ =
          std::strtoll(text_at(row, 1).c_str(), nullptr, 10) - setup_.loop.clock().unix_us();
  }
  well();
  tick_timer_.start(period(), [this] {
    tick_due_ = renew_due_ = true;
    go_on();
  });
  const Milliseconds left = sent + me_.lease - me_.lease / 6 - setup_.loop.now();
  if (!alive) return not_let_in();
  if (left.count() <= 0) {  // it took so long that it is over by now
    tick_due_ = true;
    return;
  }
  if (!joined_) {
    log::info("cluster", "this agent, " + me_.agent + ", is in the group " + me_.group);
    refused_.clear();
    joined_ = true;
    tell_changed();
  }
  end_timer_.start(left, [this] { lose_all("the lease could not be renewed in time"); });
  holds(now);
  for (const auto& [job, shared] : shared_)
    setup_.loop.post(lifetime_.guard([this, job = job] { setup_.told(job); }));
}

// There is another agent of this id; or, where this one had a session, one with a copy of its data
// folder, or its renewal came late. It asks again when that one's lease may be over.
void Cluster::not_let_in() {
  const bool had = joined_;
  if (had) {
    lose_all("the lease was over before it was renewed");
    tick_due_ = false;
    tick_timer_.start(me_.lease, [this] {
      tick_due_ = true;
      go_on();
    });
  }
  std::string why = (had ? "an agent with the id \"" : "another agent with the id \"") + me_.agent +
                    "\" is in the group \"" + me_.group + "\"" +
                    (had ? ", and took this one's place" : "") + ": give each its own agent.id";
  if (std::exchange(refused_, why) == why) return;
  log::error("cluster", "not let into the group: " + refused_);
  tell_changed();
}

void Cluster::holds(const std::map<std::string, uint64_t>& now) {
  const std::map<std::string, uint64_t> before = held_;
  for (const auto& [pipeline, fence] : before)
    if (auto found = now.find(pipeline); found == now.end() || found->second != fence)
      lose(pipeline, "another agent of the group has it by now");
  for (const auto& [pipeline, fence] : now) {
    if (held_.contains(pipeline)) continue;
    const bool given_back = std::ranges::any_of(
        to_release_, [&pipeline](const ToRelease& one) { return one.lease.pipeline == pipeline; });
    if (given_back) continue;
    if (!is_wanted(pipeline)) {
      to_release_.push_back({{pipeline, fence}, {}});
      continue;
    }
    held_[pipeline] = fence;
    to_load_.push_back(pipeline);
  }
  tell_changed();
}

void Cluster::load() {
  const std::string pipeline = to_load_.front();
  ask(load_sql(me_, pipeline), [this, pipeline](const Rows& rows) {
    const bool still = !to_load_.empty() && to_load_.front() == pipeline;
    if (!still || fence(pipeline) == 0) return;
    to_load_.pop_front();
    LeaseGrant grant{
        .pipeline = pipeline, .fence = fence(pipeline), .first = rows.empty(), .positions = {}};
    for (const postgres::Row& row : rows)
      grant.positions.push_back({text_at(row, 1), from_hex(text_at(row, 2))});
    setup_.granted(std::move(grant));
  });
}

void Cluster::save_next() {
  const std::string pipeline = unsaved_.begin()->first;
  Unsaved& unsaved = unsaved_.begin()->second;
  const Lease lease{pipeline, unsaved.fence};
  std::vector<SavedPosition> now;
  for (size_t bytes = 0; !unsaved.values.empty() && bytes < kMostSaved;) {
    auto first = unsaved.values.begin();
    bytes += first->second.size();
    now.push_back({first->first, std::move(first->second)});
    unsaved.values.erase(first);
  }
  // What comes meanwhile is newer.
  auto keep = [this, lease, now, session = me_.session] {
    if (session != me_.session) return;
    Unsaved& again = unsaved_[lease.pipeline];
    again.fence = lease.fence;
    for (const SavedPosition& one : now) again.values.try_emplace(one.partition, one.value);
  };
  link_->ask(save_sql(me_, lease, now), [this, lease, keep](const Result<Rows>& rows) {
    if (!rows) {
      keep();
      return failed(rows.error());
    }
    const bool mine = !rows->empty() && text_at(rows->front(), 1) == "1";
    auto found = unsaved_.find(lease.pipeline);
    if (found != unsaved_.end() && (found->second.values.empty() || !mine)) unsaved_.erase(found);
    if (!mine && fence(lease.pipeline) == lease.fence)
      lose(lease.pipeline, "another agent of the group has it by now");
    tell_changed();
    go_on();
  });
}

void Cluster::release_next() {
  const Lease lease = to_release_.front().lease;
  ask(release_sql(me_, lease, to_release_.front().outcome), [this, lease](const Rows&) {
    std::erase_if(to_release_, [&lease](const ToRelease& one) {
      return one.lease.pipeline == lease.pipeline && one.lease.fence == lease.fence;
    });
    tell_changed();
  });
}

// --- the end ------------------------------------------------------------------------------------

void Cluster::lose(const std::string& pipeline, const std::string& why) {
  if (held_.erase(pipeline) == 0) return;
  wanted_.erase(pipeline);
  unsaved_.erase(pipeline);
  std::erase(to_load_, pipeline);
  setup_.loop.post(lifetime_.guard([this, pipeline, why] { setup_.lost(pipeline, why); }));
}

// Of the session nothing is left; the next one is another.
void Cluster::lose_all(const std::string& why) {
  end_timer_.stop();
  joined_ = false;
  me_.session = new_session();
  const std::map<std::string, uint64_t> before = held_;
  for (const auto& [pipeline, fence] : before) lose(pipeline, why);
  unsaved_.clear();
  errands_.clear();
  to_release_.clear();
  tick_due_ = true;
  if (!before.empty()) log::warn("cluster", why + ": what ran by it ends");
  tell_changed();
  tick_timer_.start(Milliseconds{0}, [this] { go_on(); });
}

bool Cluster::leave() {
  if (link_ == nullptr || left_ || !joined_) return true;
  if (!std::exchange(leaving_, true)) {
    leave_timer_.start(kLongestLeave, [this] { has_left(); });
    go_on();
  }
  return left_;
}

void Cluster::leave_now() {
  ask(leave_sql(me_), [this](const Rows&) { has_left(); });
}

void Cluster::has_left() {
  if (std::exchange(left_, true)) return;
  leave_timer_.stop();
  setup_.loop.post(lifetime_.guard([this] { setup_.quiet(); }));
}

}  // namespace leat::cluster
