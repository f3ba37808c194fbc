#include "fleet/rollout.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace leat::fleet {
namespace {

constexpr std::array<std::pair<Progress, std::string_view>, 7> kNames = {{
    {Progress::kWaiting, "waiting"},
    {Progress::kSent, "sent"},
    {Progress::kRunning, "on probation"},
    {Progress::kSucceeded, "succeeded"},
    {Progress::kFailed, "failed"},
    {Progress::kRolledBack, "rolled back"},
    {Progress::kSilent, "no answer"},
}};

int64_t microseconds(Milliseconds time) {
  return time.count() * 1000;
}

}  // namespace

std::string_view name_of(Progress progress) {
  return kNames[static_cast<size_t>(progress)].second;
}

std::optional<Progress> progress_named(std::string_view name) {
  for (const auto& [progress, its] : kNames)
    if (its == name) return progress;
  return std::nullopt;
}

bool is_failure(Progress progress) {
  return progress == Progress::kFailed || progress == Progress::kRolledBack ||
         progress == Progress::kSilent;
}

bool is_end(Progress progress) {
  return progress == Progress::kSucceeded || is_failure(progress);
}

Rollout::Rollout(Steps steps, std::map<std::string, Member> members,
                 std::function<std::string()> new_correlation)
    : steps_(steps), new_correlation_(std::move(new_correlation)), members_(std::move(members)) {
  for (const auto& [id, member] : members_) step_ = std::max(step_, member.step);
  judge();
}

void Rollout::online(const std::string& id, bool is) {
  online_[id] = is;
}

bool Rollout::answered(const std::string& id, Progress progress, const std::string& text) {
  auto found = members_.find(id);
  if (found == members_.end()) return false;
  Member& member = found->second;
  // A late answer is better than none.
  const bool open = member.progress == Progress::kSent || member.progress == Progress::kRunning ||
                    member.progress == Progress::kSilent;
  if (!open || progress == member.progress ||
      (progress == Progress::kRunning && member.progress == Progress::kSilent))
    return false;
  member.progress = progress;
  member.text = text;
  if (is_end(progress)) deadlines_us_.erase(id);
  judge();
  return true;
}

std::vector<std::string> Rollout::next(int64_t now_us) {
  for (auto& [id, member] : members_) {
    if (member.progress != Progress::kSent && member.progress != Progress::kRunning) continue;
    // Of one that was begun by a process before this one, from now on.
    auto [deadline, fresh] = deadlines_us_.try_emplace(id, now_us + microseconds(steps_.patience));
    if (deadline->second > now_us) continue;
    member.text = member.progress == Progress::kSent
                      ? "it did not answer within " + format_duration(steps_.patience)
                      : "its probation did not end within " + format_duration(steps_.patience);
    member.progress = Progress::kSilent;
    deadlines_us_.erase(deadline);
  }
  judge();
  if (on_its_way()) return {};
  if (!ended_us_) ended_us_ = now_us;
  if (!stopped_.empty() || (step_ > 0 && next_step_in(now_us)->count() > 0)) return {};

  std::vector<std::string> out;
  for (auto& [id, member] : members_) {
    if (out.size() == size_of_step()) break;
    if (member.progress != Progress::kWaiting || !online_[id]) continue;
    member.progress = Progress::kSent;
    member.step = step_ + 1;
    member.correlation = new_correlation_();
    deadlines_us_[id] = now_us + microseconds(steps_.patience);
    out.push_back(id);
  }
  if (out.empty()) return out;
  ++step_;
  ended_us_.reset();
  return out;
}

bool Rollout::over() const {
  if (on_its_way()) return false;
  if (!stopped_.empty()) return true;
  return std::ranges::none_of(members_, [this](const auto& one) {
    auto online = online_.find(one.first);
    return one.second.progress == Progress::kWaiting && online != online_.end() && online->second;
  });
}

std::optional<Milliseconds> Rollout::next_step_in(int64_t now_us) const {
  if (!ended_us_) return std::nullopt;
  const int64_t left = *ended_us_ + microseconds(steps_.wait) - now_us;
  return Milliseconds(std::max<int64_t>(0, (left + 999) / 1000));
}

bool Rollout::on_its_way() const {
  return std::ranges::any_of(members_, [](const auto& one) {
    return one.second.progress == Progress::kSent || one.second.progress == Progress::kRunning;
  });
}

size_t Rollout::failures() const {
  return static_cast<size_t>(std::ranges::count_if(
      members_, [](const auto& one) { return is_failure(one.second.progress); }));
}

size_t Rollout::size_of_step() const {
  if (step_ == 0) return std::max<size_t>(1, steps_.canary);
  if (steps_.count > 0) return steps_.count;
  const double share = std::ceil(steps_.share * static_cast<double>(members_.size()));
  return std::max<size_t>(1, static_cast<size_t>(share));
}

void Rollout::judge() {
  stopped_.clear();
  const bool canary_failed = std::ranges::any_of(members_, [](const auto& one) {
    return one.second.step == 1 && is_failure(one.second.progress);
  });
  if (canary_failed)
    stopped_ = "a gateway of the first step failed";
  else if (failures() > steps_.max_failures)
    stopped_ = format_count(failures(), "gateway") + " failed, and --max-failures is " +
               std::to_string(steps_.max_failures);
}

}  // namespace leat::fleet
