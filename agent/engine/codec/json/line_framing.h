// NDJSON that passes through undecoded. A line that is one object is given on untouched. Any other
// line is decoded and written anew, so that it means the same, or is the same dead letter, as where
// records are decoded: the elements of an array are records of their own, of a name that stands
// twice the last value counts.
#pragma once

#include <memory>

#include "codec/text/line_framing.h"

namespace leat {

class JsonDecoder;

class JsonLineFraming final : public LineFraming {
 public:
  JsonLineFraming();
  ~JsonLineFraming() override;

  Status split(Batch& batch, DeadLetters& dead) const override;
  size_t held() const override;

 private:
  // What it remembers of shapes makes it quick, and changes nothing of what it answers.
  const std::unique_ptr<JsonDecoder> checker_;
};

}  // namespace leat
