// This agent as a member of its group (agent.cluster): leases in PostgreSQL.
//
// A member has one session with a time until which it is good by the database's clock, renewed
// every third of the lease; what it runs is good with it. By this machine's monotonic clock a
// session is good for the lease from the moment at which its renewal was sent, which is never
// longer than the database thinks; a sixth of that before it is over, whatever runs by it is told
// to end at once, so that it has ended when another agent begins. Should it not have (a process
// that was stopped), what it still saves carries a fencing number that is not the newest any more,
// and is not saved.
//
// A session that was lost does not come back: the next is another, and has nothing.
//
// Two agents of one id in one group: the second is not let in, and says so. An agent is known again
// by a number in its journal.
//
// Thread: the main loop's.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/backoff.h"
#include "base/lifetime.h"
#include "base/outage.h"
#include "control/cluster/cluster_sql.h"
#include "control/cluster/link.h"
#include "control/leases.h"
#include "loop/timer.h"

namespace leat::cluster {

class Cluster final : public Leases {
 public:
  explicit Cluster(Setup setup);

  void set(const std::optional<ClusterConfig>& config, const std::string& agent) override;
  void want(const std::string& pipeline) override;
  uint64_t fence(const std::string& pipeline) const override;
  void save(const std::string& pipeline, std::vector<SavedPosition> positions) override;
  void release(const std::string& pipeline) override;
  void share(const std::string& job, std::vector<std::string> names, size_t most) override;
  void retry(const std::string& job) override;
  const std::vector<SharedTask>& tasks(const std::string& job) const override;
  void read(const std::string& task, Read done) override;
  void open_run(const std::string& job, bool anew) override;
  void close_run(const std::string& job) override;
  void settle(const std::string& task, bool done, const std::string& reason,
              uint64_t records) override;
  std::string why(const std::string& pipeline) const override;
  bool in_trouble() const override;
  int64_t ahead_us() const override { return ahead_us_; }
  bool busy() const override;
  bool leave() override;
  std::optional<ClusterStatus> status() const override;

 private:
  struct Unsaved {
    uint64_t fence = 0;
    std::map<std::string, std::string> values;  // by partition
  };

  // A job of which tasks are taken.
  struct Shared {
    std::set<std::string> names;
    size_t most = 0;
    std::vector<SharedTask> tasks;
  };
  struct ToRelease {
    Lease lease;
    Outcome outcome;
  };

  // One exchange; what is asked twice is done once.
  struct Errand {
    std::string sql;
    std::function<void(const Rows&)> then;
  };

  void send(const std::string& name, Errand errand);
  void next_errand();
  std::vector<Wanted> all_wanted() const;
  size_t held_of(const Shared& shared) const;
  bool is_wanted(const std::string& name) const;
  void give_back(const std::string& name, Outcome outcome);
  void read_task(const postgres::Row& row);
  void load_instance();
  void go_on();
  void ask(const std::string& sql, std::function<void(Rows)> then);
  void tick();
  void ticked(const Rows& rows, Milliseconds sent);
  void not_let_in();
  void holds(const std::map<std::string, uint64_t>& now);
  void load();
  void save_next();
  void release_next();
  void leave_now();
  void has_left();
  void failed(const Error& error);
  void well();
  void lose(const std::string& pipeline, const std::string& why);
  void lose_all(const std::string& why);
  void tell_changed();
  Milliseconds period() const { return me_.lease / 3; }

  const Setup setup_;
  std::optional<ClusterConfig> config_;
  Me me_;
  std::unique_ptr<Link> link_;
  Timer tick_timer_;
  Timer retry_timer_;  // of what failed
  Timer end_timer_;    // of what runs by the session
  Timer changed_timer_;
  Timer leave_timer_;
  Outage outage_{Milliseconds{200}, Milliseconds{5'000}};
  bool joined_ = false;
  std::string refused_;  // why it is not let in; ""
  bool tick_due_ = false;
  bool renew_due_ = false;  // and that goes before all else
  int64_t ahead_us_ = 0;

  std::set<std::string> wanted_;
  std::map<std::string, uint64_t> held_;  // with their fences
  std::deque<std::string> to_load_;       // of these
  std::map<std::string, Unsaved> unsaved_;
  std::map<std::string, Errand> errands_;
  std::deque<ToRelease> to_release_;
  std::map<std::string, Shared> shared_;   // by job
  std::set<std::string> to_retry_;         // jobs
  std::map<std::string, std::string> of_;  // whose the wanted ones are
  std::vector<std::string> members_;
  bool was_busy_ = false;
  bool leaving_ = false;
  bool left_ = false;
  Lifetime lifetime_;
};

std::unique_ptr<Leases> make_cluster(const Leases::Setup& setup);

}  // namespace leat::cluster
