// Formats without a grammar of their own: text lines, and bytes as they come.
//
// lines: a record per line with one field `line`: a string, or bytes where it is not UTF-8.
// raw: a record per batch or message with one field `data` of bytes.
#pragma once

#include <string>

#include "codec/text/slice_writer.h"
#include "stage/codec.h"

namespace leat {

// Records end with '\n'. Blank lines (nothing but spaces, tabs, '\r') yield nothing.
class LineFraming final : public Framing {
 public:
  size_t complete_prefix(std::string_view bytes) const override;
  std::string_view terminator() const override { return "\n"; }
  void split(Batch& batch) const override;
};

// Whatever was read is whole.
class RawFraming final : public Framing {
 public:
  size_t complete_prefix(std::string_view bytes) const override { return bytes.size(); }
  std::string_view terminator() const override { return ""; }
  void split(Batch& batch) const override;
};

class LineDecoder final : public Decoder {
 public:
  Status decode(Batch& batch, DeadLetters& dead) override;

 private:
  const ShapeRef shape_ = std::make_shared<const Shape>(std::vector<std::string_view>{"line"});
};

class RawDecoder final : public Decoder {
 public:
  Status decode(Batch& batch, DeadLetters& dead) override;

 private:
  const ShapeRef shape_ = std::make_shared<const Shape>(std::vector<std::string_view>{"data"});
};

// Writes the text of one field: the named one, or the record's only one.
class TextEncoder final : public Encoder {
 public:
  enum class Ends { kWithNewline, kAsItIs };
  // `field`: "line" or "data". With kWithNewline a text that has a newline in it cannot be written.
  TextEncoder(std::string field, Ends ends) : field_(std::move(field)), ends_(ends) {}

  Result<BatchRef> encode(const Batch& in, DeadLetters& dead) override;

 private:
  // The text to write, null when there is none; then reason_ says why. It may point into scratch_.
  std::optional<std::string_view> text_of(const Record& record);

  const std::string field_;
  const Ends ends_;
  std::string scratch_;
  std::string reason_;
};

}  // namespace leat
