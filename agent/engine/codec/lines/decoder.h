// Each line is a record with one field `line`.
#pragma once

#include "codec/text/charset.h"
#include "codec/text/line_framing.h"
#include "codec/text/utf16.h"
#include "stage/codec.h"

namespace leat {

class LineDecoder final : public Decoder {
 public:
  explicit LineDecoder(TextReader reader = TextReader()) : reader_(reader) {}

  Result<Turn> decode(Batch& batch, DeadLetters& dead) override;

 private:
  const ShapeRef shape_ = std::make_shared<const Shape>(std::vector<std::string_view>{"line"});
  TextReader reader_;
  Utf16Reader utf16_;
};

// Lines that pass through undecoded. What would be no text there is the same dead letter here.
class TextLineFraming final : public LineFraming {
 public:
  explicit TextLineFraming(TextReader reader) : reader_(reader) {}

  Status split(Batch& batch, DeadLetters& dead) const override;
  bool may_begin_with_nul() const override { return reader_.as_bytes(); }

 private:
  const TextReader reader_;
};

}  // namespace leat
