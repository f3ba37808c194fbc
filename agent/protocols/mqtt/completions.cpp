#include "protocols/mqtt/completions.h"

#include <algorithm>

namespace leat::mqtt {

void Completions::released(uint16_t id, bool known) {
  // The identifier of an unknown one is free already; after a lost connection that is normal.
  uint8_t reason = known ? kSuccess : kPacketIdNotFound;
  // Also one that is unknown only because its PUBREL came before on a lost connection waits for
  // that to be durable.
  if (known && durable_mode_) ++last_;
  queue_.push_back({last_, id, reason});
}

void Completions::formed(uint64_t offset) {
  if (last_ > safe_ && (formed_.empty() || formed_.back().number < last_))
    formed_.push_back({offset, last_});
}

void Completions::acked(uint64_t offset) {
  for (; !formed_.empty() && formed_.front().offset <= offset; formed_.pop_front())
    saved(formed_.front().number);
}

void Completions::saved(uint64_t mark) {
  safe_ = std::max(safe_, mark);
}

void Completions::append(std::string& out, Version version) {
  for (; !queue_.empty() && queue_.front().number <= safe_; queue_.pop_front())
    append_ack(out, version, PacketType::kPubcomp, queue_.front().id, queue_.front().reason);
}

}  // namespace leat::mqtt
