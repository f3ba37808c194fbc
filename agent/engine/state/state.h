// What a transform remembers from batch to batch, as whoever saves it sees it (README.md).
//
// Thread: the pipeline's loop thread. Lifetime: its transform's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/units.h"

namespace leat {

class TransformState {
 public:
  virtual ~TransformState() = default;

  // Its type, and the options without which what was saved means something else: what another of
  // the same identity has saved can be loaded.
  virtual std::string identity() const = 0;
  // About how much save() would write: of what has changed since it was called last, and of all.
  // What has changed may be as much as all, when it is not known better.
  virtual size_t changed_bytes() const = 0;
  virtual size_t all_bytes() const = 0;
  // Appends what has changed since the last call, or all there is.
  virtual void save(std::string& out, bool all) = 0;
  // What save() wrote: all there was, and then each of the changes, in that order. Before run().
  virtual Status load(std::string_view saved) = 0;

  // When run() is to be called with a batch without records, on the loop's clock: at once, when
  // that has passed. Nothing: only when records come.
  virtual std::optional<Milliseconds> due() const { return std::nullopt; }
  // The input is at its end: what is held for more of it is to come out now (due()).
  virtual void end_of_input() {}

  // How many keys went for want of room.
  uint64_t evicted() const { return evicted_; }

  // The loop's clock, which does not jump. Before each run().
  void set_now(Milliseconds now) { now_ = now; }

 protected:
  Milliseconds now_{0};
  uint64_t evicted_ = 0;
};

// Thread: any.
inline constexpr std::string_view kStatePartition = "state:";
inline bool is_state(std::string_view partition) {
  return partition.starts_with(kStatePartition);
}

}  // namespace leat
