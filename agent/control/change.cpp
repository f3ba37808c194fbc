#include "control/change.h"

#include <set>

namespace leat {

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
