// What a peer has said of the records of deliveries that did not succeed as a whole, for sinks that
// send each record by itself: when the delivery is tried again, what the peer has is not sent once
// more, and what it refused is not offered again.
//
// Thread: the sink's loop.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <utility>
#include <vector>

#include "stage/sink.h"

namespace leat {

class SettledRecords {
 public:
  using Bad = std::pair<uint32_t, Why>;  // a record of a delivery, and why

  // The peer has it.
  bool has(const Record& record) const {
    return !delivered_.empty() && delivered_.contains(&record);
  }
  // Why the peer has refused it. Null: it has not.
  const Why* refusal(const Record& record) const;

  // A delivery that is through. `any_settled`: the peer has taken some of it, now or before. Those
  // that it refused are to blame where others get through, or when no more of it is sent
  // (`stopped`); else that is to be found out, and they stay in `refused`.
  Answer answer(const Delivery& delivery, std::vector<Bad> bad, std::vector<Bad>& refused,
                bool any_settled, bool stopped = false);

  // It is answered, not as delivered: `settled`, of its records, in order, are with the peer.
  void remember(const Delivery& delivery, const std::vector<uint32_t>& settled,
                const std::vector<Bad>& refused);
  // It was delivered.
  void forget(const Delivery& delivery);
  // By a peer in trouble, perhaps.
  void forget_refusals() { refused_.clear(); }

  // Bytes held, beside batches.
  size_t footprint() const {
    // A node of a hash table has about as much again beside what is in it.
    return delivered_.size() * 4 * sizeof(void*) + refused_.size() * 4 * sizeof(Refused);
  }

 private:
  struct Refused {
    BatchRef batch;
    Why why;
  };
  void forget_refused(const Delivery& delivery);

  // Batches are kept, so that the addresses of their records mean them.
  std::unordered_map<const Record*, BatchRef> delivered_;
  std::unordered_map<const Record*, Refused> refused_;
};

}  // namespace leat
