#include "control/loop_load.h"

namespace leat {

LoopLoad::LoopLoad(const std::vector<std::unique_ptr<LoopHost>>& hosts) {
  for (const auto& host : hosts) loops_.push_back({host.get(), 0});
}

void LoopLoad::add(const LoopHost& host) {
  for (Loop& loop : loops_)
    if (loop.host == &host) ++loop.pipelines;
}

LoopHost& LoopLoad::choose(const LoopHost* where_it_is) {
  Loop* best = &loops_.front();
  for (Loop& loop : loops_) {
    bool at_home = loop.host == where_it_is && loop.pipelines == best->pipelines;
    if (loop.pipelines < best->pipelines || at_home) best = &loop;
  }
  ++best->pipelines;
  return *best->host;
}

}  // namespace leat
