#include "control/agent.h"

#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <set>
#include <utility>

#include "base/folder.h"
#include "base/log.h"
#include "control/change.h"
#include "control/loop_host.h"
#include "control/process_setup.h"
#include "control/progress.h"
#include "control/roll_call.h"
#include "control/service_manager.h"
#include "control/spool_room.h"
#include "journal/journal.h"
#include "loop/handles.h"
#include "loop/signals.h"
#include "pipeline/pipeline.h"

namespace leat {
namespace {

constexpr Milliseconds kStatusLinePeriod{250};
constexpr Milliseconds kProgressLogPeriod{10'000};
constexpr Milliseconds kUsageLogPeriod{86'400'000};
constexpr Milliseconds kTroubleStatusPeriod{10'000};

}  // namespace

// Everything but the pipelines themselves happens on the main host's loop.
class Agent {
 public:
  Agent(AgentConfig config, const AgentHooks& hooks)
      : config_(std::move(config)),
        hooks_(hooks),
        service_(ServiceManager::of_process(hooks.env, clock_, ::getpid())),
        display_(::isatty(STDERR_FILENO) == 1) {}

  Result<ExitCode> run() {
    hold_signals();
    if (Status status = prepare(); !status) return fail(status.error());
    if (Status status = make_pipelines(config_); !status) return fail(status.error());
    if (std::string warning = spool_room_warning(config_.pipelines, config_.data_dir);
        !warning.empty())
      log::warn("leat", warning);
    warn_of_orphans();
    journal_->start();
    for (size_t i = 1; i < hosts_.size(); ++i) hosts_[i]->start_thread();
    run_main_loop();
    ExitCode code = unusable_ ? kExitUsage : failed_ ? kExitFailed : kExitDelivered;
    bool closed = close();
    if (journal_lost_) code = kExitFailed;
    if (!closed) {
      // Work on the thread pool does not come back (a file on a share that is gone), and the end of
      // the process would wait for it. All that had to be written is written.
      std::fflush(nullptr);
      ::_exit(code);
    }
    return code;
  }

  ~Agent() { close(); }

 private:
  // What the main loop knows of a pipeline.
  struct Entry {
    PipelineConfig config;  // as wanted last
    bool wanted = true;
    LoopHost* host = nullptr;
    Pipeline* pipeline = nullptr;         // what runs now, owned by the host
    bool retiring = false;                // it is to end, for `next` or for good
    std::unique_ptr<Timer> retire_timer;  // until it has to
    std::unique_ptr<Pipeline> next;       // made by a reload, starts when that has ended
    std::string failure;                  // why it ended, when it should not have
    bool ended() const { return pipeline == nullptr && next == nullptr; }
  };

  LoopHost& main() { return *hosts_.front(); }

  void run_main_loop() {
    uv_loop_t* loop = main().loop();
    drain_timer_ = std::make_unique<Timer>(loop);
    exit_timer_ = std::make_unique<Timer>(loop);
    signals_ = std::make_unique<Signals>(loop, [this](int number) { signalled(number); });
    usage_timer_ = std::make_unique<Timer>(loop);
    usage_timer_->start_repeating(kUsageLogPeriod, [this] { say_usage(); });
    for (auto& [name, entry] : entries_) start(entry);
    tell_service_manager();
    if (running_ == 0) finish();
    main().run();
    log::set_status_line("");
    say_usage();
  }

  // The first roll call ends when every pipeline has been started.
  void tell_service_manager() {
    if (!service_.listening()) return;
    std::vector<LoopHost*> hosts;
    for (const auto& host : hosts_) hosts.push_back(host.get());
    roll_call_ =
        std::make_unique<RollCall>(std::move(hosts), troubles, [this](const auto& troubles) {
          service_.alive(state_line(running_, stopping_, with_failures(troubles)));
          // What is spooled meanwhile changes without a word.
          if (!troubles.empty() && ping_timer_ == nullptr)
            status_timer_->start(kTroubleStatusPeriod, [this] { refresh_status(); });
        });
    status_timer_ = std::make_unique<Timer>(main().loop());
    roll_call_->ask();
    if (service_.ping_period().count() == 0) return;
    ping_timer_ = std::make_unique<Timer>(main().loop());
    ping_timer_->start_repeating(service_.ping_period(), [this] { roll_call_->ask(); });
  }

  static std::vector<std::string> troubles(LoopHost& host) {
    std::vector<std::string> out;
    for (const auto& pipeline : host.pipelines)
      if (std::string line = trouble_line(pipeline->name(), pipeline->status()); !line.empty())
        out.push_back(std::move(line));
    return out;
  }

  std::vector<std::string> with_failures(std::vector<std::string> troubles) const {
    for (const auto& [name, entry] : entries_)
      if (!entry.failure.empty()) troubles.push_back(name + " failed: " + entry.failure);
    return troubles;
  }

  void refresh_status() {
    if (roll_call_) roll_call_->ask();
  }

  void say_usage() {
    int64_t now = clock_.monotonic_us();
    log::info("leat", usage_.line(Milliseconds((now - usage_said_us_) / 1000)));
    usage_said_us_ = now;
  }

  // What is spooled under a name that is not configured any more would be forgotten in silence.
  void warn_of_orphans() {
    Result<std::vector<std::string>> spooled = journal_->spooled_pipelines();
    if (!spooled) return log::error("leat", spooled.error().message());
    for (const std::string& name : *spooled)
      if (!entries_.contains(name))
        log::warn("leat",
                  "the journal has spooled records of the pipeline \"" + name +
                      "\", which is not configured: configure it again to have them delivered");
  }

  // Everything on the loops, then the loops, then the journal's file.
  bool close() {
    drain_timer_.reset();
    exit_timer_.reset();
    signals_.reset();
    usage_timer_.reset();
    ping_timer_.reset();
    status_timer_.reset();
    roll_call_.reset();
    entries_.clear();
    bool closed = true;
    for (; !hosts_.empty(); hosts_.pop_back()) closed &= hosts_.back()->close();
    if (journal_ != nullptr) {
      if (Status status = journal_->finish(); !status) {
        log::error("leat", status.error().message());
        journal_lost_ = true;
      }
    }
    journal_.reset();
    return closed;
  }

  Status prepare() {
    limit_process_memory();
    raise_descriptor_limit();
    if (Status folder = make_folder(config_.data_dir); !folder) return folder;
    // On a full disk dead letters wait for their folder, but nothing else does.
    Status folder = make_folder(config_.data_dir + "/dead-letters");
    if (!folder && folder.error().kind() != ErrorKind::kUnavailable) return folder;
    Result<std::unique_ptr<Journal>> journal = Journal::open(config_.data_dir + "/journal.db");
    if (!journal) return fail(journal.error());
    if (!folder) log::error("leat", folder.error().message());
    journal_ = std::move(*journal);
    for (int i = 0; i < std::max(1, config_.workers); ++i)
      hosts_.push_back(std::make_unique<LoopHost>(*journal_));
    return {};
  }

  PipelineEnvironment environment(LoopHost& host, const AgentConfig& config) {
    return {host.loop(),
            clock_,
            host.journal(),
            usage_,
            config.id,
            config_.data_dir,
            static_cast<size_t>(config.memory) / std::max<size_t>(config.pipelines.size(), 1),
            service_.listening() ? [this] { main().post([this] { refresh_status(); }); }
                                 : std::function<void()>()};
  }

  // Before any loop runs, so handles may be made from here for every loop.
  Status make_pipelines(const AgentConfig& config) {
    size_t next_host = 0;
    for (const PipelineConfig& one : config.pipelines) {
      LoopHost& host = *hosts_[next_host++ % hosts_.size()];
      Result<std::unique_ptr<Pipeline>> made = Pipeline::make(one, environment(host, config));
      if (!made) return fail(made.error().kind(), one.name + ": " + made.error().message());
      Entry& entry = entries_[one.name];
      entry.config = one;
      entry.host = &host;
      entry.pipeline = made->get();
      host.pipelines.push_back(std::move(*made));
    }
    return {};
  }

  void start(Entry& entry) {
    ++running_;
    LoopHost* host = entry.host;
    Pipeline* pipeline = entry.pipeline;
    host->post([this, host, pipeline] { start_on_host(*host, *pipeline); });
  }

  // --- on the pipeline's own loop ---

  void start_on_host(LoopHost& host, Pipeline& pipeline) {
    auto ticker = std::make_shared<std::unique_ptr<Timer>>();
    int64_t begun = clock_.monotonic_us();
    pipeline.start([this, &host, &pipeline, ticker, begun](Status status) {
      ticker->reset();
      Milliseconds elapsed((clock_.monotonic_us() - begun) / 1000);
      std::string line = summary_line(pipeline.status(), elapsed);
      std::string name = pipeline.name();
      std::erase_if(host.pipelines, [&pipeline](const auto& p) { return p.get() == &pipeline; });
      // Whoever takes the name over, on another loop perhaps, must find all that was asked of the
      // journal here done.
      host.journal().flush([this, name, line, status = std::move(status)] {
        main().post([this, name, line, status] { ended(name, line, status); });
      });
    });
    if (!pipeline.bounded()) return;
    *ticker = std::make_unique<Timer>(host.loop());
    Milliseconds period = display_.terminal() ? kStatusLinePeriod : kProgressLogPeriod;
    (*ticker)->start_repeating(period, [this, &pipeline, begun] {
      Milliseconds elapsed((clock_.monotonic_us() - begun) / 1000);
      main().post([this, name = pipeline.name(), status = pipeline.status(), elapsed] {
        if (entries_.contains(name)) display_.update(name, status, elapsed);
      });
    });
  }

  // --- on the main loop ---

  void ended(const std::string& name, const std::string& summary, const Status& status) {
    display_.remove(name);
    Entry& entry = entries_.at(name);
    if (status) {
      log::info(name, "done: " + summary);
    } else if (entry.retiring && !stopping_) {
      log::warn(name, status.error().message() + "; " + summary);
    } else {
      log::error(name, "failed: " + status.error().message() + "; " + summary);
      // What the configuration asked for could not even be opened: a person must change it.
      (status.error().kind() == ErrorKind::kUsage ? unusable_ : failed_) = true;
      entry.failure = status.error().message();
    }
    --running_;
    entry.pipeline = nullptr;
    entry.retiring = false;
    entry.retire_timer.reset();
    if (entry.next != nullptr && !stopping_) {
      adopt_next(entry);
    } else if (!entry.wanted) {
      entries_.erase(name);
    }
    refresh_status();
    if (running_ == 0) finish();
  }

  void finish() {
    // A turn later: a task that starts another pipeline may be on its way.
    exit_timer_->start(Milliseconds{0}, [this] {
      if (running_ > 0) return;
      if (!stopping_ && config_.pipelines.empty())
        return log::info("leat", "no pipelines yet: " + hooks_.how_to_begin);
      service_.stopping(stopping_ ? "drained" : "all pipelines have ended", Milliseconds{0});
      ping_timer_.reset();  // that was the last word
      status_timer_.reset();
      roll_call_.reset();
      uv_stop(main().loop());
    });
  }

  // The pipeline may end in the meantime, so it is looked up again on its own loop.
  static void on_its_loop(Entry& entry, const std::function<void(Pipeline&)>& call) {
    if (entry.pipeline == nullptr) return;
    entry.host->post([host = entry.host, wanted = entry.pipeline, call] {
      for (const auto& pipeline : host->pipelines)
        if (pipeline.get() == wanted) return call(*pipeline);
    });
  }

  void each_running(const std::function<void(Pipeline&)>& call) {
    for (auto& [name, entry] : entries_) on_its_loop(entry, call);
  }

  void signalled(int number) {
    if (number == SIGHUP) return reload();
    if (number == SIGUSR1) return say_state();
    stop_requested(number == SIGINT ? "SIGINT" : "SIGTERM");
  }

  void say_state() {
    log::info("leat", "state: " + state_line(running_, stopping_, {}));
    for (const auto& host : hosts_)
      host->post([&host] {
        for (const auto& pipeline : host->pipelines)
          log::info(pipeline->name(), "state: " + state_of(pipeline->status()));
      });
  }

  void stop_requested(const char* signal) {
    if (std::exchange(stopping_, true)) {
      log::warn("leat", std::string(signal) + " again: stopping at once");
      service_.stopping("stopping at once", Milliseconds{0});
      return abort_all("stopped before everything was delivered");
    }
    std::string draining = "draining, for at most " + format_duration(config_.drain_timeout);
    log::info("leat", std::string(signal) + ": " + draining);
    service_.stopping(draining, config_.drain_timeout);
    if (running_ == 0) return finish();
    drain_timer_->start(config_.drain_timeout, [this] {
      abort_all("not drained within " + format_duration(config_.drain_timeout));
    });
    each_running([](Pipeline& pipeline) { pipeline.drain(); });
  }

  void abort_all(const std::string& why) {
    each_running([why](Pipeline& pipeline) { pipeline.abort(why); });
  }

  void reload() {
    if (stopping_ || !hooks_.reload) return;
    log::info("leat", "SIGHUP: reading the configuration again");
    service_.reloading();
    Result<AgentConfig> fresh = hooks_.reload();
    if (!fresh) return refuse(fresh.error().message());
    if (fresh->data_dir != config_.data_dir || fresh->workers != config_.workers)
      log::warn("leat", "agent.dataDir and agent.workers change only with a restart");
    apply(std::move(*fresh));
  }

  void refuse(const std::string& why) {
    log::error("leat", "the new configuration is not used, the old one goes on: " + why);
    service_.reload_refused(why);
  }

  // Makes all that is new before it touches what runs, so that a configuration that cannot be made
  // changes nothing.
  void apply(AgentConfig fresh) {
    bool same_share =
        fresh.pipelines.size() == config_.pipelines.size() && fresh.memory == config_.memory;
    std::map<std::string, WantedPipeline> wanted;
    for (const auto& [name, entry] : entries_)
      if (entry.wanted) wanted[name] = {entry.config.text, entry.ended()};
    bool same_agent = fresh.id == config_.id;
    Change change = compute_change(wanted, fresh.pipelines, !same_share || !same_agent);

    std::set<std::string> kept(change.kept.begin(), change.kept.end());
    std::map<std::string, std::unique_ptr<Pipeline>> made;
    for (const PipelineConfig& one : fresh.pipelines) {
      if (kept.contains(one.name)) continue;
      // Handles are made on the thread of their loop, so what is new runs on the main one.
      Result<std::unique_ptr<Pipeline>> pipeline = Pipeline::make(one, environment(main(), fresh));
      if (!pipeline) return refuse(one.name + ": " + pipeline.error().message());
      made[one.name] = std::move(*pipeline);
    }
    if (!same_agent)
      log::info("leat",
                "agent.id is \"" + fresh.id + "\" from now on, it was \"" + config_.id + "\"");
    config_.id = std::move(fresh.id);
    config_.memory = fresh.memory;
    config_.drain_timeout = fresh.drain_timeout;
    for (const PipelineConfig& one : fresh.pipelines) {
      if (kept.contains(one.name)) continue;
      Entry& entry = entries_[one.name];
      entry.config = one;
      entry.wanted = true;
      entry.next = std::move(made[one.name]);
    }
    config_.pipelines = std::move(fresh.pipelines);
    for (const std::string& name : change.removed) {
      entries_[name].wanted = false;
      entries_[name].next.reset();
    }
    std::string outcome = "configuration taken over: " + std::to_string(made.size()) +
                          " pipelines (re)started, " + std::to_string(kept.size()) +
                          " go on untouched";
    log::info("leat", outcome);
    service_.reload_done(outcome);
    for (auto it = entries_.begin(); it != entries_.end();) {
      auto current = it++;
      Entry& entry = current->second;
      if (entry.pipeline != nullptr) {
        if (entry.next != nullptr || !entry.wanted) retire(entry);
      } else if (entry.next != nullptr) {
        adopt_next(entry);
      } else if (!entry.wanted) {
        entries_.erase(current);
      }
    }
    refresh_status();
    if (running_ == 0) finish();
  }

  // What cannot be delivered must not keep a new configuration out: it may be the cure. The time
  // runs from when it was first to end, however many configurations follow.
  void retire(Entry& entry) {
    if (std::exchange(entry.retiring, true)) return;
    on_its_loop(entry, [](Pipeline& pipeline) { pipeline.drain(); });
    entry.retire_timer = std::make_unique<Timer>(main().loop());
    entry.retire_timer->start(config_.drain_timeout, [&entry] {
      on_its_loop(entry, [](Pipeline& pipeline) {
        pipeline.abort("not drained in time for the new configuration");
      });
    });
  }

  void adopt_next(Entry& entry) {
    entry.failure.clear();
    entry.host = &main();
    entry.pipeline = entry.next.get();
    entry.host->pipelines.push_back(std::move(entry.next));
    start(entry);
  }

  AgentConfig config_;
  const AgentHooks& hooks_;
  SystemClock clock_;
  ServiceManager service_;
  JournalUsage usage_;
  std::unique_ptr<Journal> journal_;
  bool journal_lost_ = false;                     // with what was spooled in it
  std::vector<std::unique_ptr<LoopHost>> hosts_;  // the first is the main thread's
  std::map<std::string, Entry> entries_;
  ProgressDisplay display_;
  std::unique_ptr<RollCall> roll_call_;  // when a service manager listens
  std::unique_ptr<Timer> ping_timer_;    // when it wants signs of life
  std::unique_ptr<Timer> status_timer_;  // else, while a pipeline is in trouble
  std::unique_ptr<Timer> drain_timer_;
  std::unique_ptr<Timer> exit_timer_;
  std::unique_ptr<Signals> signals_;
  std::unique_ptr<Timer> usage_timer_;
  int64_t usage_said_us_ = clock_.monotonic_us();
  int running_ = 0;
  bool stopping_ = false;
  bool failed_ = false;
  bool unusable_ = false;
};

Result<ExitCode> run_agent(AgentConfig config, const AgentHooks& hooks) {
  Agent agent(std::move(config), hooks);
  return agent.run();
}

}  // namespace leat
