// How fast a spool fills, from how large it was a minute or two ago: rows come in leaps, and a rate
// that follows each of them says nothing about an hour.
//
// Thread: any; of one at a time.
#pragma once

#include <optional>

#include "base/units.h"

namespace leat {

class FillRate {
 public:
  // It holds so many bytes now. Called whenever something was stored.
  void note(Milliseconds now, uint64_t bytes) {
    if (!since_) since_ = latest_ = Mark{now, bytes};
    if (now - latest_->at < kWindow) return;
    since_ = latest_;
    latest_ = Mark{now, bytes};
  }
  // It is empty: what comes is another story.
  void clear() { since_ = latest_ = std::nullopt; }

  // When there will be `most` bytes if it goes on like this; nothing when it does not fill.
  std::optional<Milliseconds> full_in(Milliseconds now, uint64_t bytes, uint64_t most) const {
    if (!since_ || now - since_->at < kShortest || bytes <= since_->bytes) return std::nullopt;
    if (bytes >= most) return Milliseconds{0};
    const auto grown = static_cast<double>(bytes - since_->bytes);
    const auto took = static_cast<double>((now - since_->at).count());
    const double left = static_cast<double>(most - bytes) * took / grown;
    if (left > kLongest) return std::nullopt;
    return Milliseconds(static_cast<int64_t>(left));
  }

 private:
  static constexpr Milliseconds kWindow{60'000};
  static constexpr Milliseconds kShortest{1'000};
  static constexpr double kLongest = 1e12;  // thirty years
  struct Mark {
    Milliseconds at;
    uint64_t bytes;
  };
  std::optional<Mark> since_;
  std::optional<Mark> latest_;
};

}  // namespace leat
