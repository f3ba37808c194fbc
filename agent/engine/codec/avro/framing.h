// Cuts a container file behind its header and behind blocks: where reading can go on after a
// restart.
#pragma once

#include "codec/avro/container.h"
#include "stage/codec.h"

namespace leat {

class AvroFraming final : public Framing {
 public:
  size_t complete_prefix(std::string_view bytes) const override;
  std::string_view terminator() const override { return ""; }
  bool may_begin_with_nul() const override { return true; }
  // Those of blocks.
  size_t first_longer(std::string_view records, size_t most) const override;
  // Behind the next marker.
  size_t behind_given_up(std::string_view bytes, size_t from, GivenUp& place) const override;
  // Bytes of this form are decoded, never passed through.
  Status split(Batch& batch, DeadLetters& dead) const override;

 private:
  template <typename F>
  void each_unit(std::string_view bytes, F&& f) const;

  // The markers of the headers that came by: without them nothing tells where a block that is
  // broken ends.
  mutable AvroUnits units_;
};

}  // namespace leat
