// Whose turn it is to be read. A file that has more to give goes to the end, so that a busy one
// lets the others pass; of compressed ones, which can only be left to be inflated from their start
// again, one after the other is read to its end.
//
// Thread: the loop's.
#pragma once

#include <deque>

#include "connectors/file/stream.h"

namespace leat {

class Turns {
 public:
  // Its turn will come, when it can be read and does not wait for it already.
  void add(const StreamRef& stream);
  // It is the next again: this turn came to nothing.
  void return_to_front(const StreamRef& stream);
  // Whose turn it is; null: nobody's. It stays its turn until take().
  StreamRef front();
  void take();
  // Nothing more is to be read of it.
  void ended(const StreamRef& stream);

 private:
  std::deque<StreamRef> ready_;
  std::deque<StreamRef> compressed_;  // wait for its end:
  StreamRef inflating_;
};

}  // namespace leat
