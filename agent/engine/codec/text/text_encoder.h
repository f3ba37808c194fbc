// Writes the text of one field of each record: the named one, or the record's only one.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "codec/text/slice_writer.h"
#include "stage/codec.h"

namespace leat {

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
