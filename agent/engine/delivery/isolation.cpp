#include "delivery/isolation.h"

namespace leat {
namespace {

constexpr int kCutOffsToIsolate = 3;
constexpr int kCutOffsToBlame = 3;
constexpr int kCutOffsToBlameWhatHasNoOther = 8;
// So many in a row without one that is delivered speak about the peer.
constexpr int kMostBlamed = 10;

}  // namespace

Isolation::Verdict Isolation::cut_off(size_t records, int cut_offs, bool isolated) {
  if (!isolated && cut_offs == 1) others_get_through_ = false;
  if (records == 0 || blamed_ >= kMostBlamed) return Verdict::kNotNow;
  if (records > 1)
    return isolated || cut_offs >= kCutOffsToIsolate ? Verdict::kHalve : Verdict::kNotNow;
  if (!others_get_through_ && cut_offs < kCutOffsToBlameWhatHasNoOther) return Verdict::kNotNow;
  if (cut_offs < kCutOffsToBlame) return Verdict::kOnceMore;
  ++blamed_;
  return Verdict::kReject;
}

}  // namespace leat
