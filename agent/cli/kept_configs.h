// The configurations that an agent has kept in its journal, where it does not run: the journal is
// opened here, for as long as this lives. Its lock keeps an agent out meanwhile.
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "control/config_versions.h"
#include "journal/journal.h"
#include "loop/loop.h"

namespace leat {

class KeptConfigs {
 public:
  // kUsage: there is no journal. kUnavailable: an agent has it.
  static Result<std::unique_ptr<KeptConfigs>> open(const Clock& clock, const std::string& data_dir);
  ~KeptConfigs();

  const ConfigVersions& versions() const { return versions_; }
  Status keep(ConfigVersion version);

 private:
  KeptConfigs(const Clock& clock, std::unique_ptr<Journal> journal);
  void serve();

  std::unique_ptr<Journal> journal_;
  std::unique_ptr<Loop> loop_;
  std::unique_ptr<JournalClient> client_;
  ConfigVersions versions_;
};

}  // namespace leat
