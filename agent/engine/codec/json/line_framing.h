// NDJSON that passes through undecoded. A line that looks like one object is given on untouched;
// what stands between its braces is the receiver's business. Any other line is decoded and written
// anew, so that it means the same, or is the same dead letter, as where records are decoded: the
// elements of an array are records of their own.
#pragma once

#include "codec/text/line_framing.h"

namespace leat {

class JsonLineFraming final : public LineFraming {
 public:
  Status split(Batch& batch, DeadLetters& dead) const override;
};

}  // namespace leat
