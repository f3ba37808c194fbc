// What operators have said of pipelines by name: that one is mounted or unmounted, paused or
// stopped. It holds until they say otherwise, whatever happens to the configuration, the agent or
// the machine, so it is kept in the journal, as positions of the agent itself (its pipeline is
// called ""): partition "standing:NAME", value such as "mounted paused". Of what nobody said
// anything nothing is kept.
//
// Thread: the main loop's.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "journal/journal.h"

namespace leat {

enum class Activity {
  kRuns,     // as its configuration has it
  kPaused,   // until it is resumed
  kStopped,  // until it is started
};

struct Standing {
  std::optional<bool> mounted = {};  // none: as `mounted` of its configuration says
  Activity activity = Activity::kRuns;
  bool operator==(const Standing&) const = default;
};

std::string text_of(const Standing& standing);  // "": nothing was said
Standing standing_of(std::string_view text);

class Standings {
 public:
  explicit Standings(JournalClient& journal) : journal_(journal) {}

  // What is in the journal. After an error nothing was said of any.
  void load(std::function<void(Status)> done);
  Standing of(const std::string& pipeline) const;
  // What cannot be kept is logged; it holds until the agent ends.
  void set(const std::string& pipeline, const Standing& standing);

 private:
  JournalClient& journal_;
  std::map<std::string, Standing> all_;
};

}  // namespace leat
