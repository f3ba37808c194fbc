#include "control/change.h"

#include <algorithm>
#include <set>

namespace leat {

bool Change::starts(const std::string& name) const {
  return std::ranges::find(added, name) != added.end() ||
         std::ranges::find(changed, name) != changed.end();
}

Change compute_change(const std::map<std::string, WantedPipeline>& wanted,
                      const std::vector<PipelineConfig>& fresh, bool all_change) {
  Change change;
  std::set<std::string> names;
  for (const PipelineConfig& one : fresh) {
    names.insert(one.name);
    auto known = wanted.find(one.name);
    if (known == wanted.end()) {
      change.added.push_back(one.name);
    } else if (all_change || known->second.ended || *known->second.config != one) {
      change.changed.push_back(one.name);
    } else {
      change.kept.push_back(one.name);
    }
  }
  for (const auto& [name, known] : wanted)
    if (!names.contains(name)) change.removed.push_back(name);
  return change;
}

}  // namespace leat
