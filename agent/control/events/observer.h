// Finds out what happens to the pipelines and the machine, and puts it into the supervisor's
// EventFeed, while somebody listens there.
//
// What has no moment of its own (the disk, certificates, the clock, counters) is looked at once a
// minute, and only while a pipeline tells of it (agent.notify): an agent without one never wakes
// for it.
//
// Thread: the main loop's. Lifetime: not longer than the supervisor's.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "base/lifetime.h"
#include "control/snapshot.h"
#include "control/supervisor.h"
#include "loop/handles.h"

namespace leat {

class Observer {
 public:
  // How things are on the machine; tests have their own. What asks a disk answers later: one that
  // is slow holds nothing up.
  struct Machine {
    // Of the disk of a folder, 0 to 1.
    std::function<void(const std::string& folder, std::function<void(double)> then)> free_share;
    // When the certificate in a file ends, or, with `last`, the last of several; unix time. 0: not
    // known.
    std::function<void(const std::string& path, bool last, std::function<void(int64_t)> then)>
        certificate_end_us;
  };
  static Machine real_machine(Loop& loop);

  Observer(Supervisor& supervisor, std::string data_dir, Machine machine);
  ~Observer() { supervisor_.events().when_told(nullptr); }
  Observer(const Observer&) = delete;
  Observer& operator=(const Observer&) = delete;

  // A snapshot may be another one now.
  void changed();
  void ended(const PipelineEnd& end);
  // Another configuration runs.
  void configured(const AgentConfig& config);

 private:
  struct Known {
    PipelineState state = PipelineState::kEnded;
    bool seen = false;
    bool circuit_open = false;
    bool spool_full = false;
    uint64_t dead_letters = 0;
    uint64_t dropped = 0;
  };
  struct Certificate {
    std::string path;
    bool last = false;
    bool operator<(const Certificate& other) const { return path < other.path; }
  };

  void ask();
  void look(const Snapshot& snapshot);
  void look_at(const PipelineSnapshot& pipeline);
  void look_around();
  void look_at_clock();
  void look_at_disk();
  void found_free(double share);
  void look_at_certificates();
  void found_end(const std::string& path, int64_t end_us);
  void add_certificates(const Options& stage);
  int64_t clock_offset_us() const;
  void happened(EventKind kind, const std::string& pipeline, std::string text) {
    supervisor_.events().add(kind, pipeline, std::move(text));
  }

  Supervisor& supervisor_;
  const std::string data_dir_;
  const Machine machine_;
  std::map<std::string, Known> known_;
  std::set<std::string> failed_;
  std::set<Certificate> certificates_;
  int64_t offset_us_;
  bool disk_full_ = false;
  bool asking_ = false;
  bool asked_again_ = false;
  Timer slow_;
  Timer certificates_timer_;
  Timer soon_;  // something is on its way to another state without a word
  Lifetime lifetime_;
};

}  // namespace leat
