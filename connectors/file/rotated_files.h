// Files whose name belongs to another file now. Others may have them open still, and write to them:
// each is let go when nothing has come for a while, and a last look finds nothing.
//
// Thread: the loop's.
#pragma once

#include <functional>
#include <vector>

#include "connectors/file/stream.h"
#include "loop/loop.h"

namespace leat {

class RotatedFiles {
 public:
  // `last_look` comes from the loop; InputStream::ending is set then.
  RotatedFiles(Loop& loop, Milliseconds wait, std::function<void(const StreamRef&)> last_look);

  void add(const StreamRef& stream);
  // It has given something, and is waited for anew. Does nothing for one that is not here.
  void grew(InputStream& stream);

 private:
  void wait();
  void look();
  int64_t due_us(const InputStream& stream) const {
    return stream.rotated_us + wait_.count() * 1000;
  }

  Loop& loop_;
  const Milliseconds wait_;
  const std::function<void(const StreamRef&)> last_look_;
  std::vector<StreamRef> files_;
  Timer timer_;
};

}  // namespace leat
