// Makes a configuration what runs, and the one before it again when it does not do: one mechanism
// for the file (SIGHUP), the API and what else may bring one.
//
// A new one is kept in the journal first (control/config_versions.h), then applied, then on
// probation: when it makes a pipeline fail, or one that delivered deliver nothing, the last good
// one returns by itself. So it does after the process died meanwhile, at its next start. At each
// moment the old one or the new one runs.
//
// Thread: the main loop's. Lifetime: not longer than the supervisor's.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "control/config_versions.h"
#include "control/probation.h"
#include "control/supervisor.h"
#include "loop/handles.h"
#include "options/problems.h"

namespace leat {

// A configuration as it was written, and what it means.
struct WrittenConfig {
  std::string text = {};
  AgentConfig config = {};
  // Of the file, at the start: why it means nothing. What was good last runs in its place, and
  // `config` is that.
  std::string unusable = {};
};

// What a text means, wherever it came from. Nullopt: `problems` has why.
using ReadConfigText =
    std::function<std::optional<AgentConfig>(const std::string& text, Problems& problems)>;

using ReadRunText =
    std::function<std::optional<AgentConfig>(const std::string& text, const std::string& pipeline,
                                             const RunParameters& parameters, Problems& problems)>;

struct ConfigManagerSetup {
  Supervisor& supervisor;
  const Clock& clock;
  ReadConfigText read = nullptr;
  // The same with these parameters in their places in `pipeline`, and nothing of the others.
  ReadRunText read_run = nullptr;
  // All that it amounts to, for people: without secrets. "" when it means nothing any more. Null:
  // not in this build.
  std::function<std::string(const std::string& text)> show = nullptr;
  // Another one runs, or the one before again. Not for the first; after whoever brought it was
  // answered, since this may close the connection by which it came.
  std::function<void(const Change&)> on_change = [](const Change&) {};
  // Of the change that was told last, whether something besides pipelines must show that it does;
  // and at the end of its probation why it does not, or "".
  std::function<bool()> watches = [] { return false; };
  std::function<std::string()> verdict = [] { return std::string(); };
  // One was taken back, or could not be used: why. It was told in the log.
  std::function<void(const std::string& text)> on_taken_back = [](const std::string&) {};
};

class ConfigManager {
 public:
  // What has become of the pipelines; the version is running().
  using Done = std::function<void(const Result<Change>&)>;

  explicit ConfigManager(ConfigManagerSetup setup);

  // At the start: applies the file or a version that came later, as `agent.config` of the file
  // says.
  void begin(WrittenConfig file, Done done);
  // SIGHUP: the file has been read again. Where a version that came later runs, and the file is the
  // same, that one is read again: what it names may have changed.
  void reload(WrittenConfig file, Done done);
  // Takes over another one, after those that are under way. kUnavailable: it cannot be kept, or the
  // agent is about to stop.
  void change(WrittenConfig fresh, ConfigOrigin origin, std::string author, Done done);
  // The same, by somebody, with what is made of the one that runs when the turn has come: what is
  // under way before it is not lost. What `make` fails of goes to `done`.
  using MakeConfig = std::function<Result<WrittenConfig>(const ConfigVersion& running)>;
  void patch(MakeConfig make, std::string author, Done done);
  // Makes an earlier version run again, as a new one; 0: the last good one before that which runs
  // when its turn has come.
  void roll_back(uint64_t to, std::string author, Done done);

  // True: it belongs to a change that has been taken back for it.
  bool pipeline_ended(const PipelineEnd& end);
  // Something else shows that the one on probation does not do. Nothing when none is.
  void refuse(const std::string& why);
  // Calls once, when this version is good, was taken back, or another one came while it was on
  // probation; at once when that is so already, and never when the agent ends before.
  void when_settled(uint64_t version, std::function<void(const ConfigVersion&)> call);
  // The agent ends, and nothing runs any more; `by_itself`: since all its work is done. What comes
  // until the loop stops is refused: kUnavailable.
  void end(bool by_itself);

  // The configuration of a run that is asked for (control/run_config.cpp). kUsage: it cannot be one
  // so; kFatal: there is no such pipeline.
  Result<PipelineConfig> run_of(const std::string& pipeline, const RunParameters& parameters) const;

  std::optional<AgentConfig> read(const std::string& text, Problems& problems) const {
    return setup_.read(text, problems);
  }
  std::string show(const std::string& text) const { return setup_.show ? setup_.show(text) : ""; }
  const ConfigVersion& running() const { return running_; }
  // Those that were kept; the running one may not be among them yet.
  const ConfigVersions& versions() const { return versions_; }
  std::optional<Milliseconds> probation_left() const;

 private:
  struct Job {
    WrittenConfig fresh = {};
    ConfigOrigin origin = ConfigOrigin::kFile;
    std::string author = {};
    Done done = nullptr;
    ConfigVersion version = {};
    bool as_it_is = false;  // the running version once more
    // In its turn, where it depends on what runs then: fills in the others.
    std::function<Status(Job&)> prepare = nullptr;
  };
  struct Base {
    ConfigVersion version;
    AgentConfig config;
  };

  Result<AgentConfig> read_again(const ConfigVersion& version) const;
  void choose(const WrittenConfig& file, const Done& done);
  const ConfigVersion* version_before(const WrittenConfig& file) const;
  bool is_known_file(const std::string& text) const;
  void start_with(WrittenConfig chosen, ConfigVersion version, const Done& done);
  void started(bool tried_before, const Result<Change>& change);
  Status read_running_again(Job& job) const;
  void add(Job job);
  void keep_fixed(AgentConfig& config) const;
  void next();
  void stage();
  void apply(const Snapshot& before);
  void applied(const Snapshot& before, Base base, const Result<Change>& change);
  void tell(const Result<Change>& change);
  void finish(const Result<Change>& change);
  void watch();
  void judge();
  void settle();
  void tell_settled(const ConfigVersion& version);
  std::string ended_meanwhile(const Result<Change>& change);
  void take_back(const std::string& why);
  void keep(ConfigVersion version, const std::string& what);
  void say();

  const ConfigManagerSetup setup_;
  ConfigVersions versions_;
  std::string data_dir_;  // of the file: these two stay as they were at the start
  int workers_ = 1;
  ConfigPolicy policy_ = ConfigPolicy::kNewest;
  ConfigVersion running_;
  AgentConfig running_config_;
  bool running_is_kept_ = false;
  std::string trouble_;  // with the file, which does not run
  bool begun_ = false;
  std::deque<Job> jobs_;              // the first is under way, once the first configuration runs
  bool applying_ = false;             // a change is with the supervisor
  std::optional<PipelineEnd> ended_;  // what failed meanwhile
  std::optional<Probation> probation_;
  std::unique_ptr<Base> base_;  // to which it goes back
  Milliseconds until_{0};       // the end of the probation, on the loop's clock
  std::unique_ptr<Timer> timer_;
  std::multimap<uint64_t, std::function<void(const ConfigVersion&)>> settling_;  // when_settled()
};

}  // namespace leat
