// The file by which a roll-out goes on after its program was ended.
//
// Any one thread.
#pragma once

#include <map>
#include <string>

#include "base/result.h"
#include "fleet/rollout.h"

namespace leat::fleet {

struct SavedRollout {
  std::string config_hash;  // of the configuration that is rolled out
  std::map<std::string, Member> members;

  bool operator==(const SavedRollout&) const = default;
};

// An empty one when the file is not there. Fails with kUsage when it is not such a file.
Result<SavedRollout> load_rollout(const std::string& path);
// At once the old or the new one is on the disk, never a part.
Status save_rollout(const std::string& path, const SavedRollout& rollout);

}  // namespace leat::fleet
