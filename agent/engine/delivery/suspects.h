// Whose fault a refusal is that may be about all that comes (an HTTP status): a record's, when
// others get through beside it; else the peer's, or the configuration's, and then rejecting what is
// refused would throw good data into the dead letters.
//
// So a record that is refused while it stands alone is set aside, and what lies behind it is tried.
// When something gets through, those set aside that are refused once more are to blame, and so are
// up to kMostBlamed that follow in the same delivery; after those, something must get through
// again. When nothing does, they are put back, and all of it waits: it is the peer.
//
// A record at which the peer breaks off each time is refused, too, in its way.
//
// These are the suspects of one delivery, in order. Pure: no I/O.
// Thread: the pipeline's loop thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "delivery/delivery_range.h"
#include "stage/sink.h"

namespace leat {

// A record that stands alone, and why it was refused.
struct Suspect {
  Piece piece;
  Why why;
};

class Suspects {
 public:
  // So many are rejected without that another gets through.
  static constexpr size_t kMostBlamed = 10;

  // The delivery was refused, and its records are tried in smaller parts and alone.
  void search() { searching_ = true; }
  bool any() const { return !set_aside_.empty(); }
  size_t size() const { return set_aside_.size(); }
  const std::vector<Suspect>& set_aside() const { return set_aside_; }

  // Whether so many records that are refused now are to blame.
  bool may_blame(size_t records) const { return may_blame_ >= records; }
  // As above; counts them.
  bool blames(size_t records) {
    if (!may_blame(records)) return false;
    may_blame_ -= records;
    return true;
  }
  void add(Piece piece, Why why) { set_aside_.push_back({std::move(piece), std::move(why)}); }
  // A record got through: takes out those that were set aside. They are asked once more, since it
  // may be just now that the peer is well again; what is refused then is to blame.
  std::vector<Suspect> ask_again() {
    if (searching_) may_blame_ = kMostBlamed + set_aside_.size();
    return std::exchange(set_aside_, {});
  }
  // To go on record by record is more than it is worth for now: twice as many the next time, until
  // each was tried, so that at last a good one behind many bad ones is found.
  bool enough() const { return size() >= kFewest << std::min<size_t>(rounds_, 16); }
  // Nothing gets through now: takes all out, to be put back before `rest`. `all`: each record of
  // the delivery was tried.
  std::vector<Suspect> acquit(bool all) {
    rounds_ = all ? 0 : rounds_ + 1;
    may_blame_ = 0;
    searching_ = false;
    return std::exchange(set_aside_, {});
  }

 private:
  static constexpr size_t kFewest = 16;
  std::vector<Suspect> set_aside_;
  size_t rounds_ = 0;
  size_t may_blame_ = 0;
  bool searching_ = false;
};

}  // namespace leat
