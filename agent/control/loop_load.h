// Which loop a pipeline is to live on: the one with the fewest.
#pragma once

#include <memory>
#include <vector>

#include "control/loop_host.h"

namespace leat {

class LoopLoad {
 public:
  // In the order in which they are preferred, where they have as many.
  explicit LoopLoad(const std::vector<std::unique_ptr<LoopHost>>& hosts);

  // A pipeline is on it.
  void add(const LoopHost& host);
  // A loop for another. `where_it_is`: kept, when no other has fewer; null: it is nowhere.
  LoopHost& choose(const LoopHost* where_it_is = nullptr);

 private:
  struct Loop {
    LoopHost* host;
    size_t pipelines;
  };
  std::vector<Loop> loops_;
};

}  // namespace leat
