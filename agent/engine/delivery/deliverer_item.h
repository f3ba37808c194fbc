// What the deliverer knows of one delivery; for its own sources only.
#pragma once

#include <algorithm>
#include <deque>
#include <utility>
#include <vector>

#include "delivery/deliverer.h"
#include "delivery/suspects.h"

namespace leat {

inline void join(Piece& whole, Piece& piece) {
  whole.gaps = whole.gaps || piece.gaps;
  whole.cut_offs = std::max(whole.cut_offs, piece.cut_offs);
  for (size_t i = 0; i < piece.delivery.parts.size(); ++i) {
    const Part& part = piece.delivery.parts[i];
    whole.append(part.batch, part.first, part.count, std::move(piece.owed[i]));
  }
}

// One is tried again as it was.
inline Piece joined(std::vector<Suspect> suspects) {
  if (suspects.size() == 1) return std::move(suspects.front().piece);
  Piece whole;
  for (Suspect& one : suspects) join(whole, one.piece);
  return whole;
}

// One delivery from its first attempt to its position in the journal.
struct Deliverer::Item {
  uint64_t number = 0;        // of Cuts
  std::deque<Piece> todo;     // not delivered yet, in order; one until one is rejected
  Owed owed;                  // by what is done
  uint64_t dead_letters = 0;  // these must be durable before it is settled
  bool noted = false;         // where it ends, by Cuts
  Cuts::Spooled spooled;      // as it was noted before a restart
  bool sending = false;
  bool isolated = false;  // it was halved to find the record at which the peer breaks off
  int rounds = 0;         // in a row, in which nothing at all got through
  Suspects suspects;      // they lie before what is to do
  bool done() const { return todo.empty() && !suspects.any(); }
  // A record got through, perhaps since the peer is well again.
  void ask_suspects_again() {
    const bool several = suspects.size() > 1;
    Piece again = joined(suspects.ask_again());
    again.gaps = again.gaps || several;  // between them and what is to do
    if (again.records() > 0) todo.push_front(std::move(again));
  }
  // Until something else gets through, or time passes.
  bool stuck() const { return suspects.any() && (todo.empty() || suspects.enough()); }
  template <typename F>
  void each_piece(F&& f) const {
    for (const Suspect& one : suspects.set_aside()) f(one.piece);
    for (const Piece& piece : todo) f(piece);
  }
};

}  // namespace leat
