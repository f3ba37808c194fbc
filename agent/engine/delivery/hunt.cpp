#include "delivery/hunt.h"

namespace leat {
namespace {

constexpr int kCutsToHunt = 3;
constexpr int kCutsToBlame = 3;
constexpr int kCutsToBlameWhatHasNoOther = 8;
// So many in a row without one that is delivered speak about the peer.
constexpr int kMostBlamed = 10;

}  // namespace

Hunt::Verdict Hunt::cut(size_t records, int cuts, bool hunted) {
  if (!hunted && cuts == 1) others_get_through_ = false;
  if (records == 0 || blamed_ >= kMostBlamed) return Verdict::kNotNow;
  if (records > 1) return hunted || cuts >= kCutsToHunt ? Verdict::kHalve : Verdict::kNotNow;
  if (!others_get_through_ && cuts < kCutsToBlameWhatHasNoOther) return Verdict::kNotNow;
  if (cuts < kCutsToBlame) return Verdict::kOnceMore;
  ++blamed_;
  return Verdict::kReject;
}

}  // namespace leat
