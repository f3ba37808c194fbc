#include "control/config_manager.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "options/problem_words.h"

namespace leat {
namespace {

constexpr Milliseconds kAgain{1'000};  // a change is under way

std::string named(const ConfigVersion& version) {
  return "configuration version " + std::to_string(version.number);
}

}  // namespace

ConfigManager::ConfigManager(ConfigManagerSetup setup)
    : setup_(std::move(setup)),
      versions_(setup_.supervisor.journal()),
      timer_(std::make_unique<Timer>(setup_.supervisor.loop())) {}

// What it names (files, variables) may have changed.
Result<AgentConfig> ConfigManager::read_again(const ConfigVersion& version) const {
  Problems problems;
  std::optional<AgentConfig> config = setup_.read(version.text, problems);
  if (config) return *std::move(config);
  return fail(ErrorKind::kUsage, summary_of(problems));
}

// --- the start ----------------------------------------------------------------------------------

void ConfigManager::begin(WrittenConfig file, Done done) {
  data_dir_ = file.config.data_dir;
  workers_ = file.config.workers;
  policy_ = file.config.config_policy;
  versions_.load([this, file = std::move(file), done = std::move(done)](Status status) {
    if (!status)
      log::warn("config", "earlier configurations cannot be read: " + status.error().message());
    std::vector<ConfigVersion> died;
    for (const auto& [number, version] : versions_.all()) {
      if (version.state != ConfigState::kProbation) continue;
      died.push_back(version);
      died.back().state = ConfigState::kRolledBack;
      died.back().reason = "the agent died while it was on probation";
    }
    if (died.empty()) return choose(file, done);
    for (const ConfigVersion& version : died) {
      log::error("config", named(version) + " is taken back: " + version.reason);
      setup_.on_taken_back(named(version) + " is taken back: " + version.reason);
    }
    versions_.keep(std::move(died), [this, file, done](Status kept) {
      // Then it will be found so again.
      if (!kept) log::warn("config", "that cannot be kept: " + kept.error().message());
      choose(file, done);
    });
  });
}

// The file has not changed since it was taken over last.
bool ConfigManager::is_known_file(const std::string& text) const {
  const ConfigVersion* last = versions_.newest_of(ConfigOrigin::kFile);
  return last != nullptr && last->text == text;
}

// Which one runs in the place of the file; null: the file does.
const ConfigVersion* ConfigManager::version_before(const WrittenConfig& file) const {
  const ConfigVersion* newest = versions_.newest();
  if (newest == nullptr) return nullptr;
  const ConfigVersion* remote = versions_.newest_of(ConfigOrigin::kRemote);
  const bool known = is_known_file(file.text);
  const bool file_failed =
      known && versions_.newest_of(ConfigOrigin::kFile)->state == ConfigState::kRolledBack;
  switch (policy_) {
    case ConfigPolicy::kFile:
      return file_failed ? newest : nullptr;
    case ConfigPolicy::kRemote:
      if (remote != nullptr && newest->number >= remote->number) return newest;
      return known ? newest : nullptr;
    case ConfigPolicy::kNewest:
      break;
  }
  return known ? newest : nullptr;
}

void ConfigManager::choose(const WrittenConfig& file, const Done& done) {
  const bool usable = file.unusable.empty();
  for (const ConfigVersion* version = usable ? version_before(file) : versions_.newest();
       version != nullptr; version = versions_.good_before(version->number)) {
    if (usable && version->text == file.text && version->origin == ConfigOrigin::kFile)
      return start_with(file, *version, done);
    Result<AgentConfig> config = read_again(*version);
    if (!config) {
      log::error("config",
                 named(*version) + " cannot be used any more: " + config.error().message());
      continue;
    }
    if (!usable) {
      const std::string instead =
          named(*version) + " runs, from " + version->author + ": " + file.unusable;
      log::error("config", "the file cannot be used, " + instead);
      trouble_ = "the file cannot be used, " + instead;
      return start_with({version->text, std::move(*config)}, *version, done);
    }
    log::info("config", named(*version) + " runs, from " + version->author + ": " +
                            (version->origin == ConfigOrigin::kRemote
                                 ? (policy_ == ConfigPolicy::kRemote ? "as agent.config says"
                                                                     : "the file is older")
                                 : "what the file has now was taken back"));
    return start_with({version->text, std::move(*config)}, *version, done);
  }
  if (!usable) return done(fail(ErrorKind::kUsage, file.unusable));
  // Not kept before it is needed: most agents only ever have one.
  ConfigVersion version{.number = versions_.next_number(),
                        .text = file.text,
                        .origin = ConfigOrigin::kFile,
                        .author = "the file",
                        .staged_us = setup_.clock.unix_us()};
  // What somebody has put there since another one was good is on probation as it would be while
  // the agent runs.
  if (versions_.newest() != nullptr && !is_known_file(file.text))
    version.state = ConfigState::kInterrupted;
  start_with(file, std::move(version), done);
}

void ConfigManager::start_with(WrittenConfig chosen, ConfigVersion version, const Done& done) {
  running_is_kept_ = versions_.find(version.number) != nullptr;
  const bool tried_before = version.state == ConfigState::kInterrupted;
  running_ = std::move(version);
  running_config_ = std::move(chosen.config);
  running_config_.data_dir = data_dir_;
  running_config_.workers = workers_;
  say();
  setup_.supervisor.apply(running_config_,
                          [this, done, tried_before](const Result<Change>& change) {
                            started(tried_before, change);
                            done(change);
                            begun_ = true;
                            next();
                          });
}

// A probation that the end of the agent cut short begins anew.
void ConfigManager::started(bool tried_before, const Result<Change>& change) {
  if (!tried_before || !change) return;
  if (const ConfigVersion* good = versions_.good_before(running_.number)) {
    Result<AgentConfig> config = read_again(*good);
    if (config) base_ = std::make_unique<Base>(Base{*good, std::move(*config)});
  }
  if (base_ == nullptr) return settle();  // there is none to go back to
  running_.state = ConfigState::kProbation;
  keep(running_, "that it is on probation");
  probation_.emplace(*change, std::exchange(running_.delivered, {}));
  watch();
}

// --- a change -----------------------------------------------------------------------------------

void ConfigManager::reload(WrittenConfig file, Done done) {
  if (!std::exchange(trouble_, "").empty()) say();  // somebody has mended it
  Job job{.fresh = std::move(file), .author = "the file", .done = std::move(done)};
  job.prepare = [this](Job& its) -> Status {
    const bool stays = running_.origin == ConfigOrigin::kRemote &&
                       (policy_ == ConfigPolicy::kRemote || is_known_file(its.fresh.text));
    return stays ? read_running_again(its) : Status();
  };
  add(std::move(job));
}

// Instead of the file.
Status ConfigManager::read_running_again(Job& job) const {
  Result<AgentConfig> again = read_again(running_);
  if (!again) return fail(again.error());
  log::info("config", named(running_) + ", from " + running_.author + ", stays: " +
                          (policy_ == ConfigPolicy::kRemote ? "as agent.config says"
                                                            : "the file has not changed since") +
                          "; what it names is read again");
  job.fresh = {running_.text, std::move(*again)};
  job.origin = running_.origin;
  job.author = running_.author;
  return {};
}

void ConfigManager::change(WrittenConfig fresh, ConfigOrigin origin, std::string author,
                           Done done) {
  add({.fresh = std::move(fresh),
       .origin = origin,
       .author = std::move(author),
       .done = std::move(done)});
}

void ConfigManager::patch(MakeConfig make, std::string author, Done done) {
  Job job{.origin = ConfigOrigin::kRemote, .author = std::move(author), .done = std::move(done)};
  job.prepare = [this, make = std::move(make)](Job& its) -> Status {
    Result<WrittenConfig> made = make(running_);
    if (!made) return fail(made.error());
    its.fresh = std::move(*made);
    return {};
  };
  add(std::move(job));
}

void ConfigManager::roll_back(uint64_t to, std::string author, Done done) {
  Job job{.origin = ConfigOrigin::kRemote, .author = std::move(author), .done = std::move(done)};
  job.prepare = [this, to](Job& its) -> Status {
    const ConfigVersion* version =
        to == 0 ? versions_.good_before(running_.number) : versions_.find(to);
    if (version == nullptr)
      return fail(ErrorKind::kUsage,
                  to == 0 ? "there is no earlier configuration that was good"
                          : "there is no configuration version " + std::to_string(to));
    Result<AgentConfig> config = read_again(*version);
    if (!config) return fail(config.error());
    its.fresh = {version->text, std::move(*config)};
    its.author += ", back to version " + std::to_string(version->number);
    return {};
  };
  add(std::move(job));
}

// As it was at the start.
void ConfigManager::keep_fixed(AgentConfig& config) const {
  if (config.data_dir != data_dir_ || config.workers != workers_)
    log::warn("leat", "agent.dataDir and agent.workers change only with a restart");
  config.data_dir = data_dir_;
  config.workers = workers_;
}

void ConfigManager::add(Job job) {
  jobs_.push_back(std::move(job));
  if (begun_ && jobs_.size() == 1) next();
}

void ConfigManager::next() {
  if (jobs_.empty()) return;
  Job& job = jobs_.front();
  if (setup_.supervisor.stopping())
    return finish(fail(ErrorKind::kUnavailable, "the agent is about to stop"));
  if (job.prepare != nullptr)
    if (Status prepared = job.prepare(job); !prepared) return finish(fail(prepared.error()));
  keep_fixed(job.fresh.config);
  const bool same_text = job.origin == running_.origin && job.fresh.text == running_.text;
  // What a variable or a file stands for may have changed: that is another configuration, too.
  if (same_text && job.fresh.config != running_config_)
    job.author = running_.author + ", with what it names read again";
  else if (same_text)
    job.as_it_is = true;
  if (!job.as_it_is) return stage();
  applying_ = true;
  setup_.supervisor.apply(job.fresh.config, [this](const Result<Change>& change) {
    applying_ = false;
    if (change) running_config_ = std::move(jobs_.front().fresh.config);
    if (std::string why = ended_meanwhile(change); !why.empty()) take_back(why);
    finish(change);
  });
}

// What may be taken back is kept before it runs, and so is what it may be taken back to.
void ConfigManager::stage() {
  Job& job = jobs_.front();
  std::vector<ConfigVersion> versions;
  if (!running_is_kept_ || probation_) {
    versions.push_back(running_);
    if (probation_) versions.back().state = ConfigState::kReplaced;
  }
  job.version = {.number = std::max(versions_.next_number(), running_.number + 1),
                 .text = job.fresh.text,
                 .origin = job.origin,
                 .author = job.author,
                 .staged_us = setup_.clock.unix_us(),
                 .state = ConfigState::kProbation};
  versions.push_back(job.version);
  // Whatever becomes of it, this text runs at the next start: so it need not be on the disk first.
  if (job.origin == running_.origin && job.fresh.text == running_.text) {
    running_is_kept_ = true;
    versions_.keep(std::move(versions), [](const Status& status) {
      if (!status)
        log::warn("config",
                  "the new configuration is not kept in the journal: " + status.error().message());
    });
    return setup_.supervisor.snapshot([this](const Snapshot& before) { apply(before); });
  }
  versions_.keep(std::move(versions), [this](Status status) {
    if (!status && jobs_.front().origin == ConfigOrigin::kRemote)
      return finish(fail(status.error().kind(),
                         "it cannot be kept in the journal: " + status.error().message()));
    // A person is there, and it may be the cure.
    if (!status)
      log::warn("config",
                "the new configuration is not kept in the journal: " + status.error().message());
    running_is_kept_ = running_is_kept_ || status;
    setup_.supervisor.snapshot([this](const Snapshot& before) { apply(before); });
  });
}

void ConfigManager::apply(const Snapshot& before) {
  Base base{running_, running_config_};
  if (base_ != nullptr) base = *base_;
  applying_ = true;
  setup_.supervisor.apply(jobs_.front().fresh.config,
                          [this, before, base = std::move(base)](const Result<Change>& change) {
                            applied(before, base, change);
                          });
}

void ConfigManager::applied(const Snapshot& before, Base base, const Result<Change>& change) {
  applying_ = false;
  ConfigVersion version = jobs_.front().version;
  if (!change) {
    version.state = ConfigState::kRolledBack;
    version.reason = change.error().message();
    keep(std::move(version), "that it was not used");
    if (probation_) keep(running_, "that it is still on probation");
    if (std::string why = ended_meanwhile(change); !why.empty()) take_back(why);
    return finish(change);
  }
  timer_->stop();
  base_ = std::make_unique<Base>(std::move(base));
  ConfigVersion former = std::exchange(running_, std::move(version));
  running_config_ = std::move(jobs_.front().fresh.config);
  Probation probation(before, *change);
  if (probation_) probation.include(*probation_);
  const bool replaces = std::exchange(probation_, std::move(probation)).has_value();
  watch();
  former.state = ConfigState::kReplaced;
  if (replaces) tell_settled(former);
  tell(change);  // by which it may be refused
  if (probation_) {
    std::string failure = probation_->failure_of(*change);
    if (failure.empty()) failure = ended_meanwhile(change);
    if (!failure.empty()) {
      take_back(failure);
    } else if ((probation_->nothing_to_watch() && !setup_.watches()) ||
               base_->config.probation.count() == 0) {
      settle();
    }
  }
  jobs_.pop_front();
  next();
}

void ConfigManager::tell(const Result<Change>& change) {
  Done done = std::move(jobs_.front().done);
  done(change);
  if (change) setup_.on_change(*change);
}

void ConfigManager::finish(const Result<Change>& change) {
  tell(change);
  jobs_.pop_front();
  next();
}

// --- the probation ------------------------------------------------------------------------------

void ConfigManager::watch() {
  const Milliseconds time = base_->config.probation;
  until_ = setup_.supervisor.loop().now() + time;
  timer_->start(time, [this] { judge(); });
  say();
}

std::optional<Milliseconds> ConfigManager::probation_left() const {
  if (!probation_) return std::nullopt;
  return std::max(until_ - setup_.supervisor.loop().now(), Milliseconds{0});
}

void ConfigManager::judge() {
  if (applying_) return timer_->start(kAgain, [this] { judge(); });
  setup_.supervisor.snapshot([this, number = running_.number](const Snapshot& now) {
    if (!probation_ || running_.number != number) return;
    if (applying_) return judge();
    std::string why = probation_->verdict(now);
    if (why.empty()) why = setup_.verdict();
    if (!why.empty()) return take_back(why);
    settle();
    log::info("config", named(running_) + " is good: its probation is over");
  });
}

void ConfigManager::settle() {
  timer_->stop();
  probation_.reset();
  base_.reset();
  running_.state = ConfigState::kGood;
  keep(running_, "that it is good");
  say();
  tell_settled(running_);
}

void ConfigManager::when_settled(uint64_t version, std::function<void(const ConfigVersion&)> call) {
  const bool runs = version == running_.number;
  if (runs && probation_) {
    settling_.emplace(version, std::move(call));
  } else if (const ConfigVersion* found = runs ? &running_ : versions_.find(version)) {
    call(*found);
  }
}

void ConfigManager::tell_settled(const ConfigVersion& version) {
  while (auto waits = settling_.extract(version.number)) waits.mapped()(version);
}

bool ConfigManager::pipeline_ended(const PipelineEnd& end) {
  if (!probation_) return false;
  const std::string why = probation_->failure_of(end);
  if (why.empty()) return false;
  if (applying_) {
    ended_ = end;
  } else {
    take_back(why);
  }
  return true;
}

// What failed while another change was with the supervisor: to take one back then would be applied
// behind it. Nothing when that change has started it anew.
std::string ConfigManager::ended_meanwhile(const Result<Change>& change) {
  std::optional<PipelineEnd> ended = std::exchange(ended_, std::nullopt);
  if (!ended || !probation_ || (change && change->starts(ended->name))) return "";
  return probation_->failure_of(*ended);
}

void ConfigManager::refuse(const std::string& why) {
  if (probation_) take_back(why);
}

void ConfigManager::take_back(const std::string& why) {
  timer_->stop();
  probation_.reset();
  ConfigVersion failed = std::move(running_);
  std::unique_ptr<Base> base = std::move(base_);
  running_ = base->version;
  running_config_ = std::move(base->config);
  log::error("config", named(failed) + " is taken back, version " +
                           std::to_string(running_.number) + " runs again: " + why);
  setup_.on_taken_back(named(failed) + " is taken back: " + why);
  failed.state = ConfigState::kRolledBack;
  failed.reason = why;
  keep(failed, "that it was taken back");
  say();
  tell_settled(failed);
  setup_.supervisor.apply(running_config_, [this](const Result<Change>& change) {
    if (change) return setup_.on_change(*change);
    if (!setup_.supervisor.stopping())
      log::error("config", named(running_) + " cannot run again: " + change.error().message());
  });
}

void ConfigManager::end(bool by_itself) {
  setup_.supervisor.start_nothing_more();
  timer_->stop();
  if (probation_ && by_itself) settle();
  timer_.reset();
  if (!probation_) return;
  running_.state = ConfigState::kInterrupted;
  running_.delivered = probation_->delivered();
  keep(running_, "that its probation goes on");
  probation_.reset();  // a verdict may be on its way
}

void ConfigManager::keep(ConfigVersion version, const std::string& what) {
  versions_.keep({std::move(version)}, [what](const Status& status) {
    if (!status)
      log::warn("config", what + " cannot be kept in the journal: " + status.error().message());
  });
}

// For whoever asks how the agent is.
void ConfigManager::say() {
  setup_.supervisor.set_config_status({.version = running_.number,
                                       .origin = std::string(name_of(running_.origin)),
                                       .author = running_.author,
                                       .probation = probation_.has_value(),
                                       .trouble = trouble_});
}

}  // namespace leat
