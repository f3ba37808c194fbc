// Bytes as they come: a record per batch or message with one field `data` of bytes.
#pragma once

#include "stage/codec.h"

namespace leat {

// Whatever was read is whole.
class RawFraming final : public Framing {
 public:
  size_t complete_prefix(std::string_view bytes) const override { return bytes.size(); }
  std::string_view terminator() const override { return ""; }
  // They are as long as the bytes that were there.
  size_t first_longer(std::string_view, size_t) const override { return std::string_view::npos; }
  Status split(Batch& batch, DeadLetters& dead) const override;
};

class RawDecoder final : public Decoder {
 public:
  Result<Turn> decode(Batch& batch, DeadLetters& dead) override;

 private:
  const ShapeRef shape_ = std::make_shared<const Shape>(std::vector<std::string_view>{"data"});
};

}  // namespace leat
