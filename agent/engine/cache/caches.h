// All caches of an agent, by name.
//
// Thread: the main loop's. Lifetime: the agent's.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "cache/cache.h"

namespace leat {

// Whether this build has the sink `cache`, and `lookup` in what it has put in.
#ifdef LEAT_WITH_CACHE
inline constexpr bool kCaches = true;
#else
inline constexpr bool kCaches = false;
#endif

class Caches {
 public:
  // Made when there is none of that name.
  std::shared_ptr<Cache> find(const std::string& name);
  // Those that nobody uses any more, and that have none of these names, are gone.
  void keep(const std::set<std::string>& names);
  // By name.
  std::vector<CacheStatus> status(Milliseconds now) const;

 private:
  std::map<std::string, std::shared_ptr<Cache>> caches_;
};

}  // namespace leat
