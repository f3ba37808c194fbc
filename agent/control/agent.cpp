#include "control/agent.h"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <utility>

#include "base/clock_sync.h"
#include "base/log.h"
#include "base/units.h"
#include "control/admin.h"
#include "control/commands/command.h"
#ifdef LEAT_CONTROL_TOPIC
#include "control/auth/key_watch.h"
#include "control/auth/sealing_key.h"
#include "control/topic/control_topic.h"
#include "control/topic/mqtt_link.h"
#endif
#ifdef LEAT_CLUSTER
#include "control/cluster/cluster.h"
#endif
#include "control/events/observer.h"
#include "control/process_setup.h"
#include "control/progress.h"
#include "control/service_manager.h"
#include "control/socket.h"
#include "control/spool_room.h"
#include "control/supervisor.h"
#include "loop/handles.h"
#include "loop/signals.h"

namespace leat {
namespace {

constexpr Milliseconds kStatusLinePeriod{250};
constexpr Milliseconds kProgressLogPeriod{10'000};
constexpr Milliseconds kUsageLogPeriod{86'400'000};
constexpr Milliseconds kTroubleStatusPeriod{10'000};
#ifdef LEAT_CONTROL_TOPIC
constexpr size_t kKeptLog = 32 * 1024;  // bytes, for log.tail
constexpr bool kTellsTrouble = true;
#else
constexpr bool kTellsTrouble = false;
#endif

// Between the supervisor and the world: signals, the service manager, the log, the exit code.
// Thread: the main loop's.
class Agent {
 public:
  Agent(WrittenConfig config, const AgentHooks& hooks)
      : file_(std::move(config)),
        first_(file_.config),
        hooks_(hooks),
        clock_(hooks.clock),
        service_(ServiceManager::of_process(hooks.env, clock_, ::getpid())),
        display_(::isatty(STDERR_FILENO) == 1) {}

  Result<ExitCode> run() {
    hold_signals();
    limit_process_memory();
    raise_descriptor_limit();
    Result<std::unique_ptr<Supervisor>> opened = Supervisor::open(supervisor_setup());
    if (!opened) return fail(opened.error());
    supervisor_ = std::move(*opened);
    say_start();
    std::string warning = spool_room_warning(first_.pipelines, first_.data_dir);
    if (!warning.empty()) log::warn("leat", warning);  // words elsewhere
    Result<std::vector<std::string>> spooled = supervisor_->spooled_pipelines();
    if (!spooled) log::error("leat", spooled.error().message());
    if (spooled) spooled_ = std::move(*spooled);
    supervisor_->begin();
    run_main_loop();
    return close();
  }

 private:
  SupervisorSetup supervisor_setup() {
    MakeLeases make_leases;
#ifdef LEAT_CLUSTER
    make_leases = cluster::make_cluster;
#endif
    return {.clock = clock_,
            .data_dir = first_.data_dir,
            .workers = first_.workers,
            .version = hooks_.version,
            .config_file = hooks_.config_file,
            .make_leases = std::move(make_leases),
            .on_change = [this] { changed(); },
            .tells_trouble = service_.listening() || kTellsTrouble,
            .on_end = [this](const PipelineEnd& end) { ended(end); },
            .on_idle = [this] { finish(); }};
  }

  void say_start() {
    std::string names;
    for (const PipelineConfig& one : first_.pipelines)
      names += (names.empty() ? ", pipelines " : ", ") + one.name;
    log::info("leat", "leat " + hooks_.version + " starts: configuration " + hooks_.config_file +
                          ", data folder " + first_.data_dir + ", agent " + first_.id + ", pid " +
                          std::to_string(::getpid()) + (names.empty() ? ", no pipelines" : names));
    for (const std::string& warning : hooks_.warnings)
      log::warn("config", warning);  // words elsewhere
  }

  // What is spooled under a name that is not configured any more would be forgotten in silence.
  void warn_of_orphans() {
    for (const PipelineConfig& one : supervisor_->config().pipelines)
      std::erase(spooled_, one.name);
    for (const std::string& name : spooled_)
      log::warn("leat",
                "the journal has spooled records of the pipeline \"" + name +
                    "\", which is not configured: configure it again to have them delivered");
  }

  void run_main_loop() {
    Loop& loop = supervisor_->loop();
    signals_ = std::make_unique<Signals>(loop, [this](int number) { signalled(number); });
    usage_timer_ = std::make_unique<Timer>(loop);
    usage_timer_->start_repeating(kUsageLogPeriod, [this] { say_usage(); });
    heartbeat_timer_ = std::make_unique<Timer>(loop);
    progress_timer_ = std::make_unique<Timer>(loop);
    ping_timer_ = std::make_unique<Timer>(loop);
    status_timer_ = std::make_unique<Timer>(loop);
    configs_ = std::make_unique<ConfigManager>(
        ConfigManagerSetup{.supervisor = *supervisor_,
                           .clock = clock_,
                           .read = hooks_.read,
                           .read_run = hooks_.read_run,
                           .show = hooks_.show,
                           .on_change = [this](const Change& change) { taken_over(change); },
                           .watches = [this] { return control_is_watched(); },
                           .verdict = [this] { return control_verdict(); },
                           .on_taken_back =
                               [this](const std::string& text) {
                                 supervisor_->events().add(EventKind::kConfigRolledBack, "", text);
                               }});
    observer_ =
        std::make_unique<Observer>(*supervisor_, first_.data_dir, Observer::real_machine(loop));
    targets_.emplace(control::Targets{.supervisor = *supervisor_,
                                      .configs = *configs_,
                                      .end = [this](bool again) { end(again); },
                                      .why_not_anew = hooks_.why_not_anew,
                                      .reload = [this] { reload(); }});
    if (auto socket = ControlSocket::open(loop, first_.data_dir, *targets_)) {
      socket_ = std::move(*socket);
    } else {
      log::warn("leat", "commands such as \"leat status\" cannot reach this agent: " +
                            socket.error().message());
    }
    configs_->begin(std::move(file_), [this](const Result<Change>& change) { began(change); });
    supervisor_->run();
    log::set_status_lines("");
    say_usage();
  }

  void began(const Result<Change>& change) {
    if (!change) {
      if (supervisor_->stopping()) return;
      unusable_config_ = fail(change.error());
      return;  // nothing runs, so it ends
    }
    warn_of_orphans();
    open_admin();
    begin_control();
    observer_->configured(supervisor_->config());
    watched_ = service_.listening();
    set_heartbeat();
    if (service_.ping_period().count() > 0)
      ping_timer_->start_repeating(service_.ping_period(), [this] { tell_service_manager(); });
  }

  // As it is configured now. False: it could be asked over TCP before, and not as that wants it.
  bool open_admin() {
    const std::optional<AdminConfig>& wanted = supervisor_->config().admin;
    if (admin_ != nullptr && wanted && admin_->config() == *wanted) return true;
    const bool was_open = admin_ != nullptr;
    // Who sends one by that way must be able to come again.
    const bool came_so = was_open && configs_->running().author.starts_with(kOverAdmin);
    if (!wanted) {
      admin_.reset();
      return !came_so;
    }
    const bool locked = came_so && std::ranges::none_of(wanted->tokens, [](const AdminToken& one) {
                          return may(one.role, Role::kConfigure);
                        });
    const std::string where = Address{.host = wanted->host, .port = wanted->port}.text();
    if (Status opened = change_admin(*wanted); !opened) {
      log::error("admin", "this agent cannot be asked at " + where + ": " +
                              opened.error().message() +
                              (admin_ ? "; as it was configured before, it can" : ""));
      return !was_open;
    }
    log::info("admin",
              std::string("listening on http") + (wanted->has_tls ? "s://" : "://") + where);
    return !locked;
  }

  // When the new one cannot be, the old one goes on. They may want the same port.
  Status change_admin(const AdminConfig& wanted) {
    Result<std::unique_ptr<Admin>> fresh = Admin::open(supervisor_->loop(), wanted, *targets_);
    if (!fresh) return fail(fresh.error());
    if (admin_) admin_->stop_listening();
    Status listens = (*fresh)->listen();
    if (listens)
      admin_ = std::move(*fresh);
    else if (admin_ && !admin_->listen())
      admin_.reset();
    return listens;
  }

  // --- commands from afar -----------------------------------------------------------------------

#ifdef LEAT_CONTROL_TOPIC
  const ControlConfig* wanted_control() const {
    const std::optional<ControlConfig>& control = supervisor_->config().control;
    log::keep_last(control ? kKeptLog : 0);
    return control ? &*control : nullptr;
  }

  void begin_control() {
    control_ = std::make_unique<control::ControlTopic>(control::ControlTopicSetup{
        .targets = *targets_,
        .make_link = control::mqtt_links(supervisor_->loop()),
        .clock_is_right = clock_is_synchronised,
        .public_key = [data_dir = first_.data_dir]() -> Result<std::string> {
          const Result<P256Key> key = control::sealing_key(data_dir);
          if (!key) return fail(key.error());
          return key->public_pem();
        },
        .on_command = [this](const std::string& key) { key_watch_.used(key); }});
    (void)watch_keys();  // of a probation that the end of the agent cut short
    control_->begin(supervisor_->config().id, wanted_control());
  }

  bool came_by_control() const {
    return configs_->running().author.starts_with(control::kOverControl);
  }

  // False: who has changed them could not configure any more.
  bool watch_keys() {
    const std::optional<ControlConfig>& now = supervisor_->config().control;
    const ConfigVersion* good = nullptr;
    if (configs_->probation_left() && came_by_control() && now)
      good = configs_->versions().good_before(configs_->running().number);
    Problems problems;
    std::optional<AgentConfig> before;
    if (good != nullptr) before = configs_->read(good->text, problems);
    if (!before || !before->control) {
      key_watch_.end();
      return true;
    }
    return key_watch_.begin(before->control->keys, now->keys);
  }

  // As it is configured now. False: who brought that by it cannot come again.
  bool set_control() {
    const std::string& id = supervisor_->config().id;
    const ControlConfig* wanted = wanted_control();
    const bool came_so = came_by_control();
    const bool keys_do = watch_keys();
    control_changed_ = control_->connected() && wanted != nullptr && !control_->is(id, wanted);
    control_must_return_ = control_changed_ || (came_so && wanted != nullptr);
    const Status set = control_->set(id, wanted);
    if (!set)
      log::error("control", "this agent cannot be commanded from afar as it is configured now: " +
                                set.error().message());
    return set && keys_do && (wanted != nullptr || !came_so);
  }

  bool control_is_watched() const {
    return control_changed_ || key_watch_.waits();
  }

  std::string control_verdict() const {
    if (!control_must_return_ || control_->connected()) return key_watch_.verdict();
    return "the connection of agent.control is away since then";
  }

  // It says goodbye before the loop stops.
  void quit() {
    if (control_ == nullptr) return supervisor_->quit();
    control_->close([this] { supervisor_->quit(); });
  }
#else
  void begin_control() {}
  bool set_control() {
    return true;
  }
  static bool control_is_watched() {
    return false;
  }
  static std::string control_verdict() {
    return "";
  }
  void quit() {
    supervisor_->quit();
  }
#endif

  // Everything on the loops, then the loops, then the journal's file.
  Result<ExitCode> close() {
    ExitCode code = unusable_ ? kExitUsage : failed_ ? kExitFailed : kExitDelivered;
    signals_.reset();
    socket_.reset();
    admin_.reset();
#ifdef LEAT_CONTROL_TOPIC
    control_.reset();
#endif
    observer_.reset();
    for (auto* timer :
         {&usage_timer_, &heartbeat_timer_, &progress_timer_, &ping_timer_, &status_timer_})
      timer->reset();
    Status journal;
    bool closed = supervisor_->close(journal);
    configs_.reset();
    if (!journal) {  // with what was spooled in it
      log::error("leat", journal.error().message());
      code = kExitFailed;
    }
    if (!unusable_config_) return fail(unusable_config_.error());
    if (restarting_) return kExitRestart;
    if (!closed) {
      // Work on the thread pool does not come back (a file on a share that is gone), and the end of
      // the process would wait for it. All that had to be written is written.
      std::fflush(nullptr);
      ::_exit(code);
    }
    return code;
  }

  // --- what is told of it -----------------------------------------------------------------------

  void changed() {
    tell_service_manager();
#ifdef LEAT_CONTROL_TOPIC
    if (control_ != nullptr) control_->changed();
#endif
    if (observer_) observer_->changed();
    if (!shows_progress() || progress_timer_->active()) return;
    Milliseconds period = display_.terminal() ? kStatusLinePeriod : kProgressLogPeriod;
    progress_timer_->start_repeating(period, [this] { show_progress(); });
  }

  // On a terminal somebody looks on.
  bool shows_progress() const {
    return display_.terminal() || supervisor_->runs_bounded();
  }

  // Starts it anew; without a period there is none.
  void set_heartbeat() {
    const Milliseconds period = supervisor_->config().heartbeat;
    if (period.count() == 0 || display_.terminal()) return heartbeat_timer_->stop();
    heartbeat_timer_->start_repeating(period, [this] {
      supervisor_->snapshot([this](const Snapshot& snapshot) {
        for (const auto& [pipeline, line] : heartbeat_.lines(snapshot))
          log::info(pipeline, line);  // words elsewhere
      });
    });
  }

  void show_progress() {
    if (!shows_progress()) return progress_timer_->stop();
    if (std::exchange(showing_, true)) return;
    supervisor_->snapshot([this](const Snapshot& snapshot) {
      showing_ = false;
      display_.show(snapshot);
    });
  }

  // The first answer comes when every pipeline has been started.
  void tell_service_manager() {
    if (!watched_) return;
    asked_again_ = asking_;
    if (std::exchange(asking_, true)) return;
    supervisor_->snapshot([this](const Snapshot& snapshot) {
      asking_ = false;
      if (!watched_) return;
      service_.alive(state_line(snapshot));
      // What is spooled meanwhile changes without a word.
      if (in_trouble(snapshot) && !ping_timer_->active())
        status_timer_->start(kTroubleStatusPeriod, [this] { tell_service_manager(); });
      if (asked_again_) tell_service_manager();
    });
  }

  void say_usage() {
    int64_t now = clock_.monotonic_us();
    const Milliseconds since{(now - usage_said_us_) / 1000};
    log::info("leat", supervisor_->usage().line(since));  // words elsewhere
    usage_said_us_ = now;
  }

  void say_state() {
    supervisor_->snapshot([](const Snapshot& snapshot) {
      log::info("leat", "state: " + count_line(snapshot));  // words elsewhere
      for (const PipelineSnapshot& pipeline : snapshot.pipelines)
        log::info(pipeline.name, "state: " + state_of(pipeline));  // words elsewhere
    });
  }

  void ended(const PipelineEnd& end) {
    if (!supervisor_->stopping()) return_free_memory();
    display_.remove(end.name);
    if (observer_) observer_->ended(end);
    std::string summary = summary_line(end.counters, end.elapsed);
    std::string again;
    if (end.again_in.count() > 0) again = "; started again in " + format_duration(end.again_in);
    if (end.status) return log::info(end.name, "done: " + summary + again);  // words elsewhere
    const Error& error = end.status.error();
    if (end.old_one_goes_on) {
      log::error(end.name,
                 "the new configuration is not used, the old one goes on: " + error.message());
      configs_->pipeline_ended(end);
      return;
    }
    if (end.told) return log::warn(end.name, error.message() + "; " + summary);
    log::error(end.name, "failed: " + error.message() + again + "; " + summary);
    if (configs_->pipeline_ended(end) || !again.empty() || end.own) return;
    // What the configuration asked for could not even be opened: a person must change it.
    const bool unusable = error.kind() == ErrorKind::kUsage && !end.counters.opened;
    (unusable ? unusable_ : failed_) = true;
  }

  void finish() {
    if (!unusable_config_) return quit();
    bool stopping = supervisor_->stopping();
    const std::vector<PipelineConfig>& all = supervisor_->config().pipelines;
    if (!stopping && std::ranges::all_of(all, &PipelineConfig::own))
      return log::info("leat", "no pipelines yet: " + hooks_.how_to_begin);
    // Nobody may be there to start it again.
    if (!stopping && configs_->running().origin == ConfigOrigin::kRemote)
      return log::info("leat", "all pipelines have ended, waiting for another configuration");
    if (supervisor_->flush_own()) return;
    if (!restarting_)
      service_.stopping(stopping ? "drained" : "all pipelines have ended", Milliseconds{0});
    watched_ = false;  // that was the last word
    if (std::exchange(finished_, true)) return;
    configs_->end(!stopping && !failed_ && !unusable_);
    quit();
  }

  // --- what it is told --------------------------------------------------------------------------

  void signalled(int number) {
    if (number == SIGHUP) return reload();
    if (number == SIGUSR1) return say_state();
    stop_requested(number == SIGINT ? "SIGINT" : "SIGTERM");
  }

  // By a command. Once it is to stop, it does not begin anew.
  void end(bool again) {
    if (again && supervisor_->stopping()) return;
    restarting_ = again;
    const Milliseconds timeout = supervisor_->config().drain_timeout;
    if (!again) service_.stopping("draining, for at most " + format_duration(timeout), timeout);
    supervisor_->drain_all(timeout);
  }

  // Over a restart that was asked for before, too.
  void stop_requested(const char* signal) {
    const bool restarted = std::exchange(restarting_, false);
    if (finished_) return;
    if (supervisor_->stopping() && !restarted) {
      log::warn("leat", std::string(signal) + " again: stopping at once");
      service_.stopping("stopping at once", Milliseconds{0});
      return supervisor_->stop_all("stopped before everything was delivered");
    }
    Milliseconds timeout = supervisor_->config().drain_timeout;
    std::string draining = "draining, for at most " + format_duration(timeout);
    log::info("leat",
              std::string(signal) + ": " + draining +
                  "; a second one stops at once, and what is in flight then comes again, or is "
                  "lost where the source cannot give it again");
    service_.stopping(draining, timeout);
    supervisor_->drain_all(timeout);
  }

  void reload() {
    if (supervisor_->stopping() || !hooks_.reload) return;
    log::info("leat", "SIGHUP: reading the configuration again");
    service_.reloading();
    Result<WrittenConfig> fresh = hooks_.reload();
    if (!fresh) return refuse(fresh.error().message());
    configs_->reload(std::move(*fresh), [this](const Result<Change>& change) {
      if (!change && !supervisor_->stopping()) refuse(change.error().message());
    });
  }

  void refuse(const std::string& why) {
    log::error("leat", "the new configuration is not used, the old one goes on: " + why);
    service_.reload_refused(why);
  }

  void taken_over(const Change& change) {
    const bool asked = open_admin();
    const bool commanded = set_control();
    set_heartbeat();
    observer_->configured(supervisor_->config());
    supervisor_->events().add(EventKind::kConfigChanged, "",
                              "configuration version " +
                                  std::to_string(configs_->running().number) + " runs, from " +
                                  configs_->running().author);
    const std::string& id = supervisor_->config().id;
    const std::string former_id = std::exchange(id_, id);
    if (id != former_id)
      log::info("leat", "agent.id is \"" + id + "\" from now on, it was \"" + former_id + "\"");
    std::string outcome =
        "configuration taken over: " +  // logged: info
        format_count(change.added.size() + change.changed.size() - change.refused.size(),
                     "pipeline") +
        " (re)started, " + std::to_string(change.kept.size()) + " untouched";
    if (!change.refused.empty())
      outcome += ", " + std::to_string(change.refused.size()) + " with their old configuration";
    log::info("leat", outcome);  // words elsewhere
    service_.reload_done(outcome);
    if (!asked) configs_->refuse("the agent cannot be asked over TCP any more (agent.admin)");
    if (!commanded) configs_->refuse("who sent it could not send another any more (agent.control)");
  }

  WrittenConfig file_;  // at the start
  const AgentConfig first_;
  const AgentHooks& hooks_;
  const Clock& clock_;
  ServiceManager service_;
  ProgressDisplay display_;
  std::unique_ptr<Supervisor> supervisor_;
  std::unique_ptr<ConfigManager> configs_;
  std::optional<control::Targets> targets_;
  std::unique_ptr<Observer> observer_;
  std::vector<std::string> spooled_;  // pipelines that have something in the journal at the start
  std::string id_ = first_.id;
  std::unique_ptr<Signals> signals_;
  std::unique_ptr<ControlSocket> socket_;
  std::unique_ptr<Admin> admin_;
#ifdef LEAT_CONTROL_TOPIC
  control::KeyWatch key_watch_;
  std::unique_ptr<control::ControlTopic> control_;
#endif
  bool control_changed_ = false;      // by the last change, while it was connected
  bool control_must_return_ = false;  // after that
  std::unique_ptr<Timer> usage_timer_;
  Heartbeat heartbeat_;
  std::unique_ptr<Timer> heartbeat_timer_;
  std::unique_ptr<Timer> progress_timer_;  // while progress is shown
  std::unique_ptr<Timer> ping_timer_;      // when the service manager wants signs of life
  std::unique_ptr<Timer> status_timer_;    // else, while a pipeline is in trouble
  int64_t usage_said_us_ = clock_.monotonic_us();
  bool watched_ = false;  // by a service manager, and it has begun
  bool asking_ = false;   // how it is, for that
  bool asked_again_ = false;
  bool showing_ = false;
  Status unusable_config_;  // the first one
  bool restarting_ = false;
  bool finished_ = false;
  bool failed_ = false;
  bool unusable_ = false;
};

}  // namespace

Result<ExitCode> run_agent(WrittenConfig config, const AgentHooks& hooks) {
  Agent agent(std::move(config), hooks);
  return agent.run();
}

}  // namespace leat
