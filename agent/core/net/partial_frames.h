// The bytes of a stream between its reads: those of a frame that is not complete, or that was not
// taken yet.
//
// `consume(bytes)`: hands on the whole frames at the start of `bytes`, and gives how many bytes it
// is done with; it calls hold() when one was not taken.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace leat {

class PartialFrames {
 public:
  template <typename Consume>
  Status feed(std::string_view bytes, Consume consume) {
    if (holding_) {  // at most what one read of the socket brings: the caller has paused it
      pending_.append(bytes);
      return {};
    }
    if (!pending_.empty()) {
      pending_.append(bytes);
      return go_on(consume);
    }
    Result<size_t> used = consume(bytes);
    if (!used) return fail(used.error());
    pending_.assign(bytes.substr(*used));
    return {};
  }
  // After one was not taken: offers it, and what is behind it, again.
  template <typename Consume>
  Status go_on(Consume consume) {
    holding_ = false;
    Result<size_t> used = consume(std::string_view(pending_));
    if (!used) return fail(used.error());
    pending_.erase(0, *used);
    if (pending_.empty() && pending_.capacity() > kKept) std::string().swap(pending_);
    return {};
  }
  void hold() { holding_ = true; }
  bool holding() const { return holding_; }
  void reset() {
    std::string().swap(pending_);
    holding_ = false;
  }
  size_t footprint() const { return pending_.capacity(); }

 private:
  // A buffer larger than this is given back once it is empty.
  static constexpr size_t kKept = 64 * 1024;

  std::string pending_;
  bool holding_ = false;
};

}  // namespace leat
