// Finds the files that patterns name: once, or with every change from then on.
//
// Looking is done on the pool, in pieces of a millisecond or so and one at a time, so that what is
// found is told in the order in which it was seen. With follow() nothing is polled: inotify tells
// which name to look at.
//
// Thread: the loop's.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/backoff.h"
#include "connectors/file/jobs.h"
#include "connectors/file/listing.h"
#include "loop/folder_watch.h"
#include "loop/handles.h"

namespace leat {

class Discovery {
 public:
  static constexpr Milliseconds kLookAgainMost{60'000};

  struct Listener {
    // Something was looked at: in a pass every path, else those that may have changed.
    std::function<void(std::vector<Found>)> found;
    // Everything was looked at but what is in these, which are tried again.
    std::function<void(const Unreadable&)> passed;
    // It waits for descriptors to be free.
    std::function<void()> shortage;
    // The file at `path` was written to. False when it is not known.
    std::function<bool(const std::string& path)> written;
    // True when there is a file of this name whose end is of interest.
    std::function<bool(const std::string& path)> known;
  };
  // `jobs` outlives this, and is stopped before it is destroyed. `look_again`: until a folder that
  // cannot be read is tried again, where nothing tells when it can be; then twice that, to a
  // minute.
  Discovery(Loop& loop, Jobs& jobs, std::vector<PathPattern> patterns, Milliseconds look_again,
            Listener listener);

  // Everything is looked at, and with `follow` what changes after that.
  void start(bool follow);
  void look(const std::string& path);
  const std::vector<PathPattern>& patterns() const { return patterns_; }

 private:
  void next();
  void begin_pass();
  void look_around();
  void go_on();
  void wait_for_descriptors();
  void passed(Unreadable unreadable);
  void look_at_some();
  void pass_soon();
  void changed(const std::string& path);
  void moved(const std::string& path);
  void add_links(const Found& found);

  Loop& loop_;
  Jobs& jobs_;
  const std::vector<PathPattern> patterns_;
  const Listener listener_;
  std::unique_ptr<FolderWatch> watch_;
  std::set<std::string> watched_;  // folders, by it
  Timer soon_;
  Timer shortage_;
  Timer again_;
  DoublingDelay again_after_;
  bool busy_ = false;                 // something is on the pool
  bool wanted_ = false;               // a pass
  std::unique_ptr<Listing> listing_;  // the pass under way
  Unreadable unreadable_;             // in the last pass
  Milliseconds pass_began_{0};
  Milliseconds pass_took_{0};
  std::set<std::string> looks_;  // to be looked at
  std::set<std::string> links_;  // to folders
  // Files that are links: their paths by the names on the way, and the other way round.
  std::multimap<std::string, std::string> behind_;
  std::map<std::string, std::vector<std::string>> ways_;
};

}  // namespace leat
