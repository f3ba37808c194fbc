// Each line is a record with one field `line`: a string, or bytes where it is not UTF-8.
#pragma once

#include "stage/codec.h"

namespace leat {

class LineDecoder final : public Decoder {
 public:
  Result<Turn> decode(Batch& batch, DeadLetters& dead) override;

 private:
  const ShapeRef shape_ = std::make_shared<const Shape>(std::vector<std::string_view>{"line"});
};

}  // namespace leat
