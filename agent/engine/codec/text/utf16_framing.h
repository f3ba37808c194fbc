// Where records end in UTF-16, by the rules of a format that has them for its text.
#pragma once

#include <memory>
#include <utility>

#include "codec/text/utf16.h"
#include "stage/codec.h"

namespace leat {

class Utf16Framing final : public Framing {
 public:
  // `inner`: of UTF-8.
  explicit Utf16Framing(std::unique_ptr<Framing> inner) : inner_(std::move(inner)) {}

  size_t complete_prefix(std::string_view bytes) const override;
  // A line end in either order.
  std::string_view terminator() const override { return {"\n\0", 2}; }
  size_t unit() const override { return 2; }
  size_t behind_line(std::string_view bytes, size_t from) const override {
    return utf16_line_end(bytes, from);
  }
  // It never passes through.
  Status split(Batch&, DeadLetters&) const override {
    return fail(ErrorKind::kFatal, "UTF-16 must be decoded");
  }

 private:
  const std::unique_ptr<Framing> inner_;
};

}  // namespace leat
