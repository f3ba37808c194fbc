#include "cache/caches.h"

namespace leat {

std::shared_ptr<Cache> Caches::find(const std::string& name) {
  std::shared_ptr<Cache>& cache = caches_[name];
  if (cache == nullptr) cache = std::make_shared<Cache>(name);
  return cache;
}

void Caches::keep(const std::set<std::string>& names) {
  std::erase_if(caches_, [&names](const auto& one) {
    return one.second.use_count() == 1 && !names.contains(one.first);
  });
}

std::vector<CacheStatus> Caches::status(Milliseconds now) const {
  std::vector<CacheStatus> out;
  for (const auto& [name, cache] : caches_) out.push_back(cache->status(now));
  return out;
}

}  // namespace leat
