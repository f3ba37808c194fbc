// A record at which the peer breaks off each time is no outage, though it looks like one, and
// everything behind it would wait for ever. So a delivery that was cut off in the middle a few
// times is halved until the record stands alone; when that is cut off a few times more, it is to
// blame.
//
// Whose fault a cut is shows only beside what gets through: where nothing has since the cuts began
// (it is the first of its delivery, or all of it), it takes more of them, over more time. And when
// nothing but records to blame has come for a while, it is the peer.
#pragma once

#include <cstddef>

namespace leat {

class Isolation {
 public:
  enum class Verdict {
    kNotNow,    // an accident so far: back off
    kOnceMore,  // soon: others get through
    kHalve,
    kReject,
  };

  // `cut_offs`: of these records, with this one. `isolated`: they are a part of a delivery that was
  // halved for this.
  Verdict cut_off(size_t records, int cut_offs, bool isolated);
  void delivered() {
    blamed_ = 0;
    others_get_through_ = true;
  }

 private:
  int blamed_ = 0;  // records, since one was delivered
  bool others_get_through_ = false;
};

}  // namespace leat
