// The configurations that ran here, numbered, in the journal: which one is to run after a restart,
// and what can be gone back to.
//
// They are kept when a running agent is given another configuration. One that starts with its file,
// as it always did, writes nothing: what it runs has a number, and is kept with the first change.
//
// In the journal each is a position of the agent itself (its pipeline is called ""): partition
// "config:NUMBER", value a JSON object. So they are salvaged as positions are.
//
// Thread: the main loop's.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "control/json_text.h"
#include "journal/journal.h"

namespace leat {

enum class ConfigOrigin { kFile, kRemote };

enum class ConfigState {
  kProbation,    // it runs, and may be taken back; at the start: the process died meanwhile
  kInterrupted,  // the agent ended in good order meanwhile: it is tried again at the start
  kGood,
  kRolledBack,  // it was taken back, or never came to run; `reason` says why
  kReplaced,    // another one came while it was on probation
};

// "rolledBack"
std::string_view name_of(ConfigState state);
std::string_view name_of(ConfigOrigin origin);

struct ConfigVersion {
  uint64_t number = 0;
  std::string text = {};  // as it was written, with ${…} as they are
  ConfigOrigin origin = ConfigOrigin::kFile;
  std::string author = {};  // the file, or who sent it
  int64_t staged_us = 0;    // unix
  ConfigState state = ConfigState::kGood;
  std::string reason = {};
  // kInterrupted: the pipelines that must deliver again (Probation).
  std::set<std::string> delivered = {};
};

// As commands show it, into an object. `runs`: it is the one that does.
void describe_version(cJSON* out, const ConfigVersion& version, bool runs);

class ConfigVersions {
 public:
  static constexpr size_t kKept = 10;  // good ones, and as many of the others

  explicit ConfigVersions(JournalClient& journal) : journal_(journal) {}

  // What is in the journal. After an error there is none.
  void load(std::function<void(Status)> done);
  const std::map<uint64_t, ConfigVersion>& all() const { return all_; }
  const ConfigVersion* find(uint64_t number) const;
  // The newest that may run: good, or interrupted. Null: none.
  const ConfigVersion* newest() const;
  const ConfigVersion* newest_of(ConfigOrigin origin) const;
  // The newest good one before `number`. Null: none.
  const ConfigVersion* good_before(uint64_t number) const;
  uint64_t next_number() const { return all_.empty() ? 1 : all_.rbegin()->first + 1; }

  // Keeps these as they are now, all or none, on the disk when `done` comes; the oldest go, but for
  // the last that came from the file: by that a file that has changed is known.
  void keep(std::vector<ConfigVersion> versions, std::function<void(Status)> done);

 private:
  JournalClient& journal_;
  std::map<uint64_t, ConfigVersion> all_;
};

}  // namespace leat
