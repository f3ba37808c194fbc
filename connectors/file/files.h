// What a file sink writes to: one file (series_writer.h), or, where its path has fields, one for
// each path that the records have (partitions.h).
//
// Thread: one at a time (the pool); cancel() from any. It blocks.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "stage/sink.h"
#include "stage/slice_cursor.h"

namespace leat::file {

struct Times {
  int64_t unix_us;
  int64_t monotonic_us;
};

// What a delivery has for each file, as slices.
struct RoutedDelivery {
  struct Route {
    std::string path;          // "": the one there is
    std::string opening = {};  // what a file for these records begins with
  };
  std::vector<Route> routes;
  const Delivery* whole = nullptr;  // all of it for the one route, or else
  Delivery own;                     // a part for each
  std::optional<Answer> refused;    // instead of all that

  const std::string& key() const { return whole != nullptr ? whole->key : own.key; }
  SliceCursor of_route(size_t i) const {
    return whole != nullptr ? SliceCursor(*whole) : SliceCursor(own, i, i + 1);
  }
};

class Files {
 public:
  virtual ~Files() = default;

  // Tried again, with the same key, it writes nothing twice.
  virtual Answer write(const RoutedDelivery& delivery, Times now) = 0;
  // Finishes what is old enough.
  virtual Status rotate_if_old(Times now) = 0;
  // Finishes all there is, also what an earlier process left unfinished.
  virtual Status finish(Times now) = 0;
  // Behind finish(), when all of a source that ends is there.
  virtual Status tell_success() { return {}; }
  // When, by the monotonic clock, something becomes too old; none when nothing is to become so.
  virtual std::optional<int64_t> old_at_us() const = 0;
  // Bytes kept that more files make more.
  virtual size_t footprint() const { return 0; }

  // The delivery under way is taken back instead of committed.
  void cancel() { cancelled_ = true; }

 protected:
  std::atomic<bool> cancelled_{false};
};

}  // namespace leat::file
